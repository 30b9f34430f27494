/* The status line. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/child/child.h"
#include "core/run/result.h"

static const char *const keys[] = {
	"name",
	"reason",
	"exit_code",
	"code",
	"signal",
	"wall_ns",
	"user_ns",
	"system_ns",
	"usage_complete",
	"exec_time_ns",
	"exit_time_ns",
	"total_ns",
	"peak_memory_bytes",
	"peak_processes",
	"max_rss_bytes",
	"minor_faults",
	"major_faults",
	"voluntary_switches",
	"involuntary_switches",
	"left_behind",
	"limits_hit",
	"memory_kills",
	"exec_kills",
	"notifications",
	"kernel",
	"landlock_abi",
	"degraded",
	"message",
};

Test(result, writes_every_key_once_even_when_nothing_ran)
{
	struct error error;
	struct result result;
	cleanup_text struct text text = { 0 };

	(void)error_set(&error, 22, "--memory: \"x\": no size");
	result_init_failure(&result, &error);

	result_json(&result, NULL, &text);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		cleanup_free char *key = must_format("\"%s\":", keys[i]);
		const char *first = strstr(text.bytes, key);

		cr_assert_not_null(first, "%s is missing in %s", key, text.bytes);
		cr_assert_null(strstr(first + 1, key), "%s stands twice in %s", key, text.bytes);
	}
	cr_assert(
		strstr(text.bytes, "\"reason\":\"setup\",\"exit_code\":125,\"code\":null") != NULL);
	cr_assert(strstr(text.bytes, "--memory: \\\"x\\\": no size") != NULL, "%s", text.bytes);
}

Test(result, stays_on_one_line_whatever_a_process_calls_itself)
{
	struct result result = { .reason = RESULT_MEMORY, .memory_kills = 1 };
	cleanup_text struct text text = { 0 };

	memcpy(result.victims[0].comm, "a\nb\"\xff", 6);

	result_json(&result, NULL, &text);

	cr_assert_null(strchr(text.bytes, '\n'));
	cr_assert(strstr(text.bytes, "\"command\":\"a\\u000ab\\\"\\ufffd\"") != NULL, "%s",
		text.bytes);
}

Test(result, tells_the_count_of_processes_rather_than_a_measurement)
{
	struct result result = {
		.reason = RESULT_EXITED,
		.sampled = true,
		.peak_processes = 3,
		.is_counted = true,
		.counted_processes = 5,
		.forks_refused = 7,
	};
	cleanup_text struct text text = { 0 };

	result_json(&result, NULL, &text);

	cr_assert(strstr(text.bytes, "\"peak_processes\":5") != NULL, "%s", text.bytes);
	cr_assert(strstr(text.bytes, "[{\"limit\":\"processes\",\"refused\":7}]") != NULL, "%s",
		text.bytes);
}

Test(result, names_only_the_kills_that_it_has_room_for)
{
	struct result result = { .reason = RESULT_EXITED, .memory_kills = RESULT_VICTIMS + 5 };
	cleanup_text struct text text = { 0 };
	size_t named = 0;

	result_json(&result, NULL, &text);

	for (const char *at = text.bytes; (at = strstr(at, "\"limit\":\"memory\"")) != NULL; at++) {
		named++;
	}
	cr_assert_eq(named, RESULT_VICTIMS);
	cr_assert(strstr(text.bytes, "\"memory_kills\":21") != NULL);
}

/* Exit status as wait4 encodes it. */
#define EXITED(code)   ((code) << 8)
#define KILLED(signal) (signal)

Test(result, judges_a_run_by_what_ended_it)
{
	static const struct {
		enum report_stage stage;
		int status;
		bool root_ended, timed_out, output_cut, is_victim;
		enum result_reason reason;
		int code, signal;
	} rows[] = {
		{ REPORT_EXECUTING, EXITED(42), true, false, false, false, RESULT_EXITED, 42, 0 },
		{ REPORT_EXECUTING, EXITED(255), true, false, false, false, RESULT_EXITED, 255, 0 },
		{ REPORT_EXECUTING, KILLED(15), true, false, false, false, RESULT_SIGNALED, 143,
			15 },
		{ REPORT_EXECUTING, KILLED(9), true, true, false, false, RESULT_TIMEOUT, 124, 9 },
		{ REPORT_EXECUTING, EXITED(0), true, true, false, false, RESULT_TIMEOUT, 124, 0 },
		{ REPORT_EXECUTING, KILLED(9), true, false, true, false, RESULT_OUTPUT, 137, 9 },
		{ REPORT_EXECUTING, KILLED(9), true, false, false, true, RESULT_MEMORY, 137, 9 },
		{ REPORT_EXECUTING, 0, false, false, false, false, RESULT_SUPERVISOR, 125, 0 },
		{ REPORT_CHILD_SETUP, KILLED(15), true, false, false, false, RESULT_SIGNALED, 143,
			15 },
		{ REPORT_FAILED, EXITED(125), true, false, false, false, RESULT_SETUP, 125, 0 },
	};
	const struct plan plan = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result result = {
			.timed_out = rows[i].timed_out,
			.output_cut = rows[i].output_cut,
			.memory_kills = rows[i].is_victim ? 1 : 0,
			.victims = { { .pid = 77 } },
			.report = { .stage = rows[i].stage,
				.root = 77,
				.status = rows[i].status,
				.root_ended = rows[i].root_ended,
				.complete = true },
		};

		result_judge(&result, &plan);

		cr_expect_eq(result.reason, rows[i].reason, "row %zu: %s", i,
			result_reason_name(result.reason));
		cr_expect_eq(result.code, rows[i].code, "row %zu: %d", i, result.code);
		cr_expect_eq(result.signal, rows[i].signal, "row %zu: %d", i, result.signal);
		cr_expect_eq(result.usage_complete, rows[i].root_ended, "row %zu", i);
	}
}

Test(result, uses_the_exit_codes_of_the_shells_for_an_exec_that_failed)
{
	static const struct {
		int error, code;
		const char *text;
	} rows[] = {
		{ ENOENT, 127, "exec tool: No such file or directory" },
		{ ENOTDIR, 127, "exec tool: Not a directory" },
		{ EACCES, 126, "exec tool: Permission denied" },
		{ E2BIG, 126, "exec tool: Argument list too long" },
	};
	char *argv[] = { "tool", NULL };
	char *exec_paths[] = { "/nowhere/tool", NULL };
	const struct plan plan = { .argv = argv, .exec_paths = exec_paths };
	struct run_report report = { .stage = REPORT_FAILED };
	char message[200];

	while (strcmp(step_name(report.step), "exec") != 0) {
		report.step++;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		report.error = rows[i].error;

		int code = result_describe_setup(&report, &plan, message, sizeof(message));

		cr_expect_eq(code, rows[i].code, "row %zu: %d", i, code);
		cr_expect_str_eq(message, rows[i].text);
	}
}

Test(result, names_the_step_and_a_cure_for_a_set_up_that_failed)
{
	const struct plan plan = { 0 };
	struct run_report report = {
		.stage = REPORT_FAILED, .step = REPORT_STEP_KEEPER, .error = E2BIG
	};
	char message[200];

	int code = result_describe_setup(&report, &plan, message, sizeof(message));

	cr_assert_eq(code, 125);
	cr_assert(strstr(message, "\"keeper\"") != NULL && strstr(message, "16 Landlock layers"),
		"%s", message);
}
