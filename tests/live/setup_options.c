/* What the options make of the command's surroundings: identity, place, environment, limits,
 * signals, output. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/attributes.h"
#include "tests/live/acts.h"
#include "tests/live/status_line.h"

TestSuite(setup_options, .timeout = 60);

static struct run_result report(const char *const *options, const char *subcommand)
{
	return run_inside(options, WORDS(guest("report"), subcommand));
}

static void expect_act(const struct run_result *result, const char *name, long value)
{
	cr_assert_eq(acts_get(result, name), value, "%s is %d, not %ld (exit %d, %s)", name,
		acts_get(result, name), value, result->exit_code, result->err);
}

Test(setup_options, user_shows_another_identity)
{
	cleanup_result struct run_result inside = report(WORDS("--user", "1234:4321"), "identity");

	expect_act(&inside, "uid", 1234);
	expect_act(&inside, "euid", 1234);
	expect_act(&inside, "gid", 4321);
	expect_act(&inside, "egid", 4321);
}

Test(setup_options, user_works_for_an_ordinary_user_too)
{
	struct run_spec spec = {
		.options = WORDS("--user", "0:0"),
		.command = WORDS(guest("report"), "identity"),
		.uid = NOBODY,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	expect_act(&inside, "uid", 0);
	expect_act(&inside, "gid", 0);
}

/* Root of a user namespace that holds every capability there would be a way around. */
Test(setup_options, user_gives_no_capability)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("--user", "0:0"), WORDS(guest("attack_privileged"), "sets"));

	expect_act(&inside, "effective", 0);
	expect_act(&inside, "permitted", 0);
	expect_act(&inside, "bounding", 0);
}

Test(setup_options, cwd_is_where_the_command_starts)
{
	cleanup_scratch struct scratch scratch = scratch_create();

	cleanup_result struct run_result inside =
		report(WORDS("-r", scratch.path, "--cwd", scratch.path), "place");

	cr_assert_str_eq(inside.out, word("%s\n", scratch.path), "%s", inside.err);
}

static bool has_variable(const struct run_result *result, const char *text)
{
	const char *at = strstr(result->out, text);

	return at != NULL && (at == result->out || at[-1] == '\n') && at[strlen(text)] == '\n';
}

Test(setup_options, env_adds_and_replaces)
{
	struct run_spec spec = {
		.options = WORDS("--env", "ADDED=1", "--env", "REPLACED=new", "--env", "EMPTY="),
		.env = WORDS("REPLACED=old", "KEPT=yes"),
		.command = WORDS(guest("report"), "environment"),
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert(has_variable(&inside, "ADDED=1"), "%s%s", inside.out, inside.err);
	cr_assert(has_variable(&inside, "REPLACED=new"));
	cr_assert(!has_variable(&inside, "REPLACED=old"));
	cr_assert(has_variable(&inside, "EMPTY="));
	cr_assert(has_variable(&inside, "KEPT=yes"));
}

Test(setup_options, clean_env_leaves_only_what_was_given)
{
	struct run_spec spec = {
		.options = WORDS("--clean-env", "--env", "ADDED=1"),
		.env = WORDS("SECRET=yes"),
		.command = WORDS(guest("report"), "environment"),
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert(has_variable(&inside, "ADDED=1"), "%s%s", inside.out, inside.err);
	cr_assert(strstr(inside.out, "SECRET") == NULL);
}

Test(setup_options, max_open_files_is_both_limits)
{
	cleanup_result struct run_result inside = report(WORDS("--max-open-files", "64"), "limits");

	expect_act(&inside, "files_soft", 64);
	expect_act(&inside, "files_hard", 64);
}

static void lower_open_files(void *argument)
{
	struct rlimit limit = { 100, 200 };

	(void)argument;
	setrlimit(RLIMIT_NOFILE, &limit);
}

Test(setup_options, max_open_files_grants_nothing_that_the_caller_lacks)
{
	struct run_spec spec = {
		.options = WORDS("--max-open-files", "5000"),
		.command = WORDS(guest("report"), "limits"),
		.prepare = lower_open_files,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	expect_act(&inside, "files_soft", 100);
	expect_act(&inside, "files_hard", 100);
}

Test(setup_options, leaves_limits_alone_that_nobody_named)
{
	struct run_spec spec = {
		.command = WORDS(guest("report"), "limits"),
		.prepare = lower_open_files,
	};

	cleanup_result struct run_result inside = run_once(&spec);
	spec.outside = true;
	cleanup_result struct run_result outside = run_once(&spec);

	cr_assert_str_eq(inside.out, outside.out, "%s", inside.err);
	expect_act(&inside, "files_soft", 100);
	expect_act(&inside, "files_hard", 200);
}

Test(setup_options, cpu_cores_pins_the_command)
{
	cleanup_result struct run_result inside = report(WORDS("--cpu-cores", "0"), "limits");

	expect_act(&inside, "processors", 1);
	expect_act(&inside, "processor_0", 1);
}

static void allow_core_files(void *argument)
{
	struct rlimit limit = { 4096, RLIM_INFINITY };

	(void)argument;
	setrlimit(RLIMIT_CORE, &limit);
}

Test(setup_options, no_coredump_forbids_core_files)
{
	struct run_spec spec = {
		.options = WORDS("--no-coredump"),
		/* A sanitizer variant would lower the limit by itself. */
		.env = WORDS("ASAN_OPTIONS=disable_coredump=0", "TSAN_OPTIONS=disable_coredump=0"),
		.command = WORDS(guest("report"), "limits"),
		.prepare = allow_core_files,
	};

	cleanup_result struct run_result inside = run_once(&spec);
	spec.options = NULL;
	cleanup_result struct run_result without = run_once(&spec);

	/* 1 where the kernel pipes cores to a handler, which only that value stops. */
	cr_assert_leq(acts_get(&inside, "core_soft"), 1, "%s%s", inside.out, inside.err);
	cr_assert_geq(acts_get(&inside, "core_soft"), 0);
	cr_assert_eq(acts_get(&inside, "core_hard"), acts_get(&inside, "core_soft"));
	expect_act(&without, "core_soft", 4096);
}

Test(setup_options, no_huge_pages_turns_them_off)
{
	cleanup_result struct run_result with = report(WORDS("--no-huge-pages"), "limits");
	cleanup_result struct run_result without = report(NULL, "limits");

	expect_act(&with, "huge_pages_off", 1);
	expect_act(&without, "huge_pages_off", 0);
}

Test(setup_options, no_randomize_memory_fixes_the_layout)
{
	cleanup_result struct run_result first = report(WORDS("--no-randomize-memory"), "layout");
	cleanup_result struct run_result second = report(WORDS("--no-randomize-memory"), "layout");
	cleanup_result struct run_result third = report(NULL, "layout");
	cleanup_result struct run_result fourth = report(NULL, "layout");

	cr_assert_str_eq(first.out, second.out, "%s", first.err);
	cr_assert_str_neq(third.out, fourth.out);
}

static void set_mask(void *argument)
{
	(void)argument;
	umask(027);
}

Test(setup_options, keeps_the_umask_of_the_caller)
{
	struct run_spec spec = {
		.command = WORDS(guest("report"), "umask"),
		.prepare = set_mask,
	};

	cleanup_result struct run_result inside = run_once(&spec);

	expect_act(&inside, "umask", 027);
}

static void ignore_and_block(void *argument)
{
	sigset_t all;

	(void)argument;
	for (int number = 1; number <= SIGRTMAX; number++) {
		signal(number, SIG_IGN);
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

Test(setup_options, resets_dispositions_and_mask)
{
	struct run_spec spec = {
		.command = WORDS(guest("report"), "signals"),
		.prepare = ignore_and_block,
	};

	cleanup_result struct run_result inside = run_once(&spec);
	spec.outside = true;
	cleanup_result struct run_result outside = run_once(&spec);

	cr_assert_gt(acts_get(&outside, "ignored"), 50);
	cr_assert_gt(acts_get(&outside, "blocked"), 50);
	expect_act(&inside, "ignored", 0);
	expect_act(&inside, "blocked", 0);
}

Test(setup_options, passes_words_on_as_they_are)
{
	const char *const *command = WORDS(guest("report"), "arguments", "", "two words", "--flag",
		"-r", "--", "$HOME", "@file", "ü\n");

	cleanup_result struct run_result inside = run_inside(NULL, command);
	cleanup_result struct run_result outside = run_outside(command);

	cr_assert_str_eq(inside.out, outside.out, "%s", inside.err);
}

Test(setup_options, exec_shell_runs_a_line_of_shell)
{
	struct run_spec spec = { .options = WORDS("-r", "/usr", "-e", "echo one; exit 3") };

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 3, "%d %s", inside.exit_code, inside.err);
	cr_assert_str_eq(inside.out, "one\n");
}

Test(setup_options, stdin_reaches_the_command)
{
	struct run_spec spec = {
		.options = WORDS("-r", "/usr"),
		.command = WORDS("/usr/bin/cat"),
		.input = "to the command",
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_str_eq(inside.out, "to the command", "%s", inside.err);
}

Test(setup_options, stdout_and_stderr_go_to_files)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *out = scratch_file(&scratch, "out"), *err = scratch_file(&scratch, "err");

	cleanup_result struct run_result inside = run_inside(
		WORDS("--stdout", out, "--stderr", err), WORDS(guest("ending"), "both", "3", "2"));
	cleanup_free char *out_text = file_read(out);
	cleanup_free char *err_text = file_read(err);

	cr_assert_eq(inside.exit_code, 0, "%s", inside.err);
	cr_assert_str_eq(inside.out, "");
	cr_assert(out_text != NULL && err_text != NULL);
	cr_assert_str_eq(out_text, "ooo");
	cr_assert_str_eq(err_text, "ee");
}

Test(setup_options, max_output_keeps_exactly_that_many_bytes)
{
	static const int sizes[] = { 1, 1000, 4096, 65536, 100000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		cleanup_result struct run_result inside =
			run_inside(WORDS("--max-output", word("%d", sizes[i])),
				WORDS(guest("ending"), "flood", "10000000"));

		cr_assert_eq(inside.out_length, (size_t)sizes[i], "%d: %zu bytes", sizes[i],
			inside.out_length);
		cr_assert_str_eq(status_string(inside.status_json, "reason"), "output");
		cr_assert_lt(inside.seconds, 5);
	}
}

Test(setup_options, max_output_counts_in_a_file_too)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *out = scratch_file(&scratch, "out");
	struct stat status;

	cleanup_result struct run_result inside =
		run_inside(WORDS("--max-output", "5000", "--stdout", out),
			WORDS(guest("ending"), "flood", "10000000"));

	cr_assert_eq(stat(out, &status), 0);
	cr_assert_eq(status.st_size, 5000);
	cr_assert_str_eq(status_string(inside.status_json, "reason"), "output");
}

Test(setup_options, max_output_leaves_a_run_alone_that_stays_below)
{
	cleanup_result struct run_result inside = run_inside(
		WORDS("--max-output", "200000"), WORDS(guest("ending"), "flood", "200000"));

	cr_assert_eq(inside.exit_code, 0, "%d %s", inside.exit_code, inside.err);
	cr_assert_eq(inside.out_length, 200000u);
	cr_assert_str_eq(status_string(inside.status_json, "reason"), "exited");
}
