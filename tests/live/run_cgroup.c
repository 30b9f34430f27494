/* The control group of a memory limit: a directory that looks like one shows what a run writes. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live/harness.h"

/* The text of the one file below the directory that the pattern names; owned by the caller. */
static char *read_one(const struct scratch *scratch, const char *pattern)
{
	glob_t found;
	char *text;

	cr_assert_eq(glob(scratch_file(scratch, pattern), 0, NULL, &found), 0, "%s", pattern);
	cr_assert_eq(found.gl_pathc, 1);
	text = file_read(found.gl_pathv[0]);
	globfree(&found);
	return text;
}

Test(run_cgroup, holds_the_keeper_and_the_limit_where_a_group_is_handed_on)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *group = word("SANDLOCK_CGROUP=%s", scratch.path);
	struct run_spec spec = {
		.options = WORDS("-m", "64M"),
		.command = WORDS(guest("landlock_true")),
		.env = WORDS(group),
	};

	file_write(scratch_file(&scratch, "cgroup.controllers"), "cpu memory\n");
	file_write(scratch_file(&scratch, "cgroup.subtree_control"), "memory\n");

	cleanup_result struct run_result result = run_once(&spec);
	char *limit = read_one(&scratch, "sandlock-*/memory.max");
	char *keeper = read_one(&scratch, "sandlock-*/cgroup.procs");

	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	cr_assert_str_eq(limit, "67108864");
	cr_assert_gt(atoi(keeper), 1, "%s", keeper);
	free(limit);
	free(keeper);
}

Test(run_cgroup, refuses_a_named_directory_that_is_none)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *group = word("SANDLOCK_CGROUP=%s", scratch.path);
	struct run_spec spec = {
		.options = WORDS("-m", "64M"),
		.command = WORDS(guest("landlock_true")),
		.env = WORDS(group),
	};

	cleanup_result struct run_result result = run_once(&spec);

	cr_assert_eq(result.exit_code, 125);
	cr_assert_not_null(strstr(result.err, "SANDLOCK_CGROUP: "), "%s", result.err);
	cr_assert_not_null(
		strstr(result.status_json, "\"reason\":\"setup\""), "%s", result.status_json);
}
