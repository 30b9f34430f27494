/* What keeper and child know of a run, for the supervisor. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHILD_REPORT_H
#define CORE_CHILD_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In `step`: not a step of the child but the keeper itself failed, or its part in the hand-over. */
#define REPORT_STEP_KEEPER    UINT32_MAX
#define REPORT_STEP_HAND_OVER (UINT32_MAX - 1)

enum report_stage {
	REPORT_NOTHING,	    /* the keeper has not made the child yet */
	REPORT_CHILD_SETUP, /* the child works through its steps */
	REPORT_EXECUTING,   /* every step is done, execve was called */
	REPORT_FAILED,	    /* a step failed; `step` and `error` say which and why */
};

/* Lives in the memory that keeper and child share, and goes to the supervisor as one message when
 * everything has ended.  One writer at a time: the child until it executes or dies, then the
 * keeper, which reads after the child's end.  So nothing here is atomic. */
struct run_report {
	enum report_stage stage;
	uint32_t step;	      /* index for step_name(), with REPORT_FAILED */
	int32_t error;	      /* errno value */
	pid_t root;	      /* the command's pid, as the keeper sees it */
	int32_t status;	      /* of the command, as wait4 gives it */
	bool root_ended;      /* status is valid */
	bool complete;	      /* everything below the keeper has ended and was reaped */
	uint32_t left_behind; /* processes that outlived the command and were ended */
	uint64_t exec_ns;     /* CLOCK_MONOTONIC, just before execve */
	uint64_t exit_ns;     /* CLOCK_MONOTONIC, when the keeper saw the command's end */
	/* Sums over everything that was reaped. */
	uint64_t user_us;
	uint64_t system_us;
	uint64_t max_rss_kib; /* of the largest process */
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t voluntary_switches;
	uint64_t involuntary_switches;
	uint64_t processes_reaped; /* by the keeper itself: the command and orphans */
};

#endif
