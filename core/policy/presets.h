/* Named bundles of grants, as data. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_PRESETS_H
#define CORE_POLICY_PRESETS_H

#include "core/base/error.h"
#include "core/policy/policy.h"

struct preset {
	const char *name;
	const char *const *optional_read; /* ends with NULL */
	const char *const *devices;	  /* ends with NULL */
	bool private_tmp;
};

extern const struct preset presets[];
extern const size_t preset_count;

/* Adds the bundle to the policy; a second time changes nothing.  0, or -EINVAL with a message that
 * names the presets there are. */
int preset_apply(const char *name, struct sandbox_policy *policy, struct error *error);

#endif
