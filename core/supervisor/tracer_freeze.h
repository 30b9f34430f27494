/* Stopping the whole tree where it stands, and letting it go on. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_TRACER_FREEZE_H
#define CORE_SUPERVISOR_TRACER_FREEZE_H

#include <sys/ptrace.h>

#include "core/supervisor/tracer.h"

/* For any thread but the tracer's; the second of two at a time waits for the thaw of the first.
 * Stops every task but `except` (0: every one), so that none runs an instruction of its own before
 * tracer_thaw(), and what is begun meanwhile stands before its first.  A task whose call was
 * received and not yet answered stands still anyway, and stops behind its answer; a call that was
 * not yet received, and a fork that was let through, are withdrawn and made again afterwards.  So
 * the receiver goes on meanwhile, and nothing is lost.
 *
 * The kernel still writes into memory for what was begun: a read(2), an io_submit(2).  0;
 * -ENOMEM; -ETIMEDOUT when a task has not stopped after a second (it sleeps in the kernel, in a
 * page of a slow file); -EOWNERDEAD when the tracer has ended.  The tree goes on then, and no thaw
 * is due. */
int tracer_freeze(struct tracer *tracer, pid_t except) nodiscard;
void tracer_thaw(struct tracer *tracer);

/* The rest is for the tracer's thread. */

void tracer_freeze_init(struct tracer *tracer);
void tracer_freeze_finish(struct tracer *tracer);
/* The requests. */
void tracer_freeze_begin(struct tracer *tracer, const struct tracer_request *request);
void tracer_freeze_end(struct tracer *tracer);
/* When there is nothing else to do for the moment: false while some task does not stand yet. */
bool tracer_freeze_look(struct tracer *tracer);
/* No freeze will ever succeed. */
void tracer_freeze_over(struct tracer *tracer);

/* Lets a stopped tracee go on by PTRACE_CONT with a signal, or by PTRACE_LISTEN; at the thaw, if
 * there is a freeze. */
void tracer_go_on(struct tracer *tracer, pid_t tid, enum __ptrace_request how, int signal);

/* Stops a tracee that runs: PTRACE_INTERRUPT, and a note that the stop is ours. */
void tracer_interrupt(struct tracer *tracer, struct tracee *tracee, pid_t tid);

#endif
