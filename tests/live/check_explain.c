/* `sandlock run --explain` prints and does nothing else. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/text.h"
#include "tests/json_checker.h"

#define MARK "/tmp/sandlock-explain-mark"

/* Runs `sandlock run --preset build <how> -- touch MARK` and returns its exit status. */
static int run_explain(const char *how, const char *output, struct text *ret_out)
{
	int ends[2], status;
	char bytes[4096];
	ssize_t length;
	pid_t child;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		dup2(output != NULL ? open(output, O_WRONLY) : ends[1], STDOUT_FILENO);
		execl(getenv("SANDLOCK"), "sandlock", "run", "--preset", "build", "-w", "/tmp", how,
			"--", "touch", MARK, NULL);
		_exit(99);
	}
	close(ends[1]);
	while ((length = read(ends[0], bytes, sizeof(bytes))) > 0) {
		text_add_bytes(ret_out, bytes, (size_t)length);
	}
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The value of a string member of the JSON form. */
static char *find_member(const char *json, const char *name)
{
	cleanup_free char *wanted = must_format("\"%s\":\"", name);
	const char *start = strstr(json, wanted);

	cr_assert_not_null(start);
	start += strlen(wanted);
	return strndup(start, strcspn(start, "\""));
}

static void remove_mark(void)
{
	(void)unlink(MARK); /* absent is fine */
}

TestSuite(check_explain, .init = remove_mark, .fini = remove_mark);

Test(check_explain, runs_the_command_without_it)
{
	cleanup_text struct text out = { 0 };

	cr_assert_eq(run_explain("--clean-env", NULL, &out), 0);

	cr_assert_eq(access(MARK, F_OK), 0);
}

Test(check_explain, prints_the_plan_and_runs_nothing)
{
	cleanup_text struct text out = { 0 };

	cr_assert_eq(run_explain("--explain", NULL, &out), 0);

	cr_assert_not_null(strstr(out.bytes, "  runs: touch " MARK "\n"));
	cr_assert_not_null(strstr(out.bytes, "  -w         /tmp: everything above\n"));
	cr_assert_neq(access(MARK, F_OK), 0);
}

Test(check_explain, prints_json_and_makes_no_temporary_directory)
{
	cleanup_text struct text out = { 0 };

	cr_assert_eq(run_explain("--explain=json", NULL, &out), 0);

	cleanup_free char *directory = find_member(out.bytes, "private_tmp");

	cr_assert(json_is_valid(out.bytes));
	cr_assert_neq(access(directory, F_OK), 0, "%s", directory);
	cr_assert_neq(access(MARK, F_OK), 0);
}

Test(check_explain, fails_when_it_cannot_print)
{
	cleanup_text struct text out = { 0 };

	cr_assert_eq(run_explain("--explain", "/dev/full", &out), 125);
}
