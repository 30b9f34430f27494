/* Attacks by call numbers that no list of today mentions. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/live/acts.h"

TestSuite(attack_numbers, .timeout = 60);

/* Outside, the removed ones answer ENOSYS by themselves; those that are still there do not. */
static const struct act legacy[] = {
	{ "uselib", ACT_REFUSED, ACT_ANY },
	{ "sysctl", ACT_REFUSED, ACT_ANY },
	{ "iopl", ACT_REFUSED, ACT_ANY },
	{ "ioperm", ACT_REFUSED, ACT_ANY },
	{ "create_module", ACT_REFUSED, ACT_ANY },
	{ "get_kernel_syms", ACT_REFUSED, ACT_ANY },
	{ "query_module", ACT_REFUSED, ACT_ANY },
	{ "nfsservctl", ACT_REFUSED, ACT_ANY },
	{ "getpmsg", ACT_REFUSED, ACT_ANY },
	{ "putpmsg", ACT_REFUSED, ACT_ANY },
	{ "afs_syscall", ACT_REFUSED, ACT_ANY },
	{ "tuxcall", ACT_REFUSED, ACT_ANY },
	{ "security", ACT_REFUSED, ACT_ANY },
	{ "set_thread_area", ACT_REFUSED, ACT_ANY },
	{ "get_thread_area", ACT_REFUSED, ACT_ANY },
	{ "lookup_dcookie", ACT_REFUSED, ACT_ANY },
	{ "epoll_ctl_old", ACT_REFUSED, ACT_ANY },
	{ "epoll_wait_old", ACT_REFUSED, ACT_ANY },
	{ "vserver", ACT_REFUSED, ACT_ANY },
	{ "keyctl", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "add_key", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "request_key", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "shmget", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "semget", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "msgget", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "name_to_handle_at", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "kcmp_other", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "map_shadow_stack", ACT_REFUSED, ACT_ANY },
	{ "listmount", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "statmount", ACT_REFUSED, ACT_NOT_REFUSED },
};

Test(attack_numbers, refuses_removed_and_odd_calls)
{
	const char *const *command = WORDS(guest("attack_numbers"), "legacy");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, legacy, ARRAY_LEN(legacy));
	acts_check_inside(&inside, legacy, ARRAY_LEN(legacy));
}

Test(attack_numbers, grants_system_v_ipc_by_its_group)
{
	const char *const *command = WORDS(guest("attack_numbers"), "legacy");

	cleanup_result struct run_result inside =
		run_inside(WORDS("--extra-allow-syscall", "sysv_ipc"), command);

	cr_assert_eq(acts_get(&inside, "shmget"), EINVAL, "%s%s", inside.out, inside.err);
	cr_assert_eq(acts_get(&inside, "msgget"), ENOENT);
	cr_assert_eq(acts_get(&inside, "keyctl"), EPERM);
}

Test(attack_numbers, answers_enosys_where_the_kernel_has_no_call)
{
	static const struct act table[] = { { "answered", 0, 0 } };
	const char *const *command = WORDS(guest("attack_numbers"), "holes");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}
