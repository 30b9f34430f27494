/* The life of a notification, and the threads that run handlers. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_WORKER_H
#define CORE_SUPERVISOR_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attributes.h"
#include "core/supervisor/handling.h"

struct call;
struct notif;
struct supervisor;
struct worker;

/* Answers one notification and gives its slot back, or says that the call was left to another.  Any
 * thread that runs handlers. */
enum handling_end worker_handle(struct worker *worker, struct notif *notif);

/* 0 or -ENOMEM.  No thread exists before it is needed. */
int worker_pool_init(struct supervisor *supervisor, unsigned int workers_max);
/* Nothing is pushed any more: empties the queue, ends and joins all workers; those that have not
 * ended by `give_up_ns` of CLOCK_MONOTONIC are left in their handlers. */
void worker_pool_stop(struct supervisor *supervisor, uint64_t give_up_ns);
/* Joins a thread that was told to end, or abandons its handler.  The main thread.  Times as of
 * thread_join_until(). */
void worker_join(struct worker *worker, uint64_t interrupt_ns, uint64_t give_up_ns);
void worker_pool_finish(struct supervisor *supervisor);

/* Something was pushed: sees to it that somebody pops it.  False when no worker exists and none can
 * be started; the caller then pops itself. */
bool worker_pool_serve(struct supervisor *supervisor);

/* Some worker was given up: lets as many run as are stuck, N at least, while the queue has work for
 * them.  The first of a group that gets stuck costs the others STALL_NS, and so does each doubling
 * of it, instead of each of its calls. */
void worker_pool_grow(struct supervisor *supervisor);

/* Brackets what may sleep in a handler, with no lock held: another thread may run meanwhile.  Only
 * in rows that say `blocks`.  -EAGAIN, and nothing to end, when too many are blocked (BLOCKED_MAX,
 * or all workers but one), or when no worker could be started.  That is the answer to give. */
int worker_block_begin(struct call *call) nodiscard;
void worker_block_end(struct call *call);

#endif
