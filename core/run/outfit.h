/* What a run needs beside its plan: streams, temporary directory, rulesets. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_OUTFIT_H
#define CORE_RUN_OUTFIT_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/plan/plan.h"
#include "core/policy/policy.h"
#include "core/run/relay.h"

/* All descriptors are owned; -1 where there is none. */
struct outfit {
	int files[2];	/* --stdout, --stderr */
	int writers[2]; /* the command's ends of the relay */
	int stdio[3];	/* borrowed: what the command gets as 0, 1, 2 */
	bool has_relay;
	struct relay relay;
	int ruleset_fd;
	int scope_fd;
	char *private_tmp; /* borrowed from the plan once it exists: to be removed */
};

/* Makes everything or nothing.  0, or -errno with a message. */
int outfit_init(struct outfit *outfit, const struct sandbox_policy *policy, const struct plan *plan,
	struct error *error);
/* Closes what only the command needed. */
void outfit_release(struct outfit *outfit);
/* Removes the temporary directory with all that is in it, if there is one. */
void outfit_remove_private_tmp(const struct outfit *outfit);
/* Closes the rest, removes the temporary directory with all that is in it. */
void outfit_finish(struct outfit *outfit);

#endif
