/* Exec verified: no program that nobody races is ever taken for another, and whatever a race brings
 * in the place of what was judged is seen before it runs. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/exec_tracer.h"
#include "tests/live/harness.h"

#define MEANT	   42
#define ROUNDS_MAX 20

static void script_write(const struct scratch *scratch, const char *name, const char *text)
{
	const char *path = scratch_file(scratch, name);

	file_write(path, text);
	cr_assert_eq(chmod(path, 0755), 0);
}

static void copy_guest(const struct scratch *scratch, const char *name)
{
	const char *copy[] = { "/bin/cp", guest("exec_guest"), scratch_file(scratch, name), NULL };
	struct run_result result = run_outside(copy);

	cr_assert_eq(result.exit_code, 0);
	run_result_finish(&result);
}

static struct scratch stage_build(void)
{
	struct scratch stage = scratch_create();
	char line[128];

	copy_guest(&stage, "t");
	copy_guest(&stage, "bad");
	cr_assert_eq(link(scratch_file(&stage, "t"), scratch_file(&stage, "hard")), 0);
	cr_assert_eq(symlink("t", scratch_file(&stage, "link")), 0);
	cr_assert_eq(symlink("missing", scratch_file(&stage, "dangling")), 0);
	cr_assert_eq(mkdir(scratch_file(&stage, "sub"), 0755), 0);
	cr_assert_eq(mkdir(scratch_file(&stage, "denied"), 0755), 0);
	cr_assert_eq(symlink("sub", scratch_file(&stage, "sublink")), 0);
	cr_assert_eq(mkfifo(scratch_file(&stage, "fifo"), 0755), 0);
	file_write(scratch_file(&stage, "denied/program"), "#!t\n");
	cr_assert_eq(symlink("link", scratch_file(&stage, "linklink")), 0);
	(void)snprintf(line, sizeof(line), "#!%s/t one  two \t\nrest\n", stage.path);
	script_write(&stage, "script", line);
	script_write(&stage, "garbage", "garbage\n");
	return stage;
}

static struct exec_report run_guest(
	const struct exec_watch *watch, const struct scratch *stage, const char *what)
{
	return exec_watch_run(watch, WORDS(guest("exec_guest"), "do", what, stage->path));
}

static struct exec_report run_many(
	const struct exec_watch *watch, const struct scratch *stage, const char *kind, int count)
{
	return exec_watch_run(
		watch, WORDS(guest("exec_race"), kind, word("%d", count), stage->path));
}

/* The guest has found the errno that the kernel gives without us, or has become what it meant. */
static void expect_native(const struct exec_report *report, const char *what)
{
	cr_expect(WIFEXITED(report->status) && WEXITSTATUS(report->status) == MEANT,
		"%s: status %x", what, (unsigned int)report->status);
	cr_expect_eq(report->wrong_image + report->wrong_argv + report->not_found_out, 0,
		"%s: %d images, %d lists, %d unknown", what, report->wrong_image,
		report->wrong_argv, report->not_found_out);
	cr_expect_eq(report->failed, 0, "%s", what);
	cr_expect_geq(report->matched, 1, "%s", what);
}

TestSuite(exec_verify, .timeout = 900);

/* A script that its interpreter could not open any more is refused by the kernel alone. */
static bool is_left_to_kernel(const char *name)
{
	return strcmp(name, "fexecve-script-cloexec") == 0;
}

Test(exec_verify, takes_no_way_to_exec_for_a_race)
{
	struct run_result list = run_outside(WORDS(guest("exec_guest"), "list"));
	const struct exec_watch watch = { 0 };
	int count = 0;

	for (char *line = strtok(list.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		cleanup_scratch struct scratch stage = stage_build();
		struct exec_report report;
		char name[64];
		int error;

		cr_assert_eq(sscanf(line, "%63s %d", name, &error), 2);
		report = run_guest(&watch, &stage, name);
		expect_native(&report, name);
		cr_expect_eq(report.foreseen, is_left_to_kernel(name) ? 0 : -error,
			"%s: foreseen %d", name, report.foreseen);
		count++;
	}
	cr_expect_geq(count, 50);
	run_result_finish(&list);
}

static const struct {
	const char *path;
	int error;
	int foreseen;
} paths[] = {
	{ "t", 0, 0 },
	{ "./t", 0, 0 },
	{ "sub/../t", 0, 0 },
	{ "sub/.././/t", 0, 0 },
	{ "link", 0, 0 },
	{ "linklink", 0, 0 },
	{ "hard", 0, 0 },
	{ "sublink/../t", 0, 0 },
	{ "script", 0, 0 },
	{ "/proc/self/exe", 0, 0 },
	{ "//proc//self//exe", 0, 0 },
	{ "/../proc/../proc/self/exe", 0, 0 },
	{ "/proc/self/../self/exe", 0, 0 },
	{ "/proc/thread-self/exe", 0, 0 },
	{ "/proc/thread-self/../../exe", 0, 0 },
	{ "/proc/self/cwd/t", 0, 0 },
	{ "/proc/self/cwd/sub/../script", 0, 0 },
	{ "/proc/self/root/proc/self/exe", 0, 0 },
	{ "/proc/self/root/../proc/self/exe", 0, 0 },
	{ "/dev/fd/../exe", 0, 0 },
	{ "/proc/self/exe/", ENOTDIR, -ENOTDIR },
	{ "/proc/self/exe/x", ENOTDIR, -ENOTDIR },
	{ "/proc/self", EACCES, -EACCES },
	{ "/proc/self/cwd", EACCES, -EACCES },
	{ "/proc/self/status", EACCES, 0 },
	{ "/proc/self/ns/net", EACCES, -EINVAL },
	{ "/proc/self/fd/99", ENOENT, -ENOENT },
	{ "/proc/mounts", EACCES, 0 },
	{ "", ENOENT, -ENOENT },
	{ ".", EACCES, -EACCES },
	{ "/", EACCES, -EACCES },
	{ "sub", EACCES, -EACCES },
	{ "sub/", EACCES, -EACCES },
	{ "t/", ENOTDIR, -ENOTDIR },
	{ "link/", ENOTDIR, -ENOTDIR },
	{ "t/x", ENOTDIR, -ENOTDIR },
	{ "missing", ENOENT, -ENOENT },
	{ "missing/t", ENOENT, -ENOENT },
	{ "dangling", ENOENT, -ENOENT },
	{ "fifo", EACCES, -EACCES },
	{ "/dev/null", EACCES, -EACCES },
	{ "garbage", ENOEXEC, 0 },
	{ "denied/program", EACCES, 0 },
};

Test(exec_verify, resolves_a_path_as_the_kernel_does)
{
	cleanup_scratch struct scratch stage = stage_build();
	const struct exec_watch watch = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const char *what = word("path:%d:%s", paths[i].error, paths[i].path);
		struct exec_report report = run_guest(&watch, &stage, what);

		expect_native(&report, what);
		cr_expect_eq(report.foreseen, paths[i].foreseen, "%s: foreseen %d", what,
			report.foreseen);
	}
}

/* %s is the path of the program; 'X' is repeated until the file is 300 bytes long. */
static const struct {
	const char *text;
	int error;
} scripts[] = {
	{ "#!%s\n", 0 },
	{ "#! \t %s\n", 0 },
	{ "#!%s", 0 },
	{ "#!%s ", 0 },
	{ "#!%s \t \n", 0 },
	{ "#!%s one\n", 0 },
	{ "#!%s one", 0 },
	{ "#!%s one ", 0 },
	{ "#!%s \t one two\t three \t\n", 0 },
	{ "#!%s\r\n", ENOENT },
	{ "#!%s one\r\n", 0 },
	{ "#!%s X", 0 },
	{ "#!%s one X", 0 },
	{ "#!t\n", 0 },
	{ "#!./sub/../link x\n", 0 },
	{ "#!/proc/self/exe x\n", 0 },
	{ "#!/proc/self/cwd/t x\n", 0 },
	{ "#!script x\n", 0 },
	{ "#!sub\n", EACCES },
	{ "#!missing\n", ENOENT },
	{ "#!garbage\n", ENOEXEC },
	{ "#!made\n", ELOOP },
	{ "#!fifo\n", EACCES },
	{ "#!X", ENOEXEC },
	{ "#!\n", ENOEXEC },
	{ "#!  \n", ENOEXEC },
	{ "#!", EACCES },
	{ "#! ", EACCES },
	{ "# !t\n", ENOEXEC },
	{ "\n#!t\n", ENOEXEC },
	{ "", ENOEXEC },
};

static void script_make(const struct scratch *stage, const char *text)
{
	char bytes[512];
	size_t length = (size_t)snprintf(bytes, sizeof(bytes), text, scratch_file(stage, "t"));

	if (length > 0 && bytes[length - 1] == 'X') {
		memset(bytes + length, 'X', 300 - length);
		bytes[300] = '\0';
	}
	script_write(stage, "made", bytes);
}

Test(exec_verify, reads_a_script_as_the_kernel_does)
{
	cleanup_scratch struct scratch stage = stage_build();
	const struct exec_watch watch = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct exec_report report;

		script_make(&stage, scripts[i].text);
		report = run_guest(&watch, &stage, word("path:%d:made", scripts[i].error));
		expect_native(&report, scripts[i].text);
		cr_expect_eq(report.foreseen, scripts[i].error == ENOEXEC ? 0 : -scripts[i].error,
			"%s: foreseen %d", scripts[i].text, report.foreseen);
	}
}

Test(exec_verify, kills_nothing_in_many_execs)
{
	cleanup_scratch struct scratch stage = stage_build();
	const struct exec_watch watch = { 0 };
	int count = count_choose(5000, 100000);
	struct exec_report report = run_many(&watch, &stage, "storm", count);

	expect_native(&report, "storm");
	cr_expect_eq(report.matched, count + 1);
}

/* How the children of a race ended. */
struct race_counts {
	int meant, refused, killed, must_not, other;
};

static struct race_counts counts_read(const struct scratch *stage)
{
	char *text = file_read(scratch_file(stage, "counts"));
	struct race_counts counts = { 0 };

	cr_assert_not_null(text);
	cr_assert_eq(sscanf(text, "%d %d %d %d %d", &counts.meant, &counts.refused, &counts.killed,
			     &counts.must_not, &counts.other),
		5);
	free(text);
	return counts;
}

static bool approves_path(const struct exec_request *request)
{
	return strcmp(request->path, "bad") != 0;
}

static bool approves_argument(const struct exec_request *request)
{
	const char *argument = exec_request_next(request, NULL);

	argument = argument != NULL ? exec_request_next(request, argument) : NULL;
	return argument == NULL || strcmp(argument, "evil") != 0;
}

static void race_once(const struct exec_watch *watch, const char *kind, struct race_counts *total)
{
	cleanup_scratch struct scratch stage = stage_build();
	int count = count_choose(300, 6000);
	struct exec_report report = run_many(watch, &stage, kind, count);
	struct race_counts counts = counts_read(&stage);

	cr_expect_eq(counts.meant + counts.refused + counts.killed + counts.must_not, count);
	cr_expect_eq(report.not_found_out, 0);
	cr_expect_eq(counts.killed, watch->blind ? 0 : report.wrong_image + report.wrong_argv);
	cr_expect_eq(strcmp(kind, "path") == 0 ? report.wrong_argv : report.wrong_image, 0);
	total->meant += counts.meant;
	total->killed += counts.killed;
	total->must_not += counts.must_not;
	cr_log_info("%s%s: %d as meant, %d refused, %d killed, %d got through", kind,
		watch->blind ? " unchecked" : "", counts.meant, counts.refused, counts.killed,
		counts.must_not);
}

/* Races until one was won, which on a busy machine may take more than one round. */
static struct race_counts race(const struct exec_watch *watch, const char *kind)
{
	struct race_counts total = { 0 };

	for (int i = 0; i < ROUNDS_MAX && total.killed + total.must_not == 0; i++) {
		race_once(watch, kind, &total);
	}
	return total;
}

static void expect_races_are_seen(
	bool (*approves)(const struct exec_request *request), const char *kind)
{
	const struct exec_watch blind = { .approves = approves, .blind = true };
	const struct exec_watch watch = { .approves = approves };
	struct race_counts control = race(&blind, kind);
	struct race_counts checked = race(&watch, kind);

	cr_expect_gt(control.must_not, 0, "the attack works without the check");
	cr_expect_eq(checked.must_not, 0);
	cr_expect_gt(checked.killed, 0);
	cr_expect_gt(checked.meant, 0);
}

Test(exec_verify, sees_a_path_that_was_rewritten_after_the_judgement)
{
	expect_races_are_seen(approves_path, "path");
}

Test(exec_verify, sees_an_argument_that_was_rewritten_after_the_judgement)
{
	expect_races_are_seen(approves_argument, "argv");
}
