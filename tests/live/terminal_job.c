/* Job control: who is in the foreground while the command lives and afterwards, and what the keys
 * do. A small session leader plays the shell that sandlock was started from. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/harness.h"
#include "tests/live/probe.h"
#include "tests/live/pty.h"

TestSuite(terminal_job, .timeout = 60);

/* Starts `session MODE sandlock run -- terminal SUBCOMMAND` and waits until the command is ready.
 */
static void start(struct pty *pty, struct run *run, const char *mode, const char *subcommand)
{
	struct run_spec spec = {
		.outside = true,
		.terminal = pty->slave,
		.command = WORDS(guest("session"), mode, sandlock_path(), "run", "-r",
			guests_directory(), "--", guest("terminal"), subcommand),
	};

	run_start(&spec, run);
	cr_assert(pty_wait_text(pty, "ready", 5), "not ready: %s", pty->transcript);
}

static void finish(struct pty *pty, struct run *run)
{
	struct run_result result;

	cr_assert(pty_wait_text(pty, "ended ", 5), "did not end: %s", pty->transcript);
	run_finish(run, &result);
	run_result_finish(&result);
}

Test(terminal_job, gives_the_foreground_to_the_command_and_back)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;

	start(&pty, &run, "script", "line");
	pid_t during = pty_foreground(&pty);
	pty_type(&pty, "go\n");
	finish(&pty, &run);

	cr_assert_eq(during, pty_number(&pty, "pid"), "%d: %s", during, pty.transcript);
	cr_assert_eq(pty_number(&pty, "group"), pty_number(&pty, "pid"));
	cr_assert_eq(pty_number(&pty, "typed"), 1);
	cr_assert_eq(pty_number(&pty, "ended"), 0);
	cr_assert_eq(pty_number(&pty, "foreground_after"), pty_number(&pty, "session"));
}

Test(terminal_job, gives_it_back_after_the_command_was_killed)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;

	start(&pty, &run, "script", "wait");
	kill((pid_t)pty_number(&pty, "pid"), SIGKILL);
	finish(&pty, &run);

	cr_assert_eq(pty_number(&pty, "ended"), 128 + SIGKILL, "%s", pty.transcript);
	cr_assert_eq(pty_number(&pty, "foreground_after"), pty_number(&pty, "session"));
}

Test(terminal_job, gives_it_back_after_sandlock_was_terminated)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;

	start(&pty, &run, "script", "wait");
	kill((pid_t)pty_number(&pty, "job"), SIGTERM);
	finish(&pty, &run);

	cr_assert_eq(pty_number(&pty, "ended"), 128 + SIGTERM, "%s", pty.transcript);
	cr_assert_eq(pty_number(&pty, "foreground_after"), pty_number(&pty, "session"));
}

Test(terminal_job, steals_no_terminal_from_the_background)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;

	start(&pty, &run, "background", "wait");
	pid_t during = pty_foreground(&pty);
	kill((pid_t)pty_number(&pty, "job"), SIGTERM);
	finish(&pty, &run);

	cr_assert_eq(during, pty_number(&pty, "session"), "%s", pty.transcript);
	cr_assert_eq(pty_number(&pty, "foreground_after"), pty_number(&pty, "session"));
}

Test(terminal_job, brings_the_interrupt_key_to_the_command)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;

	start(&pty, &run, "job", "signals");
	pty_type(&pty, "\x03");
	finish(&pty, &run);

	cr_assert_eq(pty_number(&pty, "signal"), SIGINT, "%s", pty.transcript);
	cr_assert_eq(pty_number(&pty, "ended"), 0);
}

Test(terminal_job, ends_as_the_interrupted_command_did)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;

	start(&pty, &run, "job", "wait");
	pty_type(&pty, "\x03");
	finish(&pty, &run);

	cr_assert_eq(pty_number(&pty, "ended"), 128 + SIGINT, "%s", pty.transcript);
}

Test(terminal_job, stops_with_the_suspend_key_and_resumes_in_the_foreground)
{
	cleanup_pty struct pty pty = pty_open();
	struct run run;
	pid_t command;

	start(&pty, &run, "job", "signals");
	command = (pid_t)pty_number(&pty, "pid");
	pty_type(&pty, "\x1a");
	cr_assert(pty_wait_text(&pty, "session stopped", 5), "the job did not stop: %s",
		pty.transcript);
	cr_assert(process_wait_state(command, 'T', 2), "the command did not stop");
	pty_type(&pty, "fg\n");
	cr_assert(pty_wait_text(&pty, "signal 18", 5), "not continued: %s", pty.transcript);
	cr_assert_eq(pty_foreground(&pty), command);
	pty_type(&pty, "\x03");
	finish(&pty, &run);

	cr_assert_eq(pty_number(&pty, "ended"), 0, "%s", pty.transcript);
}

static void close_input(void *argument)
{
	(void)argument;
	close(0);
	(void)!dup2(open("/dev/null", O_RDONLY), 0);
}

/* Only stdin decides: a command whose output alone is a terminal reads no keys. */
Test(terminal_job, touches_no_terminal_when_stdin_is_none)
{
	cleanup_pty struct pty pty = pty_open();
	struct run_spec spec = {
		.terminal = pty.slave,
		.prepare = close_input,
		.command = WORDS(guest("terminal"), "wait"),
	};
	struct run run;
	cleanup_result struct run_result result;

	run_start(&spec, &run);
	cr_assert(pty_wait_text(&pty, "ready", 5), "not ready: %s", pty.transcript);
	pid_t during = pty_foreground(&pty);
	kill(run.pid, SIGTERM);
	run_finish(&run, &result);

	cr_assert_eq(during, run.pid);
	cr_assert_neq(pty_number(&pty, "pid"), during);
}

Test(terminal_job, leaves_the_settings_of_the_terminal_as_they_were)
{
	cleanup_pty struct pty pty = pty_open();
	struct termios before = pty_settings(&pty), after;
	struct run run;

	start(&pty, &run, "script", "line");
	pty_type(&pty, "go\n");
	finish(&pty, &run);
	after = pty_settings(&pty);

	cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0);
}
