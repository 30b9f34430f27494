/* Names of capabilities. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "core/policy/capability_name.h"

Test(capability_name, agrees_with_the_kernels_header)
{
	static const struct {
		unsigned int number;
		const char *name;
	} rows[] = {
		{ CAP_CHOWN, "CAP_CHOWN" },
		{ CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE" },
		{ CAP_NET_RAW, "CAP_NET_RAW" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
		{ CAP_AUDIT_CONTROL, "CAP_AUDIT_CONTROL" },
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE" },
	};

	cr_assert_eq(CAPABILITY_COUNT, CAP_LAST_CAP + 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_str_eq(capability_name(rows[i].number), rows[i].name);
	}
	cr_assert_null(capability_name(CAPABILITY_COUNT));
}

Test(capability_name, is_read_back_in_every_spelling)
{
	for (unsigned int i = 0; i < CAPABILITY_COUNT; i++) {
		const char *name = capability_name(i);
		char lower[64] = { 0 };
		unsigned int number = CAPABILITY_COUNT;

		for (size_t j = 0; name[j] != '\0'; j++) {
			lower[j] = name[j] == '_' ? '_' : (char)(name[j] | 0x20);
		}

		cr_expect_eq(capability_parse(name, &number), 0);
		cr_expect_eq(number, i);
		cr_expect_eq(capability_parse(lower, &number), 0);
		cr_expect_eq(number, i);
		cr_expect_eq(capability_parse(name + 4, &number), 0);
		cr_expect_eq(number, i);
	}
}

Test(capability_name, is_nothing_else)
{
	static const char *const names[] = { "", "CAP_", "CAP_FOO", "CAP_CAP_CHOWN", "ALL", "0",
		"CAP_CHOWN " };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unsigned int number = 99;

		cr_expect_eq(capability_parse(names[i], &number), -EINVAL, "%s", names[i]);
		cr_expect_eq(number, 99);
	}
}
