/* Process limit: with --max-processes N no more than N processes are alive at once, and one more is
 * refused with EAGAIN; never one that there is room for.  Threads are free. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/handler/call.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/process/fork_count.h"
#include "core/supervisor/tracer.h"
#include "handlers/process_limit.h"

/* The answer was lost, or somebody else refused the call. */
static void take_back(void *context)
{
	const struct call *call = context;

	/* The thread may have had its answer long since, and be in its next fork. */
	if (call->fork_token != 0) {
		fork_count_take_back(call->domain->forks, call->fork_token);
	}
}

static void refuse(const struct call *call, uint32_t limit)
{
	if (!fork_count_is_over(call->domain->forks) &&
		atomic_fetch_add(&call->domain->forks->refused, 1) == 0) {
		/* One line, in one write; a reader that is gone is no reason to stop. */
		(void)dprintf(STDERR_FILENO,
			"sandlock: --max-processes: %u processes are alive, another one was "
			"refused (EAGAIN)\n",
			limit);
	}
}

/* A fork that is let through may still fail in the kernel, and one that has ended may not have been
 * seen to: at the limit, and only there, the tracer is asked for the truth. */
static struct action count_fork(struct call *call)
{
	const struct domain *domain = call->domain;
	uint32_t limit = domain->plan->process_limit;
	pid_t tid = call->notif->tid;

	/* The tracer would not be told of it: the group ptrace opens this, a limit closes it. */
	if ((call->notif->args[0] & CLONE_UNTRACED) != 0 && call->notif->nr == SYS_clone) {
		return action_errno(EPERM);
	}
	if (call_undo_add(call, take_back, call) < 0) {
		return action_errno(EAGAIN);
	}
	call->fork_token = fork_count_open(domain->forks, tid, limit);
	if (call->fork_token != 0) {
		return action_next();
	}
	tracer_settle(domain->tracer);
	call->fork_token = fork_count_open(domain->forks, tid, limit);
	if (call->fork_token != 0) {
		return action_next();
	}
	refuse(call, limit);
	return action_errno(EAGAIN);
}

static bool policy_limits_processes(const struct sandbox_policy *policy)
{
	return policy->limits.processes != 0;
}

/* clone3 never arrives: the filter answers ENOSYS, because its flags are in memory. */
static const struct arg_test is_no_thread = ARG_MASKED_IS(0, U64, CLONE_THREAD, 0);

static const struct trap_row process_limit_traps[] = {
	{ SYS(clone), CLASS_REGISTER, count_fork, .only_if = &is_no_thread },
	{ SYS(fork), CLASS_REGISTER, count_fork, .only_if = NULL },
	{ SYS(vfork), CLASS_REGISTER, count_fork, .only_if = NULL },
	TRAP_END,
};

const struct feature process_limit_feature = {
	.name = "process-limit",
	.wanted = policy_limits_processes,
	.traps = process_limit_traps,
};
