/* Every call of the program into libc that can fail, failed in turn with every error: a run ends
 * soon, either as it should or with status 125 and one clear line, and leaves nothing behind. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/text.h"
#include "tests/live/harness.h"
#include "tests/live/probe.h"
#include "tests/live/status_line.h"

TestSuite(fault_sweep, .timeout = 3600);

#define LOG_FD	      8 /* what call-log names */
#define CALLS_MAX     4096
#define OPTIONS_MAX   32
#define LIMIT_SECONDS 10
/* Prime, so that a sample does not meet the same error again and again. */
#define SAMPLE_STRIDE	     19
#define SAMPLE_STRIDE_SLOWER 97 /* a sanitizer starts ten times as slowly */

/* What is run, and how it ends when nothing fails. */
struct workload {
	const char *const *options;
	const char *const *command;
	const char *env;    /* KEY=VALUE; NULL: none */
	const char *output; /* NULL: not looked at */
	const char *line;   /* that stands in the output, whatever else does; NULL: none */
	int exit_code;
	const char *reason;
	int refused_code; /* and when the call it makes is refused to it; 0: it cannot be */
};

/* One kind of call for which not every expectation can hold. */
static const struct {
	const char *call;
	bool is_line_lost;   /* it may have been the one that writes the line */
	bool is_status_lost; /* or the status */
} losses[] = {
	{ "__fprintf_chk", true, false },
	{ "fputc", true, false },
	{ "fputs", true, false },
	{ "fwrite", true, false },
	{ "write", false, true },
};

static const int errors[] = { ENOMEM, EMFILE, EAGAIN, EINTR, ENOSPC };

static const char *const allocators[] = { "malloc", "calloc", "strdup", "reallocarray",
	"aligned_alloc", "__vasprintf_chk", NULL };

struct sweep {
	const struct workload *workload;
	struct scratch scratch; /* holds the log, and below "tmp" what the run makes */
	char *names[CALLS_MAX]; /* owned: the calls of a run in which none fails */
	size_t count;
	size_t parsed; /* so many of them are made until the flags are read, and a little later */
	size_t runs, failures;
	/* Words of their own: those of word() are used again soon. */
	char log_path[96], tmp_path[96], tmp_word[112];
};

static bool is_listed(const char *const *list, const char *name)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		if (strcmp(list[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* In the new process: the log gets the number that the program was told. */
static void open_log(void *argument)
{
	int fd = open(argument, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);

	if (fd < 0 || dup2(fd, LOG_FD) < 0 || (fd != LOG_FD && close(fd) < 0)) {
		_exit(97);
	}
}

static struct run_result run_with(
	const struct sweep *sweep, const char *const *options, const char *fault)
{
	const char *env[] = { fault, sweep->tmp_word, sweep->workload->env, NULL };

	return run_once(&(struct run_spec){
		.binary = sandlock_faults_path(),
		.options = options,
		.command = sweep->workload->command,
		.env = env,
		.prepare = open_log,
		.prepare_argument = (void *)(uintptr_t)sweep->log_path,
		.limit_seconds = LIMIT_SECONDS,
	});
}

/* The calls of a run in which none fails. */
static char *log_calls(const struct sweep *sweep, const char *const *options, int exit_code)
{
	cleanup_result struct run_result result =
		run_with(sweep, options, word("SANDLOCK_FAULT=call-log:%d", LOG_FD));
	char *log = file_read(sweep->log_path);

	cr_assert_eq(result.exit_code, exit_code, "%s", result.err);
	cr_assert_not_null(log);
	cr_assert_null(strstr(log, "leaked"), "%s", log);
	return log;
}

static void learn_calls(struct sweep *sweep)
{
	const struct workload *workload = sweep->workload;
	cleanup_free char *log = log_calls(sweep, workload->options, workload->exit_code);
	const char *refused[OPTIONS_MAX] = { 0 };
	char *rest = log;

	for (char *line; (line = strsep(&rest, "\n")) != NULL && sweep->count < CALLS_MAX;) {
		if (strchr(line, ' ') != NULL) {
			sweep->names[sweep->count++] = must_copy(strchr(line, ' ') + 1);
		}
	}
	cr_assert_gt(sweep->count, 50, "the build has no fault points at calls");

	for (size_t i = 0; workload->options[i] != NULL; i++) {
		cr_assert_lt(i, (size_t)OPTIONS_MAX - 2);
		refused[i] = workload->options[i];
		refused[i + 1] = "--no-such-flag";
	}
	cleanup_free char *short_log = log_calls(sweep, refused, 125);

	for (const char *c = short_log; *c != '\0'; c++) {
		sweep->parsed += *c == '\n';
	}
}

static bool is_as_it_should(const struct workload *workload, const struct run_result *result)
{
	return result->exit_code == workload->exit_code &&
	       (workload->line == NULL || strstr(result->out, workload->line) != NULL) &&
	       (workload->output == NULL || strcmp(result->out, workload->output) == 0) &&
	       (result->status_json[0] == '\0' ||
		       strcmp(status_string(result->status_json, "reason"), workload->reason) == 0);
}

/* The command was told an error instead of an answer, and nothing else. */
static bool is_refused(const struct workload *workload, const struct run_result *result)
{
	return workload->refused_code != 0 && result->exit_code == workload->refused_code &&
	       result->out[0] == '\0';
}

/* What is wrong with how it ended, NULL for nothing. */
static const char *judge_end(const struct sweep *sweep, size_t number,
	const struct run_result *result, const char *failed)
{
	const struct workload *workload = sweep->workload;
	bool is_line_lost = false, is_status_lost = number <= sweep->parsed;
	struct utsname host;

	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		if (strcmp(losses[i].call, failed) == 0) {
			is_line_lost = losses[i].is_line_lost;
			is_status_lost |= losses[i].is_status_lost;
		}
	}
	(void)uname(&host);
	if (result->timed_out) {
		return "it hangs";
	}
	if (result->exit_code < 0) {
		return "it crashed";
	}
	if (workload->output != NULL && strstr(result->out, host.nodename) != NULL) {
		return "a call was let through";
	}
	if (!is_status_lost && !status_line_is_valid(result->status_json)) {
		return "no status line";
	}
	if (is_as_it_should(workload, result) || is_refused(workload, result)) {
		return NULL;
	}
	if (result->exit_code != 125) {
		return "another end than 125 or the right one";
	}
	if (!is_line_lost && strncmp(result->err, "sandlock: ", 10) != 0) {
		return "no clear line on stderr";
	}
	if (!is_status_lost &&
		(status_number(result->status_json, "exit_code") != 125 ||
			strcmp(status_string(result->status_json, "reason"), "exited") == 0)) {
		return "the status line says something else";
	}
	return NULL;
}

/* What it left behind, NULL for nothing.  A directory that cannot be removed for good must be
 * named. */
static const char *judge_rest(
	struct sweep *sweep, const struct run_result *result, const char *log, bool stays)
{
	if (survivors_wait_gone(result->marker, 2.0) < 0) {
		survivors_kill(result->marker);
		return "processes are left";
	}
	if (directory_entry_count(sweep->tmp_path) != 0) {
		const char *const remove[] = { "/bin/sh", "-c", "rm -rf \"$1\"/*", "sh",
			sweep->tmp_path, NULL };
		struct run_result removed = run_outside(remove);

		run_result_finish(&removed);
		if (!stays || strstr(result->err, "private temporary directory") == NULL) {
			return "a temporary directory is left";
		}
	}
	return strstr(log, "leaked") != NULL ? "a descriptor is left" : NULL;
}

/* Fails one call with one error. */
static void try_fault(struct sweep *sweep, size_t number, int error, bool stays)
{
	cleanup_result struct run_result result = run_with(sweep, sweep->workload->options,
		word("SANDLOCK_FAULT=call-log:%d,call-at:%zu,call-errno:%d%s", LOG_FD, number,
			error, stays ? ",call-stays" : ""));
	cleanup_free char *log = file_read(sweep->log_path);
	/* Threads take turns: it need not be the call that stood there in the first run. */
	const char *space = strchr(log, ' ');
	cleanup_free char *failed = must_copy(space != NULL ? space + 1 : "");
	const char *end, *rest;

	failed[strcspn(failed, "\n")] = '\0';
	end = judge_end(sweep, number, &result, failed);
	rest = judge_rest(sweep, &result, log, stays);
	sweep->runs++;
	if (end != NULL || rest != NULL) {
		sweep->failures++;
		cr_log_error(
			"call %zu, %s, fails with %s%s: %s%s%s; status %d in %.1f s, out \"%.60s\", "
			"err \"%.300s\", json \"%.60s\", log \"%s\"",
			number, failed, strerrorname_np(error), stays ? " for ever" : "",
			end != NULL ? end : "", end != NULL && rest != NULL ? ", " : "",
			rest != NULL ? rest : "", result.exit_code, result.seconds, result.out,
			result.err, result.status_json, log);
	}
}

static void sweep_run(const struct workload *workload)
{
	struct sweep sweep = { .workload = workload, .scratch = scratch_create() };
	size_t stride = (size_t)count_choose(
		sandlock_has_faults() ? SAMPLE_STRIDE_SLOWER : SAMPLE_STRIDE, 1);
	size_t next = 0;

	(void)snprintf(
		sweep.log_path, sizeof(sweep.log_path), "%s/log", sweep.scratch.path); /* fits */
	(void)snprintf(sweep.tmp_path, sizeof(sweep.tmp_path), "%s/tmp", sweep.scratch.path);
	(void)snprintf(sweep.tmp_word, sizeof(sweep.tmp_word), "TMPDIR=%s", sweep.tmp_path);
	cr_assert_eq(mkdir(sweep.tmp_path, 0777), 0);
	learn_calls(&sweep);
	/* A little past the end: a run may make a few calls more. */
	for (size_t number = 1; number <= sweep.count; number++) {
		bool allocates = is_listed(allocators, sweep.names[number - 1]);

		for (size_t i = 0; i < (allocates ? 1 : ARRAY_LEN(errors)); i++) {
			if (next++ % stride == 0) {
				try_fault(&sweep, number, errors[i], false);
				/* These two say "again": they do not stay. */
				if (errors[i] != EINTR && errors[i] != EAGAIN) {
					try_fault(&sweep, number, errors[i], true);
				}
			}
		}
	}
	for (size_t i = 0; i < sweep.count; i++) {
		free(sweep.names[i]);
	}
	scratch_destroy(&sweep.scratch);
	cr_assert_eq(sweep.failures, 0, "%zu of %zu runs", sweep.failures, sweep.runs);
}

#define SYSTEM "-r", "/usr", "-r", "/bin", "-r", "/lib", "-r", "/lib64"

Test(fault_sweep, ends_a_plain_run_well)
{
	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM),
		.command = WORDS("/bin/true"),
		.output = "",
		.reason = "exited",
	});
}

Test(fault_sweep, never_shows_the_hosts_name)
{
	cleanup_free char *doors = must_copy(guest("doors"));

	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "--name", "box"),
		.command = WORDS(doors, "name"),
		.output = "box\n",
		.reason = "exited",
		.refused_code = 200,
	});
}

Test(fault_sweep, never_shows_the_hosts_name_to_many)
{
	cleanup_free char *doors = must_copy(guest("doors"));

	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "--name", "box", "--workers-max", "3"),
		.command = WORDS(doors, "storm", "4", "20", "box"),
		.env = "SANDLOCK_DISPATCH=queue",
		.line = "shown 0\n",
		.reason = "exited",
	});
}

Test(fault_sweep, never_shows_other_processors)
{
	cleanup_free char *doors = must_copy(guest("doors"));

	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "--num-cpus", "3"),
		.command = WORDS(doors, "processors"),
		.output = "processors 3\nfirst 1\n",
		.reason = "exited",
		.refused_code = 200,
	});
}

Test(fault_sweep, keeps_a_small_tree_within_limits)
{
	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "-m", "512M", "-c", "50", "-t", "20"),
		.command = WORDS("/bin/sh", "-c", "/bin/true | /bin/true; echo done"),
		.output = "done\n",
		.reason = "exited",
	});
}

Test(fault_sweep, relays_output_whole)
{
	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "--max-output", "1M"),
		.command = WORDS("/bin/echo", "line"),
		.output = "line\n",
		.reason = "exited",
	});
}

Test(fault_sweep, records_and_removes_the_private_directory)
{
	sweep_run(&(struct workload){
		.options = WORDS("--preset", "build", "--record-env"),
		.command = WORDS("/bin/sh", "-c", "echo x > \"$TMPDIR/file\""),
		.output = "",
		.reason = "exited",
	});
}

Test(fault_sweep, holds_the_time_limit)
{
	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "-t", "0.05"),
		.command = WORDS("/bin/sleep", "60"),
		.exit_code = 124,
		.reason = "timeout",
	});
}

Test(fault_sweep, holds_the_output_limit)
{
	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "--max-output", "10"),
		.command = WORDS("/bin/sh", "-c", "echo 0123456789; sleep 60"),
		.exit_code = 137,
		.reason = "output",
	});
}

Test(fault_sweep, holds_the_memory_limit)
{
	sweep_run(&(struct workload){
		.options = WORDS(SYSTEM, "-r", "/dev/zero", "-m", "32M"),
		.command = WORDS("/usr/bin/tail", "/dev/zero"),
		.exit_code = 137,
		.reason = "memory",
	});
}
