/* The groups of system calls are complete data. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <string.h>

#include "arch/syscall_groups.h"

Test(syscall_groups, are_found_by_their_names)
{
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		cr_assert_eq(syscall_group_find(syscall_group_get(group)->name), group);
	}
	cr_assert_eq(syscall_group_find("network"), -1);
}

Test(syscall_groups, name_their_price_in_one_sentence)
{
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info = syscall_group_get(group);

		cr_assert_gt(strlen(info->allows), 10u, "%s", info->name);
		cr_assert_gt(strlen(info->price), 20u, "%s", info->name);
		cr_assert_eq(strchr(info->price, '.'), &info->price[strlen(info->price) - 1],
			"%s: %s", info->name, info->price);
	}
}

Test(syscall_groups, list_each_member_once)
{
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info = syscall_group_get(group);

		for (size_t i = 0; i < info->member_count; i++) {
			cr_assert_lt(info->members[i], SYSCALL_COUNT);
			cr_assert(syscall_groups_of(info->members[i]) & 1u << group);
			for (size_t j = 0; j < i; j++) {
				cr_assert_neq(info->members[i], info->members[j], "%s: %s",
					info->name, syscall_name(info->members[i]));
			}
		}
	}
}

Test(syscall_groups, contain_what_debuggers_and_rr_need)
{
	static const enum syscall_id needed[] = { SYSCALL_ptrace, SYSCALL_process_vm_readv,
		SYSCALL_process_vm_writev, SYSCALL_perf_event_open };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		cr_assert(syscall_groups_of(needed[i]) & 1u << SYSCALL_GROUP_PTRACE);
	}
}

Test(syscall_groups, leave_ordinary_calls_out)
{
	cr_assert_eq(syscall_groups_of(SYSCALL_read), 0);
	cr_assert_eq(syscall_groups_of(SYSCALL_socket), 0);
}
