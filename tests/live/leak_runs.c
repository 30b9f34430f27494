/* Many runs, several at a time, leave the caller as it was. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/text.h"
#include "tests/live/harness.h"
#include "tests/live/probe.h"
#include "tests/live/pty.h"

TestSuite(leak_runs, .timeout = 600);

#define AT_A_TIME 8

/* Everything of this process, and of the places that runs use, that a run could change. */
static char *snapshot(const struct pty *pty)
{
	struct text text = { 0 };
	struct sigaction action;
	struct termios settings = pty_settings(pty);
	char *limits = process_settings(getpid());
	pid_t children[64];
	char group[32];

	sigaction(SIGCHLD, NULL, &action);
	text_add(&text, "descriptors %d\n", directory_entry_count("/proc/self/fd"));
	text_add(&text, "threads %d\n", directory_entry_count("/proc/self/task"));
	text_add(&text, "children %zu\n", process_children(getpid(), children, 64));
	text_add(&text, "sigchld %d\n", action.sa_handler == SIG_DFL);
	text_add(&text, "terminal %x %x %x %x\n", settings.c_iflag, settings.c_oflag,
		settings.c_cflag, settings.c_lflag);
	text_add(&text, "foreground %d\n", pty_foreground(pty));
	text_add(&text, "group %s\n",
		process_field(getpid(), "NSpgid", group, sizeof(group)) != NULL ? group : "?");
	text_add(&text, "%s", limits);
	free(limits);
	return text.bytes;
}

/* Names of sandlock's below a directory; the tests' own are not counted. */
static int count_named(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		count += strstr(entry->d_name, "sandlock") != NULL &&
			 strncmp(entry->d_name, "sandlock-live", 13) != 0;
	}
	if (directory != NULL) {
		closedir(directory);
	}
	return count;
}

struct kind {
	const char *what;
	struct run_spec spec;
	int exit_code;
};

/* Starts `count` runs of the kinds in turn, AT_A_TIME of them at once. */
static void run_many(const struct kind *kinds, size_t kind_count, int count)
{
	struct run runs[AT_A_TIME];

	for (int done = 0; done < count; done += AT_A_TIME) {
		for (int i = 0; i < AT_A_TIME; i++) {
			run_start(&kinds[(size_t)(done + i) % kind_count].spec, &runs[i]);
		}
		for (int i = 0; i < AT_A_TIME; i++) {
			const struct kind *kind = &kinds[(size_t)(done + i) % kind_count];
			struct run_result result;

			run_finish(&runs[i], &result);
			cr_assert_eq(result.exit_code, kind->exit_code, "%s: %d %s", kind->what,
				result.exit_code, result.err);
			cr_assert_eq(
				survivors_count(result.marker), 0, "%s left processes", kind->what);
			run_result_finish(&result);
		}
	}
}

Test(leak_runs, leave_the_caller_as_it_was)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_pty struct pty pty = pty_open();
	int count = count_choose(56, 1000);
	const char *own_temporary = word("TMPDIR=%s", scratch.path);
	const struct kind kinds[] = {
		{ "a plain exit", { .command = WORDS(guest("ending"), "exit", "3"), .input = "" },
			3 },
		{ "a death", { .command = WORDS(guest("ending"), "signal", "9"), .input = "" },
			137 },
		{ "daemons left behind", { .command = WORDS(guest("tree"), "orphans", "8") }, 42 },
		{ "a private directory",
			{ .options = WORDS("--preset", "build"),
				.env = WORDS(own_temporary),
				.command = WORDS("/bin/sh", "-c", "echo x > \"$TMPDIR/file\""),
				.input = "" },
			0 },
		{ "a limit",
			{ .options = WORDS("-m", "256M", "-t", "20", "--max-output", "1M"),
				.command = WORDS(guest("ending"), "flood", "5000"),
				.input = "" },
			0 },
		{ "a setup that fails",
			{ .options = WORDS("-r", "/no/such"),
				.command = WORDS(guest("ending"), "exit", "0"),
				.input = "" },
			125 },
		{ "a command not found", { .command = WORDS("/no/such/command"), .input = "" },
			127 },
	};
	run_many(kinds, ARRAY_LEN(kinds), (int)ARRAY_LEN(kinds));
	cleanup_free char *before = snapshot(&pty);
	int named_before = count_named("/tmp") + count_named("/dev/shm");

	run_many(kinds, ARRAY_LEN(kinds), count);
	orphans_reap();
	cleanup_free char *after = snapshot(&pty);

	cr_assert_str_eq(after, before);
	cr_assert_eq(directory_entry_count(scratch.path), 0, "the private directory stayed");
	cr_assert_leq(count_named("/tmp") + count_named("/dev/shm"), named_before);
}

/* One process that starts runs one after the other must not grow: here the caller is a shell. */
Test(leak_runs, removes_the_private_directory_whatever_ends_the_run)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	struct run_spec spec = {
		.options = WORDS("--preset", "build", "-t", "0.2"),
		.env = WORDS(word("TMPDIR=%s", scratch.path)),
		.command = WORDS("/bin/sh", "-c",
			"mkdir -p \"$TMPDIR/a/b\"; : > \"$TMPDIR/a/b/c\"; chmod 0 \"$TMPDIR/a\"; "
			"ln -s / \"$TMPDIR/root\"; sleep 9"),
		.input = "",
	};

	cleanup_result struct run_result timed_out = run_once(&spec);
	cr_assert_eq(timed_out.exit_code, 124, "%d %s", timed_out.exit_code, timed_out.err);

	cr_assert_eq(directory_entry_count(scratch.path), 0, "the private directory stayed");
}
