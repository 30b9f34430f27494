/* What becomes of a signal that a tracee is about to get.
 *
 * A signal that lands after a call was notified and before it was received ends the call with EINTR
 * although it never ran (seccomp_unotify(2), "Interaction with SA_RESTART").  And an ignored
 * signal, of which a program without a tracer would not even wake, ends a few waits with EINTR.
 * Both are undone here, while the tracee stands in its signal-delivery-stop. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/tracee.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/process/proc_reader.h"
#include "core/supervisor/tracer_signals.h"

/* A signal that was taken from a tracee, to be given back once its call has been received. */
struct deferred_signal {
	struct deferred_signal *next;
	siginfo_t info;
	bool is_sent; /* again, by us: its next stop is the end of this */
};

static bool is_ignored(pid_t tid, int signal)
{
	struct proc_files files;
	struct proc_status status = { 0 };
	uint64_t bit = UINT64_C(1) << (signal - 1);
	int r;

	proc_files_init(&files, tid, false);
	r = proc_files_status(&files, &status);
	proc_files_finish(&files);
	if (r < 0 || (status.caught & bit) != 0) {
		return false;
	}
	/* Without a handler these four are ignored too (signal(7)). */
	return (status.ignored & bit) != 0 || signal == SIGCHLD || signal == SIGURG ||
	       signal == SIGWINCH || signal == SIGCONT;
}

/* The kernel looks for the next signal after an ignored one without going back to the program: a
 * call that we have mended for the first must end for the second. */
static void mend_ignored(struct tracee *tracee, pid_t tid, int signal, long result)
{
	if (result == -EINTR && is_ignored(tid, signal)) {
		tracee->had_eintr = tracee_set_result(tid, -RESTART_IN_ANY_CASE) == 0;
	} else if (result == -RESTART_IN_ANY_CASE && tracee->had_eintr &&
		   !is_ignored(tid, signal)) {
		(void)tracee_set_result(tid, -EINTR); /* ESRCH: killed */
		tracee->had_eintr = false;
	} else if (result != -RESTART_IN_ANY_CASE) {
		tracee->had_eintr = false;
	}
}

static void append(struct tracer *tracer, struct tracee *tracee, struct deferred_signal *deferred)
{
	struct deferred_signal **place = &tracee->deferred;

	if (*place == NULL) {
		atomic_fetch_add(&tracer->deferred, 1);
	}
	while (*place != NULL) {
		place = &(*place)->next;
	}
	*place = deferred;
}

static void take_first(struct tracer *tracer, struct tracee *tracee)
{
	struct deferred_signal *first = tracee->deferred;

	tracee->deferred = first->next;
	free(first);
	if (tracee->deferred == NULL) {
		atomic_fetch_sub(&tracer->deferred, 1);
	}
}

/* The call is made again without the signal, and this time it will be received; the receiver tells
 * us.  Without memory the signal is delivered, and the call ends as it would without us. */
static int hold_back(struct tracer *tracer, struct tracee *tracee, pid_t tid, int signal)
{
	struct deferred_signal *deferred = calloc(1, sizeof(*deferred));

	if (deferred == NULL || ptrace(PTRACE_GETSIGINFO, tid, NULL, &deferred->info) < 0) {
		free(deferred);
		return signal;
	}
	append(tracer, tracee, deferred);
	return 0;
}

/* Ours, sent again?  Then it is what it was. */
static bool restore(struct tracer *tracer, struct tracee *tracee, pid_t tid, int signal)
{
	struct deferred_signal *first = tracee->deferred;
	siginfo_t info;

	if (first == NULL || !first->is_sent || first->info.si_signo != signal ||
		ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) < 0 || info.si_code != SI_TKILL ||
		info.si_pid != getpid()) {
		return false;
	}
	(void)ptrace(PTRACE_SETSIGINFO, tid, NULL, &first->info); /* ESRCH: killed */
	take_first(tracer, tracee);
	return true;
}

static void send_first(struct tracee *tracee, pid_t tid, pid_t tgid)
{
	struct deferred_signal *first = tracee->deferred;

	if (first != NULL && !first->is_sent) {
		first->is_sent = true;
		/* It waits until the call has been answered: WAIT_KILLABLE_RECV. */
		(void)syscall(SYS_tgkill, tgid, tid, first->info.si_signo);
	}
}

int tracer_signal_stop(struct tracer *tracer, pid_t tid, int signal)
{
	const struct notify_plan *notify = &tracer->domain->plan->notify;
	struct tracee *tracee = process_index_tracee(tracer->domain->index, tid);
	struct tracee_call call;

	if (tracee == NULL) {
		return signal;
	}
	if (restore(tracer, tracee, tid, signal)) {
		tracer_signal_received(tracer, tid); /* the next one, if there is one */
		return signal;
	}
	if (tracee_get_call(tid, &call) < 0 || call.nr < 0) {
		return signal;
	}
	if (call.result == -RESTART_AS_ASKED && notify_plan_repairs(notify, (int)call.nr)) {
		if (!tracee_takes_result || tracer->is_portable) {
			return hold_back(tracer, tracee, tid, signal);
		}
		(void)tracee_set_result(tid, -RESTART_IN_ANY_CASE); /* ESRCH: killed */
		return signal;
	}
	if (tracee_takes_result) {
		mend_ignored(tracee, tid, signal, call.result);
	}
	return signal;
}

void tracer_mend_interrupted(pid_t tid)
{
	struct tracee_call call;

	if (tracee_takes_result && tracee_get_call(tid, &call) == 0 && call.nr >= 0 &&
		call.result == -EINTR) {
		(void)tracee_set_result(tid, -RESTART_IN_ANY_CASE); /* ESRCH: killed */
	}
}

void tracer_signal_received(struct tracer *tracer, pid_t tid)
{
	struct tracee *tracee = process_index_tracee(tracer->domain->index, tid);
	struct process *process = process_index_get(tracer->domain->index, tid);

	if (tracee != NULL && process != NULL) {
		send_first(tracee, tid, process->tgid);
	}
	if (process != NULL) {
		process_put(process);
	}
}

void tracer_signal_forget(struct tracer *tracer, struct tracee *tracee)
{
	while (tracee->deferred != NULL) {
		take_first(tracer, tracee);
	}
}
