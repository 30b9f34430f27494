/* What a preset grants, and what it does not. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/policy/presets.h"

static void expect_list(const struct string_list *list, const char *const *expected, size_t count)
{
	cr_assert_eq(list->count, count);
	for (size_t i = 0; i < count; i++) {
		cr_expect_str_eq(list->items[i], expected[i]);
	}
}

Test(presets, build_is_the_system_read_only_devices_and_a_private_tmp)
{
	static const char *const read[] = { "/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin",
		"/sbin", "/etc", "/opt" };
	static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
		"/dev/urandom", "/dev/tty" };
	struct sandbox_policy policy;
	struct error error = { 0 };

	policy_init(&policy);
	int r = preset_apply("build", &policy, &error);

	cr_assert_eq(r, 0);
	expect_list(&policy.filesystem.optional_read, read, ARRAY_LEN(read));
	expect_list(&policy.filesystem.devices, devices, ARRAY_LEN(devices));
	cr_assert(policy.filesystem.private_tmp);
	cr_assert_eq(policy.filesystem.read.count, 0);
	cr_assert_eq(policy.filesystem.write.count, 0);
	cr_assert(port_set_is_empty(&policy.network.connect));
	cr_assert(port_set_is_empty(&policy.network.bind));
	policy_finish(&policy);
}

Test(presets, change_nothing_a_second_time)
{
	struct sandbox_policy policy;
	struct error error = { 0 };

	policy_init(&policy);
	(void)preset_apply("build", &policy, &error); /* the policy is looked at */
	size_t count = policy.filesystem.optional_read.count;
	(void)preset_apply("build", &policy, &error);

	cr_assert_eq(policy.filesystem.optional_read.count, count);
	cr_assert_eq(policy.filesystem.presets.count, 1);
	policy_finish(&policy);
}

Test(presets, name_themselves_when_one_is_unknown)
{
	struct sandbox_policy policy;
	struct error error = { 0 };

	policy_init(&policy);
	int r = preset_apply("Build", &policy, &error);

	cr_assert_eq(r, -EINVAL);
	cr_assert_str_eq(error.text, "unknown preset \"Build\" (there is: build)");
	cr_assert_eq(policy.filesystem.optional_read.count, 0);
}

/* No grant of a preset may widen with time or show other processes. */
Test(presets, hold_absolute_paths_outside_the_kernels_own)
{
	static const char *const never[] = { "/proc", "/sys", "/home", "/root", "/run", "/var",
		"/tmp", "/dev/shm", "/dev/pts" };

	for (size_t i = 0; i < preset_count; i++) {
		for (const char *const *path = presets[i].optional_read; *path != NULL; path++) {
			cr_expect_eq((*path)[0], '/');
			cr_expect_neq((*path)[1], '\0');
			for (size_t j = 0; j < ARRAY_LEN(never); j++) {
				cr_expect_neq(
					strncmp(*path, never[j], strlen(never[j])), 0, "%s", *path);
			}
		}
		for (const char *const *path = presets[i].devices; *path != NULL; path++) {
			cr_expect_eq(strncmp(*path, "/dev/", 5), 0, "%s", *path);
		}
	}
}
