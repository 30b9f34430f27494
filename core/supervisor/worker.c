/* The life of a notification, at the end of the file, and the threads that run handlers. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/supervisor/guard.h"
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
		worker_handle(worker, notif);
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
	struct worker *worker = &pool->workers[pool->started];
	int r;

	worker->supervisor = supervisor;
	worker->blocks = false;
	r = thread_start(THREAD_WORKER, pool->started + 1, worker_main, worker, &worker->thread);
	if (r < 0) {
		atomic_fetch_add(&pool->failures, 1);
		return r;
	}
	pool->started++;
	atomic_fetch_add(&pool->runnable, 1);
	return 0;
}

bool worker_pool_serve(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;
	bool is_served;

	/* The push has woken a sleeper, or enough threads come back to the queue by themselves. */
	if (queue_has_sleeper(supervisor->queue) ||
		atomic_load(&pool->runnable) >= pool->runnable_max) {
		return true;
	}
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->parked > pool->unpark_due) {
		pool->unpark_due++;
		atomic_fetch_add(&pool->runnable, 1);
		(void)pthread_cond_signal(&pool->unpark);
	} else if (pool->started < pool->started_max && !pool->is_closing) {
		(void)start_worker(supervisor); /* those that exist go on without it */
	}
	is_served = pool->started > 0;
	(void)pthread_mutex_unlock(&pool->lock);
	return is_served;
}

void worker_block_begin(struct call *call)
{
	struct worker *worker = call->worker;
	struct supervisor *supervisor = worker->supervisor;

	assert_role(THREAD_WORKER);
	assert(!worker->blocks);
	worker->blocks = true;
	atomic_fetch_sub(&supervisor->pool.runnable, 1);
	notif_pool_lend(supervisor->slots);
	if (queue_depth(supervisor->queue) > 0) {
		(void)worker_pool_serve(
			supervisor); /* this thread comes back if nobody else does */
	}
}

void worker_block_end(struct call *call)
{
	struct worker *worker = call->worker;
	struct supervisor *supervisor = worker->supervisor;

	assert(worker->blocks);
	worker->blocks = false;
	notif_pool_reclaim(supervisor->slots);
	atomic_fetch_add(&supervisor->pool.runnable, 1);
}

int worker_pool_init(struct supervisor *supervisor, unsigned int started_max)
{
	struct worker_pool *pool = &supervisor->pool;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	pool->workers = calloc(started_max, sizeof(pool->workers[0]));
	if (pool->workers == NULL) {
		return -ENOMEM;
	}
	pool->started_max = started_max;
	pool->runnable_max = processors > 0 ? (unsigned int)processors : 1;
	(void)pthread_mutex_init(&pool->lock, NULL); /* without attributes neither can fail */
	(void)pthread_cond_init(&pool->unpark, NULL);
	return 0;
}

void worker_pool_stop(struct supervisor *supervisor)
{
	struct worker_pool *pool = &supervisor->pool;

	(void)pthread_mutex_lock(&pool->lock);
	pool->is_closing = true;
	(void)pthread_cond_broadcast(&pool->unpark);
	(void)pthread_mutex_unlock(&pool->lock);
	queue_close(supervisor->queue);
	/* Nobody starts one any more. */
	for (unsigned int i = 0; i < pool->started; i++) {
		(void)pthread_join(pool->workers[i].thread, NULL);
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

void worker_handle(struct worker *worker, struct notif *notif)
{
	struct supervisor *supervisor = worker->supervisor;
	struct dispatch_entry *entry = dispatch_find(&supervisor->table, notif->nr);
	uint64_t began_ns = clock_monotonic_ns();
	struct call call;

	call_begin(&call, &supervisor->domain, worker, notif);

	struct action action = dispatch_ask(entry, &call);

	if (action.kind == ACTION_NEXT) {
		action = guard_ask(&call);
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
}
