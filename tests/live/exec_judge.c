/* Execs before a judge: what it refuses does not run, what somebody brings in the place of what it
 * has approved is killed before its first instruction, and nothing else is. */
// SPDX-License-Identifier: Apache-2.0
/* native only: the programs of the races are copies of a guest with another entry point */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/tracee/tracee_exec.h"
#include "tests/live/harness.h"
#include "tests/live/hosted.h"

#define ARGUMENTS_MAX 2

/* One exec that the judge approves. */
struct approved {
	const char *path; /* NULL: any */
	const char *arguments[ARGUMENTS_MAX];
	bool any_arguments;
};

/* Of the running test; ended by a row without path and arguments.  Set before the run forks. */
static const struct approved *table;

static bool has_arguments(const struct exec_request *request, const struct approved *approved)
{
	const char *argument = NULL;

	if (approved->any_arguments) {
		return true;
	}
	for (size_t i = 0; i < ARGUMENTS_MAX; i++) {
		argument = exec_request_next(request, argument);
		if (argument == NULL || strcmp(argument, approved->arguments[i]) != 0) {
			return false;
		}
	}
	return exec_request_next(request, argument) == NULL;
}

static int judge_by_table(struct call *call, const struct exec_request *request)
{
	(void)call;
	for (const struct approved *row = table; row->path != NULL || row->any_arguments; row++) {
		if ((row->path == NULL || strcmp(request->path, row->path) == 0) &&
			has_arguments(request, row)) {
			return 0;
		}
	}
	return -EACCES;
}

static struct action handle_exec(struct call *call)
{
	(void)call;
	return action_next();
}

static bool is_wanted(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static const struct trap_row rows[] = {
	{ SYS(execve), CLASS_VERIFIED_AFTER, handle_exec, .blocks = true },
	{ SYS(execveat), CLASS_VERIFIED_AFTER, handle_exec, .blocks = true },
	TRAP_END,
};

static const struct feature feature = {
	.name = "judge_exec", .wanted = is_wanted, .traps = rows, .judge_exec = judge_by_table
};
static const struct feature *const judged[] = { &feature, NULL };

static struct scratch stage_build(void)
{
	struct scratch stage = scratch_create();
	cleanup_result struct run_result result =
		run_outside(WORDS(guest("exec_judge"), "stage", stage.path));

	cr_assert_eq(result.exit_code, 0);
	return stage;
}

/* The command with what it prints in the file "out". */
static int run_judged(const struct scratch *stage, const char *guard, const char *const *command,
	struct result *ret_result)
{
	struct hosted hosted = {
		.options = WORDS("--preset", "build", "--fs-read", guests_directory(), "--fs-write",
			stage->path, "--cwd", stage->path, "--stdout", scratch_file(stage, "out"),
			"--argv-guard", guard),
		.command = command,
		.features = judged,
	};

	return hosted_run(&hosted, ret_result);
}

TestSuite(exec_judge, .timeout = 3600);

Test(exec_judge, has_the_last_word)
{
	cleanup_scratch struct scratch stage = stage_build();
	const struct approved approved[] = {
		{ .path = guest("exec_judge"), .any_arguments = true },
		{ .path = "./b", .arguments = { "t", "good" } },
		{ .path = "./t", .arguments = { "t", "e" } },
		{ 0 },
	};
	struct result result;

	/* given: what must not run leaves its trace when it is approved */
	table = approved;
	cr_expect_eq(run_judged(&stage, "verify", WORDS(guest("exec_judge"), "one", "./t", "e"),
			     &result),
		66);
	cr_assert_eq(access(scratch_file(&stage, "canary"), F_OK), 0);
	cr_assert_eq(unlink(scratch_file(&stage, "canary")), 0);
	cr_expect_eq(run_judged(&stage, "verify", WORDS(guest("exec_judge"), "one", "./b", "good"),
			     &result),
		66);
	cr_assert_eq(access(scratch_file(&stage, "canary"), F_OK), 0);
	cr_assert_eq(unlink(scratch_file(&stage, "canary")), 0);

	/* when */
	int by_argument = run_judged(
		&stage, "verify", WORDS(guest("exec_judge"), "one", "./b", "bad"), &result);
	int by_path = run_judged(
		&stage, "verify", WORDS(guest("exec_judge"), "one", "././b", "good"), &result);
	int missing = run_judged(
		&stage, "verify", WORDS(guest("exec_judge"), "one", "./missing", "good"), &result);

	/* then */
	cr_expect_eq(by_argument, EACCES);
	cr_expect_eq(by_path, EACCES);
	cr_expect_eq(missing, ENOENT, "what the kernel refuses is not the judge's");
	cr_expect_neq(access(scratch_file(&stage, "canary"), F_OK), 0);
	cr_expect_eq(result.exec_kills, 0);
}

Test(exec_judge, refuses_the_command_itself)
{
	cleanup_scratch struct scratch stage = stage_build();
	const struct approved approved[] = { { 0 } };
	struct result result;

	table = approved;

	int code = run_judged(&stage, "verify", WORDS("./b", "x"), &result);

	cr_expect_eq(code, 126);
	cr_expect_eq(result.reason, RESULT_SETUP);
	cr_expect_neq(access(scratch_file(&stage, "canary"), F_OK), 0);
}

/* How the children of a race ended. */
struct race_counts {
	int meant, refused, killed, must_not, other;
};

static struct race_counts race_once(
	const struct scratch *stage, const char *guard, const char *kind, int count)
{
	const struct approved approved[] = {
		{ .path = guest("exec_judge"), .any_arguments = true },
		{ .path = "./t", .arguments = { "t", "a" } },
		{ 0 },
	};
	struct race_counts counts = { 0 };
	struct result result;

	table = approved;

	int code = run_judged(
		stage, guard, WORDS(guest("exec_judge"), kind, word("%d", count)), &result);
	cr_assert_eq(code, 0, "%s: %s", kind, result.message);
	cleanup_free char *out = file_read(scratch_file(stage, "out"));

	cr_assert_eq(sscanf(out, "%d %d %d %d %d", &counts.meant, &counts.refused, &counts.killed,
			     &counts.must_not, &counts.other),
		5);
	cr_expect_eq(counts.must_not, 0, "%s", kind);
	cr_expect_neq(access(scratch_file(stage, "canary"), F_OK), 0, "%s: canary", kind);
	cr_expect_eq(counts.other, 0, "%s: deaths that are no SIGKILL, or other errors", kind);
	cr_expect_eq(result.exec_kills, (uint64_t)counts.killed, "%s", kind);
	cr_expect_gt(counts.meant, 0);
	cr_log_info("%s, %s: %d as meant, %d refused, %d killed", guard, kind, counts.meant,
		counts.refused, counts.killed);
	return counts;
}

static const char *const kinds[] = { "threads", "process", "peer", "submit" };

static int race_all(const char *guard, int each)
{
	int killed = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		cleanup_scratch struct scratch stage = stage_build();

		killed += race_once(&stage, guard, kinds[i], each).killed;
	}
	return killed;
}

Test(exec_judge, lets_nobody_win_a_race_under_verify)
{
	int each = count_choose(1250, 25000);

	int killed = race_all("verify", each);

	cr_expect_geq(killed, (int)ARRAY_LEN(kinds) * each / 100);
}

/* Writes of the kernel (the submitted ones) come through a freeze: the event is there for them. */
Test(exec_judge, leaves_little_to_the_event_under_freeze)
{
	int each = count_choose(250, 25000);
	int verified = race_all("verify", each);

	int frozen = race_all("freeze", each);

	cr_expect_lt(frozen, verified);
	cr_log_info("killed: %d under verify, %d under freeze", verified, frozen);
}

static const struct approved everything_of_the_storms[] = {
	{ .path = "hard", .arguments = { "t", "a" } },
	{ .path = "./empty/../link", .arguments = { "t", "a" } },
	{ .path = "./script", .arguments = { "t", "a" } },
	{ .path = "", .arguments = { "t", "a" } },
	{ .path = "./link", .arguments = { "link", "a" } },
	{ .path = "./t", .arguments = { "t", "a" } },
};

static void expect_no_false_kill(const char *guard, const char *kind, int count)
{
	cleanup_scratch struct scratch stage = stage_build();
	struct approved approved[ARRAY_LEN(everything_of_the_storms) + 2] = {
		{ .path = guest("exec_judge"), .any_arguments = true },
	};
	struct result result;

	memcpy(approved + 1, everything_of_the_storms, sizeof(everything_of_the_storms));
	table = approved;

	int code = run_judged(
		&stage, guard, WORDS(guest("exec_judge"), kind, word("%d", count)), &result);

	cr_expect_eq(code, 0, "%s, %s: some did not run: %d %s", guard, kind, code, result.message);
	cr_expect_eq(result.exec_kills, 0, "%s, %s", guard, kind);
}

Test(exec_judge, kills_nobody_without_a_race_under_verify)
{
	expect_no_false_kill("verify", "ways", count_choose(2500, 50000));
	expect_no_false_kill("verify", "storm", count_choose(2500, 50000));
}

Test(exec_judge, kills_nobody_without_a_race_under_freeze)
{
	expect_no_false_kill("freeze", "ways", count_choose(500, 10000));
	expect_no_false_kill("freeze", "storm", count_choose(500, 10000));
}

Test(exec_judge, refuses_beside_a_task_that_cannot_be_stopped)
{
	cleanup_scratch struct scratch stage = stage_build();
	const struct approved approved[] = { { .any_arguments = true }, { 0 } };
	struct result result;

	table = approved;

	int code = run_judged(
		&stage, "freeze", WORDS(guest("exec_judge"), "unstoppable", "20"), &result);

	cr_expect_eq(code, 0, "1: never refused, 2: another end: %d", code);
}

/* What real programs make, by way of many execs. */
static const char *const programs[] = {
	"for i in 1 2 3 4 5 6 7 8 9 10; do echo $i | cat | cat | cat | tr 0-9 a-j; done",
	"printf 'A := $(shell seq 1 60)\\nall: $A\\n\\t@cat *.o | sort | cksum\\n%%:\\n"
	"\\t@echo $@ | cat > $@.o; expr $@ + 1 >> $@.o\\n' > Makefile; make -s -j8",
	"/usr/bin/python3 -c 'import subprocess as s, concurrent.futures as f\n"
	"p = f.ThreadPoolExecutor(8)\n"
	"print(list(p.map(lambda i: s.check_output([\"expr\", str(i), \"+\", \"1\"]), range(60))))'",
};

static double run_program(const char *guard, const char *program, const char *expected)
{
	cleanup_scratch struct scratch stage = scratch_create();
	const struct approved approved[] = { { .any_arguments = true }, { 0 } };
	double begin = now_seconds();
	struct result result;

	table = approved;

	int code = run_judged(&stage, guard, WORDS("/bin/dash", "-c", program), &result);
	double seconds = now_seconds() - begin;
	cleanup_free char *out = file_read(scratch_file(&stage, "out"));

	cr_expect_eq(code, 0, "%s: %s", program, result.message);
	cr_expect_str_eq(out, expected, "%s: %s", guard, program);
	cr_expect_eq(result.exec_kills, 0);
	return seconds;
}

Test(exec_judge, lets_programs_do_what_they_do_natively)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		cleanup_scratch struct scratch native = scratch_create();
		cleanup_result struct run_result expected = run_outside(
			WORDS("/bin/dash", "-c", word("cd %s && %s", native.path, programs[i])));

		double verify = run_program("verify", programs[i], expected.out);
		double freeze = run_program("freeze", programs[i], expected.out);

		cr_expect_eq(expected.exit_code, 0);
		cr_log_info(
			"program %zu: %.2f s under verify, %.2f s under freeze", i, verify, freeze);
	}
}
