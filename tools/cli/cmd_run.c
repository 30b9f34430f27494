/* `sandlock run`: flags to policy, policy to plan, plan to run, run to exit code. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/last_act.h"
#include "core/plan/explain.h"
#include "core/plan/plan.h"
#include "core/policy/policy.h"
#include "core/run/result.h"
#include "core/run/sandbox.h"
#include "tools/cli/commands.h"
#include "tools/cli/flags.h"

static void write_line(int fd, const char *bytes, size_t length)
{
	size_t written = 0;

	while (written < length) {
		ssize_t r = write(fd, bytes + written, length - written);

		if (r < 0 && errno == EBADF) {
			return; /* which is what the run was refused for */
		}
		if (r < 0 && errno != EINTR) {
			(void)fprintf(
				stderr, "sandlock: --status-fd: %d: %s\n", fd, strerror(errno));
			return;
		}
		written += r > 0 ? (size_t)r : 0;
	}
}

/* One line on the status descriptor, in every case.  A reader that is gone changes nothing. */
static void write_status(int fd, const struct result *result, const struct plan *plan)
{
	cleanup_text struct text line = { 0 };

	if (fd >= 0) {
		result_json(result, plan, &line);
		text_add(&line, "\n");
		write_line(fd, line.bytes, line.length);
	}
}

/* The status line of a run that memory ran out for, made without any. */
static void write_exhausted(void *context)
{
	const struct sandbox_policy *policy = context;
	static const char line[] = "{\"name\":\"\",\"reason\":\"supervisor\",\"exit_code\":125,"
				   "\"code\":null,\"signal\":null,"
				   "\"message\":\"out of memory\"}\n";

	if (policy->run.status_fd >= 0) {
		write_line(policy->run.status_fd, line, sizeof(line) - 1);
	}
}

static int fail(
	const struct sandbox_policy *policy, const struct plan *plan, const struct error *error)
{
	struct result result;

	result_init_failure(&result, error);
	(void)fprintf(stderr, "sandlock: %s\n", error->text);
	write_status(policy->run.status_fd, &result, plan);
	return result.code;
}

static int explain(const struct plan *plan, bool as_json)
{
	cleanup_text struct text text = { 0 };

	if (as_json) {
		explain_json(plan, &text);
	} else {
		explain_text(plan, &text);
	}
	if (fwrite(text.bytes, 1, text.length, stdout) != text.length || fflush(stdout) != 0) {
		(void)fprintf(stderr, "sandlock: --explain: cannot write to stdout: %s\n",
			strerror(errno));
		return EXIT_USAGE;
	}
	return 0;
}

static void report(const struct result *result, const struct plan *plan)
{
	if (result->message[0] != '\0') {
		(void)fprintf(stderr, "sandlock: %s\n", result->message);
	}
	if (result->timed_out) {
		(void)fprintf(
			stderr, "sandlock: timeout after %gs\n", (double)plan->timeout_ns / 1e9);
	}
	if (result->output_cut) {
		(void)fprintf(stderr, "sandlock: output limit of %llu bytes reached\n",
			(unsigned long long)plan->output_limit);
	}
	if (!result->report.complete) {
		(void)fprintf(
			stderr, "sandlock: some processes of the sandbox did not end in time\n");
	}
}

/* The end of the program, where only memory is left to be given back: the kernel does that in less
 * time than we would need to name the pieces.  Debug builds do it by hand and see what was lost,
 * unless a thread that is stuck may still look at the plan. */
static int leave(int code, bool plan_is_in_use)
{
#ifndef SANDLOCK_FAULTS
	plan_is_in_use = true;
#endif
	if (plan_is_in_use) {
		_exit(code);
	}
	return code;
}

static int run_supervised(const struct sandbox_policy *policy, const struct plan *plan)
{
	struct sandbox *sandbox;
	struct result result;
	struct error error;
	int r = sandbox_start(policy, plan, &sandbox, &error);

	if (r < 0) {
		return fail(policy, plan, &error);
	}
	sandbox_wait(sandbox, &result);
	sandbox_destroy(sandbox);
	report(&result, plan);
	write_status(policy->run.status_fd, &result, plan);
	result_finish(&result);
	return leave(result.code, result.plan_is_in_use);
}

static int run_in_place(const struct sandbox_policy *policy, const struct plan *plan)
{
	struct error error;
	int code;

	(void)sandbox_become(policy, plan, &code, &error); /* returns only when it failed */
	(void)fprintf(stderr, "sandlock: %s\n", error.text);
	return code;
}

static int run_policy(const struct sandbox_policy *policy, enum run_mode mode)
{
	struct plan plan;
	struct error error;
	int code;

	if (plan_compile(policy, sandbox_features(), &plan, &error) < 0) {
		return fail(policy, NULL, &error);
	}
	if (mode == RUN_EXPLAIN_TEXT || mode == RUN_EXPLAIN_JSON) {
		code = explain(&plan, mode == RUN_EXPLAIN_JSON);
	} else if (plan.supervised) {
		code = run_supervised(policy, &plan);
	} else {
		code = run_in_place(policy, &plan);
	}
	plan_finish(&plan);
	return code;
}

/* With what the flags said so far. */
static int run_flags(int argc, char **argv, struct sandbox_policy *policy)
{
	struct run_flags flags = { 0 };
	struct error error;

	if (flags_parse(argc, argv, policy, &flags, &error) < 0) {
		return fail(policy, NULL, &error);
	}
	switch (flags.mode) {
	case RUN_HELP:
		flags_print_help(stdout);
		return 0;
	case RUN_HELP_ROFF:
		flags_print_man(stdout);
		return 0;
	case RUN_VERSION:
		(void)printf("sandlock %s\n", SANDLOCK_VERSION);
		return 0;
	default:
		return run_policy(policy, flags.mode);
	}
}

int cmd_run(int argc, char **argv)
{
	cleanup_policy struct sandbox_policy policy;
	struct last_act last_act = { .function = write_exhausted, .context = &policy };
	int code;

	policy_init(&policy);
	last_act_begin(&last_act);
	code = run_flags(argc, argv, &policy);
	last_act_end(&last_act);
	return code;
}
