/* Streams in odd states: closed, without a reader, shared with the status line. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "tests/live/harness.h"
#include "tests/live/status_line.h"

TestSuite(status_streams, .timeout = 60);

static void close_some(void *argument)
{
	const int *closed = argument;

	for (int fd = 0; fd < 3; fd++) {
		if (*closed & 1 << fd) {
			close(fd);
		}
	}
}

/* What sandlock opens for itself must not turn up as a standard stream of the command. */
Test(status_streams, stay_closed_for_the_command)
{
	const char *const *const options[] = {
		NULL,
		WORDS("-t", "20", "-m", "1G"),
		WORDS("--preset", "build"),
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		for (int closed = 0; closed < 8; closed++) {
			struct run_spec spec = {
				.options = options[i],
				.command = WORDS(guest("ending"), "streams"),
				.prepare = close_some,
				.prepare_argument = &closed,
			};

			cleanup_result struct run_result inside = run_once(&spec);

			cr_assert_eq(inside.exit_code, 7 & ~closed, "options %zu, closed %d: %d %s",
				i, closed, inside.exit_code, inside.err);
		}
	}
}

Test(status_streams, carry_the_status_line_after_the_output)
{
	struct run_spec spec = {
		.no_status = true,
		.options = WORDS("--status-fd", "1"),
		.command = WORDS(guest("ending"), "both", "2", "0"),
	};

	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 0, "%s", inside.err);
	cr_assert_eq(strncmp(inside.out, "oo{", 3), 0, "%s", inside.out);
	cr_assert(status_line_is_valid(inside.out + 2), "%s", inside.out);
}

Test(status_streams, may_lose_the_reader_of_the_status_line)
{
	struct run_spec spec = { .command = WORDS(guest("ending"), "catch", "42", "15") };
	struct run run;
	cleanup_result struct run_result result;

	run_start(&spec, &run);
	cr_assert(run_wait_line(&run, "ready"), "%s", run.text[1]);
	fd_close(&run.status);
	kill(run.pid, SIGTERM);
	run_finish(&run, &result);

	cr_assert_eq(result.exit_code, 42, "%d %s", result.exit_code, result.err);
}

/* With and without a relay in between, the command learns that nobody reads. */
Test(status_streams, may_lose_the_reader_of_stdout)
{
	const char *const *const options[] = { NULL, WORDS("--max-output", "1G") };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct run_spec spec = {
			.options = options[i],
			.command = WORDS(guest("ending"), "flood", "1000000000"),
		};
		struct run run;
		cleanup_result struct run_result result;

		run_start(&spec, &run);
		fd_close(&run.out);
		run_finish(&run, &result);

		cr_assert(!result.timed_out, "options %zu", i);
		cr_assert_eq(result.exit_code, 128 + SIGPIPE, "options %zu: %d %s", i,
			result.exit_code, result.err);
		cr_assert_str_eq(status_string(result.status_json, "reason"), "signaled");
	}
}
