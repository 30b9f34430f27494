/* --max-processes: never one more than the limit, and never refused while there is room. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live/acts.h"
#include "tests/live/status_line.h"

TestSuite(limits_processes, .timeout = 900);

static struct run_result limit_run(const char *command, int most, int rounds)
{
	return run_once(&(struct run_spec){
		.options = WORDS("-r", "/proc", "-P", word("%d", most)),
		.command = WORDS(
			guest("limits_processes"), command, word("%d", most), word("%d", rounds)),
		.limit_seconds = 800,
	});
}

static int count_lines(const char *text, const char *part)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
		count++;
	}
	return count;
}

/* What holds in every run, whatever it did. */
static void expect_exact(const struct run_result *inside, int most, bool is_full)
{
	const char *line = inside->status_json;

	cr_assert_not(inside->timed_out, "out: %s", inside->out);
	cr_assert_eq(inside->exit_code, 0, "%s%s", inside->out, inside->err);
	cr_expect_eq(acts_get(inside, "refused_below"), 0, "%s", inside->err);
	cr_expect_eq(acts_get(inside, "above"), 0);
	cr_expect_eq(acts_get(inside, "strange"), 0, "%s", inside->err);
	cr_expect_leq(acts_get(inside, "most"), most);
	if (is_full) {
		cr_expect_eq(status_number(line, "peak_processes"), most, "%s", line);
		cr_expect_eq(count_lines(inside->err, "--max-processes"), 1, "%s", inside->err);
		cr_expect(strstr(status_raw(line, "limits_hit"), "\"limit\":\"processes\"") != NULL,
			"%s", line);
	}
	cr_expect(strstr(status_raw(line, "notifications"), "\"clone\":") != NULL, "%s", line);
}

Test(limits_processes, bind_nobody_outside)
{
	cleanup_result struct run_result outside = run_once(&(struct run_spec){ .outside = true,
		.command = WORDS(guest("limits_processes"), "exchange", "5", "32") });

	cr_assert_eq(outside.exit_code, 0, "%s", outside.err);
	cr_assert_eq(acts_get(&outside, "above"), 3);
	cr_assert_eq(acts_get(&outside, "refused_below"), 0);
}

Test(limits_processes, have_room_at_once_for_one_that_has_ended)
{
	cleanup_result struct run_result inside =
		limit_run("exchange", 8, count_choose(500, 10000));

	expect_exact(&inside, 8, true);
}

Test(limits_processes, are_exact_however_processes_begin_and_end)
{
	cleanup_result struct run_result inside = limit_run("storm", 6, count_choose(5000, 100000));

	expect_exact(&inside, 6, true);
}

Test(limits_processes, are_exact_under_a_timer)
{
	cleanup_result struct run_result inside =
		limit_run("signals", 6, count_choose(1000, 20000));

	expect_exact(&inside, 6, true);
}

Test(limits_processes, are_exact_when_those_who_fork_are_killed)
{
	cleanup_result struct run_result inside = limit_run("killed", 8, count_choose(300, 6000));

	expect_exact(&inside, 8, true);
}

Test(limits_processes, leave_threads_free)
{
	cleanup_result struct run_result inside = limit_run("threads", 2, 1);

	expect_exact(&inside, 2, true);
	cr_assert_eq(acts_get(&inside, "threads"), 100);
}

Test(limits_processes, say_nothing_while_there_is_room)
{
	cleanup_result struct run_result inside =
		run_once(&(struct run_spec){ .options = WORDS("-r", "/proc", "-P", "20"),
			.command = WORDS(guest("limits_processes"), "storm", "5", "200") });

	cr_assert_eq(acts_get(&inside, "refused_below"), 0);
	cr_assert_str_eq(inside.err, "");
	cr_assert_str_eq(status_raw(inside.status_json, "limits_hit"), "[]");
	cr_assert_leq(status_number(inside.status_json, "peak_processes"), 20);
}

/* The group ptrace lets programs make children that no tracer is told of: not under a limit. */
Test(limits_processes, cannot_be_left_by_a_child_that_is_not_traced)
{
	cleanup_result struct run_result without =
		run_inside(WORDS("--extra-allow-syscall", "ptrace"),
			WORDS(guest("limits_processes"), "untraced", "3", "1"));
	cleanup_result struct run_result inside =
		run_inside(WORDS("--extra-allow-syscall", "ptrace", "-P", "3"),
			WORDS(guest("limits_processes"), "untraced", "3", "1"));

	cr_assert_eq(acts_get(&without, "above"), 1);
	cr_assert_eq(acts_get(&inside, "above"), 0);
	cr_assert_eq(acts_get(&inside, "untraced"), EPERM);
}
