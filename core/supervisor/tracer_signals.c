/* What becomes of a signal that a tracee is about to get.
 *
 * A signal that lands after a call was notified and before it was received ends the call with EINTR
 * although it never ran (seccomp_unotify(2), "Interaction with SA_RESTART").  And an ignored
 * signal, of which a program without a tracer would not even wake, ends a few waits with EINTR.
 * Both are undone here, while the tracee stands in its signal-delivery-stop. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/syscall.h"
#include "arch/tracee.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/process/proc_reader.h"
#include "core/supervisor/deferred_signal.h"
#include "core/supervisor/tracer_signals.h"

enum disposition { IGNORED, DEFAULT, CAUGHT };

/* A task that is gone counts as one with the default, which is left alone. */
static enum disposition find_disposition(pid_t tid, int signal)
{
	struct proc_files files;
	struct proc_status status = { 0 };
	uint64_t bit = UINT64_C(1) << (signal - 1);
	int r;

	proc_files_init(&files, tid, false);
	r = proc_files_status(&files, &status);
	proc_files_finish(&files);
	if (r < 0) {
		return DEFAULT;
	}
	if ((status.caught & bit) != 0) {
		return CAUGHT;
	}
	/* Without a handler these four are ignored too (signal(7)). */
	return (status.ignored & bit) != 0 || signal == SIGCHLD || signal == SIGURG ||
			       signal == SIGWINCH || signal == SIGCONT
		       ? IGNORED
		       : DEFAULT;
}

/* A call that says EINTR and may be made again.  close(2) has closed its descriptor by then. */
static bool was_interrupted(const struct tracee_call *call)
{
	return call->nr >= 0 && call->result == -EINTR && call->nr != SYS(close);
}

static bool is_mended(const struct tracee *tracee, const struct tracee_call *call)
{
	return call->nr >= 0 && call->result == -RESTART_IN_ANY_CASE &&
	       tracee->mended_call == call->nr + 1;
}

static void mend(struct tracee *tracee, pid_t tid, const struct tracee_call *call)
{
	tracee->mended_call = tracee_set_result(tid, -RESTART_IN_ANY_CASE) == 0 ? call->nr + 1 : 0;
}

static void unmend(struct tracee *tracee, pid_t tid)
{
	(void)tracee_set_result(tid, -EINTR); /* ESRCH: killed */
	tracee->mended_call = 0;
}

/* The kernel looks for the next signal after an ignored one without going back to the program: a
 * call that was mended for the first must end for the second.  A call that job control has stopped
 * ends with EINTR whatever comes after, the SIGCONT first of all (signal(7), "Interruption of
 * system calls and library functions by stop signals"). */
static void mend_ignored(
	struct tracee *tracee, pid_t tid, int signal, const struct tracee_call *call)
{
	if (was_interrupted(call)) {
		if (tracee->stopped_call != call->nr + 1 &&
			find_disposition(tid, signal) == IGNORED) {
			mend(tracee, tid, call);
		}
	} else if (is_mended(tracee, call) && find_disposition(tid, signal) != IGNORED) {
		unmend(tracee, tid);
	}
	if (signal == SIGCONT || !was_interrupted(call)) {
		tracee->stopped_call = 0;
	}
}

/* False without memory. */
static bool defer(struct tracer *tracer, struct tracee *tracee, const siginfo_t *info)
{
	bool is_first = tracee->deferred == NULL;

	if (deferred_signal_add(&tracee->deferred, info) < 0) {
		return false;
	}
	atomic_fetch_add(&tracer->deferred, is_first ? 1 : 0);
	return true;
}

static void take(struct tracer *tracer, struct tracee *tracee, struct deferred_signal **place)
{
	deferred_signal_take(place);
	atomic_fetch_sub(&tracer->deferred, tracee->deferred == NULL ? 1 : 0);
}

/* It waits until the call has been answered: WAIT_KILLABLE_RECV.  EAGAIN, the queue is full: the
 * next stop or receipt tries again. */
static void send_first(struct tracer *tracer, const struct tracee *tracee, pid_t tid)
{
	struct deferred_signal *first = tracee->deferred;
	struct process *process;

	if (first == NULL || first->is_sent) {
		return;
	}
	process = process_index_get(tracer->domain->index, tid);
	if (process != NULL) {
		first->is_sent = syscall(SYS_tgkill, process->tgid, tid, first->info.si_signo) == 0;
		process_put(process);
	}
}

static bool is_window(const struct tracer *tracer, const struct tracee_call *call)
{
	return call->nr >= 0 && call->result == -RESTART_AS_ASKED &&
	       notify_plan_repairs(&tracer->domain->plan->notify, (int)call->nr);
}

/* The portable form: the call is made again without the signal, and this time it will be received;
 * the receiver tells us, and the signal is sent again.  What stops then need not be what was sent:
 * equal signals merge, and a newer one may come first.  So every stop takes the oldest that waits,
 * and whatever else arrived waits behind it.
 *
 * Only a signal with a handler ends a call.  Without memory it is delivered at once, and the call
 * ends as it would without us. */
static int stop_portable(struct tracer *tracer, struct tracee *tracee, pid_t tid, int signal,
	const struct tracee_call *call)
{
	struct deferred_signal **oldest = deferred_signal_find(&tracee->deferred, signal);
	bool waits = *oldest != NULL, is_ours, holds;
	siginfo_t info;

	if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) < 0) {
		return signal; /* ESRCH: killed */
	}
	is_ours = info.si_code == SI_TKILL && info.si_pid == getpid();
	holds = is_window(tracer, call) && (waits || find_disposition(tid, signal) == CAUGHT);
	if (is_ours && !waits) {
		holds = false;
		signal = 0; /* sent twice, because the first seemed to have merged */
	} else if (!is_ours && (waits || holds) && !defer(tracer, tracee, &info)) {
		return signal;
	}
	if (holds) {
		tracee->deferred->is_sent = false;
		return 0;
	}
	if (waits) {
		(void)ptrace(PTRACE_SETSIGINFO, tid, NULL, &(*oldest)->info); /* as above */
		take(tracer, tracee, oldest);
	}
	send_first(tracer, tracee, tid);
	return signal;
}

int tracer_signal_stop(struct tracer *tracer, pid_t tid, int signal)
{
	struct tracee *tracee = process_index_tracee(tracer->domain->index, tid);
	struct tracee_call call;

	if (tracee == NULL || tracer->leaves_signals || tracee_get_call(tid, &call) < 0) {
		return signal;
	}
	if (tracer->is_portable) {
		return stop_portable(tracer, tracee, tid, signal, &call);
	}
	if (is_window(tracer, &call)) {
		(void)tracee_set_result(tid, -RESTART_IN_ANY_CASE); /* ESRCH: killed */
	} else {
		mend_ignored(tracee, tid, signal, &call);
	}
	return signal;
}

void tracer_signal_interrupted(const struct tracer *tracer, struct tracee *tracee, pid_t tid)
{
	struct tracee_call call;

	if (!tracer->is_portable && !tracer->leaves_signals && tracee_get_call(tid, &call) == 0 &&
		was_interrupted(&call) && tracee->stopped_call != call.nr + 1) {
		mend(tracee, tid, &call);
	}
}

void tracer_signal_group_stop(const struct tracer *tracer, struct tracee *tracee, pid_t tid)
{
	struct tracee_call call;

	tracee->stopped_call = 0;
	if (tracer->is_portable || tracee_get_call(tid, &call) < 0) {
		return;
	}
	if (is_mended(tracee, &call)) {
		unmend(tracee, tid);
		call.result = -EINTR;
	}
	tracee->stopped_call = was_interrupted(&call) ? call.nr + 1 : 0;
}

void tracer_signal_received(struct tracer *tracer, pid_t tid)
{
	const struct tracee *tracee = process_index_tracee(tracer->domain->index, tid);

	if (tracee != NULL) {
		send_first(tracer, tracee, tid);
	}
}

void tracer_signal_forget(struct tracer *tracer, struct tracee *tracee)
{
	while (tracee->deferred != NULL) {
		take(tracer, tracee, &tracee->deferred);
	}
}
