/* A sandbox inside a sandbox: the walls add up, until the kernel has no more layers. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/acts.h"
#include "tests/live/probe.h"

TestSuite(setup_nesting, .timeout = 60);

#define DEPTH_LIMIT 17 /* one more than Landlock has layers */

/* What the program needs to start inside: itself, and in a sanitizer variant the shared libraries
 * and /proc.  LeakSanitizer traces its own process, which no sandbox allows. */
#define OUTER_GRANTS "-r", sandlock_path(), "-r", "/usr", "-r", "/proc"
#define ENVIRONMENT  WORDS("ASAN_OPTIONS=detect_leaks=0")

/* "PATH of sandlock" run -r GUESTS and more grants [FLAG] -- and so on, DEPTH times, then the
 * command. */
static void nest(const char **words, int depth, const char *flag, const char *const *command)
{
	const char *const grants[] = { OUTER_GRANTS };
	size_t count = 0;

	for (int i = 0; i < depth; i++) {
		words[count++] = sandlock_path();
		words[count++] = "run";
		words[count++] = "-r";
		words[count++] = guests_directory();
		for (size_t j = 0; j < ARRAY_LEN(grants); j++) {
			words[count++] = grants[j];
		}
		if (flag != NULL) {
			words[count++] = flag;
		}
		words[count++] = "--";
	}
	for (; *command != NULL; command++) {
		words[count++] = *command;
	}
	words[count] = NULL;
}

static struct run_result run_nested(
	const char *const *outer, int depth, const char *flag, const char *const *command)
{
	const char *words[16 * DEPTH_LIMIT + 8];

	nest(words, depth, flag, command);
	return run_once(
		&(struct run_spec){ .options = outer, .command = words, .env = ENVIRONMENT });
}

Test(setup_nesting, runs_a_sandbox_inside_a_sandbox)
{
	cleanup_result struct run_result inside =
		run_nested(WORDS(OUTER_GRANTS), 1, NULL, WORDS(guest("ending"), "exit", "42"));

	cr_assert_eq(inside.exit_code, 42, "%d %s", inside.exit_code, inside.err);
}

Test(setup_nesting, runs_a_sandbox_inside_an_unsupervised_one)
{
	struct run_spec spec = {
		.no_status = true,
		.options = WORDS("--no-supervisor", OUTER_GRANTS),
		.env = ENVIRONMENT,
		.command = WORDS(sandlock_path(), "run", "-r", guests_directory(), "--",
			guest("attack_process"), "state"),
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 0, "%d %s", inside.exit_code, inside.err);
	cr_assert_eq(acts_get(&inside, "no_new_privs"), 1);
}

/* Each of the two grants what the other does not. */
Test(setup_nesting, grants_only_what_every_layer_grants)
{
	cleanup_scratch struct scratch outer = scratch_create();
	cleanup_scratch struct scratch inner = scratch_create();
	struct run_spec spec = {
		.options = WORDS(OUTER_GRANTS, "-r", outer.path),
		.env = ENVIRONMENT,
	};
	file_write(scratch_file(&outer, "file"), "outer");
	file_write(scratch_file(&inner, "file"), "inner");

	spec.command = WORDS("/usr/bin/cat", scratch_file(&outer, "file"));
	cleanup_result struct run_result control = run_once(&spec);
	spec.command = WORDS(sandlock_path(), "run", "-r", "/usr", "--", "/usr/bin/cat",
		scratch_file(&outer, "file"));
	cleanup_result struct run_result not_inner = run_once(&spec);
	spec.command = WORDS(sandlock_path(), "run", "-r", "/usr", "-r", inner.path, "--",
		"/usr/bin/cat", scratch_file(&inner, "file"));
	cleanup_result struct run_result not_outer = run_once(&spec);

	cr_assert_str_eq(control.out, "outer", "%s", control.err);
	cr_assert_eq(not_inner.exit_code, 1, "%d %s", not_inner.exit_code, not_inner.err);
	cr_assert_str_eq(not_inner.out, "");
	cr_assert_eq(not_outer.exit_code, 1, "%d %s", not_outer.exit_code, not_outer.err);
	cr_assert_str_eq(not_outer.out, "");
}

Test(setup_nesting, says_so_when_the_kernel_has_no_more_layers)
{
	for (int i = 0; i < 2; i++) {
		const char *flag = i == 0 ? NULL : "--no-supervisor";

		cleanup_result struct run_result inside = run_nested(WORDS(OUTER_GRANTS),
			DEPTH_LIMIT, flag, WORDS(guest("ending"), "exit", "42"));

		cr_assert_eq(inside.exit_code, 125, "%d %s", inside.exit_code, inside.err);
		cr_assert(strstr(inside.err, "16") != NULL, "%s", inside.err);
		cr_assert_eq(survivors_count(inside.marker), 0);
	}
}

/* The inner sandbox of a tree that is killed from outside must not stay. */
Test(setup_nesting, ends_the_inner_sandbox_with_the_outer)
{
	struct run_spec spec = {
		.options = WORDS(OUTER_GRANTS),
		.env = ENVIRONMENT,
		.command = WORDS(sandlock_path(), "run", "-r", guests_directory(), "--",
			guest("tree"), "deep", "20"),
	};
	struct run run;
	cleanup_result struct run_result result;

	run_start(&spec, &run);
	cr_assert(run_wait_line(&run, "ready"), "%s", run.text[1]);
	run_end_input(&run);
	kill(run.pid, SIGKILL);
	double gone = survivors_wait_gone(run.marker, 2);
	survivors_kill(run.marker);
	run_finish(&run, &result);

	cr_assert_geq(gone, 0, "the inner sandbox outlived the outer");
}
