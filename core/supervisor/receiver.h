/* The threads that take notifications from the kernel, one at a time: it runs them itself while
 * they are few, and another stands by for the case that it gets stuck. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_RECEIVER_H
#define CORE_SUPERVISOR_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct supervisor;

/* Nothing runs yet; and nothing any more. */
void crew_init(struct supervisor *supervisor);
void crew_finish(struct supervisor *supervisor);
/* 0 or -errno. */
int receiver_start(struct supervisor *supervisor);
/* Waits for the end of all that receive or stand by; a thread that has not ended by `give_up_ns` of
 * CLOCK_MONOTONIC is left in its handler: see supervisor_stop(). */
void receiver_stop(struct supervisor *supervisor, uint64_t give_up_ns);

/* How many callers the receiver has to do with, without a look into the kernel: those it has heard
 * of since it last slept for want of work.  A thread waits for its answer, so each that was heard
 * while we did not sleep is one that may be waiting now.  The receiver's own. */
struct backlog {
	uint64_t callers;     /* one bit for each, by a hash of its number */
	unsigned int counted; /* receives since the bits were cleared */
};

/* Notes a receive, which had slept or not.  Whether the queue should take the call. */
bool backlog_note(struct backlog *backlog, pid_t tid, bool slept);

#endif
