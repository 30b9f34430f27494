/* What an approved exec may become, and the look at what became of it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_TRACER_EXEC_H
#define CORE_SUPERVISOR_TRACER_EXEC_H

#include "core/supervisor/tracer.h"
#include "core/tracee/tracee_exec.h"

/* From the worker that holds the call, before its answer: the next exec of this thread must become
 * this.  0 or -ENOMEM. */
int tracer_expect(
	struct tracer *tracer, pid_t tid, const struct exec_expectation *expectation) nodiscard;

/* The rest is for the tracer's thread. */

void tracer_exec_init(struct tracer *tracer);
void tracer_exec_finish(struct tracer *tracer);

/* Process `tgid` has a new image, for a call of thread `former`, and has run nothing of it yet: a
 * difference, and an exec that nobody has approved where there are judges, kills it. */
void tracer_exec_event(struct tracer *tracer, pid_t tgid, pid_t former);

/* The thread is gone. */
void tracer_exec_forget(struct tracer *tracer, pid_t tid);

#endif
