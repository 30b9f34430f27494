/* The exit status of a run: the command's own, or the one that says what ended it. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/harness.h"
#include "tests/live/probe.h"

TestSuite(status_exit, .timeout = 60);

Test(status_exit, is_the_commands_own)
{
	static const int codes[] = { 0, 1, 42, 124, 125, 126, 127, 128, 137, 255 };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		const char *const *command = WORDS(guest("ending"), "exit", word("%d", codes[i]));

		cleanup_result struct run_result outside = run_outside(command);
		cleanup_result struct run_result inside = run_inside(NULL, command);

		cr_assert_eq(outside.exit_code, codes[i]);
		cr_assert_eq(inside.exit_code, codes[i], "%d: %s", codes[i], inside.err);
	}
}

static bool is_fatal(int number)
{
	static const int harmless[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD, SIGCONT,
		SIGURG, SIGWINCH };

	for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
		if (harmless[i] == number) {
			return false;
		}
	}
	return number < 32 || number >= SIGRTMIN;
}

Test(status_exit, is_128_plus_the_signal_that_ended_the_command)
{
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (!is_fatal(number)) {
			continue;
		}
		cleanup_result struct run_result inside =
			run_inside(NULL, WORDS(guest("ending"), "signal", word("%d", number)));

		cr_assert_eq(inside.exit_code, 128 + number, "signal %d: %d %s", number,
			inside.exit_code, inside.err);
	}
}

static struct run_result run_command(const char *const *options, const char *program)
{
	return run_inside(options, WORDS(program));
}

Test(status_exit, is_127_when_the_command_is_not_found)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *const *options = WORDS("-r", scratch.path);
	const char *missing = scratch_file(&scratch, "missing");

	cleanup_result struct run_result by_path = run_command(options, missing);
	cleanup_result struct run_result by_name = run_command(options, "no-such-command-anywhere");

	cr_assert_eq(by_path.exit_code, 127, "%d %s", by_path.exit_code, by_path.err);
	cr_assert(strstr(by_path.err, missing) != NULL, "%s", by_path.err);
	cr_assert_eq(by_name.exit_code, 127, "%d %s", by_name.exit_code, by_name.err);
	cr_assert(strstr(by_name.err, "no-such-command-anywhere") != NULL, "%s", by_name.err);
}

Test(status_exit, is_126_when_the_command_cannot_be_executed)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *const *options = WORDS("-r", scratch.path);
	const char *text = scratch_file(&scratch, "text");
	const char *nonsense = scratch_file(&scratch, "nonsense");
	file_write(text, "no program");
	file_write(nonsense, "neither");
	cr_assert_eq(chmod(text, 0644), 0);
	cr_assert_eq(chmod(nonsense, 0755), 0);

	cleanup_result struct run_result no_right = run_command(options, text);
	cleanup_result struct run_result no_format = run_command(options, nonsense);
	cleanup_result struct run_result directory = run_command(options, scratch.path);

	cr_assert_eq(no_right.exit_code, 126, "%d %s", no_right.exit_code, no_right.err);
	cr_assert_eq(no_format.exit_code, 126, "%d %s", no_format.exit_code, no_format.err);
	cr_assert_eq(directory.exit_code, 126, "%d %s", directory.exit_code, directory.err);
}

/* Found, but no grant covers it. */
Test(status_exit, is_126_when_no_grant_covers_the_command)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *program = scratch_file(&scratch, "program");
	cleanup_result struct run_result copy = run_outside(WORDS("cp", guest("ending"), program));
	const char *const *command = WORDS(program, "exit", "0");

	cleanup_result struct run_result inside = run_inside(NULL, command);
	cleanup_result struct run_result granted = run_inside(WORDS("-r", scratch.path), command);

	cr_assert_eq(copy.exit_code, 0);
	cr_assert_eq(granted.exit_code, 0, "%s", granted.err);
	cr_assert_eq(inside.exit_code, 126, "%d %s", inside.exit_code, inside.err);
	cr_assert(strstr(inside.err, program) != NULL, "%s", inside.err);
}

Test(status_exit, is_124_after_a_timeout)
{
	cleanup_result struct run_result inside = run_inside(
		WORDS("-t", "0.2"), WORDS(guest("ending"), "catch", "7", word("%d", SIGUSR1)));

	cr_assert_eq(inside.exit_code, 124, "%d %s", inside.exit_code, inside.err);
	cr_assert_geq(inside.seconds, 0.2);
	cr_assert_lt(inside.seconds, 1.5);
	cr_assert(strstr(inside.err, "timeout") != NULL, "%s", inside.err);
}

Test(status_exit, is_124_when_the_command_heeds_the_term_of_a_timeout)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("-t", "0.2", "--kill-after", "5"),
			WORDS(guest("ending"), "catch", "7", word("%d", SIGTERM)));

	cr_assert_eq(inside.exit_code, 124, "%d %s", inside.exit_code, inside.err);
	cr_assert_lt(inside.seconds, 2);
}

Test(status_exit, kills_after_a_while_what_ignores_the_term_of_a_timeout)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("-t", "0.2", "--kill-after", "0.3"),
			WORDS(guest("ending"), "ignore", word("%d", SIGTERM)));

	cr_assert_eq(inside.exit_code, 124, "%d %s", inside.exit_code, inside.err);
	cr_assert_geq(inside.seconds, 0.5);
	cr_assert_lt(inside.seconds, 2);
	cr_assert_eq(survivors_count(inside.marker), 0);
}

Test(status_exit, leaves_a_command_alone_that_ends_before_its_timeout)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("-t", "20"), WORDS(guest("ending"), "exit", "3"));

	cr_assert_eq(inside.exit_code, 3);
	cr_assert_lt(inside.seconds, 5);
}

/* What the user wrote is wrong: one line that names it, 125, and nothing was started. */
Test(status_exit, is_125_for_bad_input)
{
	const char *const *const wrong[] = {
		WORDS("--no-such-flag"),
		WORDS("-r", "/no/such/path"),
		WORDS("-w", "/no/such/path"),
		WORDS("-m", "12Q"),
		WORDS("-t", "soon"),
		WORDS("-c", "101"),
		WORDS("--cpu-cores", "4000"),
		WORDS("--max-open-files", "0"),
		WORDS("--cwd", "/no/such/path"),
		WORDS("--preset", "nonsense"),
		WORDS("--keep-cap", "nonsense"),
		WORDS("--extra-allow-syscall", "nonsense"),
		WORDS("--extra-deny-syscall", "nonsense"),
		WORDS("--disable", "nonsense"),
		WORDS("--env", "=x"),
		WORDS("--user", "1"),
		WORDS("--net-allow-bind", "70000"),
		WORDS("--status-fd", "77"),
		WORDS("--stdout", "/no/such/path"),
		WORDS("--name", "a/b"),
		WORDS("--workdir", "/tmp"),
		WORDS("--chroot", "/tmp"),
		WORDS("--max-disk", "5M"),
		WORDS("--http-allow", "GET x"),
		WORDS("@/no/such/file"),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct run_spec spec = {
			.options = wrong[i],
			.no_status = strcmp(wrong[i][0], "--status-fd") == 0,
			.command = WORDS(guest("report"), "identity"),
		};
		const char *last = wrong[i][1] != NULL ? wrong[i][1] : wrong[i][0];

		cleanup_result struct run_result inside = run_once(&spec);

		cr_expect_eq(inside.exit_code, 125, "%s %s: %d %s%s", wrong[i][0], last,
			inside.exit_code, inside.out, inside.err);
		cr_expect_str_eq(inside.out, "", "%s: the command ran", wrong[i][0]);
		cr_expect(strchr(inside.err, '\n') == strrchr(inside.err, '\n') &&
				  inside.err[0] != '\0',
			"%s: not one line: %s", wrong[i][0], inside.err);
		cr_expect_eq(survivors_count(inside.marker), 0);
	}
}

Test(status_exit, is_125_without_a_command)
{
	struct run_spec spec = { .command = NULL };

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 125, "%d %s", inside.exit_code, inside.err);
}

static void close_stdout(void *argument)
{
	(void)argument;
	close(1);
}

Test(status_exit, stays_the_commands_own_with_stdout_closed)
{
	struct run_spec spec = {
		.command = WORDS(guest("ending"), "exit", "9"),
		.prepare = close_stdout,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 9, "%d %s", inside.exit_code, inside.err);
}

/* No file that sandlock opens may land on the number that the user closed. */
Test(status_exit, leaves_a_closed_stdout_closed_for_the_command)
{
	struct run_spec spec = {
		.command = WORDS(guest("ending"), "closed"),
		.prepare = close_stdout,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 0, "%d %s", inside.exit_code, inside.err);
}

static void ignore_pipe_signal(void *argument)
{
	(void)argument;
	signal(SIGPIPE, SIG_IGN);
}

Test(status_exit, is_the_pipe_signals_even_when_the_caller_ignores_it)
{
	struct run_spec spec = {
		.command = WORDS(guest("ending"), "broken-pipe"),
		.prepare = ignore_pipe_signal,
	};

	cleanup_result struct run_result inside = run_once(&spec);
	spec.outside = true;
	cleanup_result struct run_result outside = run_once(&spec);

	cr_assert_eq(outside.exit_code, 0);
	cr_assert_eq(inside.exit_code, 128 + SIGPIPE, "%d %s", inside.exit_code, inside.err);
}

static void ignore_child_signal(void *argument)
{
	(void)argument;
	signal(SIGCHLD, SIG_IGN);
}

/* The kernel would reap the command on our behalf and forget its status. */
Test(status_exit, is_not_lost_when_the_caller_ignores_sigchld)
{
	struct run_spec spec = {
		.command = WORDS(guest("ending"), "exit", "42"),
		.prepare = ignore_child_signal,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 42, "%d %s", inside.exit_code, inside.err);
}
