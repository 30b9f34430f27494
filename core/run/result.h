/* How a run went: reason, code, usage, limits hit; as one line of JSON. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_RESULT_H
#define CORE_RUN_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/child/report.h"
#include "core/plan/plan.h"
#include "core/run/record_env.h"
#include "core/supervisor/counters.h"
#include "core/supervisor/sampler.h"

enum result_reason {
	RESULT_EXITED,	 /* the command ended by itself */
	RESULT_SIGNALED, /* a signal ended it that was not ours */
	RESULT_TIMEOUT,
	RESULT_MEMORY, /* the memory limit ended the command itself */
	RESULT_OUTPUT,
	RESULT_SETUP,	   /* the command never ran */
	RESULT_SUPERVISOR, /* we failed: the keeper died under us */
};

/* Exit codes of the command line that are ours (env(1), timeout(1)). */
enum {
	EXIT_CODE_TIMEOUT = 124,
	EXIT_CODE_SANDLOCK = 125,
	EXIT_CODE_NOT_EXECUTABLE = 126,
	EXIT_CODE_NOT_FOUND = 127,
	EXIT_CODE_SIGNAL = 128, /* plus the signal's number */
};

#define RESULT_CALLS   64 /* more system calls than any plan notifies of are not shown */
#define RESULT_VICTIMS 16 /* the first so many kills of the memory limit are named */

struct result {
	enum result_reason reason;
	bool plan_is_in_use; /* a thread is stuck and may look at it until the process ends */
	int code;	     /* what `sandlock run` exits with */
	int signal;	     /* that ended the command; 0: none */
	bool usage_complete;
	struct run_report report;
	uint64_t started_ns; /* CLOCK_MONOTONIC, when the start was asked for */
	uint64_t ended_ns;
	int64_t wall_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC at the end */
	bool timed_out;
	bool output_cut;
	uint64_t output_bytes; /* relayed; 0 without --max-output */
	bool sampled;	       /* the two peaks below were measured */
	uint64_t peak_bytes;
	uint32_t peak_processes;
	bool is_counted;	    /* the two numbers below are exact: there was a tracer */
	uint32_t counted_processes; /* the most that were alive at once */
	uint64_t forks_refused;	    /* for want of room under --max-processes */
	uint32_t memory_kills;
	struct sampler_victim victims[RESULT_VICTIMS];
	uint64_t kernel_kills;	       /* by memory.max of a delegated cgroup */
	uint64_t exec_kills;	       /* images that were not what a judge had approved */
	struct env_record environment; /* owned; with --record-env */
	bool has_environment;
	size_t call_count; /* rows of `calls`: system calls that notifications came of */
	struct call_summary calls[RESULT_CALLS];
	char message[512]; /* of a set-up or supervisor failure; empty otherwise */
};

/* Frees what the result owns. */
void result_finish(struct result *result);
#define cleanup_outcome cleanup(result_finish)

/* A run that never began, from the error that says why. */
void result_init_failure(struct result *result, const struct error *error);

/* --record-env: before the start, and once the report is there. */
void result_begin_record(struct result *result, const struct plan *plan);
void result_end_record(struct result *result);

/* Decides reason, code, signal and message from the report and the limits that were hit. */
void result_judge(struct result *result, const struct plan *plan);

/* The one line about a failed set-up step; answers the exit code that fits. */
int result_describe_setup(
	const struct run_report *report, const struct plan *plan, char *message, size_t size);

/* A run that failed on our side whatever the command did. */
void result_fail(struct result *result, const struct error *error);

/* The vocabulary of --status-fd. */
const char *result_reason_name(enum result_reason reason);

/* One JSON object without a newline.  `plan` may be NULL when there was none. */
void result_json(const struct result *result, const struct plan *plan, struct text *text);

#endif
