/* How a run went: reason, code, usage, limits hit; as one line of JSON. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/syscall.h"
#include "core/child/child.h"
#include "core/run/result.h"

static const char *const reason_names[] = {
	[RESULT_EXITED] = "exited",
	[RESULT_SIGNALED] = "signaled",
	[RESULT_TIMEOUT] = "timeout",
	[RESULT_MEMORY] = "memory",
	[RESULT_OUTPUT] = "output",
	[RESULT_SETUP] = "setup",
	[RESULT_SUPERVISOR] = "supervisor",
};

const char *result_reason_name(enum result_reason reason)
{
	return reason_names[reason];
}

void result_finish(struct result *result)
{
	record_env_finish(&result->environment);
}

void result_begin_record(struct result *result, const struct plan *plan)
{
	record_env_begin(&result->environment);
	record_env_strings(&result->environment, plan->argv, plan->envp);
	result->has_environment = true;
}

void result_end_record(struct result *result)
{
	const struct run_report *report = &result->report;
	const struct rusage usage = {
		.ru_minflt = (long)report->minor_faults,
		.ru_majflt = (long)report->major_faults,
		.ru_nvcsw = (long)report->voluntary_switches,
		.ru_nivcsw = (long)report->involuntary_switches,
	};

	record_env_usage(&result->environment, &usage);
	record_env_end(&result->environment);
}

void result_init_failure(struct result *result, const struct error *error)
{
	*result = (struct result){ .reason = RESULT_SETUP, .code = EXIT_CODE_SANDLOCK };
	(void)snprintf(result->message, sizeof(result->message), "%s", error->text); /* same size */
}

void result_fail(struct result *result, const struct error *error)
{
	result->reason = RESULT_SUPERVISOR;
	result->code = EXIT_CODE_SANDLOCK;
	(void)snprintf(result->message, sizeof(result->message), "%s", error->text); /* same size */
}

/* The kernel's kill of a group leaves no name; that the command died of a SIGKILL is told by it. */
static bool root_was_a_victim(const struct result *result)
{
	for (uint32_t i = 0; i < result->memory_kills && i < RESULT_VICTIMS; i++) {
		if (result->victims[i].pid == result->report.root) {
			return true;
		}
	}
	return result->kernel_kills > 0 && result->signal == SIGKILL;
}

/* The exit codes of a failed exec are those of env(1) and the shells. */
static int setup_code(unsigned int step, int error)
{
	if (strcmp(step_name(step), "exec") != 0) {
		return EXIT_CODE_SANDLOCK;
	}
	return error == ENOENT || error == ENOTDIR ? EXIT_CODE_NOT_FOUND : EXIT_CODE_NOT_EXECUTABLE;
}

/* access(2) looks at the mode and not at the policy: a file that it would let us run was refused by
 * the walls. */
static bool policy_refused_exec(const struct plan *plan)
{
	for (char *const *path = plan->exec_paths; *path != NULL; path++) {
		if (access(*path, X_OK) == 0) {
			return true;
		}
	}
	return false;
}

/* What would help, by the error where it says more than the step does. */
static const char *failure_cure(
	const struct run_report *report, const struct plan *plan, bool is_exec)
{
	if (is_exec) {
		return report->error == EACCES && policy_refused_exec(plan)
			       ? "no grant covers it or its loader: see -r, --preset build"
			       : NULL;
	}
	if (report->error == E2BIG) {
		return "16 Landlock layers are the kernel's limit: sandboxes are nested too deep";
	}
	return step_cure(report->step);
}

int result_describe_setup(
	const struct run_report *report, const struct plan *plan, char *message, size_t size)
{
	bool is_exec = strcmp(step_name(report->step), "exec") == 0;
	const char *cure = failure_cure(report, plan, is_exec);

	/* A message that was cut is still one. */
	(void)snprintf(message, size, "%s%.200s%s: %s%s%s%s", is_exec ? "exec " : "set-up step \"",
		is_exec ? plan->argv[0] : step_name(report->step), is_exec ? "" : "\"",
		strerror(report->error), cure != NULL ? " (" : "", cure != NULL ? cure : "",
		cure != NULL ? ")" : "");
	return setup_code(report->step, report->error);
}

void result_judge(struct result *result, const struct plan *plan)
{
	const struct run_report *report = &result->report;
	bool signaled = report->root_ended && WIFSIGNALED(report->status);

	result->signal = signaled ? WTERMSIG(report->status) : 0;
	result->usage_complete = report->complete && report->root_ended;
	if (report->stage == REPORT_FAILED) {
		result->reason = RESULT_SETUP;
		result->code = result_describe_setup(
			report, plan, result->message, sizeof(result->message));
		return;
	}
	if (!report->root_ended) {
		result->reason = RESULT_SUPERVISOR;
		result->code = EXIT_CODE_SANDLOCK;
		(void)snprintf(result->message, sizeof(result->message),
			"the keeper process was killed: the sandbox was ended");
		return;
	}
	result->reason = signaled ? RESULT_SIGNALED : RESULT_EXITED;
	result->code = signaled ? EXIT_CODE_SIGNAL + result->signal : WEXITSTATUS(report->status);
	if (result->timed_out) {
		result->reason = RESULT_TIMEOUT;
		result->code = EXIT_CODE_TIMEOUT;
	} else if (result->output_cut) {
		result->reason = RESULT_OUTPUT;
		result->code = EXIT_CODE_SIGNAL + SIGKILL;
	} else if (root_was_a_victim(result)) {
		result->reason = RESULT_MEMORY;
	}
}

static void add_number(struct text *text, const char *key, uint64_t value)
{
	text_add(text, ",\"%s\":%" PRIu64, key, value);
}

static void add_optional(struct text *text, const char *key, bool is_known, uint64_t value)
{
	if (is_known) {
		add_number(text, key, value);
	} else {
		text_add(text, ",\"%s\":null", key);
	}
}

static void add_limits_hit(struct text *text, const struct result *result)
{
	const char *separator = "";

	text_add(text, ",\"limits_hit\":[");
	if (result->timed_out) {
		text_add(text, "{\"limit\":\"timeout\"}");
		separator = ",";
	}
	if (result->output_cut) {
		text_add(text, "%s{\"limit\":\"output\",\"bytes\":%" PRIu64 "}", separator,
			result->output_bytes);
		separator = ",";
	}
	if (result->forks_refused > 0) {
		text_add(text, "%s{\"limit\":\"processes\",\"refused\":%" PRIu64 "}", separator,
			result->forks_refused);
		separator = ",";
	}
	for (uint32_t i = 0; i < result->memory_kills && i < RESULT_VICTIMS; i++) {
		const struct sampler_victim *victim = &result->victims[i];

		text_add(text, "%s{\"limit\":\"memory\",\"pid\":%d,\"command\":", separator,
			(int)victim->pid);
		text_add_json(text, victim->comm);
		text_add(text, ",\"bytes\":%" PRIu64 ",\"tree_bytes\":%" PRIu64 "}", victim->bytes,
			victim->tree_bytes);
		separator = ",";
	}
	if (result->kernel_kills > 0) {
		text_add(text, "%s{\"limit\":\"memory\",\"by\":\"kernel\",\"kills\":%" PRIu64 "}",
			separator, result->kernel_kills);
	}
	text_add(text, "]");
	add_number(text, "memory_kills", result->memory_kills + result->kernel_kills);
}

static void add_usage(struct text *text, const struct result *result)
{
	const struct run_report *report = &result->report;
	bool ran = report->exec_ns != 0 && result->reason != RESULT_SETUP;

	add_optional(text, "wall_ns", ran && report->root_ended, report->exit_ns - report->exec_ns);
	add_number(text, "user_ns", report->user_us * 1000);
	add_number(text, "system_ns", report->system_us * 1000);
	text_add(text, ",\"usage_complete\":%s", result->usage_complete ? "true" : "false");
	add_optional(text, "exec_time_ns", ran, report->exec_ns + (uint64_t)result->wall_offset_ns);
	add_optional(text, "exit_time_ns", ran && report->root_ended,
		report->exit_ns + (uint64_t)result->wall_offset_ns);
	add_number(text, "total_ns", result->ended_ns - result->started_ns);
	add_optional(text, "peak_memory_bytes", result->sampled, result->peak_bytes);
	add_optional(text, "peak_processes", result->is_counted || result->sampled,
		result->is_counted ? result->counted_processes : result->peak_processes);
	add_number(text, "max_rss_bytes", report->max_rss_kib * 1024);
	add_number(text, "minor_faults", report->minor_faults);
	add_number(text, "major_faults", report->major_faults);
	add_number(text, "voluntary_switches", report->voluntary_switches);
	add_number(text, "involuntary_switches", report->involuntary_switches);
	add_number(text, "left_behind", report->left_behind);
}

static void add_notifications(struct text *text, const struct result *result)
{
	text_add(text, ",\"notifications\":{");
	for (size_t i = 0; i < result->call_count; i++) {
		const struct call_summary *call = &result->calls[i];
		int id = call->nr < 0 ? -1 : syscall_find_number(ARCH_NATIVE, (uint32_t)call->nr);

		text_add(text, "%s\"%s\":{\"count\":%" PRIu64, i > 0 ? "," : "",
			id < 0 ? "unknown" : syscall_name((enum syscall_id)id), call->received);
		add_number(text, "done", call->done);
		add_number(text, "continued", call->continued);
		add_number(text, "lost", call->lost);
		add_number(text, "p50_ns", call->p50_ns);
		add_number(text, "p99_ns", call->p99_ns);
		text_add(text, "}");
	}
	text_add(text, "}");
}

static void add_host(struct text *text, const struct plan *plan)
{
	struct utsname host;
	const char *separator = "";

	text_add(text, ",\"kernel\":");
	text_add_json(text, uname(&host) == 0 ? host.release : "");
	add_optional(text, "landlock_abi", plan != NULL,
		plan != NULL ? (uint64_t)plan->landlock.abi : 0);
	text_add(text, ",\"degraded\":[");
	for (int i = 0; plan != NULL && i < PROTECTION_COUNT; i++) {
		if (plan->landlock.protections[i] == PROTECTION_IS_DEGRADED) {
			text_add(text, "%s", separator);
			text_add_json(text, protection_name((enum protection)i));
			separator = ",";
		}
	}
	text_add(text, "]");
}

void result_json(const struct result *result, const struct plan *plan, struct text *text)
{
	text_add(text, "{\"name\":");
	text_add_json(text, plan != NULL ? plan->name : "");
	text_add(text, ",\"reason\":\"%s\",\"exit_code\":%d", reason_names[result->reason],
		result->code);
	add_optional(text, "code", result->reason == RESULT_EXITED, (uint64_t)result->code);
	add_optional(text, "signal", result->signal != 0, (uint64_t)result->signal);
	add_usage(text, result);
	add_limits_hit(text, result);
	add_number(text, "exec_kills", result->exec_kills);
	add_notifications(text, result);
	add_host(text, plan);
	text_add(text, ",\"message\":");
	text_add_json(text, result->message);
	if (result->has_environment) {
		text_add(text, ",\"environment\":");
		record_env_json(&result->environment, text);
	}
	text_add(text, "}");
}
