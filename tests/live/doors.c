/* The first doors, through all layers: uname and sched_getaffinity answered by the supervisor. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/text.h"
#include "tests/live/acts.h"
#include "tests/live/probe.h"
#include "tests/live/status_line.h"

TestSuite(doors, .timeout = 120);

/* Every way in which the supervisor can be made to answer. */
static const struct {
	const char *dispatch;
	const char *workers;
} ways[] = {
	{ "SANDLOCK_DISPATCH=inline", "256" },
	{ "SANDLOCK_DISPATCH=queue", "1" },
	{ "SANDLOCK_DISPATCH=queue", "2" },
	{ "SANDLOCK_DISPATCH=queue", "16" },
};

static struct run_result run_way(size_t way, const char *const *flags, const char *const *command)
{
	const char *options[16] = { "--workers-max", ways[way].workers };

	for (size_t i = 0; flags[i] != NULL; i++) {
		options[2 + i] = flags[i];
	}
	return run_once(&(struct run_spec){
		.options = options, .command = command, .env = WORDS(ways[way].dispatch) });
}

/* A number of one call's row in the status line, -1 when there is none. */
static long long counted(const struct run_result *result, const char *call, const char *member)
{
	char *quoted = must_format("\"%s\":{", call);
	char *key = must_format("\"%s\":", member);
	const char *row = strstr(result->status_json, quoted);
	const char *value = row != NULL ? strstr(row, key) : NULL;
	long long number = value != NULL ? atoll(value + strlen(key)) : -1;

	free(quoted);
	free(key);
	return number;
}

Test(doors, show_the_given_name_and_without_it_the_hosts)
{
	struct utsname host;

	cr_assert_eq(uname(&host), 0);
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		cleanup_result struct run_result named =
			run_way(way, WORDS("--name", "box"), WORDS(guest("doors"), "name"));

		cr_expect_str_eq(named.out, "box\n");
		cr_expect_eq(counted(&named, "uname", "count"), 1, "%s", named.status_json);
		cr_expect_eq(counted(&named, "uname", "done"), 1);
		cr_expect_gt(counted(&named, "uname", "p50_ns"), 0);
	}

	cleanup_result struct run_result plain = run_inside(NULL, WORDS(guest("doors"), "name"));

	cr_expect_eq(strncmp(plain.out, host.nodename, strlen(host.nodename)), 0);
	cr_expect_not_null(strstr(plain.status_json, "\"notifications\":{}"));
}

Test(doors, show_odd_bytes_of_a_name_as_they_are)
{
	cleanup_result struct run_result odd =
		run_inside(WORDS("--name", "\xff\"\\%s$(x)\xc3"), WORDS(guest("doors"), "name"));

	cr_assert_str_eq(odd.out, "\xff\"\\%s$(x)\xc3\n");
}

Test(doors, show_the_given_number_of_processors)
{
	static const char *const numbers[] = { "1", "3", "64", "65", "1024" };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		cleanup_result struct run_result inside = run_way(i % ARRAY_LEN(ways),
			WORDS("--num-cpus", numbers[i]), WORDS(guest("doors"), "processors"));

		cr_expect_eq(acts_get(&inside, "processors"), atoi(numbers[i]));
		cr_expect_eq(acts_get(&inside, "first"), 1);
	}
}

Test(doors, fail_on_bad_pointers_and_sizes_as_the_kernel_does)
{
	static const struct act table[] = {
		{ "uname_whole", 0, 0 },
		{ "uname_null", EFAULT, EFAULT },
		{ "uname_unmapped", EFAULT, EFAULT },
		{ "uname_read_only", EFAULT, EFAULT },
		{ "uname_end_of_page", EFAULT, EFAULT },
		{ "uname_last_fit", 0, 0 },
		{ "uname_kernel", EFAULT, EFAULT },
		{ "uname_high", EFAULT, EFAULT },
		{ "affinity_null", EFAULT, EFAULT },
		{ "affinity_read_only", EFAULT, EFAULT },
		{ "affinity_size_0", EINVAL, EINVAL },
		{ "affinity_size_4", EINVAL, EINVAL },
		{ "affinity_size_9", EINVAL, EINVAL },
		{ "affinity_upper_half", 0, 0 },
		{ "affinity_huge_size", 0, 0 },
		{ "affinity_no_process", ESRCH, ESRCH },
		{ "affinity_negative", ESRCH, ESRCH },
	};
	cleanup_result struct run_result outside = run_outside(WORDS(guest("doors"), "pointers"));

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		cleanup_result struct run_result inside =
			run_way(way, WORDS("--name", "box", "--num-cpus", "2"),
				WORDS(guest("doors"), "pointers"));

		acts_check_inside(&inside, table, ARRAY_LEN(table));
		cr_expect_eq(
			acts_get(&inside, "affinity_bytes"), acts_get(&outside, "affinity_bytes"));
	}
}

Test(doors, answer_the_right_thing_in_a_storm_and_count_it)
{
	const char *count = word("%d", count_choose(500, 10000));

	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		cleanup_result struct run_result inside = run_way(way, WORDS("--name", "box"),
			WORDS(guest("doors"), "storm", "16", count, "box"));

		cr_expect_eq(acts_get(&inside, "wrong"), 0);
		cr_expect_eq(inside.exit_code, 0, "%s", inside.err);
		cr_expect_eq(counted(&inside, "uname", "count"), 16 * atoll(count));
		cr_expect_eq(counted(&inside, "uname", "done"), 16 * atoll(count));
	}
}

Test(doors, bear_a_buffer_that_comes_and_goes)
{
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		cleanup_result struct run_result inside = run_way(way, WORDS("--name", "box"),
			WORDS(guest("doors"), "race", word("%d", count_choose(2000, 100000))));

		cr_expect_eq(acts_get(&inside, "other_errors"), 0);
		cr_expect_eq(inside.exit_code, 0, "%s", inside.err);
	}
}

Test(doors, bear_callers_that_die_and_balance_their_counts)
{
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		cleanup_result struct run_result inside = run_way(way, WORDS("--name", "box"),
			WORDS(guest("doors"), "kill", word("%d", count_choose(300, 20000))));
		long long received = counted(&inside, "uname", "count");

		cr_expect_eq(inside.exit_code, 0, "%s", inside.err);
		cr_expect_gt(received, 300);
		cr_expect_eq(received,
			counted(&inside, "uname", "done") + counted(&inside, "uname", "lost"));
		cr_expect_eq(counted(&inside, "uname", "continued"), 0);
	}
}

Test(doors, let_calls_restart_under_signals)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("--name", "box"), WORDS(guest("doors"), "signals", "5000"));

	cr_assert_eq(acts_get(&inside, "failed"), 0);
}

Test(doors, leave_no_listener_and_no_descriptor_inside)
{
	cleanup_result struct run_result named =
		run_inside(WORDS("--name", "box"), WORDS(guest("doors"), "listener"));
	cleanup_result struct run_result plain =
		run_inside(NULL, WORDS(guest("doors"), "listener"));

	cr_assert_eq(acts_get(&named, "listeners"), 0);
	cr_assert_eq(acts_get(&named, "descriptors"), acts_get(&plain, "descriptors"));
}

Test(doors, keep_the_descriptor_limit_that_was_asked_for)
{
	cleanup_result struct run_result named = run_inside(
		WORDS("--name", "box", "--max-open-files", "4"), WORDS(guest("doors"), "name"));

	cr_assert_str_eq(named.out, "box\n");
}

static void wait_for(struct run *run)
{
	cr_assert(run_wait_line(run, "box"));
}

/* What the keeper and the supervisor hold once the command runs, with and without a listener. */
Test(doors, leave_the_keeper_with_the_table_it_always_has)
{
	const char *const command[] = { "/bin/sh", "-c", "uname -n; read line", NULL };
	int entries[2];

	for (int named = 0; named < 2; named++) {
		struct run_spec spec = {
			.options = named ? WORDS("-r", "/usr", "-r", "/bin", "-r", "/lib", "-r",
						   "/lib64", "--name", "box")
					 : WORDS("-r", "/usr", "-r", "/bin", "-r", "/lib", "-r",
						   "/lib64"),
			.command = command,
		};
		struct run_result result;
		struct utsname host;
		struct run run;
		pid_t keeper;

		cr_assert_eq(uname(&host), 0);
		run_start(&spec, &run);
		if (named) {
			wait_for(&run);
		} else {
			cr_assert(run_wait_line(&run, host.nodename));
		}
		keeper = process_only_child(run.pid);
		cr_assert_gt(keeper, 0);
		entries[named] = directory_entry_count(word("/proc/%d/fd", (int)keeper));
		run_end_input(&run);
		run_finish(&run, &result);
		run_result_finish(&result);
	}
	cr_assert_eq(entries[0], entries[1]);
}

Test(doors, tell_the_failures_of_a_start_apart)
{
	cleanup_result struct run_result missing =
		run_inside(WORDS("--name", "box"), WORDS("/nonexistent"));
	cleanup_result struct run_result directory = run_inside(
		WORDS("--name", "box", "--cwd", "/nonexistent"), WORDS(guest("doors"), "name"));
	cleanup_result struct run_result refused =
		run_inside(WORDS("--name", "box"), WORDS("/bin/true"));

	cr_expect_eq(missing.exit_code, 127, "%s", missing.err);
	cr_expect_eq(directory.exit_code, 125, "%s", directory.err);
	cr_expect_not_null(strstr(directory.err, "working directory"));
	cr_expect_eq(refused.exit_code, 126, "%s", refused.err);
}

Test(doors, say_no_supervisor_when_an_outer_sandbox_listens)
{
	const char *const inner[] = { sandlock_path(), "run", "--name", "in", "-r",
		guests_directory(), "-r", "/usr", "-r", "/proc", "--", guest("doors"), "name",
		NULL };
	const char *const plain[] = { sandlock_path(), "run", "-r", guests_directory(), "-r",
		"/usr", "-r", "/proc", "--", guest("doors"), "name", NULL };
	const char *const outer[] = { "--name", "out", "-r", sandlock_path(), "-r", "/usr", "-r",
		"/proc", NULL };
	const char *const env[] = { "ASAN_OPTIONS=detect_leaks=0", NULL };
	cleanup_result struct run_result nested =
		run_once(&(struct run_spec){ .options = outer, .command = inner, .env = env });
	cleanup_result struct run_result walls_only =
		run_once(&(struct run_spec){ .options = outer, .command = plain, .env = env });

	cr_expect_eq(nested.exit_code, 125);
	cr_expect_not_null(strstr(nested.err, "--no-supervisor"), "%s", nested.err);
	cr_expect_str_eq(walls_only.out, "out\n", "%s", walls_only.err);
}

Test(doors, end_the_tree_when_the_supervisor_is_killed)
{
	int runs = count_choose(30, 1000);
	unsigned int seed = 4;

	for (int i = 0; i < runs; i++) {
		struct run_spec spec = {
			.options = WORDS("--name", "box"),
			.command = WORDS(guest("doors"), "storm", "8", "100000000", "box"),
		};
		struct run_result result;
		struct run run;

		run_start(&spec, &run);
		(void)usleep((useconds_t)(rand_r(&seed) % 8000));
		(void)kill(run.pid, SIGKILL);
		run_finish(&run, &result);

		double gone = survivors_wait_gone(result.marker, 2.0);

		if (gone < 0) {
			survivors_kill(result.marker);
		}
		cr_assert_geq(gone, 0.0, "run %d", i);
		orphans_reap();
		run_result_finish(&result);
	}
}

Test(doors, end_at_the_time_limit_in_the_middle_of_a_storm)
{
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		cleanup_result struct run_result inside =
			run_way(way, WORDS("--name", "box", "-t", "0.2"),
				WORDS(guest("doors"), "storm", "8", "100000000", "box"));

		cr_expect_eq(inside.exit_code, 124, "%s", inside.err);
		cr_expect_eq(counted(&inside, "uname", "count"),
			counted(&inside, "uname", "done") + counted(&inside, "uname", "lost"));
	}
}

/* Needs a binary with fault points: the second answer is not sent. */
Test(doors, fail_the_run_when_an_answer_was_dropped)
{
	cleanup_result struct run_result inside = run_once(&(struct run_spec){
		.binary = sandlock_faults_path(),
		.options = WORDS("--name", "box", "-t", "1"),
		.command = WORDS(guest("doors"), "storm", "1", "10", "box"),
		.env = WORDS("SANDLOCK_FAULT=reply-drop:2"),
	});

	cr_assert_eq(inside.exit_code, 125, "%s", inside.err);
	cr_assert_not_null(strstr(inside.err, "notifications of"), "%s", inside.err);
}

Test(doors, prove_that_the_walls_hold_before_the_command_runs)
{
	static const char *const faults[] = { "SANDLOCK_FAULT=seccomp-install",
		"SANDLOCK_FAULT=landlock-restrict" };

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		cleanup_result struct run_result inside = run_once(&(struct run_spec){
			.binary = sandlock_faults_path(),
			.options = WORDS("--name", "box"),
			.command = WORDS(guest("doors"), "name"),
			.env = WORDS(faults[i]),
		});

		cr_expect_eq(inside.exit_code, 125, "%s", inside.err);
		cr_expect_not_null(strstr(inside.err, "self-check"), "%s", inside.err);
	}
}
