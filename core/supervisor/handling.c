/* Which thread is inside a handler since when, and what is lent while it makes no progress. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>

#include "core/base/clock.h"
#include "core/supervisor/handling.h"
#include "core/supervisor/state.h"
#include "core/supervisor/watch.h"

/* What is lent and taken back are sums, so a thread that comes back before the watch has lent in
 * its name only makes them odd for an instant. */
static void lend(struct worker *worker, struct dispatch_entry *entry)
{
	struct supervisor *supervisor = worker->supervisor;

	atomic_fetch_add(&entry->away, 1);
	notif_pool_lend(supervisor->slots);
	if (!worker->is_crew) {
		atomic_fetch_add(&supervisor->pool.away, 1);
		atomic_fetch_sub(&supervisor->pool.runnable, 1);
	}
}

static void take_back(struct worker *worker)
{
	struct supervisor *supervisor = worker->supervisor;

	atomic_fetch_sub(&atomic_load_explicit(&worker->entry, memory_order_relaxed)->away, 1);
	notif_pool_reclaim(supervisor->slots);
	if (!worker->is_crew) {
		atomic_fetch_sub(&supervisor->pool.away, 1);
		atomic_fetch_add(&supervisor->pool.runnable, 1);
	}
}

void handling_begin(
	struct worker *worker, struct dispatch_entry *entry, struct notif *notif, uint64_t now_ns)
{
	assert(atomic_load(&worker->handling) == 0);
	worker->notif = notif;
	atomic_store_explicit(&worker->entry, entry, memory_order_relaxed);
	/* Sequentially consistent, with the look at the timer that follows: see watch_look(). */
	atomic_store(&worker->handling, now_ns << 1);
	watch_arm(&worker->supervisor->watch, now_ns + STALL_NS);
}

enum handling_end handling_end(struct worker *worker)
{
	uint64_t word = atomic_load_explicit(&worker->handling, memory_order_relaxed);

	do {
		assert(word != 0);
		if (word == HANDLING_ABANDONED) {
			return HANDLING_LEFT;
		}
	} while (!atomic_compare_exchange_weak(&worker->handling, &word, 0));
	if ((word & HANDLING_AWAY) == 0) {
		return HANDLING_DONE;
	}
	take_back(worker);
	return HANDLING_RELIEVED;
}

void handling_leave(struct worker *worker)
{
	uint64_t word = atomic_load(&worker->handling);

	assert(word != 0);
	do {
		if ((word & HANDLING_AWAY) != 0) { /* of an abandoned call, too */
			return;
		}
	} while (!atomic_compare_exchange_weak(&worker->handling, &word, word | HANDLING_AWAY));
	lend(worker, atomic_load(&worker->entry));
}

void handling_rejoin(struct worker *worker)
{
	uint64_t word = atomic_load(&worker->handling);
	uint64_t now_ns = clock_monotonic_ns();

	assert((word & HANDLING_AWAY) != 0);
	do {
		if (word == HANDLING_ABANDONED) {
			return;
		}
	} while (!atomic_compare_exchange_weak(&worker->handling, &word, now_ns << 1));
	take_back(worker);
	watch_arm(&worker->supervisor->watch, now_ns + STALL_NS);
}

bool handling_give_up(struct worker *worker, uint64_t now_ns, uint64_t *ret_due_ns)
{
	uint64_t word = atomic_load(&worker->handling);
	/* Of this very call, if the exchange below succeeds. */
	struct dispatch_entry *entry = atomic_load_explicit(&worker->entry, memory_order_relaxed);
	uint64_t due_ns = (word >> 1) + STALL_NS;

	if (word == 0 || (word & HANDLING_AWAY) != 0) {
		return false;
	}
	if (due_ns > now_ns) {
		*ret_due_ns = due_ns < *ret_due_ns ? due_ns : *ret_due_ns;
		return false;
	}
	if (!atomic_compare_exchange_strong(&worker->handling, &word, word | HANDLING_AWAY)) {
		return false; /* it has just ended */
	}
	lend(worker, entry);
	return true;
}

bool handling_abandon(struct worker *worker)
{
	uint64_t word = atomic_load(&worker->handling);
	struct supervisor *supervisor = worker->supervisor;
	struct action refusal = action_errno(EPERM);
	struct dispatch_entry *entry;
	enum reply_result result;

	do {
		if (word == 0) {
			return false;
		}
	} while (!atomic_compare_exchange_weak(&worker->handling, &word, HANDLING_ABANDONED));
	/* The thread touches neither any more. */
	entry = atomic_load(&worker->entry);
	result = reply(&supervisor->listener, worker->notif, &refusal);
	counters_answer(
		&entry->counters, result, clock_monotonic_ns() - worker->notif->received_ns);
	return true;
}
