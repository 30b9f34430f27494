/* The tracer's thread: waits for tracees and for requests in one place, and answers events. */
// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/tracee.h"
#include "core/base/fault.h"
#include "core/base/thread.h"
#include "core/notif/notif.h"
#include "core/process/domain.h"
#include "core/supervisor/tracer.h"
#include "core/supervisor/tracer_exec.h"
#include "core/supervisor/tracer_freeze.h"
#include "core/supervisor/tracer_signals.h"

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |     \
		PTRACE_O_EXITKILL)

#define TOKENS_AT_ONCE 32

/* A task has one tracer at most, and the filter of an outer sandbox refuses ptrace. */
#define TRACER_CURE                                                                                \
	" (it is traced already, or an outer sandbox refuses ptrace: run without the debugger, "   \
	"give the outer sandbox --extra-allow-syscall ptrace, or leave out the options for which " \
	"--explain starts a tracer)"

static void resume(struct tracer *tracer, pid_t tid, int signal)
{
	tracer_go_on(tracer, tid, PTRACE_CONT, signal);
}

/* A task has come to life.  It waits, before its first instruction, until it is known.  One that
 * cannot be known dies. */
static void adopt(struct tracer *tracer, pid_t tid, pid_t parent)
{
	const struct domain *domain = tracer->domain;
	size_t before = process_index_processes(domain->index);
	int r = process_index_add(domain->index, tid);

	if (r < 0) {
		/* What was killed before it could be looked at ends by itself. */
		(void)kill(tid, SIGKILL);
	} else if (process_index_processes(domain->index) > before) {
		fork_count_born(domain->forks, parent);
	}
}

/* Whether this thread has still to wait for the task's end.  A zombie that it has waited for is its
 * parent's alone, and its number may be anybody's. */
static bool is_tracee(pid_t tid)
{
	siginfo_t ignored;

	return waitid(P_PID, (id_t)tid, &ignored,
		       WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD) == 0;
}

/* The stop of the new task may come before its parent's event, or after; even its end may. */
static void handle_birth(struct tracer *tracer, pid_t parent)
{
	unsigned long tid;

	if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &tid) < 0) {
		/* It was killed in its stop, and does not say whom it has forked. */
		fork_count_orphan(tracer->domain->forks, parent);
	} else if (process_index_tracee(tracer->domain->index, (pid_t)tid) == NULL &&
		   is_tracee((pid_t)tid)) {
		adopt(tracer, (pid_t)tid, parent);
	}
}

static void handle_end(struct tracer *tracer, pid_t tid)
{
	const struct domain *domain = tracer->domain;
	struct tracee *tracee = process_index_tracee(domain->index, tid);

	if (tracee == NULL) {
		return;
	}
	tracer_exec_forget(tracer, tid);
	tracer_signal_forget(tracer, tracee);
	if (process_index_remove(domain->index, tid)) {
		fork_count_ended(domain->forks);
	}
}

static void forget_if_gone(void *context, pid_t tid, struct process *process, struct tracee *tracee)
{
	(void)process;
	(void)tracee;
	if (!is_tracee(tid)) {
		handle_end(context, tid);
	}
}

/* A thread that was not the leader has taken the leader's id; its own is gone without a word, and
 * so is the leader, which may have been in a fork. */
static void handle_exec(struct tracer *tracer, pid_t tid)
{
	unsigned long former;

	if (ptrace(PTRACE_GETEVENTMSG, tid, NULL, &former) < 0) {
		/* Killed: which id has gone is found by looking at them all. */
		fork_count_orphan(tracer->domain->forks, tid);
		process_index_each(tracer->domain->index, forget_if_gone, tracer);
		return;
	}
	tracer_exec_event(tracer, tid, (pid_t)former);
	if ((pid_t)former != tid) {
		fork_count_orphan(tracer->domain->forks, tid);
		fork_count_close(tracer->domain->forks, (pid_t)former);
		handle_end(tracer, (pid_t)former);
	}
}

/* A group-stop lasts until SIGCONT; everything else that stops so goes on at once: a new task, one
 * that SIGCONT has woken, one that we have interrupted. */
static void handle_event_stop(struct tracer *tracer, pid_t tid, int signal)
{
	struct tracee *tracee = process_index_tracee(tracer->domain->index, tid);
	bool is_group_stop =
		signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;

	if (tracee == NULL) {
		adopt(tracer, tid, 0);
	} else if (is_group_stop) {
		tracer_signal_group_stop(tracer, tracee, tid);
	} else if (tracee->is_interrupted) {
		tracer_signal_interrupted(tracer, tracee, tid);
	}
	if (tracee != NULL) {
		tracee->is_interrupted = false; /* one stop may answer for both */
	}
	tracer_go_on(tracer, tid, is_group_stop ? PTRACE_LISTEN : PTRACE_CONT, 0);
}

/* The token of a fork closes while its thread stands still: from the moment it goes on it may open
 * another.  Not before the child is counted. */
static void handle_stop(struct tracer *tracer, pid_t tid, int status)
{
	int event = status >> 16;
	int signal = WSTOPSIG(status);

	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		event == PTRACE_EVENT_CLONE) {
		handle_birth(tracer, tid);
	} else if (event == PTRACE_EVENT_EXEC) {
		handle_exec(tracer, tid);
	}
	fork_count_close(tracer->domain->forks, tid);

	switch (event) {
	case 0:
		resume(tracer, tid, tracer_signal_stop(tracer, tid, signal));
		break;
	case PTRACE_EVENT_STOP:
		handle_event_stop(tracer, tid, signal);
		break;
	default:
		resume(tracer, tid, 0);
	}
}

/* The fault point: the thread ends without a word. */
static bool is_at_its_end(struct tracer *tracer)
{
	return tracer->end_after != 0 && ++tracer->events >= tracer->end_after;
}

/* Answers everything that has happened.  False when no tracee is left.  __WNOTHREAD: the keeper is
 * main's child, and main's alone to wait for. */
static bool drain(struct tracer *tracer)
{
	int status;
	pid_t tid;

	while ((tid = wait4(-1, &status, WNOHANG | __WALL | __WNOTHREAD, NULL)) > 0) {
		if (is_at_its_end(tracer)) {
			return true;
		}
		if (WIFSTOPPED(status)) {
			handle_stop(tracer, tid, status);
		} else {
			fork_count_orphan(tracer->domain->forks, tid);
			handle_end(tracer, tid);
		}
	}
	return tid == 0 || errno != ECHILD;
}

/* Who forked and was killed before its event leaves a child that may not have run yet, and so has
 * not stopped: it is found among all processes.  The listing goes by number and misses none that is
 * there all the time (fs/proc/base.c, proc_pid_readdir).  Without /proc it is found when it stops.
 */
static void adopt_orphans(struct tracer *tracer)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes != NULL && (entry = readdir(processes)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && process_index_tracee(tracer->domain->index, pid) == NULL &&
			is_tracee(pid)) {
			adopt(tracer, pid, 0);
		}
	}
	if (processes != NULL) {
		(void)closedir(processes);
	}
	fork_count_close_orphans(tracer->domain->forks);
}

/* A thread that may still be forking is stopped for a moment: either it has forked, or it has
 * failed to and is somewhere else, or it will ask again (kernel/fork.c, copy_process: a pending
 * signal restarts the call).  None of them waits for an answer of ours: receiving its next call
 * would have closed its token. */
static void settle(struct tracer *tracer, uint64_t ticket)
{
	struct fork_token tokens[TOKENS_AT_ONCE];
	uint64_t after = 0;
	size_t count;

	(void)drain(tracer);
	while ((count = fork_count_list(
			tracer->domain->forks, after, ticket, tokens, TOKENS_AT_ONCE)) > 0) {
		for (size_t i = 0; i < count; i++) {
			struct tracee *tracee =
				process_index_tracee(tracer->domain->index, tokens[i].tid);

			if (tracee != NULL) {
				tracer_interrupt(tracer, tracee, tokens[i].tid);
			}
		}
		after = tokens[count - 1].sequence;
	}
	fork_count_looked(tracer->domain->forks, ticket);
}

/* The last request is a part of the tracer, so that it needs no memory. */
static void discard(const struct tracer *tracer, struct tracer_request *request)
{
	if (request != &tracer->stop) {
		free(request);
	}
}

static struct tracer_request *take_requests(struct tracer *tracer)
{
	struct tracer_request *request = atomic_exchange(&tracer->inbox, NULL);
	struct tracer_request *first = NULL;

	while (request != NULL) { /* the stack has the newest on top */
		struct tracer_request *next = request->next;

		request->next = first;
		first = request;
		request = next;
	}
	return first;
}

static void serve(struct tracer *tracer)
{
	struct tracer_request *request = take_requests(tracer);

	while (request != NULL) {
		struct tracer_request *next = request->next;

		switch (request->kind) {
		case TRACER_SETTLE:
			settle(tracer, request->ticket);
			break;
		case TRACER_RECEIVED:
			tracer_signal_received(tracer, request->tid);
			break;
		case TRACER_FREEZE:
			tracer_freeze_begin(tracer, request);
			break;
		case TRACER_THAW:
			tracer_freeze_end(tracer);
			break;
		case TRACER_STOP:
			tracer->is_stopping = true;
			break;
		}
		discard(tracer, request);
		request = next;
	}
}

static void set_of_ours(sigset_t *set)
{
	(void)sigemptyset(set); /* cannot fail */
	(void)sigaddset(set, SIGCHLD);
	(void)sigaddset(set, SIGUSR1);
}

static void run(struct tracer *tracer)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };
	sigset_t ours;

	set_of_ours(&ours);
	for (;;) {
		bool has_tracees = drain(tracer);

		if (fork_count_awaits_orphans(tracer->domain->forks)) {
			adopt_orphans(tracer);
		}
		if (is_at_its_end(tracer) || (!has_tracees && tracer->is_stopping)) {
			return;
		}
		if (atomic_load(&tracer->inbox) != NULL) {
			serve(tracer);
			continue;
		}
		/* Both signals are blocked, so one that comes before the wait ends it.  A task that
		 * falls asleep in the kernel during a freeze says nothing: it is looked at again.
		 */
		(void)sigtimedwait(&ours, NULL, tracer_freeze_look(tracer) ? NULL : &moment);
	}
}

static void *tracer_main(void *argument)
{
	struct tracer *tracer = argument;
	const struct domain *domain = tracer->domain;

	assert_role(THREAD_TRACER);
	tracer->error = ptrace(PTRACE_SEIZE, tracer->root, NULL, (void *)OPTIONS) < 0 ? -errno : 0;
	if (tracer->error == 0) {
		tracer->error = process_index_add(domain->index, tracer->root);
	}
	if (tracer->error == 0) {
		fork_count_born(domain->forks, 0);
	}
	(void)sem_post(&tracer->attached); /* once, so that it cannot overflow */
	if (tracer->error == 0) {
		run(tracer);
	}
	fork_count_over(domain->forks);
	tracer_freeze_over(tracer);
	if (!tracer->is_stopping && tracer->error == 0) {
		/* The end of this thread kills every tracee; the rest is said here. */
		tracer_fail(tracer);
	}
	return NULL;
}

static void block_child_signal(void)
{
	sigset_t blocked;

	(void)sigemptyset(&blocked); /* cannot fail */
	(void)sigaddset(&blocked, SIGCHLD);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

int tracer_start(
	struct tracer *tracer, const struct domain *domain, pid_t root, struct error *error)
{
	int r;

	tracer->domain = domain;
	tracer->root = root;
	tracer->is_portable = !tracee_takes_result || fault_is_set("signals-held-back");
	tracer->leaves_signals = fault_is_set("signals-unrepaired");
	(void)fault_value("tracer-end", &tracer->end_after); /* stays 0 unless it is armed */
	(void)sem_init(&tracer->attached, 0, 0);
	tracer_freeze_init(tracer);
	tracer_exec_init(tracer);
	block_child_signal();
	r = thread_start(THREAD_TRACER, 0, tracer_main, tracer, &tracer->thread);
	if (r < 0) {
		return error_set(error, -r, "tracer: cannot start its thread: %s", strerror(-r));
	}
	tracer->is_started = true;
	while (sem_wait(&tracer->attached) < 0) {
		/* EINTR */
	}
	if (tracer->error < 0) {
		return error_set(error, -tracer->error,
			"tracer: cannot attach to the command: %s%s", strerror(-tracer->error),
			tracer->error == -EPERM ? TRACER_CURE : "");
	}
	return 0;
}

struct tracer_request *tracer_request_create(enum tracer_request_kind kind)
{
	struct tracer_request *request = calloc(1, sizeof(*request));

	if (request != NULL) {
		request->kind = kind;
	}
	return request;
}

void tracer_post(struct tracer *tracer, struct tracer_request *request)
{
	struct tracer_request *top = atomic_load(&tracer->inbox);

	do {
		request->next = top;
	} while (!atomic_compare_exchange_weak(&tracer->inbox, &top, request));
	if (top == NULL) {
		/* Whoever has put something on an empty stack wakes the tracer; it takes all. */
		(void)pthread_kill(tracer->thread, SIGUSR1);
	}
}

void tracer_fail(struct tracer *tracer)
{
	atomic_store(&tracer->has_failed, true);
	tracer->domain->listener->end_tree(tracer->domain->listener->context);
}

void tracer_stop(struct tracer *tracer)
{
	if (tracer->is_started) {
		tracer->stop = (struct tracer_request){ .kind = TRACER_STOP };
		tracer_post(tracer, &tracer->stop);
		(void)pthread_join(tracer->thread, NULL);
		tracer->is_started = false;
	}
	for (struct tracer_request *request = take_requests(tracer); request != NULL;) {
		struct tracer_request *next = request->next;

		discard(tracer, request);
		request = next;
	}
	(void)sem_destroy(&tracer->attached);
	tracer_freeze_finish(tracer);
	tracer_exec_finish(tracer);
}

void tracer_settle(struct tracer *tracer)
{
	struct tracer_request *request = tracer_request_create(TRACER_SETTLE);
	uint64_t ticket = fork_count_ticket(tracer->domain->forks);

	if (request == NULL) {
		return; /* what is not known is not there to be given */
	}
	request->ticket = ticket;
	tracer_post(tracer, request);
	fork_count_await(tracer->domain->forks, ticket);
}

void tracer_note_received(struct tracer *tracer, pid_t tid)
{
	fork_count_close(tracer->domain->forks, tid);
	if (atomic_load(&tracer->deferred) > 0) {
		struct tracer_request *request = tracer_request_create(TRACER_RECEIVED);

		if (request == NULL) {
			tracer_fail(tracer); /* a signal of the program's would be lost */
			return;
		}
		request->tid = tid;
		tracer_post(tracer, request);
	}
}
