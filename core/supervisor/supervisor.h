/* The threads that answer what a sandbox is notified of: started with the listener, stopped when
 * the tree is gone. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_SUPERVISOR_H
#define CORE_SUPERVISOR_SUPERVISOR_H

#include "core/base/error.h"
#include "core/plan/plan.h"
#include "core/supervisor/counters.h"

struct supervisor;

/* Takes the listener over, on failure too, and starts to receive.  `end_tree` ends everything
 * inside from any thread, without waiting.  The plan must outlive the supervisor.  The calling
 * thread is in the signal scope of the sandbox: its threads inherit it.  SANDLOCK_DISPATCH=queue in
 * the environment sends every call through the queue.  0, or -errno with a message. */
int supervisor_start(const struct plan *plan, int listener, void (*end_tree)(void *context),
	void *context, struct supervisor **ret_supervisor, struct error *error);

/* Waits for the end of all threads, which comes by itself once the last task is gone, and is
 * brought about where one is stuck in the kernel.  To be called when the tree was ended. */
void supervisor_stop(struct supervisor *supervisor);

/* After the stop: one row for each number that something was received of, at most `room`.  Their
 * count. */
size_t supervisor_summarize(
	const struct supervisor *supervisor, struct call_summary *summaries, size_t room);

/* After the stop, or NULL. */
void supervisor_destroy(struct supervisor *supervisor);

#endif
