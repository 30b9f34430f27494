/* The status line. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <string.h>

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
