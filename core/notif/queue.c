/* A bounded ring of cells with sequence numbers (the scheme of Vyukov's bounded MPMC queue), and a
 * futex for those who wait. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/notif/queue.h"

#define CACHE_LINE 64

/* A cell is free for the push that holds position p when its sequence is p, and full for the pop
 * that holds position p when its sequence is p + 1. */
struct cell {
	_Atomic uint64_t sequence;
	void *item; /* written before, read after the sequence says so */
};

struct queue {
	alignas(CACHE_LINE) _Atomic uint64_t push_position;
	alignas(CACHE_LINE) _Atomic uint64_t pop_position;
	/* Counts events that a sleeper must not miss: each push that saw a sleeper, and the close.
	 */
	alignas(CACHE_LINE) _Atomic uint32_t wake_count;
	_Atomic uint32_t sleepers;
	_Atomic bool is_closed;
	uint64_t mask; /* set once */
	struct cell cells[];
};

static size_t power_of_two(size_t minimum)
{
	size_t power = 2;

	while (power < minimum) {
		power *= 2;
	}
	return power;
}

struct queue *queue_create(size_t capacity)
{
	capacity = power_of_two(capacity);

	size_t size = sizeof(struct queue) + capacity * sizeof(struct cell);
	struct queue *queue =
		aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

	if (queue == NULL) {
		return NULL;
	}
	atomic_init(&queue->push_position, 0);
	atomic_init(&queue->pop_position, 0);
	atomic_init(&queue->wake_count, 0);
	atomic_init(&queue->sleepers, 0);
	atomic_init(&queue->is_closed, false);
	queue->mask = capacity - 1;
	for (size_t i = 0; i < capacity; i++) {
		atomic_init(&queue->cells[i].sequence, i);
	}
	return queue;
}

void queue_destroy(struct queue *queue)
{
	free(queue);
}

static void wake_sleepers(struct queue *queue, int count)
{
	atomic_fetch_add(&queue->wake_count, 1);
	(void)syscall(SYS_futex, &queue->wake_count, FUTEX_WAKE_PRIVATE, count, NULL, NULL,
		0); /* cannot fail */
}

bool queue_push(struct queue *queue, void *item)
{
	uint64_t position = atomic_load_explicit(&queue->push_position, memory_order_relaxed);
	struct cell *cell;

	for (;;) {
		cell = &queue->cells[position & queue->mask];
		/* Acquire: the pop that freed the cell has read its item. */
		uint64_t sequence = atomic_load_explicit(&cell->sequence, memory_order_acquire);
		int64_t lead = (int64_t)(sequence - position);

		if (lead < 0) {
			return false;
		}
		if (lead > 0) {
			position =
				atomic_load_explicit(&queue->push_position, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&queue->push_position, &position,
				   position + 1, memory_order_relaxed, memory_order_relaxed)) {
			break;
		}
	}
	cell->item = item;
	/* Sequentially consistent together with the sleeper's count: either the sleeper's last look
	 * sees this item, or we see the sleeper and wake it. */
	atomic_store(&cell->sequence, position + 1);
	if (atomic_load(&queue->sleepers) > 0) {
		wake_sleepers(queue, 1);
	}
	return true;
}

void *queue_try_pop(struct queue *queue)
{
	uint64_t position = atomic_load_explicit(&queue->pop_position, memory_order_relaxed);
	struct cell *cell;

	for (;;) {
		cell = &queue->cells[position & queue->mask];
		uint64_t sequence = atomic_load(&cell->sequence);
		int64_t lead = (int64_t)(sequence - (position + 1));

		if (lead < 0) {
			return NULL;
		}
		if (lead > 0) {
			position = atomic_load_explicit(&queue->pop_position, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&queue->pop_position, &position,
				   position + 1, memory_order_relaxed, memory_order_relaxed)) {
			break;
		}
	}
	void *item = cell->item;

	/* Release: the push of the next round may overwrite the item from here. */
	atomic_store_explicit(&cell->sequence, position + queue->mask + 1, memory_order_release);
	return item;
}

/* Sleeps until the wake count differs from `seen` or the deadline has come; false for the latter.
 */
static bool wait_for_wake(struct queue *queue, uint32_t seen, uint64_t deadline_ns)
{
	struct timespec deadline = clock_timespec(deadline_ns);
	long r = syscall(SYS_futex, &queue->wake_count, FUTEX_WAIT_BITSET_PRIVATE, seen,
		deadline_ns == UINT64_MAX ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);

	return !(r < 0 && errno == ETIMEDOUT);
}

void *queue_pop(struct queue *queue, uint64_t timeout_ns)
{
	void *item = queue_try_pop(queue);
	uint64_t deadline_ns = UINT64_MAX;
	bool in_time = true;

	if (item != NULL) {
		return item;
	}
	if (timeout_ns != UINT64_MAX) {
		deadline_ns = clock_monotonic_ns() + timeout_ns;
	}
	atomic_fetch_add(&queue->sleepers, 1);
	for (;;) {
		/* Read before the look: a push after the look changes it, and the wait returns. */
		uint32_t seen = atomic_load(&queue->wake_count);

		item = queue_try_pop(queue);
		if (item != NULL || !in_time || atomic_load(&queue->is_closed)) {
			break;
		}
		in_time = wait_for_wake(queue, seen, deadline_ns);
	}
	/* A push that was held up between taking its cell and filling it hides the full ones behind
	 * it: whoever was woken for those found nothing and slept again.  So the first one served
	 * passes the wake-up on. */
	if (atomic_fetch_sub(&queue->sleepers, 1) > 1 && item != NULL && queue_depth(queue) > 0) {
		wake_sleepers(queue, 1);
	}
	return item;
}

void queue_close(struct queue *queue)
{
	atomic_store(&queue->is_closed, true);
	wake_sleepers(queue, INT_MAX);
}

bool queue_has_sleeper(const struct queue *queue)
{
	return atomic_load_explicit(&queue->sleepers, memory_order_relaxed) > 0;
}

size_t queue_depth(const struct queue *queue)
{
	/* After whatever the caller has just told the pushers. */
	uint64_t popped = atomic_load(&queue->pop_position);
	uint64_t pushed = atomic_load(&queue->push_position);

	return pushed > popped ? (size_t)(pushed - popped) : 0;
}
