/* The code between clone and exec: an ordered table of steps, raw system calls only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHILD_CHILD_H
#define CORE_CHILD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/child/report.h"
#include "core/plan/plan.h"

/* What a start adds to the plan.  Read-only for keeper and child, except `report`. */
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
};

/* Works through all steps and becomes the command.  Returns only when a step failed, with the
 * failure in launch->report. */
void child_become_command(const struct launch *launch);

/* What the step does and what would help, for the one line that the user reads. */
const char *step_name(unsigned int step);
const char *step_cure(unsigned int step);

#endif
