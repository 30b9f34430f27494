/* The threads that answer what a sandbox is notified of: started with the listener, stopped when
 * the tree is gone. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/fd.h"
#include "core/supervisor/receiver.h"
#include "core/supervisor/state.h"
#include "core/supervisor/supervisor.h"
#include "core/supervisor/tracer_freeze.h"
#include "core/supervisor/watch.h"
#include "core/supervisor/worker.h"
#include "core/tracee/tracee_exec.h"

/* A thread that has not ended so long after the tree is stuck in the kernel, and is left there. */
#define STUCK_NS UINT64_C(1000000000)

/* Supervisors that such a thread may still look at: nobody frees them, and here they are kept. */
static struct supervisor *abandoned;

/* From any thread.  A descriptor that is full is readable already. */
static void ask_for_service(void *context)
{
	const struct supervisor *supervisor = context;

	(void)eventfd_write(supervisor->service, 1);
}

static int make_parts(struct supervisor *supervisor, const struct plan *plan)
{
	int r = dispatch_table_init(&supervisor->table, &plan->notify);

	if (r >= 0) {
		r = supervisor->service = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r = r < 0 ? -errno : r;
	}
	if (r >= 0) {
		supervisor->index = process_index_create(ask_for_service, supervisor);
		r = supervisor->index == NULL ? -ENOMEM : watch_init(&supervisor->watch);
	}
	if (r >= 0) {
		r = worker_pool_init(supervisor, plan->workers_max);
	}
	if (r >= 0) {
		/* A call that is away keeps its thread, so there are no more of them than threads.
		 */
		size_t spare = supervisor->pool.started_max + STUCK_MAX + CREW_MAX;

		supervisor->slots = notif_pool_create(&supervisor->listener, STANDING_MAX, spare);
		supervisor->queue = queue_create(STANDING_MAX + spare);
		if (supervisor->slots == NULL || supervisor->queue == NULL) {
			r = -ENOMEM;
		}
	}
	return r;
}

/* The tracer first: when the first notification comes, every task is known. */
static int start_threads(
	struct supervisor *supervisor, const struct plan *plan, pid_t root, struct error *error)
{
	int r = 0;

	if (notify_plan_needs_tracer(&plan->notify)) {
		supervisor->domain.tracer = &supervisor->tracer;
		r = tracer_start(&supervisor->tracer, &supervisor->domain, root, error);
	}
	if (r >= 0) {
		r = receiver_start(supervisor);
		if (r < 0) {
			(void)error_set(error, -r, "notifications: cannot start to receive: %s",
				strerror(-r)); /* it is returned below */
		}
	}
	return r;
}

int supervisor_start(const struct plan *plan, int listener, pid_t root,
	void (*end_tree)(void *context), void *context, struct supervisor **ret_supervisor,
	struct error *error)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	const char *dispatch = getenv("SANDLOCK_DISPATCH");
	int r = -ENOMEM;

	if (supervisor != NULL) {
		r = listener_init(&supervisor->listener, listener, end_tree, context);
	}
	if (r < 0) {
		free(supervisor);
		fd_close(&listener);
		return error_set(error, -r, "notifications: %s", strerror(-r));
	}
	fork_count_init(&supervisor->forks);
	supervisor->service = -1;
	supervisor->watch.timer = -1;
	crew_init(supervisor);
	supervisor->listener.failure = &supervisor->failure;
	supervisor->always_queue = dispatch != NULL && strcmp(dispatch, "queue") == 0;
	(void)fault_value("reply-drop", &supervisor->drop_at); /* stays 0 unless it is armed */
	r = make_parts(supervisor, plan);
	if (r < 0) {
		(void)error_set(error, -r, "notifications: %s", strerror(-r)); /* returned below */
	} else {
		supervisor->domain = (struct domain){
			.plan = plan,
			.listener = &supervisor->listener,
			.index = supervisor->index,
			.forks = &supervisor->forks,
		};
		r = start_threads(supervisor, plan, root, error);
	}
	if (r < 0) {
		end_tree(context); /* a tracer ends when it has nobody left */
		supervisor_destroy(supervisor);
		return r;
	}
	*ret_supervisor = supervisor;
	return 0;
}

bool supervisor_stop(struct supervisor *supervisor)
{
	uint64_t give_up_ns = clock_monotonic_ns() + STUCK_NS;

	receiver_stop(supervisor, give_up_ns);
	worker_pool_stop(supervisor, give_up_ns);
	if (supervisor->domain.tracer != NULL) {
		tracer_stop(&supervisor->tracer);
	}
	return !supervisor->is_abandoned;
}

int supervisor_freeze(struct supervisor *supervisor)
{
	return supervisor->domain.tracer != NULL ? tracer_freeze(&supervisor->tracer, 0)
						 : -EOPNOTSUPP;
}

void supervisor_thaw(struct supervisor *supervisor)
{
	tracer_thaw(&supervisor->tracer);
}

int supervisor_service(const struct supervisor *supervisor)
{
	return supervisor->service;
}

void supervisor_serve(struct supervisor *supervisor)
{
	eventfd_t asked;

	(void)eventfd_read(supervisor->service, &asked); /* EAGAIN: nobody has */
	process_index_reclaim(supervisor->index);
}

void supervisor_tell_failure(const struct supervisor *supervisor, struct error *error)
{
	int failure = atomic_load(&supervisor->failure);

	if (failure != 0) {
		(void)error_set(error, failure, "notifications: the sandbox was ended: %s",
			strerror(failure)); /* told, and not returned */
	}
	if (atomic_load(&supervisor->tracer.has_failed)) {
		(void)error_set(error, EPROTO,
			"tracer: its thread ended before the command, and everything with it");
	}
}

bool supervisor_count_processes(
	const struct supervisor *supervisor, uint32_t *ret_peak, uint64_t *ret_refused)
{
	*ret_peak = (uint32_t)supervisor->forks.peak; /* there are fewer pids than that */
	*ret_refused = atomic_load(&supervisor->forks.refused);
	return supervisor->domain.tracer != NULL;
}

/* A number that nothing asked for is shown too, if ever there was one: it must not be. */
size_t supervisor_summarize(
	const struct supervisor *supervisor, struct call_summary *summaries, size_t room)
{
	const struct dispatch_table *table = &supervisor->table;
	size_t count = 0;

	for (size_t i = 0; i <= table->count && count < room; i++) {
		const struct dispatch_entry *entry =
			i < table->count ? &table->entries[i] : &table->stray;

		counters_summarize(&entry->counters, entry->nr, &summaries[count]);
		count += summaries[count].received > 0 ? 1 : 0;
	}
	return count;
}

uint64_t supervisor_handovers(const struct supervisor *supervisor)
{
	return atomic_load(&supervisor->crew.handovers);
}

uint64_t supervisor_exec_kills(const struct supervisor *supervisor)
{
	return atomic_load(&supervisor->tracer.execs.kills);
}

void supervisor_destroy(struct supervisor *supervisor)
{
	if (supervisor == NULL) {
		return;
	}
	if (supervisor->tracer.is_started) {
		tracer_stop(&supervisor->tracer);
	}
	if (supervisor->is_abandoned) {
		supervisor->next_abandoned = abandoned;
		abandoned = supervisor;
		return;
	}
	worker_pool_finish(supervisor);
	crew_finish(supervisor);
	watch_finish(&supervisor->watch);
	notif_pool_destroy(supervisor->slots);
	queue_destroy(supervisor->queue);
	dispatch_table_finish(&supervisor->table);
	process_index_destroy(supervisor->index);
	fork_count_finish(&supervisor->forks);
	fd_close(&supervisor->service);
	listener_finish(&supervisor->listener);
	free(supervisor);
}
