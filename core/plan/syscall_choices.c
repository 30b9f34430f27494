/* What of a policy changes a verdict: the names of --extra-allow-syscall and --extra-deny-syscall.
 */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>

#include "core/plan/syscall_rules.h"

/* Adds a name to a list in a message, with a comma where one is needed. */
static void text_add_name(struct text *text, const char *name)
{
	text_add(text, "%s%s", text->length == 0 ? "" : ", ", name);
}

static int find_allowed_groups(
	const struct string_list *names, uint32_t *ret_groups, struct error *error)
{
	cleanup_text struct text unknown = { 0 }, known = { 0 };
	uint32_t groups = 0;

	for (size_t i = 0; i < names->count; i++) {
		int group = syscall_group_find(names->items[i]);

		if (group < 0) {
			text_add_name(&unknown, names->items[i]);
		} else {
			groups |= 1u << group;
		}
	}
	if (unknown.length == 0) {
		*ret_groups = groups;
		return 0;
	}
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		text_add_name(&known, syscall_group_get(group)->name);
	}
	return error_set(error, EINVAL,
		"unknown syscall group name(s): %s (known groups: %s); individual syscalls cannot "
		"be re-allowed",
		unknown.bytes, known.bytes);
}

/* Marks one name of --extra-deny-syscall: a group, or a call that this architecture has. */
static bool deny_name(struct syscall_choices *choices, const char *name)
{
	int group = syscall_group_find(name);
	int id = syscall_find(name);

	if (group >= 0) {
		const struct syscall_group_info *info = syscall_group_get(group);

		choices->denied_groups |= 1u << group;
		for (size_t i = 0; i < info->member_count; i++) {
			choices->denied[info->members[i]] = true;
		}
	}
	if (id >= 0 && syscall_number(ARCH_NATIVE, id) >= 0) {
		choices->denied[id] = true;
		return true;
	}
	return group >= 0;
}

/* What is both allowed and denied is a mistake of the user: neither wins silently. */
static int check_conflicts(const struct syscall_choices *choices, struct error *error)
{
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info = syscall_group_get(group);

		if ((choices->allowed_groups >> group & 1) == 0) {
			continue;
		}
		if ((choices->denied_groups >> group & 1) != 0) {
			return error_set(error, EINVAL,
				"syscall group `%s` is both allowed and denied", info->name);
		}
		for (size_t i = 0; i < info->member_count; i++) {
			if (choices->denied[info->members[i]]) {
				return error_set(error, EINVAL,
					"syscall `%s` is denied but belongs to allowed group `%s`",
					syscall_name(info->members[i]), info->name);
			}
		}
	}
	return 0;
}

int syscall_choices_add(struct syscall_choices *choices, const struct string_list *extra_allow,
	const struct string_list *extra_deny, struct error *error)
{
	struct syscall_choices result = *choices;
	cleanup_text struct text unknown = { 0 };
	uint32_t groups = 0;
	int r = find_allowed_groups(extra_allow, &groups, error);

	if (r < 0) {
		return r;
	}
	result.allowed_groups |= groups;
	for (size_t i = 0; i < extra_deny->count; i++) {
		if (!deny_name(&result, extra_deny->items[i])) {
			text_add_name(&unknown, extra_deny->items[i]);
		}
	}
	if (unknown.length > 0) {
		return error_set(
			error, EINVAL, "unknown syscall or group name(s): %s", unknown.bytes);
	}
	r = check_conflicts(&result, error);
	if (r < 0) {
		return r;
	}
	*choices = result;
	return 0;
}
