/* The threads that answer what a sandbox is notified of: started with the listener, stopped when
 * the tree is gone. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_SUPERVISOR_H
#define CORE_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/plan/plan.h"
#include "core/supervisor/counters.h"

struct supervisor;

/* Takes the listener over, on failure too, attaches the tracer to `root` where the plan needs one,
 * and starts to receive.  `root` is parked before its exec.  `end_tree` ends everything inside from
 * any thread, without waiting; on failure it was called.  The plan must outlive the supervisor. The
 * calling thread is in the signal scope of the sandbox: its threads inherit it.
 * SANDLOCK_DISPATCH=queue in the environment sends every call through the queue.  0, or -errno with
 * a message. */
int supervisor_start(const struct plan *plan, int listener, pid_t root,
	void (*end_tree)(void *context), void *context, struct supervisor **ret_supervisor,
	struct error *error);

/* A descriptor that is readable when there is work for the thread that started the supervisor, and
 * that work: memory to be freed.  Seldom, and never while nothing is forked. */
int supervisor_service(const struct supervisor *supervisor);
void supervisor_serve(struct supervisor *supervisor);

/* Stops every task, as tracer_freeze() says, and lets them go on.  For any thread, before the stop.
 * -EOPNOTSUPP when the plan needs no tracer. */
int supervisor_freeze(struct supervisor *supervisor) nodiscard;
void supervisor_thaw(struct supervisor *supervisor);

/* Waits for the end of all threads, which comes by itself once the last task is gone, and is
 * brought about where one sleeps in RECV.  A thread whose handler is stuck in the kernel, as on a
 * page of a file system that does not answer, is left there after a second; its call is answered
 * here, and the memory it may still look at is
 * not freed: false then, and the plan must stay too.  To be called when the tree was ended. */
bool supervisor_stop(struct supervisor *supervisor);

/* After the stop: why the run is not to be trusted, if it is not: the tracer ended, or
 * notifications could not be received or answered any more, so that the tree was ended. */
void supervisor_tell_failure(const struct supervisor *supervisor, struct error *error);

/* After the stop: the most processes that were alive at once, and the forks that were refused for
 * that.  False when nobody counted: the plan needed no tracer. */
bool supervisor_count_processes(
	const struct supervisor *supervisor, uint32_t *ret_peak, uint64_t *ret_refused);

/* After the stop: one row for each number that something was received of, at most `room`.  Their
 * count. */
size_t supervisor_summarize(
	const struct supervisor *supervisor, struct call_summary *summaries, size_t room);

/* How often the receiving role has passed on because a handler took too long.  Any thread. */
uint64_t supervisor_handovers(const struct supervisor *supervisor);

/* After the stop: execs that were approved, became something else and were killed at the event. */
uint64_t supervisor_exec_kills(const struct supervisor *supervisor);

/* After the stop, or NULL. */
void supervisor_destroy(struct supervisor *supervisor);

#endif
