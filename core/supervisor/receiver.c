/* The thread that takes notifications from the kernel: runs them itself while they are few. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/supervisor/receiver.h"
#include "core/supervisor/state.h"
#include "core/supervisor/worker.h"

/* A receive that takes longer than this has slept: one that finds work takes a third of it. */
#define SLEPT_NS 2500

/* From about this many callers on, a second processor gains more than the way over the queue costs.
 * An estimate between the two and the eight callers of bench/notify.c, which shows both sides. */
#define CALLERS_FOR_QUEUE 5
#define CALLERS_FORGOTTEN 32 /* receives after which the callers are counted anew */

/* A row that takes longer would hold the others up. */
#define DEAR_NS 50000

#define END_GRACE_MS 200

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

static void enqueue(struct supervisor *supervisor, struct notif *notif)
{
	/* The queue has room for every slot. */
	if (!queue_push(supervisor->queue, notif)) {
		worker_handle(&supervisor->receiver, notif);
		return;
	}
	if (!worker_pool_serve(supervisor)) {
		while ((notif = queue_try_pop(supervisor->queue)) != NULL) {
			worker_handle(&supervisor->receiver, notif);
		}
	}
}

static void take(struct supervisor *supervisor, struct notif *notif, bool is_crowded)
{
	struct dispatch_entry *entry = dispatch_find(&supervisor->table, notif->nr);

	counters_receive(&entry->counters);
	if (supervisor->domain.tracer != NULL) {
		tracer_note_received(supervisor->domain.tracer, notif->tid);
	}
	if (is_crowded || entry->blocks || supervisor->always_queue ||
		atomic_load_explicit(&entry->cost_ns, memory_order_relaxed) > DEAR_NS) {
		enqueue(supervisor, notif);
	} else {
		worker_handle(&supervisor->receiver, notif);
	}
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
	supervisor->listener.end_tree(supervisor->listener.context);
	return false;
}

static void *receiver_main(void *argument)
{
	struct supervisor *supervisor = argument;
	struct backlog backlog = { 0 };
	struct notif *notif;
	int r;

	assert_role(THREAD_RECEIVER);
	do {
		uint64_t began_ns;

		notif = notif_pool_get(supervisor->slots);
		began_ns = clock_monotonic_ns();
		r = notif_receive(&supervisor->listener, notif);
		if (r == 0) {
			bool slept = notif->received_ns - began_ns > SLEPT_NS;

			take(supervisor, notif, backlog_note(&backlog, notif->tid, slept));
		} else {
			notif_pool_put(supervisor->slots, notif);
		}
	} while (r == 0 || goes_on(supervisor, r));
	return NULL;
}

int receiver_start(struct supervisor *supervisor)
{
	supervisor->receiver.supervisor = supervisor;
	return thread_start(
		THREAD_RECEIVER, 0, receiver_main, supervisor, &supervisor->receiver.thread);
}

void receiver_stop(struct supervisor *supervisor)
{
	atomic_store(&supervisor->is_stopping, true);
	thread_join_interrupting(supervisor->receiver.thread, END_GRACE_MS);
}
