/* CPU throttle: the whole tree runs for a share of each period and is stopped for the rest. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/process/proc_reader.h"
#include "core/process/process_tree.h"
#include "core/supervisor/throttle.h"

#define PERIOD_NS     100000000ull
#define PERIOD_MAX_NS 2000000000ull
#define COST_SHARE    10

/* A parent that is stopped forks no more, so one walk after the last stop finds the last child.  A
 * storm gets so many walks and no more: the caller has other things to do. */
#define WALKS_MAXIMUM	16
#define STOPPING_MAX_NS 20000000ull

#define SIGNAL_BIT(signal) (1ull << ((signal)-1))

/* Stop by default, but can be blocked, ignored and handled. */
static const int terminal_stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };

/* A process that this pause stopped. */
struct stopped {
	pid_t pid;
	uint64_t identity; /* inode of its pidfd: since Linux 6.9 never used twice */
};

struct throttle {
	pid_t keeper;
	uint32_t percent;
	bool paused;
	uint64_t due_ns;
	uint64_t period_ns;
	uint64_t running_since_ns; /* while it runs */
	uint64_t cost_ns;	   /* of the last stopping or continuing */
	struct stopped *stopped;   /* owned; in the order of stopping, parents first */
	size_t count, capacity;
	struct pid_map settled; /* looked at in this pause: stopped by us, or by others before */
	struct process_list tree;
};

/* Opens the process and tells which it is: a number may be given away between two looks. */
static int open_process(pid_t pid, uint64_t *ret_identity)
{
	cleanup_close int fd = pidfd_open(pid, 0);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0) {
		return -errno;
	}
	*ret_identity = status.st_ino;
	return fd_steal(&fd);
}

/* Read after its pidfd was opened: if a signal then still reaches the pidfd, no other process had
 * the number in between, and this was its status. */
static int read_status(pid_t pid, struct proc_status *ret_status)
{
	struct proc_files files;
	int r;

	proc_files_init(&files, pid, false);
	r = proc_files_status(&files, ret_status);
	proc_files_finish(&files);
	return r;
}

static uint64_t pending_signals(const struct proc_status *status)
{
	return status->pending | status->shared_pending;
}

/* Will the process stop of what is pending as soon as it runs? */
static bool pending_stop(const struct proc_status *status)
{
	uint64_t stops = SIGNAL_BIT(SIGSTOP);

	for (size_t i = 0; i < ARRAY_LEN(terminal_stops); i++) {
		stops |= SIGNAL_BIT(terminal_stops[i]) & ~status->blocked & ~status->caught;
	}
	return (pending_signals(status) & stops) != 0;
}

static int reserve_stopped(struct throttle *throttle)
{
	size_t capacity = throttle->capacity > 0 ? throttle->capacity * 2 : 64;
	struct stopped *stopped;

	if (throttle->count < throttle->capacity) {
		return 0;
	}
	stopped = reallocarray(throttle->stopped, capacity, sizeof(*stopped));
	if (stopped == NULL) {
		return -ENOMEM;
	}
	throttle->stopped = stopped;
	throttle->capacity = capacity;
	return 0;
}

/* True when the tree has to be looked at again: this call stopped it, or it could not. */
static bool stop_process(struct throttle *throttle, pid_t pid)
{
	struct proc_status status;
	struct stopped stopped = { .pid = pid };
	cleanup_close int fd = open_process(pid, &stopped.identity);

	/* Memory first: what is stopped and not written down would stay stopped. */
	if (fd < 0 || read_status(pid, &status) < 0 || reserve_stopped(throttle) < 0) {
		return false;
	}
	if (status.state == 'Z' && status.threads <= 1) {
		return false;
	}
	if (status.state == 't') {
		/* Stopped by its tracer, mostly for a moment: a storm of signals must not keep it
		 * from being throttled. */
		return true;
	}
	if (pid_map_put(&throttle->settled, pid, 0) < 0) {
		return false;
	}
	/* Somebody else's stop, done or under way.  Only SIGSTOP counts: the other stop signals can
	 * be blocked and stay pending, and who did that would never be throttled. */
	if (status.state == 'T' || (pending_signals(&status) & SIGNAL_BIT(SIGSTOP)) != 0) {
		return false;
	}
	/* EPERM: outside of the sandbox, so not ours to stop. */
	if (pidfd_send_signal(fd, SIGSTOP, NULL, 0) < 0) {
		return false;
	}
	throttle->stopped[throttle->count++] = stopped;
	return true;
}

static void pause_tree(struct throttle *throttle)
{
	/* Our own time: on a crowded machine a pause that was cut short would stop nobody in time.
	 */
	uint64_t until_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) + STOPPING_MAX_NS;
	bool found = true;

	throttle->count = 0;
	pid_map_clear(&throttle->settled);
	for (int walk = 0;
		found && walk < WALKS_MAXIMUM && clock_read_ns(CLOCK_THREAD_CPUTIME_ID) < until_ns;
		walk++) {
		found = false;
		/* The list is usable as far as it went, also when the walk failed. */
		(void)process_tree_walk(throttle->keeper, &throttle->tree);
		for (size_t i = 0; i < throttle->tree.count; i++) {
			pid_t pid = throttle->tree.pids[i];

			if (!pid_map_has(&throttle->settled, pid) && stop_process(throttle, pid)) {
				found = true;
			}
		}
	}
}

static void continue_process(const struct stopped *stopped)
{
	struct proc_status status;
	uint64_t identity = 0;
	cleanup_close int fd = open_process(stopped->pid, &identity);

	if (fd < 0 || identity != stopped->identity || read_status(stopped->pid, &status) < 0) {
		return; /* killed in its sleep */
	}
	/* Ours was delivered when it stopped.  What is pending now came later from somebody else
	 * and would stop it: then it stays stopped.  A process that is not stopped yet (it sleeps
	 * in the kernel) has ours pending.  A SIGSTOP that comes between this look and the next
	 * line is lost: the kernel has no "continue unless". */
	if (status.state == 'T' && pending_stop(&status)) {
		return;
	}
	if (pidfd_send_signal(fd, SIGCONT, NULL, 0) < 0) {
		return; /* it died */
	}
	/* SIGCONT wipes out what the process keeps blocked or handles itself (signal(7)): again. */
	for (size_t i = 0; i < ARRAY_LEN(terminal_stops); i++) {
		if ((pending_signals(&status) & SIGNAL_BIT(terminal_stops[i])) != 0) {
			(void)pidfd_send_signal(fd, terminal_stops[i], NULL, 0); /* as above */
		}
	}
}

/* The youngest first: a parent that asks for stopped children (waitpid with WUNTRACED) finds none
 * when it runs again.  It may still find one while a pause begins, if it was asleep in that very
 * call. */
static void continue_tree(struct throttle *throttle)
{
	while (throttle->count > 0) {
		continue_process(&throttle->stopped[--throttle->count]);
	}
}

struct throttle *throttle_create(pid_t keeper, uint32_t percent, uint64_t now_ns)
{
	struct throttle *throttle;

	if (percent < 1 || percent > 99) {
		errno = EINVAL;
		return NULL;
	}
	throttle = calloc(1, sizeof(*throttle));
	if (throttle == NULL) {
		return NULL;
	}
	throttle->keeper = keeper;
	throttle->percent = percent;
	throttle->period_ns = PERIOD_NS;
	throttle->running_since_ns = now_ns;
	throttle->due_ns = now_ns + PERIOD_NS / 100 * percent;
	return throttle;
}

void throttle_destroy(struct throttle *throttle)
{
	if (throttle == NULL) {
		return;
	}
	continue_tree(throttle);
	free(throttle->stopped);
	pid_map_finish(&throttle->settled);
	process_list_finish(&throttle->tree);
	free(throttle);
}

uint64_t throttle_due(const struct throttle *throttle)
{
	return throttle->due_ns;
}

/* One process after the other stops and runs again: what holds for the tree is counted from the
 * middle of that.  Returns the middle; sets how long it took. */
static uint64_t change_tree(struct throttle *throttle, void (*change)(struct throttle *))
{
	uint64_t begin_ns = clock_monotonic_ns();

	change(throttle);
	throttle->cost_ns = clock_monotonic_ns() - begin_ns;
	return begin_ns + throttle->cost_ns / 2;
}

void throttle_step(struct throttle *throttle, uint64_t now_ns)
{
	uint64_t ran_ns, most_ns, cost_ns, middle_ns;

	if (now_ns < throttle->due_ns) {
		return;
	}
	cost_ns = throttle->cost_ns;
	if (throttle->paused) {
		middle_ns = change_tree(throttle, continue_tree);
		throttle->paused = false;
		/* Stopping and continuing cost some 60 us a process.  A large tree gets a longer
		 * period, so that this stays a tenth of it. */
		cost_ns = (cost_ns + throttle->cost_ns) * COST_SHARE;
		throttle->period_ns = cost_ns < PERIOD_NS	? PERIOD_NS
				      : cost_ns > PERIOD_MAX_NS ? PERIOD_MAX_NS
								: cost_ns;
		throttle->running_since_ns = middle_ns;
		throttle->due_ns = middle_ns + throttle->period_ns / 100 * throttle->percent;
		return;
	}
	middle_ns = change_tree(throttle, pause_tree);
	throttle->paused = true;
	/* What it really ran counts, also what it ran because we came late: the share stays right.
	 * Lateness is made good up to one period, so that a supervisor that was stopped itself
	 * stops nobody for long. */
	ran_ns = middle_ns - throttle->running_since_ns;
	most_ns = throttle->period_ns + throttle->cost_ns;
	ran_ns = ran_ns < most_ns ? ran_ns : most_ns;
	throttle->due_ns = middle_ns + ran_ns * (100 - throttle->percent) / throttle->percent;
}
