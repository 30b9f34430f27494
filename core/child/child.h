/* The code between clone and exec: an ordered table of steps, raw system calls only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHILD_CHILD_H
#define CORE_CHILD_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/child/report.h"
#include "core/plan/plan.h"

/* How the listener gets from the child, which makes it, to the supervisor.  Keeper and child share
 * this memory and, until the child goes on, their descriptor table: so the keeper finds the
 * listener under the child's number, and nobody has to reach into another process for it. */
struct hand_over {
	uint32_t listener; /* futex: HAND_OVER_NOTHING, then _FAILED or number + HAND_OVER_NUMBER */
	uint32_t resumed;  /* futex: 0, then 1 when somebody receives and the child may go on */
};

enum {
	HAND_OVER_NOTHING,
	HAND_OVER_FAILED, /* a step of the child failed; the report says which */
	HAND_OVER_NUMBER
};

/* What a start adds to the plan.  Read-only for keeper and child, except `report` and `hand_over`.
 */
struct launch {
	const struct plan *plan;
	struct run_report *report; /* keeper and child fill it */
	int ruleset_fd;		   /* borrowed: the command's Landlock ruleset, -1 without one */
	int scope_fd;		   /* borrowed: the keeper's signal scope, -1 without one */
	int control_fd;		   /* borrowed: the keeper's end of the socket, -1 in place */
	int stdio[3];	      /* borrowed: what becomes 0, 1, 2; the same number leaves it alone */
	bool own_session;     /* the keeper leaves the caller's session */
	bool takes_terminal;  /* the command's group becomes the terminal's foreground group */
	bool announces_start; /* the keeper tells the command's pid at once */
	bool announces_end;   /* the keeper says when the command is dead, before it reaps it */
	pid_t keeper;	      /* the child's expected parent; 0 in place */
	struct hand_over *hand_over; /* NULL: nothing is notified, each has a table of its own */
};

/* Works through all steps and becomes the command.  Returns only when a step failed, with the
 * failure in launch->report. */
void child_become_command(const struct launch *launch);

/* Sets the descriptor limit of the plan for a process, 0 for the caller.  0 or -errno. */
long child_limit_open_files(const struct launch *launch, long pid);

/* What the step does and what would help, for the one line that the user reads. */
const char *step_name(unsigned int step);
const char *step_cure(unsigned int step);

#endif
