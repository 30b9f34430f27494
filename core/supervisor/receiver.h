/* The thread that takes notifications from the kernel: runs them itself while they are few. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_RECEIVER_H
#define CORE_SUPERVISOR_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct supervisor;

/* 0 or -errno. */
int receiver_start(struct supervisor *supervisor);
/* Waits for its end: see supervisor_stop(). */
void receiver_stop(struct supervisor *supervisor);

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
