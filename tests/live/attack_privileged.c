/* Attacks of a command that was started by root: it must hold no capability, and no call that needs
 * one may work. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/acts.h"

TestSuite(attack_privileged, .timeout = 60);

static const struct act calls[] = {
	{ "chroot", ACT_REFUSED, ACT_DONE },
	{ "mknod", ACT_REFUSED, ACT_DONE },
	{ "open_by_handle_at", ACT_REFUSED, ESTALE },
	{ "syslog", ACT_REFUSED, EINVAL },
	{ "settimeofday", ACT_REFUSED, EINVAL },
	{ "clock_settime", ACT_REFUSED, EINVAL },
	{ "adjtimex", ACT_REFUSED, EINVAL },
	{ "clock_adjtime", ACT_REFUSED, EINVAL },
	{ "reboot", ACT_REFUSED, EINVAL },
	{ "setns", ACT_REFUSED, EBADF },
	{ "bpf", ACT_REFUSED, EINVAL },
	{ "fanotify_init", ACT_REFUSED, ACT_DONE },
	{ "quotactl", ACT_REFUSED, ENOENT },
	{ "quotactl_fd", ACT_REFUSED, EBADF },
	{ "swapon", ACT_REFUSED, ENOENT },
	{ "swapoff", ACT_REFUSED, ENOENT },
	{ "sethostname", ACT_REFUSED, EINVAL },
	{ "setdomainname", ACT_REFUSED, EINVAL },
	{ "mount", ACT_REFUSED, ENODEV },
	{ "umount2", ACT_REFUSED, EINVAL },
	{ "pivot_root", ACT_REFUSED, EBUSY },
	{ "acct", ACT_REFUSED, ENOENT },
	{ "perf_event_open", ACT_REFUSED, EFAULT },
	{ "userfaultfd", ACT_REFUSED, ACT_DONE },
	{ "open_tree", ACT_REFUSED, ACT_DONE },
	{ "move_mount", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "fsopen", ACT_REFUSED, ACT_DONE },
	{ "fspick", ACT_REFUSED, ACT_DONE },
	{ "mount_setattr", ACT_REFUSED, EINVAL },
	{ "setuid", ACT_REFUSED, ACT_DONE },
	{ "setgid", ACT_REFUSED, ACT_DONE },
	{ "setresuid", ACT_REFUSED, ACT_DONE },
	{ "setgroups", ACT_REFUSED, ACT_DONE },
	{ "chown", ACT_REFUSED, ACT_DONE },
	{ "dac_override", EACCES, ACT_DONE },
	{ "capset", ACT_REFUSED, ACT_DONE },
	{ "capability_drop", ACT_REFUSED, ACT_DONE },
	{ "securebits", ACT_REFUSED, ACT_DONE },
	{ "nice_up", ACT_REFUSED, ACT_DONE },
	{ "realtime", ACT_REFUSED, ACT_DONE },
	{ "ioprio_realtime", ACT_REFUSED, ACT_DONE },
	{ "socket_raw", ACT_REFUSED, ACT_DONE },
	{ "trusted_xattr", ACT_REFUSED, ACT_DONE },
	{ "vhangup", ACT_REFUSED, ACT_DONE },
	/* Not built into every kernel, or held back from a root in a virtual machine. */
	{ "kexec_load", ACT_REFUSED, ACT_ANY },
	{ "kexec_file_load", ACT_REFUSED, ACT_ANY },
	{ "init_module", ACT_REFUSED, ACT_ANY },
	{ "finit_module", ACT_REFUSED, ACT_ANY },
	{ "delete_module", ACT_REFUSED, ACT_ANY },
	{ "iopl", ACT_REFUSED, ACT_ANY },
	{ "ioperm", ACT_REFUSED, ACT_ANY },
	{ "set_mm", ACT_REFUSED, ACT_ANY },
	{ "raise_open_files", ACT_REFUSED, ACT_ANY },
};

static struct scratch scratch_with_foreign_file(void)
{
	struct scratch scratch = scratch_create();
	const char *foreign = scratch_file(&scratch, "foreign");

	file_write(foreign, "of another user");
	cr_assert_eq(chmod(foreign, 0600), 0);
	cr_assert_eq(chown(foreign, 1, 1), 0);
	return scratch;
}

Test(attack_privileged, refuses_every_call_that_needs_a_capability)
{
	cleanup_scratch struct scratch scratch = scratch_with_foreign_file();
	const char *const *command = WORDS(guest("attack_privileged"), "calls", scratch.path);

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(WORDS("-w", scratch.path), command);

	acts_check_outside(&outside, calls, ARRAY_LEN(calls));
	acts_check_inside(&inside, calls, ARRAY_LEN(calls));
}

static const struct act empty_sets[] = {
	{ "permitted", 0, ACT_ANY },
	{ "effective", 0, ACT_ANY },
	{ "inheritable", 0, ACT_ANY },
	{ "bounding", 0, ACT_ANY },
	{ "ambient", 0, ACT_ANY },
	{ "no_new_privs", 1, 0 },
};

Test(attack_privileged, empties_every_capability_set_of_root)
{
	const char *const *command = WORDS(guest("attack_privileged"), "sets");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, empty_sets, ARRAY_LEN(empty_sets));
	cr_assert_gt(acts_get(&outside, "effective"), 0);
	cr_assert_gt(acts_get(&outside, "bounding"), 0);
	acts_check_inside(&inside, empty_sets, ARRAY_LEN(empty_sets));
	cr_assert_eq(acts_get(&inside, "uid"), 0);
}

Test(attack_privileged, empties_them_again_after_an_exec)
{
	const char *const *command =
		WORDS(guest("attack_privileged"), "exec", guest("attack_privileged"), "sets");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	cr_assert_gt(acts_get(&outside, "effective"), 0);
	acts_check_inside(&inside, empty_sets, ARRAY_LEN(empty_sets));
}

Test(attack_privileged, keeps_the_one_capability_that_was_asked_for)
{
	cleanup_scratch struct scratch scratch = scratch_with_foreign_file();
	const char *const *options = WORDS("-w", scratch.path, "--keep-cap", "chown");

	cleanup_result struct run_result sets =
		run_inside(options, WORDS(guest("attack_privileged"), "sets"));
	cleanup_result struct run_result inside =
		run_inside(options, WORDS(guest("attack_privileged"), "calls", scratch.path));

	cr_assert_eq(acts_get(&sets, "effective"), 1, "%s%s", sets.out, sets.err);
	cr_assert_eq(acts_get(&sets, "bounding"), 1);
	cr_assert_eq(acts_get(&inside, "chown"), ACT_DONE, "%s", inside.err);
	cr_assert_eq(acts_get(&inside, "dac_override"), EACCES);
	cr_assert_neq(acts_get(&inside, "setuid"), ACT_DONE);
}

/* The same walls for an ordinary user.  Outside he is refused most of these by the kernel itself,
 * so root's run above is the control. */
Test(attack_privileged, refuses_the_same_calls_to_an_ordinary_user)
{
	cleanup_scratch struct scratch scratch = scratch_with_foreign_file();
	struct run_spec spec = {
		.options = WORDS("-w", scratch.path),
		.command = WORDS(guest("attack_privileged"), "calls", scratch.path),
		.uid = NOBODY,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	acts_check_inside(&inside, calls, ARRAY_LEN(calls));
}
