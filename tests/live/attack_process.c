/* Attacks that a process makes on its own confinement: prctl, personality, rings, filters, code out
 * of memory, setuid files, inherited descriptors. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/live/acts.h"

#define ODD_DESCRIPTORS 50

TestSuite(attack_process, .timeout = 60);

Test(attack_process, refuses_prctl_operations_that_change_the_watching)
{
	static const struct act table[] = {
		{ "dumpable_off", EPERM, ACT_DONE },
		{ "dumpable_high_bits", EPERM, ACT_DONE },
		{ "securebits", EPERM, ACT_DONE },
		/* Without Yama, or without CAP_SYS_RESOURCE, the kernel has its own answers. */
		{ "ptracer_any", EPERM, ACT_ANY },
		{ "set_mm", EPERM, ACT_ANY },
		{ "set_name", ACT_DONE, ACT_DONE },
		{ "death_signal", ACT_DONE, ACT_DONE },
		{ "subreaper", ACT_DONE, ACT_DONE },
		{ "no_new_privs", ACT_DONE, ACT_DONE },
		{ "timer_slack", ACT_DONE, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_process"), "prctl");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_process, refuses_personalities_that_weaken_the_layout)
{
	static const struct act table[] = {
		{ "query", ACT_DONE, ACT_DONE },
		{ "linux", ACT_DONE, ACT_DONE },
		{ "no_randomize", EPERM, ACT_DONE },
		{ "read_implies_exec", EPERM, ACT_DONE },
		{ "map_page_zero", EPERM, ACT_DONE },
		{ "compat_layout", EPERM, ACT_DONE },
		{ "short_inode", EPERM, ACT_DONE },
		{ "solaris", EPERM, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_process"), "personality");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_process, refuses_io_uring_unless_its_group_is_allowed)
{
	static const struct act table[] = {
		{ "io_uring_setup", ACT_REFUSED, ACT_DONE },
		{ "io_uring_enter", ACT_REFUSED, EBADF },
		{ "io_uring_register", ACT_REFUSED, EINVAL },
	};
	const char *const *command = WORDS(guest("attack_process"), "ring");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result granted =
		run_inside(WORDS("--extra-allow-syscall", "io_uring"), command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_outside(&granted, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_process, lets_a_program_add_filters_that_cannot_widen_anything)
{
	static const struct act table[] = {
		{ "own_filter", ACT_DONE, ACT_DONE },
		{ "own_filter_then_ring", ACT_REFUSED, ACT_DONE },
		/* A task in filter mode cannot enter strict mode. */
		{ "strict_mode", EINVAL, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_process"), "filters");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_process, leaves_no_listener_in_the_command)
{
	static const struct act table[] = {
		{ "descriptors", 0, 0 },
		{ "listeners", 0, 0 },
	};
	static const struct act own[] = { { "listeners", 0, 1 } };
	const char *const *command = WORDS(guest("attack_process"), "scan");

	cleanup_result struct run_result control =
		run_outside(WORDS(guest("attack_process"), "scan", "own"));
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&control, own, ARRAY_LEN(own));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

/* Two of each kind that outlives an exec, up to the count. */
static void open_odd_descriptors(void *argument)
{
	unsigned char parameters[120] = { 0 };
	int pair[2];
	int count = 0;
	sigset_t signals;

	(void)argument;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	while (count < ODD_DESCRIPTORS) {
		int made[] = {
			open("/etc/passwd", O_RDONLY),
			open("/", O_RDONLY | O_DIRECTORY),
			open("/", O_PATH),
			open("/proc/self/mem", O_RDWR),
			socket(AF_INET, SOCK_STREAM, 0),
			socket(AF_INET, SOCK_DGRAM, 0),
			socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? pair[0] : -1,
			eventfd(0, 0),
			epoll_create1(0),
			timerfd_create(CLOCK_MONOTONIC, 0),
			signalfd(-1, &signals, 0),
			inotify_init1(0),
			memfd_create("odd", 0),
			(int)syscall(SYS_pidfd_open, getppid(), 0),
			(int)syscall(SYS_io_uring_setup, 4, parameters),
		};

		for (size_t i = 0; i < ARRAY_LEN(made); i++) {
			/* Some of these are born close-on-exec. */
			if (made[i] >= 0 && count < ODD_DESCRIPTORS &&
				fcntl(made[i], F_SETFD, 0) == 0 && dup2(made[i], 40 + count) >= 0) {
				count++;
			}
			close(made[i]);
		}
		close(pair[1]);
	}
}

Test(attack_process, hands_no_undeclared_descriptor_on)
{
	static const struct act table[] = { { "descriptors", 0, ODD_DESCRIPTORS } };
	struct run_spec spec = {
		.command = WORDS(guest("attack_process"), "scan"),
		.prepare = open_odd_descriptors,
	};

	cleanup_result struct run_result inside = run_once(&spec);
	spec.outside = true;
	cleanup_result struct run_result outside = run_once(&spec);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_process, keeps_filter_and_no_new_privs_over_exec)
{
	static const struct act table[] = {
		{ "no_new_privs", 1, 0 },
		{ "filter_on", EINVAL, ACT_DONE },
		{ "ring", ACT_REFUSED, ACT_DONE },
	};
	const char *const *command = WORDS(guest("attack_process"), "exec", guest("attack_process"),
		"exec", guest("attack_process"), "state");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

/* Documented: without a right that covers memory files, code may run out of memory and out of any
 * readable file.  What must hold is that it runs inside the same walls. */
Test(attack_process, confines_code_that_runs_out_of_memory)
{
	static const struct act table[] = {
		{ "memfd_copied", ACT_DONE, ACT_DONE },
		{ "no_new_privs", 1, 0 },
		{ "filter_on", EINVAL, ACT_DONE },
		{ "ring", ACT_REFUSED, ACT_DONE },
	};
	const char *const *command =
		WORDS(guest("attack_process"), "memfd", guest("attack_process"), "state");

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_process, gains_nothing_from_a_setuid_file)
{
	static const struct act table[] = {
		{ "euid", NOBODY, 0 },
		{ "no_new_privs", 1, 0 },
	};
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *program = scratch_file(&scratch, "setuid");
	struct run_spec spec = {
		.options = WORDS("-r", scratch.path),
		.command = WORDS(program, "state"),
		.uid = NOBODY,
	};
	cleanup_result struct run_result copy =
		run_outside(WORDS("cp", guest("attack_process"), program));
	cr_assert_eq(copy.exit_code, 0, "%s", copy.err);
	cr_assert_eq(chmod(program, 04755), 0);

	cleanup_result struct run_result inside = run_once(&spec);
	spec.outside = true;
	cleanup_result struct run_result outside = run_once(&spec);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}
