/* Attacks by other entries into the kernel: the filter sees another architecture or a foreign
 * number there, and must not take it for its own. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "tests/live/acts.h"

TestSuite(attack_abi, .timeout = 60);

Test(attack_abi, kills_what_enters_by_the_32_bit_table)
{
	static const struct act table[] = {
		{ "int80_getpid", ACT_SIGNAL(SIGSYS), ACT_DONE },
		{ "int80_open", ACT_SIGNAL(SIGSYS), ACT_DONE },
		{ "int80_fork", ACT_SIGNAL(SIGSYS), ACT_DONE },
		{ "int80_execve", ACT_SIGNAL(SIGSYS), ACT_DONE },
		{ "far_jump", ACT_SIGNAL(SIGSYS), ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_abi"), "i386", guest("attack_abi"));

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_abi, reports_such_a_death_as_128_plus_sigsys)
{
	const char *const *command = WORDS(guest("attack_abi"), "int80");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	cr_assert_eq(outside.exit_code, 0);
	cr_assert_eq(inside.exit_code, 128 + SIGSYS);
}

/* The kernel here is built without x32, so that outside the answer is the same; that the filter
 * alone already gives it is shown by the tests of the filter. */
Test(attack_abi, answers_enosys_to_x32_numbers)
{
	static const struct act table[] = {
		{ "x32_numbers", ENOSYS, ENOSYS },
		{ "plain_getpid", ACT_DONE, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_abi"), "x32");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_abi, leaves_the_vsyscall_page_working)
{
	static const struct act table[] = { { "vsyscall_time", ACT_DONE, ACT_DONE } };
	const char *const *command = WORDS(guest("attack_abi"), "vsyscall");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}
