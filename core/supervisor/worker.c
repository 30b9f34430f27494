/* The life of a notification, at the end of the file, and the threads that run handlers. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/thread.h"
#include "core/supervisor/guard.h"
#include "core/supervisor/handling.h"
#include "core/supervisor/state.h"
#include "core/supervisor/worker.h"
#include "core/tracee/tracee_exec.h"

/* A call is dearer than it looks while something delays it: half of each new duration counts. */
#define COST_SHIFT 1

static void note_cost(struct dispatch_entry *entry, uint64_t began_ns, uint64_t ended_ns)
{
	uint64_t old = atomic_load_explicit(&entry->cost_ns, memory_order_relaxed);
	uint64_t cost = ended_ns - began_ns;

	/* Two threads may lose one of their updates: it is a hint. */
	atomic_store_explicit(&entry->cost_ns, old - (old >> COST_SHIFT) + (cost >> COST_SHIFT),
		memory_order_relaxed);
}

/* The answer that a test wants to be lost. */
static bool is_dropped(struct supervisor *supervisor)
{
	return supervisor->drop_at != 0 &&
	       atomic_fetch_add(&supervisor->answers, 1) + 1 == supervisor->drop_at;
}

/* Whether enough others run handlers already. */
static bool is_surplus(struct worker_pool *pool)
{
	return atomic_load(&pool->runnable) > pool->runnable_max;
}

/* Waits until somebody blocks or the end comes. */
static void park(struct worker_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock); /* an error-checking mutex it is not */
	/* Looked at again under the lock, so that no two leave for one. */
	if (is_surplus(pool) && !pool->is_closing) {
		atomic_fetch_sub(&pool->runnable, 1);
		pool->parked++;
		while (pool->unpark_due == 0 && !pool->is_closing) {
			(void)pthread_cond_wait(&pool->unpark, &pool->lock);
		}
		if (pool->unpark_due > 0) {
			pool->unpark_due--; /* who woke us has counted us among the runnable */
		} else {
			atomic_fetch_add(&pool->runnable, 1);
		}
		pool->parked--;
	}
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct supervisor *supervisor = worker->supervisor;
	struct notif *notif;

	assert_role(THREAD_WORKER);
	while ((notif = queue_pop(supervisor->queue, UINT64_MAX)) != NULL) {
		if (worker_handle(worker, notif) == HANDLING_LEFT) {
			break;
		}
		if (is_surplus(&supervisor->pool)) {
			park(&supervisor->pool);
		}
	}
	return NULL;
}

/* With the lock held.  0 or -errno. */
static int start_worker(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;
	unsigned int started = atomic_load(&pool->started);
	struct worker *worker = &pool->workers[started];
	int r;

	worker->supervisor = supervisor;
	worker->blocks = false;
	/* Counted before it runs: it may be away before we come to it. */
	atomic_fetch_add(&pool->runnable, 1);
	r = thread_start(THREAD_WORKER, started + 1, worker_main, worker, &worker->thread);
	if (r < 0) {
		atomic_fetch_sub(&pool->runnable, 1);
		atomic_fetch_add(&pool->failures, 1);
		return r;
	}
	atomic_store(&pool->started, started + 1); /* from here the watch looks at it */
	return 0;
}

/* Calls that are away and have not said so.  A guess while threads come and go. */
static unsigned int count_stuck(struct worker_pool *pool)
{
	int stuck = atomic_load(&pool->away) - (int)atomic_load(&pool->blocked);

	return stuck > 0 ? (unsigned int)stuck : 0;
}

/* The stuck do not count: they run nothing, and the others must go on. */
static bool may_start(struct worker_pool *pool)
{
	unsigned int stuck = count_stuck(pool);

	stuck = stuck < STUCK_MAX ? stuck : STUCK_MAX;
	return atomic_load(&pool->started) < pool->started_max + stuck && !pool->is_closing;
}

/* One more thread for the queue, if there can be.  False if not; those that exist go on then. */
static bool add_runner(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;
	bool added = false;

	(void)pthread_mutex_lock(&pool->lock);
	if (pool->parked > pool->unpark_due) {
		pool->unpark_due++;
		atomic_fetch_add(&pool->runnable, 1);
		(void)pthread_cond_signal(&pool->unpark);
		added = true;
	} else if (may_start(pool)) {
		added = start_worker(supervisor) == 0;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return added;
}

bool worker_pool_serve(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;

	/* The push has woken a sleeper, or enough threads come back to the queue by themselves. */
	if (queue_has_sleeper(supervisor->queue) ||
		atomic_load(&pool->runnable) >= pool->runnable_max) {
		return true;
	}
	return add_runner(supervisor) || atomic_load(&pool->started) > 0;
}

void worker_pool_grow(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;
	unsigned int wanted = count_stuck(pool);
	size_t waiting = queue_depth(supervisor->queue);

	wanted = wanted > pool->runnable_max ? wanted : pool->runnable_max;
	for (size_t added = 0; added < waiting && atomic_load(&pool->runnable) < wanted; added++) {
		if (!add_runner(supervisor)) {
			return;
		}
	}
}

int worker_block_begin(struct call *call)
{
	struct worker *worker = call->worker;
	struct supervisor *supervisor = worker->supervisor;
	struct worker_pool *pool = &supervisor->pool;

	assert(!worker->blocks);
	if (worker->is_crew) {
		return -EAGAIN; /* it has this call because no worker could be started */
	}
	if (atomic_fetch_add(&pool->blocked, 1) >= pool->blocked_max) {
		atomic_fetch_sub(&pool->blocked, 1);
		return -EAGAIN;
	}
	worker->blocks = true;
	handling_leave(worker);
	if (queue_depth(supervisor->queue) > 0) {
		(void)worker_pool_serve(
			supervisor); /* this thread comes back if nobody else does */
	}
	return 0;
}

void worker_block_end(struct call *call)
{
	struct worker *worker = call->worker;

	assert(worker->blocks);
	worker->blocks = false;
	handling_rejoin(worker);
	atomic_fetch_sub(&worker->supervisor->pool.blocked, 1);
}

int worker_pool_init(struct supervisor *supervisor, unsigned int workers_max)
{
	struct worker_pool *pool = &supervisor->pool;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	/* One may block and another run, whatever was asked for. */
	pool->started_max = workers_max > 2 ? workers_max : 2;
	pool->workers = calloc(pool->started_max + STUCK_MAX, sizeof(pool->workers[0]));
	if (pool->workers == NULL) {
		return -ENOMEM;
	}
	pool->blocked_max = pool->started_max - 1;
	if (pool->blocked_max > BLOCKED_MAX) {
		pool->blocked_max = BLOCKED_MAX;
	}
	pool->runnable_max = processors > 0 ? (unsigned int)processors : 1;
	if (pool->runnable_max > workers_max) {
		pool->runnable_max = workers_max;
	}
	(void)pthread_mutex_init(&pool->lock, NULL); /* without attributes neither can fail */
	(void)pthread_cond_init(&pool->unpark, NULL);
	return 0;
}

void worker_join(struct worker *worker, uint64_t interrupt_ns, uint64_t give_up_ns)
{
	if (thread_join_until(worker->thread, interrupt_ns, give_up_ns)) {
		return;
	}
	if (handling_abandon(worker)) {
		/* It ends when the kernel lets it go, at the latest with the process. */
		worker->supervisor->is_abandoned = true;
		(void)pthread_detach(worker->thread); /* it was never joined */
		return;
	}
	/* In no handler: it is on its way. */
	(void)thread_join_until(worker->thread, interrupt_ns, UINT64_MAX);
}

void worker_pool_stop(struct supervisor *supervisor, uint64_t give_up_ns)
{
	struct worker_pool *pool = &supervisor->pool;
	struct notif *notif;

	(void)pthread_mutex_lock(&pool->lock);
	pool->is_closing = true;
	(void)pthread_cond_broadcast(&pool->unpark);
	(void)pthread_mutex_unlock(&pool->lock);
	queue_close(supervisor->queue);
	/* Nobody starts one any more. */
	for (unsigned int i = 0; i < atomic_load(&pool->started); i++) {
		worker_join(&pool->workers[i], UINT64_MAX, give_up_ns);
	}
	/* What the stuck ones have left. */
	while ((notif = queue_try_pop(supervisor->queue)) != NULL) {
		struct dispatch_entry *entry = dispatch_find(&supervisor->table, notif->nr);
		struct action refusal = action_errno(EPERM);
		enum reply_result result = reply(&supervisor->listener, notif, &refusal);

		counters_answer(
			&entry->counters, result, clock_monotonic_ns() - notif->received_ns);
	}
}

void worker_pool_finish(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;

	if (pool->workers != NULL) {
		(void)pthread_mutex_destroy(&pool->lock);
		(void)pthread_cond_destroy(&pool->unpark);
		for (unsigned int i = 0; i < pool->started; i++) {
			exec_request_destroy(pool->workers[i].exec);
		}
		free(pool->workers);
	}
}

enum handling_end worker_handle(struct worker *worker, struct notif *notif)
{
	struct supervisor *supervisor = worker->supervisor;
	struct dispatch_entry *entry = dispatch_find(&supervisor->table, notif->nr);
	uint64_t began_ns = clock_monotonic_ns();
	enum handling_end end;
	struct call call;

	call_begin(&call, &supervisor->domain, worker, notif);
	handling_begin(worker, entry, notif, began_ns);

	struct action action = dispatch_ask(entry, &call);

	if (action.kind == ACTION_NEXT) {
		action = guard_ask(&call);
	}
	end = handling_end(worker);
	if (end == HANDLING_LEFT) {
		fd_close(&action.fd);
		return end;
	}
	if (!is_dropped(supervisor)) {
		enum reply_result result = reply(&supervisor->listener, notif, &action);

		guard_end(&call);
		uint64_t ended_ns = clock_monotonic_ns();

		call_end(&call, &action, result);
		counters_answer(&entry->counters, result, ended_ns - notif->received_ns);
		note_cost(entry, began_ns, ended_ns);
	}
	notif_pool_put(supervisor->slots, notif);
	return end;
}
