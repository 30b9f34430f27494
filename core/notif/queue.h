/* The queue between the receiver and the workers: bounded, lock-free, each item popped once. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_NOTIF_QUEUE_H
#define CORE_NOTIF_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attributes.h"

/* What may run at the same time, in any number of threads:
 *
 *                push   pop   close   depth, has_sleeper
 *      push       yes   yes    yes     yes
 *      pop        yes   yes    yes     yes
 *      close      yes   yes    yes     yes
 *      create, destroy: alone.
 *
 * Order: items leave in the order of their pushes; two pops that overlap may finish either way.
 * Progress: a push or pop that finds its cell taken tries the next; a thread that is preempted
 * between reserving a cell and filling it delays only those that reach that very cell. */
struct queue;

/* Room for `capacity` items or more: the next power of two, 2 at least.  NULL without memory. */
struct queue *queue_create(size_t capacity);
/* Nobody may use it any more; what is still in it is forgotten. */
void queue_destroy(struct queue *queue);

/* Adds an item and wakes one sleeper.  False when the queue is full: the item is still the
 * caller's. */
bool queue_push(struct queue *queue, void *item) nodiscard;

/* Takes an item; sleeps while there is none.  NULL once the queue is closed and empty, or after
 * `timeout_ns` without an item (UINT64_MAX: no limit). */
void *queue_pop(struct queue *queue, uint64_t timeout_ns);
/* Takes an item or answers NULL at once. */
void *queue_try_pop(struct queue *queue);

/* Wakes every sleeper; pushes go on to be accepted, so that nothing in flight is lost. */
void queue_close(struct queue *queue);

/* How many items were pushed and not popped: exact when nothing else runs, a good guess otherwise.
 */
size_t queue_depth(const struct queue *queue);

/* Whether some thread sleeps in queue_pop(): a guess, as above. */
bool queue_has_sleeper(const struct queue *queue);

#endif
