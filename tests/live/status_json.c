/* The line of --status-fd: one in every case, always of the same shape. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "tests/live/harness.h"
#include "tests/live/probe.h"
#include "tests/live/status_line.h"

TestSuite(status_json, .timeout = 60);

#define TYPE(type) (1u << (type))
#define NUMBER	   TYPE(JSON_NUMBER)
#define OPTIONAL   (TYPE(JSON_NUMBER) | TYPE(JSON_NULL))

/* The schema of sandlock.1: every key is there in every case; what is not known is null. */
static const struct {
	const char *key;
	unsigned types;
} schema[] = {
	{ "reason", TYPE(JSON_STRING) },
	{ "code", OPTIONAL },
	{ "signal", OPTIONAL },
	{ "wall_ns", OPTIONAL },
	{ "user_ns", OPTIONAL },
	{ "system_ns", OPTIONAL },
	{ "usage_complete", TYPE(JSON_BOOL) },
	{ "exec_time_ns", OPTIONAL },
	{ "exit_time_ns", OPTIONAL },
	{ "peak_memory_bytes", OPTIONAL },
	{ "peak_processes", OPTIONAL },
	{ "limits_hit", TYPE(JSON_ARRAY) },
	{ "notifications", TYPE(JSON_OBJECT) },
	{ "kernel", TYPE(JSON_STRING) },
	{ "landlock_abi", OPTIONAL },
	{ "degraded", TYPE(JSON_ARRAY) },
};

/* The line must have the schema and this reason, whatever else it says. */
static void expect_reason(const struct run_result *result, const char *reason)
{
	const char *line = result->status_json;

	cr_assert(status_line_is_valid(line), "%s: not one line of JSON: <%s> (stderr %s)", reason,
		line, result->err);
	for (size_t i = 0; i < ARRAY_LEN(schema); i++) {
		cr_assert((TYPE(status_type(line, schema[i].key)) & schema[i].types) != 0,
			"%s: key %s is wrong or missing: %s", reason, schema[i].key, line);
	}
	cr_assert_str_eq(status_string(line, "reason"), reason, "%s", line);
}

Test(status_json, tells_an_exit_with_its_code)
{
	struct utsname host;
	uname(&host);

	cleanup_result struct run_result inside =
		run_inside(NULL, WORDS(guest("ending"), "exit", "42"));

	expect_reason(&inside, "exited");
	cr_assert_eq(status_number(inside.status_json, "code"), 42);
	cr_assert_eq(status_type(inside.status_json, "signal"), JSON_NULL);
	cr_assert(status_true(inside.status_json, "usage_complete"));
	cr_assert_str_eq(status_string(inside.status_json, "kernel"), host.release);
	cr_assert_geq(status_number(inside.status_json, "landlock_abi"), 1);
	cr_assert_str_eq(status_raw(inside.status_json, "limits_hit"), "[]");
	cr_assert_str_eq(status_raw(inside.status_json, "notifications"), "{}");
	cr_assert_str_eq(status_raw(inside.status_json, "degraded"), "[]");
}

Test(status_json, tells_the_signal_that_ended_the_command)
{
	cleanup_result struct run_result inside =
		run_inside(NULL, WORDS(guest("ending"), "signal", word("%d", SIGSEGV)));

	expect_reason(&inside, "signaled");
	cr_assert_eq(status_number(inside.status_json, "signal"), SIGSEGV);
	cr_assert_eq(status_type(inside.status_json, "code"), JSON_NULL);
}

Test(status_json, tells_a_timeout)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("-t", "0.2"), WORDS(guest("ending"), "ignore", "15"));

	expect_reason(&inside, "timeout");
	cr_assert(strstr(status_raw(inside.status_json, "limits_hit"), "timeout") != NULL, "%s",
		inside.status_json);
}

Test(status_json, tells_too_much_output)
{
	cleanup_result struct run_result inside = run_inside(
		WORDS("--max-output", "1000"), WORDS(guest("ending"), "flood", "100000"));

	expect_reason(&inside, "output");
	cr_assert(strstr(status_raw(inside.status_json, "limits_hit"), "output") != NULL, "%s",
		inside.status_json);
}

Test(status_json, tells_a_setup_that_failed)
{
	const char *const *const wrong[] = {
		WORDS("-r", "/no/such/path"),
		WORDS("--cwd", "/no/such/path"),
		WORDS("--no-such-flag"),
		WORDS("-m", "nonsense"),
		WORDS("--workdir", "/tmp"),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cleanup_result struct run_result inside =
			run_inside(wrong[i], WORDS(guest("ending"), "exit", "0"));

		expect_reason(&inside, "setup");
		cr_assert_eq(inside.exit_code, 125);
	}
}

Test(status_json, tells_a_command_that_could_not_be_started)
{
	cleanup_result struct run_result missing = run_inside(NULL, WORDS("/no/such/command"));
	cleanup_result struct run_result directory = run_inside(NULL, WORDS(guests_directory()));

	expect_reason(&missing, "setup");
	expect_reason(&directory, "setup");
	cr_assert_eq(missing.exit_code, 127);
	cr_assert_eq(directory.exit_code, 126);
}

Test(status_json, tells_that_no_command_was_given)
{
	struct run_spec spec = { .command = NULL };

	cleanup_result struct run_result inside = run_once(&spec);

	expect_reason(&inside, "setup");
}

Test(status_json, tells_that_the_supervisor_failed)
{
	struct run_spec spec = { .command = WORDS(guest("ending"), "catch", "0", "10") };
	struct run run;
	cleanup_result struct run_result result;

	run_start(&spec, &run);
	cr_assert(run_wait_line(&run, "ready"), "%s", run.text[1]);
	kill(process_only_child(run.pid), SIGKILL);
	run_finish(&run, &result);

	expect_reason(&result, "supervisor");
	cr_assert_eq(result.exit_code, 125, "%d", result.exit_code);
}

Test(status_json, tells_a_forwarded_signal_as_the_end_of_the_command)
{
	struct run_spec spec = { .command = WORDS(guest("ending"), "catch", "0", "10") };
	struct run run;
	cleanup_result struct run_result result;

	run_start(&spec, &run);
	cr_assert(run_wait_line(&run, "ready"), "%s", run.text[1]);
	kill(run.pid, SIGTERM);
	run_finish(&run, &result);

	expect_reason(&result, "signaled");
	cr_assert_eq(status_number(result.status_json, "signal"), SIGTERM);
}

/* 300 ms in each of two processes. */
Test(status_json, counts_the_time_of_the_whole_tree)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t before = now.tv_sec * 1000000000ll + now.tv_nsec;

	cleanup_result struct run_result inside =
		run_inside(NULL, WORDS(guest("ending"), "work", "300"));
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t after = now.tv_sec * 1000000000ll + now.tv_nsec;

	expect_reason(&inside, "exited");
	const char *line = inside.status_json;
	int64_t used = status_number(line, "user_ns") + status_number(line, "system_ns");
	int64_t executed = status_number(line, "exec_time_ns");
	int64_t ended = status_number(line, "exit_time_ns");
	cr_assert_geq(used, 590000000, "%s", line);
	cr_assert_leq(used, 900000000, "%s", line);
	cr_assert_geq(status_number(line, "wall_ns"), 300000000, "%s", line);
	cr_assert_leq(status_number(line, "wall_ns"), (int64_t)(inside.seconds * 1e9), "%s", line);
	cr_assert_geq(executed, before, "%s", line);
	cr_assert_geq(ended, executed, "%s", line);
	cr_assert_leq(ended, after, "%s", line);
}

/* With a limit to keep, memory and processes are measured. */
Test(status_json, counts_the_processes_of_a_measured_run)
{
	cleanup_result struct run_result inside =
		run_inside(WORDS("-m", "1G"), WORDS(guest("ending"), "children", "10"));

	expect_reason(&inside, "exited");
	cr_assert_eq(status_type(inside.status_json, "peak_processes"), JSON_NUMBER);
	cr_assert_leq(status_number(inside.status_json, "peak_processes"), 11);
	cr_assert_gt(status_number(inside.status_json, "peak_memory_bytes"), 0, "%s",
		inside.status_json);
}

Test(status_json, is_not_within_reach_of_the_command)
{
	cleanup_result struct run_result inside =
		run_inside(NULL, WORDS(guest("attack_process"), "scan"));

	expect_reason(&inside, "exited");
	cr_assert(strstr(inside.out, "descriptors 0") != NULL, "%s", inside.out);
}
