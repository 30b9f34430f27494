/* The clock that finds handlers which take too long: runs only while some handler does. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/supervisor/handling.h"
#include "core/supervisor/state.h"
#include "core/supervisor/watch.h"
#include "core/supervisor/worker.h"

int watch_init(struct watch *watch)
{
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return watch->timer < 0 ? -errno : 0;
}

void watch_finish(struct watch *watch)
{
	fd_close(&watch->timer);
}

static void set_timer(const struct watch *watch, uint64_t at_ns)
{
	struct itimerspec when = { .it_value = clock_timespec(at_ns) };

	(void)timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &when, NULL); /* all is valid */
}

void watch_arm(struct watch *watch, uint64_t due_ns)
{
	if (!atomic_load(&watch->is_armed) && !atomic_exchange(&watch->is_armed, true)) {
		set_timer(watch, due_ns);
	}
}

void watch_wait(const struct watch *watch)
{
	uint64_t expirations;

	(void)!read(watch->timer, &expirations, sizeof(expirations)); /* EINTR is an end, too */
}

void watch_wake(const struct watch *watch)
{
	set_timer(watch, 1);
}

struct look {
	uint64_t due_ns; /* of the oldest handler that was not given up; UINT64_MAX: none */
	bool took_receiver;
	bool gave_up_workers;
};

static void look_at_all(struct supervisor *supervisor, struct look *look)
{
	struct worker_pool *pool = &supervisor->pool;
	uint64_t now_ns = clock_monotonic_ns();
	unsigned int started = atomic_load(&pool->started);

	look->due_ns = UINT64_MAX;
	/* Its role passes to us with the exchange that gives it up, and cannot pass to another: we
	 * alone stand by. */
	if (!look->took_receiver &&
		handling_give_up(atomic_load(&supervisor->crew.receiver), now_ns, &look->due_ns)) {
		look->took_receiver = true;
	}
	for (unsigned int i = 0; i < started; i++) {
		if (handling_give_up(&pool->workers[i], now_ns, &look->due_ns)) {
			look->gave_up_workers = true;
		}
	}
}

bool watch_look(struct supervisor *supervisor)
{
	struct watch *watch = &supervisor->watch;
	struct look look = { 0 };

	look_at_all(supervisor, &look);
	if (look.due_ns == UINT64_MAX) {
		/* A handler that begins meanwhile either finds the timer unset, and sets it, or
		 * began before the store, and the second look sees it. */
		atomic_store(&watch->is_armed, false);
		look_at_all(supervisor, &look);
		if (look.due_ns != UINT64_MAX) {
			/* If its thread sets the timer too, it is to the same time, or to that of
			 * another that has begun just now. */
			atomic_store(&watch->is_armed, true);
		}
	}
	if (look.due_ns != UINT64_MAX) {
		set_timer(watch, look.due_ns);
	}
	if (look.gave_up_workers) {
		worker_pool_grow(supervisor);
	}
	return look.took_receiver;
}
