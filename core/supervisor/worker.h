/* The life of a notification, and the threads that run handlers. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_WORKER_H
#define CORE_SUPERVISOR_WORKER_H

#include <stdbool.h>

struct call;
struct notif;
struct supervisor;
struct worker;

/* Answers one notification and gives its slot back.  Any thread that runs handlers. */
void worker_handle(struct worker *worker, struct notif *notif);

/* 0 or -ENOMEM.  No thread exists before it is needed. */
int worker_pool_init(struct supervisor *supervisor, unsigned int started_max);
/* Nothing is pushed any more: empties the queue, ends and joins all workers. */
void worker_pool_stop(struct supervisor *supervisor);
void worker_pool_finish(struct supervisor *supervisor);

/* Something was pushed: sees to it that somebody pops it.  False when no worker exists and none can
 * be started; the caller then pops itself. */
bool worker_pool_serve(struct supervisor *supervisor);

/* Brackets what may sleep in a handler, with no lock held: another thread may run meanwhile.  Only
 * in rows that say `blocks`; never in the receiver. */
void worker_block_begin(struct call *call);
void worker_block_end(struct call *call);

#endif
