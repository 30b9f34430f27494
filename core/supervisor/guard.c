/* The last word on a call that no handler had an opinion on. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <sys/syscall.h>

#include "core/plan/plan.h"
#include "core/supervisor/guard.h"
#include "core/supervisor/state.h"
#include "core/supervisor/tracer_exec.h"
#include "core/supervisor/tracer_freeze.h"
#include "core/tracee/tracee_exec.h"

static int ask_judges(struct call *call, const struct exec_request *request)
{
	const struct notify_plan *notify = &call->domain->plan->notify;
	int r = 0;

	for (size_t i = 0; i < notify->judge_count && r == 0; i++) {
		r = notify->judges[i]->judge_exec(call, request);
	}
	return r;
}

/* Copied once, judged by the copy, and compared with the copy when it can no longer change. */
static int judge(struct call *call)
{
	struct tracer *tracer = call->domain->tracer;
	struct exec_request **request = &call->worker->exec;
	struct exec_expectation expectation;
	int r = 0;

	if (*request == NULL) {
		*request = exec_request_create();
	}
	if (*request == NULL) {
		return -ENOMEM;
	}
	if (call->domain->plan->argv_guard == ARGV_GUARD_FREEZE) {
		r = tracer_freeze(tracer, call->notif->tid);
		if (r < 0) {
			return -EPERM;
		}
		call->is_frozen = true;
	}
	r = exec_request_read(*request, call);
	if (r >= 0) {
		r = exec_request_resolve(*request, call, &expectation);
	}
	if (r >= 0) {
		/* What the kernel would refuse is refused here: then nothing is left to compare. */
		r = expectation.error;
	}
	if (r >= 0) {
		r = ask_judges(call, *request);
	}
	return r < 0 ? r : tracer_expect(tracer, call->notif->tid, &expectation);
}

/* The kernel reads the arguments again, and with them whose call it is: a task that is gone, or was
 * never visible here, gets nothing on our word. */
struct action guard_ask(struct call *call)
{
	bool is_exec = call->notif->nr == SYS_execve || call->notif->nr == SYS_execveat;
	int r = 0;

	if (call->notif->tid <= 0) {
		return action_errno(EPERM);
	}
	if (is_exec && call->domain->plan->notify.judge_count > 0) {
		r = judge(call);
	}
	return r < 0 ? action_errno(-r) : action_next();
}

void guard_end(struct call *call)
{
	if (call->is_frozen) {
		tracer_thaw(call->domain->tracer);
		call->is_frozen = false;
	}
}
