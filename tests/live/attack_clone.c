/* Attacks by new namespaces, and by tasks that hide from their parent. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/live/acts.h"

TestSuite(attack_clone, .timeout = 60);

#define NAMESPACE_ROWS(verb, verdict)                                                              \
	{ verb "_user", verdict, ACT_DONE }, { verb "_mount", verdict, ACT_DONE },                 \
		{ verb "_pid", verdict, ACT_DONE }, { verb "_net", verdict, ACT_DONE },            \
		{ verb "_ipc", verdict, ACT_DONE }, { verb "_uts", verdict, ACT_DONE },            \
	{                                                                                          \
		verb "_cgroup", verdict, ACT_DONE                                                  \
	}

Test(attack_clone, refuses_every_new_namespace)
{
	static const struct act table[] = {
		NAMESPACE_ROWS("clone", EPERM),
		NAMESPACE_ROWS("clone_high_bits", EPERM),
		NAMESPACE_ROWS("clone3", ENOSYS),
		NAMESPACE_ROWS("unshare", EPERM),
		{ "unshare_time", EPERM, ACT_DONE },
		{ "setns_uts", EPERM, ACT_DONE },
		{ "setns_net", EPERM, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_clone"), "namespaces");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_clone, grants_user_namespaces_by_their_group)
{
	const char *const *command = WORDS(guest("attack_clone"), "namespaces");

	cleanup_result struct run_result inside =
		run_inside(WORDS("--extra-allow-syscall", "userns"), command);

	cr_assert_eq(acts_get(&inside, "unshare_user"), ACT_DONE, "%s%s", inside.out, inside.err);
	cr_assert_eq(acts_get(&inside, "clone_user"), ACT_DONE);
	cr_assert_eq(acts_get(&inside, "clone3_user"), ENOSYS);
}

Test(attack_clone, refuses_children_that_hide_from_parent_or_tracer)
{
	static const struct act table[] = {
		{ "clone_untraced", EPERM, ACT_DONE },
		{ "clone_parent", EPERM, ACT_DONE },
		{ "clone_high_bits_untraced", EPERM, ACT_DONE },
		{ "clone_high_bits_parent", EPERM, ACT_DONE },
		{ "clone3_untraced", ENOSYS, ACT_DONE },
		{ "clone3_parent", ENOSYS, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_clone"), "hidings");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_clone, leaves_fork_vfork_and_unsharing_of_files_alone)
{
	static const struct act table[] = {
		{ "clone_fork", ACT_DONE, ACT_DONE },
		{ "clone_vfork", ACT_DONE, ACT_DONE },
		{ "clone_files", ACT_DONE, ACT_DONE },
		{ "unshare_files", ACT_DONE, ACT_DONE },
		{ "unshare_fs", ACT_DONE, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_clone"), "ordinary");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}
