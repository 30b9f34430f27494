/* Which thread is inside a handler since when, and what is lent while it makes no progress. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_HANDLING_H
#define CORE_SUPERVISOR_HANDLING_H

#include <stdbool.h>
#include <stdint.h>

struct dispatch_entry;
struct notif;
struct supervisor;
struct worker;

/* worker.handling is one word, so that each step below is one exchange that exactly one side wins:
 *
 *      0                   the thread runs no handler
 *      since << 1          it does, since then (nanoseconds of CLOCK_MONOTONIC)
 *      since << 1 | AWAY   the same, and others go on without it: it blocks on purpose, or the
 * watch has given it up.  Its slot and its place among the running are lent. ABANDONED the
 * supervisor has ended; the call was answered by somebody else
 *
 *      from       to          who
 *      0          since       the thread itself: handling_begin()
 *      since      AWAY        the thread: handling_leave(), or the watch: handling_give_up()
 *      AWAY       since       the thread: handling_rejoin()
 *      not 0      0           the thread: handling_end()
 *      not 0      ABANDONED   the main thread at the end: handling_abandon()
 *
 * A thread never begins twice in one nanosecond, and the watch gives up none that is younger than
 * STALL_NS: so an exchange from a word that was read earlier cannot hit a later call. */
#define HANDLING_AWAY	   UINT64_C(1)
#define HANDLING_ABANDONED UINT64_MAX

/* In such a time a handler that does not block ends, or it is stuck: on a page of task memory that
 * a file system does not deliver, say. */
#define STALL_NS UINT64_C(2000000)

/* In rising order of consequence. */
enum handling_end {
	HANDLING_DONE, /* the thread goes on as it was */
	HANDLING_RELIEVED /* others went on meanwhile: a receiver has lost its role */,
	HANDLING_LEFT, /* the call is not this thread's any more, and nor is the slot */
};

/* The thread itself: enters a handler, at a moment that it has just read. */
void handling_begin(
	struct worker *worker, struct dispatch_entry *entry, struct notif *notif, uint64_t now_ns);
/* The thread itself, before it answers. */
enum handling_end handling_end(struct worker *worker);

/* The thread itself, inside a handler: lends and takes back.  Leaving what was given up already
 * changes nothing. */
void handling_leave(struct worker *worker);
void handling_rejoin(struct worker *worker);

/* The watch: gives the thread up if its handler is too old.  Otherwise says when it will be, if
 * that is before *ret_due_ns. */
bool handling_give_up(struct worker *worker, uint64_t now_ns, uint64_t *ret_due_ns);

/* The main thread at the end: answers in the place of a thread that is stuck.  False when it is in
 * no handler. */
bool handling_abandon(struct worker *worker);

#endif
