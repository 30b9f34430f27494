/* Values of options: a reader and a writer for each type. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_OPTION_VALUE_H
#define CORE_POLICY_OPTION_VALUE_H

#include "core/policy/policy_options.h"

/* What option_set() and option_list_values() do for one type.  Both may be NULL: the type has no
 * value in a policy. */
struct option_type_rules {
	int (*read)(const struct policy_option *option, struct sandbox_policy *policy,
		const char *value, struct error *error);
	void (*list)(const struct policy_option *option, const struct sandbox_policy *policy,
		struct string_list *values);
};

const struct option_type_rules *option_type_rules(enum option_type type);

#endif
