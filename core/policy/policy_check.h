/* Rules across options. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_POLICY_CHECK_H
#define CORE_POLICY_POLICY_CHECK_H

#include "core/base/error.h"
#include "core/policy/policy.h"

/* Whether the policy makes sense as a whole, however it was built.  Looks at this process's
 * descriptors, and at nothing else of the host: paths, system call names and processors are the
 * plan's to check.  0, or -errno with a message for the first rule that is broken. */
int policy_check(const struct sandbox_policy *policy, struct error *error);

/* The rules of a sandbox's name alone, as other commands take one: 1 to 64 bytes, no blank, control
 * character or '/', not "." or "..". */
int policy_check_name(const char *name, struct error *error);

#endif
