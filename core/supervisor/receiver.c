/* The threads that take notifications from the kernel, one at a time: it runs them itself while
 * they are few, and another stands by for the case that it gets stuck. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/supervisor/receiver.h"
#include "core/supervisor/state.h"
#include "core/supervisor/watch.h"
#include "core/supervisor/worker.h"
#include "core/tracee/tracee_exec.h"

/* A receive that takes longer than this has slept: one that finds work takes a third of it. */
#define SLEPT_NS 2500

/* From about this many callers on, a second processor gains more than the way over the queue costs.
 * An estimate between the two and the eight callers of bench/notify.c, which shows both sides. */
#define CALLERS_FOR_QUEUE 5
#define CALLERS_FORGOTTEN 32 /* receives after which the callers are counted anew */

/* A row that takes longer would hold the others up. */
#define DEAR_NS 50000

#define END_GRACE_NS UINT64_C(200000000)

bool backlog_note(struct backlog *backlog, pid_t tid, bool slept)
{
	/* A multiplier spreads neighbouring numbers over the bits (Knuth, 6.4). */
	uint64_t bit = UINT64_C(1) << ((uint32_t)tid * 2654435769u >> 26);

	if (slept || ++backlog->counted > CALLERS_FORGOTTEN) {
		*backlog = (struct backlog){ 0 };
	}
	backlog->callers |= bit;
	return __builtin_popcountll(backlog->callers) >= CALLERS_FOR_QUEUE;
}

/* What became of a call. */
static enum handling_end enqueue(struct worker *self, struct notif *notif)
{
	struct supervisor *supervisor = self->supervisor;
	enum handling_end end = HANDLING_DONE;

	/* The queue has room for every slot. */
	if (!queue_push(supervisor->queue, notif)) {
		return worker_handle(self, notif);
	}
	if (worker_pool_serve(supervisor)) {
		return end;
	}
	/* Nobody else would pop them, not even when we are relieved meanwhile. */
	while (end != HANDLING_LEFT && (notif = queue_try_pop(supervisor->queue)) != NULL) {
		enum handling_end next = worker_handle(self, notif);

		end = next > end ? next : end;
	}
	return end;
}

/* Whether a handler would hold up the others, or might hold them up for ever. */
static bool is_for_the_queue(struct supervisor *supervisor, struct dispatch_entry *entry)
{
	return entry->blocks || supervisor->always_queue ||
	       atomic_load_explicit(&entry->away, memory_order_relaxed) > 0 ||
	       atomic_load_explicit(&entry->cost_ns, memory_order_relaxed) > DEAR_NS ||
	       !atomic_load_explicit(&supervisor->crew.is_relievable, memory_order_relaxed);
}

static enum handling_end take(struct worker *self, struct notif *notif, bool is_crowded)
{
	struct supervisor *supervisor = self->supervisor;
	struct dispatch_entry *entry = dispatch_find(&supervisor->table, notif->nr);

	counters_receive(&entry->counters);
	if (supervisor->domain.tracer != NULL) {
		tracer_note_received(supervisor->domain.tracer, notif->tid);
	}
	if (is_crowded || is_for_the_queue(supervisor, entry)) {
		return enqueue(self, notif);
	}
	return worker_handle(self, notif);
}

/* Whether to go on after a receive that brought nothing.  A task that was killed between its
 * notification and the receive gives ENOENT, and so does the end of the last one. */
static bool goes_on(struct supervisor *supervisor, int error)
{
	if (atomic_load(&supervisor->is_stopping)) {
		return false;
	}
	if (error == -EINTR) {
		return true;
	}
	if (error == -ENOENT) {
		return !listener_is_over(&supervisor->listener);
	}
	/* Nobody would answer the others any more. */
	listener_fail(&supervisor->listener, -error);
	return false;
}

/* At most one thread is in here: who took the role from another has it from the exchange in
 * handling_give_up() on, and the other sees that before it would receive again. */
static enum handling_end receive(struct worker *self)
{
	struct supervisor *supervisor = self->supervisor;
	enum handling_end end = HANDLING_DONE;
	struct backlog backlog = { 0 };
	int r = 0;

	while (end == HANDLING_DONE && (r == 0 || goes_on(supervisor, r))) {
		struct notif *notif = notif_pool_get(supervisor->slots);
		uint64_t began_ns = clock_monotonic_ns();

		if (notif == NULL) {
			return HANDLING_LEFT; /* the end: all slots are with threads that are stuck
					       */
		}
		assert(atomic_load(&supervisor->crew.receiver) == self);
		r = notif_receive(&supervisor->listener, notif);
		if (r == 0) {
			bool slept = notif->received_ns - began_ns > SLEPT_NS;

			end = take(self, notif, backlog_note(&backlog, notif->tid, slept));
		} else {
			notif_pool_put(supervisor->slots, notif);
		}
	}
	return end;
}

static void *crew_main(void *argument);

/* With the lock held, after each change of what it looks at. */
static void note_relievable(struct crew *crew)
{
	atomic_store(&crew->is_relievable,
		crew->has_standby && (crew->spare > 0 || crew->started < CREW_MAX));
}

/* With the lock held: sees to it that somebody stands by, if anybody can. */
static void appoint_standby(struct supervisor *supervisor)
{
	struct crew *crew = &supervisor->crew;
	struct worker *member = &crew->members[crew->started];

	if (crew->spare > 0) {
		(void)pthread_cond_signal(&crew->relief); /* it counts itself */
	} else if (crew->started < CREW_MAX && !crew->is_closing) {
		crew->has_standby = thread_start(THREAD_RECEIVER, crew->started, crew_main, member,
					    &member->thread) == 0;
		crew->started += crew->has_standby ? 1 : 0;
	}
	note_relievable(crew);
}

/* Becomes the one that stands by, at once or when it is needed.  False at the end. */
static bool await_post(struct crew *crew)
{
	bool is_closing;

	(void)pthread_mutex_lock(&crew->lock);
	crew->spare++;
	note_relievable(crew);
	while (crew->has_standby && !crew->is_closing) {
		(void)pthread_cond_wait(&crew->relief, &crew->lock);
	}
	crew->spare--;
	is_closing = crew->is_closing;
	crew->has_standby = true;
	note_relievable(crew);
	(void)pthread_mutex_unlock(&crew->lock);
	return !is_closing;
}

/* True with the receiver's role, false at the end. */
static bool stand_by(struct supervisor *supervisor)
{
	while (!atomic_load(&supervisor->is_stopping)) {
		watch_wait(&supervisor->watch);
		if (watch_look(supervisor)) {
			return true;
		}
	}
	return false;
}

/* The role is ours: another stands by in our place before we look at the listener. */
static void take_role(struct worker *self)
{
	struct supervisor *supervisor = self->supervisor;
	struct crew *crew = &supervisor->crew;

	atomic_store(&crew->receiver, self);
	atomic_fetch_add(&crew->handovers, 1);
	(void)pthread_mutex_lock(&crew->lock);
	crew->has_standby = false;
	appoint_standby(supervisor);
	(void)pthread_mutex_unlock(&crew->lock);
}

/* A member stands by, receives when the receiver gets stuck, and when it is itself relieved waits
 * to stand by again. */
static void *crew_main(void *argument)
{
	struct worker *self = argument;
	struct supervisor *supervisor = self->supervisor;
	bool stands_by = true;

	assert_role(THREAD_RECEIVER);
	if (atomic_load(&supervisor->crew.receiver) == self) {
		/* The first.  The one that started us does not wait for the second. */
		(void)pthread_mutex_lock(&supervisor->crew.lock);
		appoint_standby(supervisor);
		(void)pthread_mutex_unlock(&supervisor->crew.lock);
		stands_by = receive(self) == HANDLING_RELIEVED && await_post(&supervisor->crew);
	}
	while (stands_by && stand_by(supervisor)) {
		take_role(self);
		stands_by = receive(self) == HANDLING_RELIEVED && await_post(&supervisor->crew);
	}
	return NULL;
}

void crew_init(struct supervisor *supervisor)
{
	struct crew *crew = &supervisor->crew;

	(void)pthread_mutex_init(&crew->lock, NULL); /* without attributes neither can fail */
	(void)pthread_cond_init(&crew->relief, NULL);
	for (size_t i = 0; i < CREW_MAX; i++) {
		crew->members[i].supervisor = supervisor;
		crew->members[i].is_crew = true;
	}
	atomic_store(&crew->receiver, &crew->members[0]);
}

void crew_finish(struct supervisor *supervisor)
{
	for (unsigned int i = 0; i < CREW_MAX; i++) {
		exec_request_destroy(supervisor->crew.members[i].exec);
	}
	(void)pthread_mutex_destroy(&supervisor->crew.lock);
	(void)pthread_cond_destroy(&supervisor->crew.relief);
}

int receiver_start(struct supervisor *supervisor)
{
	struct crew *crew = &supervisor->crew;
	int r;

	/* The lock keeps the first from starting the second before it is counted itself. */
	(void)pthread_mutex_lock(&crew->lock);
	crew->started = 1;
	r = thread_start(
		THREAD_RECEIVER, 0, crew_main, &crew->members[0], &crew->members[0].thread);
	(void)pthread_mutex_unlock(&crew->lock);
	return r;
}

void receiver_stop(struct supervisor *supervisor, uint64_t give_up_ns)
{
	struct crew *crew = &supervisor->crew;
	uint64_t interrupt_ns = clock_monotonic_ns() + END_GRACE_NS;

	atomic_store(&supervisor->is_stopping, true);
	(void)pthread_mutex_lock(&crew->lock);
	crew->is_closing = true;
	(void)pthread_cond_broadcast(&crew->relief);
	(void)pthread_mutex_unlock(&crew->lock);
	notif_pool_close(supervisor->slots);
	watch_wake(&supervisor->watch);
	/* Nobody starts one any more. */
	for (unsigned int i = 0; i < crew->started; i++) {
		worker_join(&crew->members[i], interrupt_ns, give_up_ns);
	}
}
