/* Signals sent to sandlock itself: passed on, or harmless. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <signal.h>

#include "tests/live/harness.h"
#include "tests/live/probe.h"

TestSuite(status_signals, .timeout = 60);

static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

static void start(struct run *run, const char *const *command)
{
	struct run_spec spec = { .command = command };

	run_start(&spec, run);
	cr_assert(run_wait_line(run, "ready"), "not ready: %s", run->text[1]);
}

Test(status_signals, passes_term_int_hup_and_quit_on_to_the_command)
{
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++) {
		struct run run;
		cleanup_result struct run_result result;

		start(&run, WORDS(guest("ending"), "catch", word("%d", 40 + (int)i),
				    word("%d", forwarded[i])));
		kill(run.pid, forwarded[i]);
		run_finish(&run, &result);

		cr_assert_eq(result.exit_code, 40 + (int)i, "signal %d: %d %s", forwarded[i],
			result.exit_code, result.err);
	}
}

Test(status_signals, ends_with_128_plus_the_signal_that_the_command_did_not_catch)
{
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++) {
		struct run run;
		cleanup_result struct run_result result;

		start(&run, WORDS(guest("ending"), "catch", "0", word("%d", SIGUSR2)));
		kill(run.pid, forwarded[i]);
		run_finish(&run, &result);

		cr_assert_eq(result.exit_code, 128 + forwarded[i], "%d %s", result.exit_code,
			result.err);
	}
}

static void block_all(void *argument)
{
	sigset_t all;

	(void)argument;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

Test(status_signals, hears_them_though_its_caller_had_blocked_them)
{
	struct run_spec spec = {
		.command = WORDS(guest("ending"), "catch", "41", word("%d", SIGTERM)),
		.prepare = block_all,
	};
	struct run run;
	cleanup_result struct run_result result;

	run_start(&spec, &run);
	cr_assert(run_wait_line(&run, "ready"), "not ready: %s", run.text[1]);
	kill(run.pid, SIGTERM);
	run_finish(&run, &result);

	cr_assert_eq(result.exit_code, 41, "%d %s", result.exit_code, result.err);
}

Test(status_signals, goes_on_after_a_stop_and_a_continue_of_sandlock)
{
	struct run run;
	cleanup_result struct run_result result;

	start(&run, WORDS(guest("ending"), "catch", "43", word("%d", SIGTERM)));
	kill(run.pid, SIGSTOP);
	cr_assert(process_wait_state(run.pid, 'T', 2));
	kill(run.pid, SIGCONT);
	kill(run.pid, SIGTERM);
	run_finish(&run, &result);

	cr_assert_eq(result.exit_code, 43, "%d %s", result.exit_code, result.err);
}

Test(status_signals, waits_on_while_the_command_is_stopped)
{
	struct run run;
	cleanup_result struct run_result result;
	pid_t keeper, command;

	start(&run, WORDS(guest("ending"), "catch", "44", word("%d", SIGTERM)));
	keeper = process_only_child(run.pid);
	command = process_only_child(keeper);
	cr_assert_neq(command, 0, "no command below the keeper");
	kill(command, SIGSTOP);
	cr_assert(process_wait_state(command, 'T', 2));
	cr_assert_neq(process_state(run.pid), 0);
	kill(command, SIGCONT);
	kill(command, SIGTERM);
	run_finish(&run, &result);

	cr_assert_eq(result.exit_code, 44, "%d %s", result.exit_code, result.err);
}

/* A second signal must end what ignored the first. */
Test(status_signals, can_be_ended_by_quit_when_term_is_ignored)
{
	struct run run;
	cleanup_result struct run_result result;

	start(&run, WORDS(guest("ending"), "ignore", word("%d", SIGTERM)));
	kill(run.pid, SIGTERM);
	kill(run.pid, SIGQUIT);
	run_finish(&run, &result);

	cr_assert_eq(result.exit_code, 128 + SIGQUIT, "%d %s", result.exit_code, result.err);
}
