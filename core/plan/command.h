/* What the child becomes: argv, environment, and the files to try. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_COMMAND_H
#define CORE_PLAN_COMMAND_H

#include "core/plan/plan.h"

/* Fills argv, envp, exec_paths, shell_argv and cwd of the plan.  `inherited` is the environment of
 * the caller.  0, or -errno with a message. */
int command_compile(const struct sandbox_policy *policy, char *const *inherited, struct plan *plan,
	struct error *error);
void command_finish(struct plan *plan);

#endif
