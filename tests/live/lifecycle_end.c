/* The end of a run reaches its own tree and nothing else, whoever the user is and whatever ends it.
 */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/harness.h"
#include "tests/live/probe.h"
#include "tests/live/status_line.h"

TestSuite(lifecycle_end, .timeout = 120);

#define LAST_SECONDS 2.0

static void canary_start(struct run *run, uid_t uid, bool outside)
{
	run_start(
		&(struct run_spec){
			.outside = outside, .command = WORDS(guest("canary")), .uid = uid },
		run);
	cr_assert(run_wait_line(run, "ready"), "the canary did not start: %s", run->text[1]);
}

static void canary_end(struct run *run)
{
	struct run_result result;

	run_finish(run, &result);
	cr_assert_eq(result.exit_code, 0, "a canary died: %x %s", result.status, result.err);
	cr_assert(strstr(result.out, "signal") == NULL, "a canary got a signal: %s", result.out);
	run_result_finish(&result);
}

/* Every way to the end of a tree, beside two processes of the same user: one of the host, and one
 * in another sandbox. */
static void end_beside_canaries(uid_t uid)
{
	struct run host, other, run;
	struct run_result result;
	struct run_spec spec = { .uid = uid, .command = WORDS(guest("tree"), "deep", "12") };
	canary_start(&host, uid, true);
	canary_start(&other, uid, false);

	for (int victim = 0; victim < 3; victim++) {
		run_start(&spec, &run);
		cr_assert(run_wait_line(&run, "ready"), "%s", run.text[1]);
		kill(victim == 1 ? process_only_child(run.pid) : run.pid,
			victim == 2 ? SIGTERM : SIGKILL);
		double gone = survivors_wait_gone(run.marker, LAST_SECONDS);
		survivors_kill(run.marker);
		run_finish(&run, &result);
		run_result_finish(&result);
		cr_assert_geq(gone, 0, "victim %d left processes", victim);
	}
	spec.command = WORDS(guest("tree"), "orphans", "12");
	cleanup_result struct run_result orphans = run_once(&spec);
	cr_assert_eq(orphans.exit_code, 42, "%s", orphans.err);
	cr_assert_geq(survivors_wait_gone(orphans.marker, LAST_SECONDS), 0);

	canary_end(&host);
	canary_end(&other);
}

Test(lifecycle_end, spares_the_other_processes_of_root)
{
	end_beside_canaries(0);
}

Test(lifecycle_end, spares_the_other_processes_of_an_ordinary_user)
{
	end_beside_canaries(NOBODY);
}

/* The tree is then in a user namespace of its own, the keeper is not. */
Test(lifecycle_end, reaches_a_tree_with_another_identity)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("--user", "1000:1000"), WORDS(guest("tree"), "orphans", "12"));

	cr_assert_eq(inside.exit_code, 42, "%s", inside.err);
	cr_assert_geq(survivors_wait_gone(inside.marker, LAST_SECONDS), 0);
}

Test(lifecycle_end, reaches_what_is_stopped)
{
	struct run_spec spec = { .command = WORDS(guest("tree"), "deep", "12") };
	struct run run;
	cleanup_result struct run_result result;
	pid_t keeper, children[64];
	size_t count;

	run_start(&spec, &run);
	cr_assert(run_wait_line(&run, "ready"), "%s", run.text[1]);
	keeper = process_only_child(run.pid);
	count = process_children(keeper, children, 64);
	/* Zero when the double forks have no orphan yet: the command itself is always one. */
	cr_assert_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		kill(children[i], SIGSTOP);
	}
	kill(run.pid, SIGKILL);
	double gone = survivors_wait_gone(run.marker, LAST_SECONDS);
	survivors_kill(run.marker);
	run_finish(&run, &result);

	cr_assert_geq(gone, 0, "stopped processes are left");
}

Test(lifecycle_end, comes_with_a_timeout_in_a_fork_storm)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("-t", "0.3"), WORDS(guest("tree"), "all", "20"));

	cr_assert_eq(inside.exit_code, 124, "%d %s", inside.exit_code, inside.err);
	cr_assert_lt(inside.seconds, 0.3 + LAST_SECONDS);
	cr_assert_geq(survivors_wait_gone(inside.marker, LAST_SECONDS), 0);
}

/* Daemons hold the pipe open through which the output is counted. */
Test(lifecycle_end, is_not_held_up_by_daemons_that_keep_stdout)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("--max-output", "1M"), WORDS(guest("tree"), "orphans", "12"));

	cr_assert_eq(inside.exit_code, 42, "%d %s", inside.exit_code, inside.err);
	cr_assert_lt(inside.seconds, 3);
	cr_assert_str_eq(status_string(inside.status_json, "reason"), "exited");
}
