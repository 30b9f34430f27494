/* Host identity: with --name, uname(2) reports that name as the host's, and else what the kernel
 * would. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <string.h>

#include "core/handler/call.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/tracee/tracee_memory.h"
#include "handlers/host_identity.h"

void host_identity_answer(
	const struct utsname *kernel, const char *name, struct utsname *ret_answer)
{
	size_t length = strnlen(name, sizeof(ret_answer->nodename) - 1);

	*ret_answer = *kernel;
	memset(ret_answer->nodename, 0, sizeof(ret_answer->nodename));
	memcpy(ret_answer->nodename, name, length);
}

/* Written where the task asked for it; the call never reaches the kernel.  Memory that cannot be
 * written is EFAULT, as there, and never a reason to show the host's name. */
static struct action answer_uname(struct call *call)
{
	struct utsname kernel, answer;
	int r;

	if (uname(&kernel) < 0) {
		return action_errno(EPERM);
	}
	host_identity_answer(&kernel, call->domain->plan->name, &answer);

	r = tracee_write(call, call->notif->args[0], &answer, sizeof(answer));
	return r < 0 ? action_errno(-r) : action_return(0);
}

static bool policy_names_host(const struct sandbox_policy *policy)
{
	return policy->program.name != NULL;
}

static const struct trap_row host_identity_traps[] = {
	{ SYS(uname), CLASS_ON_BEHALF, answer_uname, .only_if = NULL },
	TRAP_END,
};

const struct feature host_identity_feature = {
	.name = "host-identity",
	.wanted = policy_names_host,
	.traps = host_identity_traps,
};
