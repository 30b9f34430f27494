/* Stopping the whole tree where it stands, and letting it go on. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/process/domain.h"
#include "core/process/proc_reader.h"
#include "core/supervisor/tracer_freeze.h"

#define PATIENCE_NS UINT64_C(1000000000)

void tracer_freeze_init(struct tracer *tracer)
{
	struct tracer_freeze *freeze = &tracer->freeze;

	(void)sem_init(&freeze->turn, 0, 1); /* none of these can fail */
	(void)pthread_mutex_init(&freeze->lock, NULL);
	(void)pthread_cond_init(&freeze->changed, NULL);
}

void tracer_freeze_finish(struct tracer *tracer)
{
	struct tracer_freeze *freeze = &tracer->freeze;

	(void)pthread_cond_destroy(&freeze->changed);
	(void)pthread_mutex_destroy(&freeze->lock);
	(void)sem_destroy(&freeze->turn);
}

void tracer_interrupt(struct tracer *tracer, struct tracee *tracee, pid_t tid)
{
	/* ESRCH: it is dead, and that is reported too. */
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0) {
		tracee->is_interrupted = true;
	} else if (errno != ESRCH) {
		tracer_fail(tracer);
	}
}

void tracer_go_on(struct tracer *tracer, pid_t tid, enum __ptrace_request how, int signal)
{
	struct tracee *tracee = process_index_tracee(tracer->domain->index, tid);

	if (tracer->freeze.is_on && tracee != NULL) {
		tracee->is_held = true;
		tracee->held_how = (int)how;
		tracee->held_signal = signal;
		return;
	}
	/* A task that was killed meanwhile answers ESRCH to everything; its end is the next that we
	 * hear. */
	if (ptrace(how, tid, NULL, (void *)(intptr_t)signal) < 0 && errno != ESRCH) {
		tracer_fail(tracer); /* it would stand there for ever */
	}
}

static void interrupt_one(void *context, pid_t tid, struct process *process, struct tracee *tracee)
{
	struct tracer *tracer = context;

	(void)process;
	if (tid != tracer->freeze.except && !tracee->is_held) {
		tracer_interrupt(tracer, tracee, tid);
	}
}

void tracer_freeze_begin(struct tracer *tracer, const struct tracer_request *request)
{
	struct tracer_freeze *freeze = &tracer->freeze;

	freeze->is_on = true;
	freeze->except = request->tid;
	freeze->asked = request->ticket;
	process_index_each(tracer->domain->index, interrupt_one, tracer);
}

static void release_one(void *context, pid_t tid, struct process *process, struct tracee *tracee)
{
	(void)process;
	if (tracee->is_held) {
		tracee->is_held = false;
		tracer_go_on(
			context, tid, (enum __ptrace_request)tracee->held_how, tracee->held_signal);
	}
}

void tracer_freeze_end(struct tracer *tracer)
{
	tracer->freeze.is_on = false;
	tracer->freeze.asked = 0;
	process_index_each(tracer->domain->index, release_one, tracer);
}

/* A task that was interrupted runs no instruction of its own any more once it sleeps without
 * listening to signals: it waits for our answer, for the child that it has vforked, for a disk. */
static bool stands(pid_t tid)
{
	struct proc_stat stat;

	return proc_read_stat(tid, &stat) < 0 || stat.state == 'D' || stat.state == 'Z' ||
	       stat.state == 'X';
}

struct look {
	struct tracer *tracer;
	bool is_complete;
};

static void look_at_one(void *context, pid_t tid, struct process *process, struct tracee *tracee)
{
	struct look *look = context;

	(void)process;
	if (look->is_complete && tid != look->tracer->freeze.except && !tracee->is_held) {
		look->is_complete = stands(tid);
	}
}

bool tracer_freeze_look(struct tracer *tracer)
{
	struct tracer_freeze *freeze = &tracer->freeze;
	struct look look = { tracer, true };

	if (freeze->asked == 0) {
		return true;
	}
	process_index_each(tracer->domain->index, look_at_one, &look);
	if (look.is_complete) {
		(void)pthread_mutex_lock(&freeze->lock);
		freeze->frozen = freeze->asked;
		(void)pthread_cond_broadcast(&freeze->changed);
		(void)pthread_mutex_unlock(&freeze->lock);
		freeze->asked = 0;
	}
	return look.is_complete;
}

void tracer_freeze_over(struct tracer *tracer)
{
	struct tracer_freeze *freeze = &tracer->freeze;

	(void)pthread_mutex_lock(&freeze->lock);
	freeze->is_over = true;
	(void)pthread_cond_broadcast(&freeze->changed);
	(void)pthread_mutex_unlock(&freeze->lock);
}

/* By the wall clock, as ThreadSanitizer knows no other form: a clock that is set makes the wait
 * longer or fails it, and either is safe. */
static int await(struct tracer_freeze *freeze, uint64_t ticket)
{
	uint64_t until_ns = clock_realtime_ns() + PATIENCE_NS;
	struct timespec until = clock_timespec(until_ns);
	int r = 0;

	(void)pthread_mutex_lock(&freeze->lock);
	while (r == 0 && !freeze->is_over && freeze->frozen < ticket) {
		r = pthread_cond_timedwait(&freeze->changed, &freeze->lock, &until);
	}
	if (freeze->frozen < ticket) {
		r = freeze->is_over ? -EOWNERDEAD : -r;
	} else {
		r = 0;
	}
	(void)pthread_mutex_unlock(&freeze->lock);
	return r;
}

int tracer_freeze(struct tracer *tracer, pid_t except)
{
	struct tracer_freeze *freeze = &tracer->freeze;
	struct tracer_request *request = tracer_request_create(TRACER_FREEZE);
	struct tracer_request *thaw = tracer_request_create(TRACER_THAW);
	uint64_t ticket;
	int r;

	assert(thread_role() != THREAD_TRACER);
	if (request == NULL || thaw == NULL) {
		free(request);
		free(thaw);
		return -ENOMEM;
	}
	while (sem_wait(&freeze->turn) < 0) {
		/* EINTR */
	}
	freeze->thaw = thaw;
	ticket = ++freeze->tickets; /* whoever has the turn is alone with it */
	request->ticket = ticket;
	request->tid = except;
	tracer_post(tracer, request);
	r = await(freeze, ticket);
	if (r < 0) {
		tracer_thaw(tracer);
	}
	return r;
}

void tracer_thaw(struct tracer *tracer)
{
	tracer_post(tracer, steal_pointer(tracer->freeze.thaw));
	/* Requests are served in their order: the next freeze begins after this thaw. */
	(void)sem_post(&tracer->freeze.turn);
}
