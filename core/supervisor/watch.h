/* The clock that finds handlers which take too long: runs only while some handler does. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_WATCH_H
#define CORE_SUPERVISOR_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct supervisor;
struct watch;

/* 0 or -errno (EMFILE). */
int watch_init(struct watch *watch);
void watch_finish(struct watch *watch);

/* A handler begins that will be too old at `due_ns`.  Sets the timer unless it is set; so one
 * system call in STALL_NS at most, and none while nothing is handled.  Any thread. */
void watch_arm(struct watch *watch, uint64_t due_ns);

/* Waits for the timer, or for a signal.  The thread that stands by. */
void watch_wait(const struct watch *watch);
/* Ends a wait, soon. */
void watch_wake(const struct watch *watch);

/* After a wait: gives up what is too old and sees to it that as many workers run as have been given
 * up, because such calls come in groups; sets the timer for the next look if some handler runs.
 * Whether the receiver was given up: its role is the caller's then.  The thread that stands by. */
bool watch_look(struct supervisor *supervisor);

#endif
