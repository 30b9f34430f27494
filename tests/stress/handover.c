/* The receiving role under load: handlers that get stuck now and then in several rows at once, some
 * that block, callers that are killed.  Every call has its own answer, the counts balance, and the
 * role has passed on. */
// SPDX-License-Identifier: Apache-2.0
/* usage: handover [CALLS]   0 when all rounds hold */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/attributes.h"
#include "core/handler/call.h"
#include "core/supervisor/supervisor.h"
#include "core/supervisor/worker.h"
#include "tests/notified_child.h"

#define CALLERS 12
#define MAGIC	0x5a5a

struct load {
	long calls;		/* of each caller */
	_Atomic long *wrong;	/* shared with the callers */
	_Atomic long *answered; /* likewise */
};

static void sleep_us(uint64_t us)
{
	struct timespec time = { 0, (long)us * 1000 };

	if (us > 0) {
		(void)nanosleep(&time, NULL);
	}
}

/* Arguments: a value to answer, and the microseconds that it takes. */
static struct action delay(struct call *call)
{
	sleep_us(call->notif->args[1]);
	return action_return((int64_t)call->notif->args[0] ^ MAGIC);
}

static struct action block(struct call *call)
{
	if (worker_block_begin(call) < 0) {
		return action_errno(EAGAIN);
	}
	sleep_us(call->notif->args[1]);
	worker_block_end(call);
	return action_return((int64_t)call->notif->args[0] ^ MAGIC);
}

static bool always(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static const struct trap_row rows[] = {
	{ SYS(getuid), CLASS_REGISTER, delay, .blocks = false, .interruptible = true },
	{ SYS(geteuid), CLASS_REGISTER, delay, .blocks = false, .interruptible = true },
	{ SYS(getgid), CLASS_REGISTER, delay, .blocks = false, .interruptible = true },
	{ SYS(getegid), CLASS_REGISTER, delay, .blocks = false, .interruptible = true },
	{ SYS(getpgid), CLASS_REGISTER, block, .blocks = true, .interruptible = true },
	TRAP_END,
};
static const struct feature feature = { .name = "stress", .wanted = always, .traps = rows };
static const struct feature *const features[] = { &feature, NULL };
static const int numbers[] = { SYS(getuid), SYS(geteuid), SYS(getgid), SYS(getegid), SYS(getpgid) };

static int call_often(const struct load *load, unsigned int seed)
{
	for (long i = 0; i < load->calls; i++) {
		/* One in 128 is long enough to be given up, and rows that are cheap otherwise go to
		 * the receiver. */
		long us = rand_r(&seed) % 128 == 0 ? 1000 + rand_r(&seed) % 4000 : 0;
		long r = syscall(numbers[rand_r(&seed) % ARRAY_LEN(numbers)], i, us);

		if (r == (i ^ MAGIC)) {
			atomic_fetch_add(load->answered, 1);
		} else if (r != -1 || errno != EAGAIN) {
			atomic_fetch_add(load->wrong, 1);
		}
	}
	return 0;
}

/* A third of the callers is killed in the middle, again and again. */
static int call_from_many(void *context)
{
	const struct load *load = context;
	unsigned int seed = 1;
	pid_t victims[CALLERS / 3];

	for (unsigned int i = 0; i < CALLERS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			_exit(call_often(load, i + 7));
		}
		if (i < ARRAY_LEN(victims)) {
			victims[i] = pid;
		}
	}
	for (int i = 0; i < 200; i++) {
		pid_t *victim = &victims[rand_r(&seed) % ARRAY_LEN(victims)];

		sleep_us((uint64_t)rand_r(&seed) % 2000);
		(void)kill(*victim, SIGKILL);
		(void)waitpid(*victim, NULL, 0);
		*victim = fork();
		if (*victim == 0) {
			_exit(call_often(load, (unsigned int)i + 100));
		}
	}
	while (wait(NULL) > 0) {
	}
	return 0;
}

static void no_tree(void *context)
{
	(void)context;
}

static bool run_round(unsigned int workers, long calls)
{
	_Atomic long *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct load load = { calls / CALLERS, &shared[0], &shared[1] };
	struct plan plan = { .workers_max = workers };
	struct call_summary summaries[8];
	struct supervisor *supervisor;
	struct error error = { 0 };
	struct notified_child child;
	unsigned long long handovers;
	bool holds;

	child = notified_child_start(numbers, ARRAY_LEN(numbers), call_from_many, &load);
	if (notify_plan_compile(NULL, features, &plan.notify, &error) < 0 ||
		supervisor_start(
			&plan, child.listener, child.pid, no_tree, NULL, &supervisor, &error) < 0) {
		(void)fprintf(stderr, "handover: %s\n", error.text);
		return false;
	}
	(void)close(child.gate);
	(void)waitpid(child.pid, NULL, 0);
	supervisor_stop(supervisor);
	handovers = supervisor_handovers(supervisor);
	holds = atomic_load(load.wrong) == 0 && atomic_load(load.answered) > 0 && handovers > 0;
	for (size_t i = supervisor_summarize(supervisor, summaries, ARRAY_LEN(summaries)); i > 0;
		i--) {
		holds = holds && call_summary_is_balanced(&summaries[i - 1]);
	}
	(void)printf("handover: %3u workers: %ld answered, %ld wrong, the role passed on %llu "
		     "times: %s\n",
		workers, atomic_load(load.answered), atomic_load(load.wrong), handovers,
		holds ? "holds" : "FAILS");
	supervisor_destroy(supervisor);
	notify_plan_finish(&plan.notify);
	(void)munmap((void *)shared, 4096);
	return holds;
}

int main(int argc, char **argv)
{
	static const unsigned int workers[] = { 1, 2, 16, 256 };
	long calls = argc > 1 ? atol(argv[1]) : 20000;
	bool holds = true;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		holds = run_round(workers[i], calls) && holds;
	}
	return holds ? 0 : 1;
}
