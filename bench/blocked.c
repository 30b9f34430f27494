/* Handlers that block: what they cost a caller whose handler does not, at the 99th percentile of a
 * call whose handler reads task memory.  The rows are the bench's own, the supervisor is ours. */
// SPDX-License-Identifier: Apache-2.0
/* usage: blocked [--rounds N] */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness.h"
#include "core/handler/call.h"
#include "core/supervisor/supervisor.h"
#include "core/supervisor/worker.h"
#include "core/tracee/tracee_memory.h"
#include "tests/notified_child.h"

#define CALLS	    4000
#define WORKERS_MAX 256 /* the default of --workers-max */

/* Shared with the child. */
struct board {
	int callers; /* that block */
	_Atomic int blocked;
	double p50_ns, p99_ns;
};

static struct board *board;
static int release_event; /* readable: who blocks goes on */

static struct action block(struct call *call)
{
	struct pollfd source = { .fd = release_event, .events = POLLIN };

	if (worker_block_begin(call) < 0) {
		return action_errno(EAGAIN);
	}
	atomic_fetch_add(&board->blocked, 1);
	(void)poll(&source, 1, -1);
	worker_block_end(call);
	return action_return(0);
}

static struct action read_memory(struct call *call)
{
	char bytes[64];

	if (tracee_read(call, call->notif->args[0], bytes, sizeof(bytes)) < 0) {
		return action_errno(EFAULT);
	}
	return action_return(0);
}

static bool always(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static const struct trap_row rows[] = {
	{ SYS(getuid), CLASS_REGISTER, block, .blocks = true, .interruptible = true },
	{ SYS(getegid), CLASS_ON_BEHALF, read_memory, .blocks = false, .interruptible = true },
	TRAP_END,
};
static const struct feature feature = { .name = "bench", .wanted = always, .traps = rows };
static const struct feature *const features[] = { &feature, NULL };
static const int numbers[] = { SYS(getuid), SYS(getegid) };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int call_beside_the_blocked(void *context)
{
	static double took[CALLS];
	char bytes[64] = { 0 };

	(void)context;
	for (int i = 0; i < board->callers; i++) {
		if (fork() == 0) {
			_exit((int)syscall(SYS_getuid));
		}
	}
	while (atomic_load(&board->blocked) < board->callers) {
		(void)usleep(1000);
	}
	for (int i = -CALLS / 10; i < CALLS; i++) {
		double began = clock_now();

		if (syscall(SYS_getegid, bytes) != 0) {
			return 1;
		}
		if (i >= 0) { /* the first are for the caches */
			took[i] = clock_now() - began;
		}
	}
	qsort(took, CALLS, sizeof(took[0]), compare);
	board->p50_ns = took[CALLS / 2];
	board->p99_ns = took[CALLS * 99 / 100];
	return 0;
}

static void no_tree(void *context)
{
	(void)context;
}

/* One run with so many blocked. */
static bool run_with(int blocked)
{
	struct plan plan = { .workers_max = WORKERS_MAX };
	struct supervisor *supervisor;
	struct error error = { 0 };
	struct notified_child child;
	uint64_t one = 1;
	int status = -1;

	*board = (struct board){ .callers = blocked };
	release_event = eventfd(0, EFD_CLOEXEC);
	child = notified_child_start(
		numbers, sizeof(numbers) / sizeof(numbers[0]), call_beside_the_blocked, NULL);
	if (notify_plan_compile(NULL, features, &plan.notify, &error) < 0 ||
		supervisor_start(
			&plan, child.listener, child.pid, no_tree, NULL, &supervisor, &error) < 0) {
		(void)fprintf(stderr, "blocked: %s\n", error.text);
		return false;
	}
	(void)close(child.gate);
	(void)waitpid(child.pid, &status, 0);
	(void)!write(release_event, &one, sizeof(one));
	supervisor_stop(supervisor);
	supervisor_destroy(supervisor);
	notify_plan_finish(&plan.notify);
	(void)close(release_event);
	return status == 0;
}

static void report(
	int blocked, const char *row, const double *values, const double *base, size_t rounds)
{
	char variant[32];

	(void)snprintf(variant, sizeof(variant), "blocked-%d", blocked);
	report_line(row, variant, spread_of(values, rounds), "ns/call", "unloaded",
		spread_of_ratio(values, base, rounds).median);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	static const int counts[] = { 0, 8, 64 };
	enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };
	double *p50[COUNTS], *p99[COUNTS];
	size_t rounds = 15;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option != 'n') {
			(void)fprintf(stderr, "usage: blocked [--rounds N]\n");
			return 1;
		}
		rounds = parse_rounds(optarg);
	}
	board = mmap(
		NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED) {
		return 1;
	}
	for (size_t i = 0; i < COUNTS; i++) {
		p50[i] = calloc(rounds, sizeof(double));
		p99[i] = calloc(rounds, sizeof(double));
		if (p50[i] == NULL || p99[i] == NULL) {
			return 1;
		}
	}
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < COUNTS; i++) {
			size_t which = (i + round) % COUNTS;

			if (!run_with(counts[which])) {
				report_skipped("notify-blocked", "all", "a run failed");
				return 0;
			}
			p50[which][round] = board->p50_ns;
			p99[which][round] = board->p99_ns;
		}
	}
	for (size_t i = 0; i < COUNTS; i++) {
		report(counts[i], "notify-blocked-p50", p50[i], p50[0], rounds);
	}
	for (size_t i = 0; i < COUNTS; i++) {
		report(counts[i], "notify-blocked-p99", p99[i], p99[0], rounds);
	}
	return 0;
}
