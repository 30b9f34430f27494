/* What becomes of a signal that a tracee is about to get. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_TRACER_SIGNALS_H
#define CORE_SUPERVISOR_TRACER_SIGNALS_H

#include "core/supervisor/tracer.h"

/* In the tracer's thread, for a tracee in signal-delivery-stop: the signal to go on with, 0 when it
 * is held back. */
int tracer_signal_stop(struct tracer *tracer, pid_t tid, int signal);

/* For a tracee in PTRACE_EVENT_STOP: one that we have interrupted ourselves, whose call goes on as
 * if nothing had been, and one that job control stops, whose call ends as it does without us. */
void tracer_signal_interrupted(const struct tracer *tracer, struct tracee *tracee, pid_t tid);
void tracer_signal_group_stop(const struct tracer *tracer, struct tracee *tracee, pid_t tid);

/* The call that a signal was held back for has been received: the signal is sent again. */
void tracer_signal_received(struct tracer *tracer, pid_t tid);

/* Frees what was held back for a task that is gone. */
void tracer_signal_forget(struct tracer *tracer, struct tracee *tracee);

#endif
