/* A shell that forks without end under two limits, beside programs that want the processors. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <string.h>

#include "tests/live/harness.h"
#include "tests/live/status_line.h"

TestSuite(limits_pipelines, .timeout = 1800);

/* Says what differs; nothing when every pipeline has carried its line through. */
static const char script[] = "n=0; while [ $n -lt \"$1\" ]; do\n"
			     "x=$(echo a | cat | cat | cat) || echo \"fails: $n\"\n"
			     "[ \"$x\" = a ] || echo \"is <$x>: $n\"\n"
			     "n=$((n+1)); done; echo done $n\n";

static const char burning[] = "(while :; do :; done) & b=$!\n"
			      "(while :; do :; done) & b=\"$b $!\"\n";

static struct run_result run_pipelines(const char *const *limits, bool outside, int count)
{
	const char *options[16] = { "-r", "/" };

	for (size_t i = 0; limits[i] != NULL; i++) {
		options[2 + i] = limits[i];
	}
	return run_once(&(struct run_spec){
		.outside = outside,
		.options = options,
		.command = WORDS("/bin/dash", "-c",
			word("%s%s%s", outside ? "" : burning, script, outside ? "" : "kill $b"),
			"dash", word("%d", count)),
		.limit_seconds = 1500,
	});
}

static void expect_all(const struct run_result *result, int count)
{
	cr_assert_not(result->timed_out, "%s", result->out);
	cr_assert_str_eq(result->out, word("done %d\n", count), "%s", result->err);
	cr_assert_str_eq(result->err, "");
}

Test(limits_pipelines, work_outside)
{
	cleanup_result struct run_result outside = run_pipelines(WORDS("-P", "9"), true, 50);

	expect_all(&outside, 50);
}

Test(limits_pipelines, all_work_under_limits)
{
	int count = count_choose(500, 10000);
	cleanup_result struct run_result inside =
		run_pipelines(WORDS("-P", "64", "-m", "2G"), false, count);

	expect_all(&inside, count);
	cr_assert(
		strstr(status_raw(inside.status_json, "notifications"), "clone\":") != NULL ||
			strstr(status_raw(inside.status_json, "notifications"), "fork\":") != NULL,
		"%s", inside.status_json);
	cr_assert_str_eq(status_raw(inside.status_json, "limits_hit"), "[]");
}

Test(limits_pipelines, all_work_without_limits)
{
	int count = count_choose(200, 10000);
	cleanup_result struct run_result inside = run_pipelines(WORDS(), false, count);

	expect_all(&inside, count);
}

/* The positive control of the limit: a pipeline needs five processes beside the burners. */
Test(limits_pipelines, fail_where_they_do_not_fit)
{
	cleanup_result struct run_result inside = run_pipelines(WORDS("-P", "5"), false, 1);

	cr_assert(strstr(inside.err, "--max-processes") != NULL, "%s", inside.err);
}
