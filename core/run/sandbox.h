/* The life of a sandbox: start, wait, result. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_SANDBOX_H
#define CORE_RUN_SANDBOX_H

#include "core/base/error.h"
#include "core/plan/plan.h"
#include "core/policy/policy.h"
#include "core/run/result.h"

struct sandbox;

/* What a policy may want, for plan_compile(). */
const struct feature *const *sandbox_features(void);

/* Starts the command of the plan under a keeper.  The calling process must have one thread and is
 * changed for good: it becomes a subreaper, gets no_new_privs, enters a Landlock domain that scopes
 * signals, and blocks the signals that it forwards.  Policy and plan must outlive the sandbox.
 * 0 or -errno with a message; nothing is left behind then.  That the command could not be executed
 * is not known yet: sandbox_wait() tells. */
int sandbox_start(const struct sandbox_policy *policy, const struct plan *plan,
	struct sandbox **ret_sandbox, struct error *error);

/* Waits until the command and everything it began has ended, keeps the limits meanwhile, forwards
 * TERM, INT, HUP and QUIT that the calling process gets.  Fills the whole result; once. */
void sandbox_wait(struct sandbox *sandbox, struct result *ret_result);

/* Stops every task of the tree where it stands, and lets it go on: for a thread beside the one that
 * is in sandbox_wait().  Nothing inside is lost by it or notices it, but for the time.  0; -ESRCH
 * (there is no command yet, or no more); -EOPNOTSUPP (the plan has no tracer); -ETIMEDOUT (a task
 * has not stopped within a second, and the tree goes on).  After 0 the thaw is due, soon: the end
 * of the run waits for it. */
int sandbox_freeze(struct sandbox *sandbox) nodiscard;
void sandbox_thaw(struct sandbox *sandbox);

/* Ends what still runs and frees. */
void sandbox_destroy(struct sandbox *sandbox);

/* Confines the calling process itself by the plan and becomes the command.  Returns only on
 * failure, with the failed step in the message; ret_code is the exit code that fits. */
int sandbox_become(const struct sandbox_policy *policy, const struct plan *plan, int *ret_code,
	struct error *error);

#endif
