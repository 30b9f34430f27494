/* The runner behind the stand-in for Criterion: each test in a child process of its own, one after
 * the other, and Criterion's closing line at the end. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_CRASHED, VERDICT_SKIPPED, VERDICT_COUNT };

/* Written by the child that runs a test, read by the runner when the child has ended. */
struct outcome {
	int has_failed;
	int was_skipped;
	int has_finished; /* the test function returned or was left by an assertion */
};

static struct standin_test *first_test;
static struct standin_test **last_test = &first_test;
static struct standin_suite *first_suite;
static struct outcome *outcome;
static jmp_buf leave_test;
static pid_t test_pid;

void standin_add_test(struct standin_test *test)
{
	*last_test = test;
	last_test = &test->next;
}

void standin_add_suite(struct standin_suite *suite)
{
	suite->next = first_suite;
	first_suite = suite;
}

void standin_fail(bool fatal, const char *file, int line, const char *text, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "[----] %s:%d: Assertion Failed: %s: ", file, line, text);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);

	outcome->has_failed = 1;
	if (fatal) {
		if (getpid() != test_pid) {
			/* A child of the test must not run the rest of the runner. */
			_exit(1);
		}
		longjmp(leave_test, 1);
	}
}

_Noreturn void standin_skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);

	outcome->was_skipped = 1;
	longjmp(leave_test, 1);
}

static const struct standin_options *find_suite_options(const char *name)
{
	static const struct standin_options none;
	const struct standin_suite *suite;

	for (suite = first_suite; suite != NULL; suite = suite->next) {
		if (strcmp(suite->name, name) == 0) {
			return &suite->options;
		}
	}
	return &none;
}

static void call_if_set(void (*function)(void))
{
	if (function != NULL) {
		function();
	}
}

static void run_body(const struct standin_test *test, void *parameter)
{
	call_if_set(find_suite_options(test->suite)->init);
	call_if_set(test->options.init);
	if (test->run != NULL) {
		test->run();
	} else {
		test->run_with(parameter);
	}
}

static void run_fini(const struct standin_test *test, void *parameter)
{
	(void)parameter; /* one type with run_body() */
	call_if_set(test->options.fini);
	call_if_set(find_suite_options(test->suite)->fini);
}

/* Returns when the part has returned or an assertion has left it. */
static void run_part(void (*part)(const struct standin_test *, void *),
	const struct standin_test *test, void *parameter)
{
	if (setjmp(leave_test) == 0) {
		part(test, parameter);
	}
}

static _Noreturn void run_in_child(const struct standin_test *test, void *parameter)
{
	test_pid = getpid();
	run_part(run_body, test, parameter);
	run_part(run_fini, test, parameter);
	outcome->has_finished = 1;
	fflush(NULL);
	_exit(0);
}

/* Waits for the child; past the limit it is killed, which counts as a crash. */
static int wait_for_child(pid_t child, double limit)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	double waited = 0;
	int status;

	while (limit > 0 && waitpid(child, &status, WNOHANG) == 0) {
		if (waited >= limit) {
			fprintf(stderr, "[----] timed out after %g s\n", limit);
			kill(child, SIGKILL);
			limit = 0;
			break;
		}
		nanosleep(&pause, NULL);
		waited += 0.01;
	}
	if (limit <= 0) {
		while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
		}
	}
	return status;
}

static enum verdict judge(const struct standin_options *options, int status)
{
	if (WIFSIGNALED(status)) {
		return options->signal == WTERMSIG(status) ? VERDICT_PASSED : VERDICT_CRASHED;
	}
	if (!outcome->has_finished) {
		return options->exit_code != 0 && options->exit_code == WEXITSTATUS(status)
			       ? VERDICT_PASSED
			       : VERDICT_CRASHED;
	}
	if (outcome->was_skipped) {
		return VERDICT_SKIPPED;
	}
	if (outcome->has_failed || WEXITSTATUS(status) != 0 || options->signal != 0 ||
		options->exit_code != 0) {
		return VERDICT_FAILED;
	}
	return VERDICT_PASSED;
}

static enum verdict run_test(const struct standin_test *test, void *parameter)
{
	static const char *const marks[VERDICT_COUNT] = {
		[VERDICT_FAILED] = "FAIL",
		[VERDICT_CRASHED] = "CRASH",
		[VERDICT_SKIPPED] = "SKIP",
	};
	enum verdict verdict;
	pid_t child;

	*outcome = (struct outcome){ 0 };
	fflush(NULL);
	child = fork();
	if (child == 0) {
		run_in_child(test, parameter);
	}
	if (child < 0) {
		perror("fork");
		return VERDICT_CRASHED;
	}

	verdict = judge(&test->options, wait_for_child(child, test->options.timeout));
	if (marks[verdict] != NULL) {
		fprintf(stderr, "[%s] %s::%s\n", marks[verdict], test->suite, test->name);
	}
	return verdict;
}

static void run_all_parameters(const struct standin_test *test, unsigned *counts)
{
	struct criterion_test_params parameters;
	size_t i;

	if (test->run != NULL) {
		counts[run_test(test, NULL)]++;
		return;
	}
	parameters = test->parameters();
	for (i = 0; i < parameters.length; i++) {
		counts[run_test(test, (char *)parameters.params + i * parameters.size)]++;
	}
	if (parameters.cleanup != NULL) {
		parameters.cleanup(&parameters);
	}
}

static bool is_wanted(const struct standin_test *test, const char *filter)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", test->suite, test->name);
	return !test->options.disabled && (filter == NULL || fnmatch(filter, path, 0) == 0);
}

/* `--filter SUITE/NAME` (a shell pattern) as Criterion takes it; other options are its business. */
int main(int argc, char **argv)
{
	unsigned counts[VERDICT_COUNT] = { 0 };
	const struct standin_test *test;
	const char *filter = NULL;
	int i;

	for (i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--filter") == 0) {
			filter = argv[i + 1];
		}
	}
	outcome = mmap(
		NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED) {
		perror("mmap");
		return 2;
	}

	for (test = first_test; test != NULL; test = test->next) {
		if (is_wanted(test, filter)) {
			run_all_parameters(test, counts);
		}
	}

	printf("[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: %u\n",
		counts[VERDICT_PASSED] + counts[VERDICT_FAILED] + counts[VERDICT_CRASHED],
		counts[VERDICT_PASSED], counts[VERDICT_FAILED], counts[VERDICT_CRASHED]);
	return counts[VERDICT_FAILED] + counts[VERDICT_CRASHED] + counts[VERDICT_SKIPPED] > 0;
}
