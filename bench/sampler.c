/* What one look at a tree costs: walk, memory (first and steady), and a pause of the throttle.
 * sampler [PROCESSES [ROUNDS]]: TSV of medians in microseconds, and the share of a processor that
 * looks take when they come when they are due. */
// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/process/process_tree.h"
#include "core/supervisor/sampler.h"
#include "core/supervisor/throttle.h"

#define LIMIT	    (8ull << 30)
#define CHILDREN    16 /* of each process, so that the tree is neither flat nor a chain */
#define DUE_SECONDS 5
#define ROUNDS_MAX  1000

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Process number `index` of the tree; number i has the children 16i+1 to 16i+16. */
static void grow(long index, long processes, long *ready)
{
	for (long i = 1; i <= CHILDREN; i++) {
		long child = index * CHILDREN + i;

		if (child < processes && fork() == 0) {
			index = child; /* this process is the child now, with its own children */
			i = 0;
		}
	}
	__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		(void)pause();
	}
}

static pid_t start_tree(long processes)
{
	long *ready = mmap(
		NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t keeper;

	if (ready == MAP_FAILED) {
		exit(1);
	}
	keeper = fork();
	if (keeper == 0) {
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (fork() == 0) {
			grow(0, processes, ready);
		}
		for (;;) {
			if (waitpid(-1, NULL, 0) < 0) {
				(void)usleep(1000);
			}
		}
	}
	for (int i = 0; i < 60000 && __atomic_load_n(ready, __ATOMIC_SEQ_CST) < processes; i++) {
		(void)usleep(1000);
	}
	return keeper;
}

static void end_tree(pid_t keeper, struct process_list *list)
{
	while (process_tree_walk(keeper, list) == 0 && list->count > 0) {
		for (size_t i = 0; i < list->count; i++) {
			(void)kill(list->pids[i], SIGKILL);
		}
		(void)usleep(10000);
	}
	(void)kill(keeper, SIGKILL);
	(void)waitpid(keeper, NULL, 0);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void print_median(const char *name, long processes, uint64_t *times, size_t count)
{
	qsort(times, count, sizeof(times[0]), compare);
	(void)printf("%s\t%ld\t%.1f\t%.1f\t%.1f\n", name, processes, (double)times[count / 2] / 1e3,
		(double)times[count / 10] / 1e3, (double)times[count * 9 / 10] / 1e3);
}

static uint64_t times[ROUNDS_MAX], resume_times[ROUNDS_MAX];

static void measure_walk(pid_t keeper, size_t rounds, struct process_list *list)
{
	for (size_t i = 0; i < rounds; i++) {
		uint64_t begin_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		(void)process_tree_walk(keeper, list);
		times[i] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
	}
	print_median("walk", (long)list->count, times, rounds);
}

/* The first look opens every file, the others find them open. */
static void measure_looks(struct sampler *sampler, size_t rounds)
{
	struct sampler_victim victim;

	for (size_t i = 0; i <= rounds; i++) {
		uint64_t begin_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		(void)sampler_look(sampler, clock_ns(CLOCK_MONOTONIC), &victim);
		times[i > 0 ? i - 1 : 0] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
		if (i == 0) {
			print_median("look_first", (long)sampler_peak_processes(sampler), times, 1);
		}
	}
	print_median("look", (long)sampler_peak_processes(sampler), times, rounds);
}

/* As the supervisor does it. */
static void measure_due(struct sampler *sampler)
{
	uint64_t cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID), looks = 0;
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + DUE_SECONDS * 1000000000ull;
	struct sampler_victim victim;

	while (sampler_due(sampler) < end_ns) {
		struct timespec due = {
			.tv_sec = (time_t)(sampler_due(sampler) / 1000000000),
			.tv_nsec = (long)(sampler_due(sampler) % 1000000000),
		};

		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		(void)sampler_look(sampler, clock_ns(CLOCK_MONOTONIC), &victim);
		looks++;
	}
	cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	(void)printf("# looks when due: %.1f per second, %.2f %% of a processor, over %d s\n",
		(double)looks / DUE_SECONDS, (double)cpu_ns / DUE_SECONDS / 1e7, DUE_SECONDS);
}

static void measure_pauses(struct throttle *throttle, long processes, size_t rounds)
{
	for (size_t i = 0; i < rounds; i++) {
		uint64_t begin_ns = clock_ns(CLOCK_MONOTONIC), middle_ns;

		throttle_step(throttle, UINT64_MAX);
		middle_ns = clock_ns(CLOCK_MONOTONIC);
		throttle_step(throttle, UINT64_MAX);
		times[i] = middle_ns - begin_ns;
		resume_times[i] = clock_ns(CLOCK_MONOTONIC) - middle_ns;
	}
	print_median("pause", processes, times, rounds);
	print_median("resume", processes, resume_times, rounds);
}

int main(int argc, char **argv)
{
	long processes = argc > 1 ? atol(argv[1]) : 200;
	size_t rounds = argc > 2 ? (size_t)atol(argv[2]) : 100;
	struct process_list list = { 0 };
	pid_t keeper = start_tree(processes);
	struct sampler *sampler = sampler_create(keeper, LIMIT);
	struct throttle *throttle = throttle_create(keeper, 50, 0);

	if (sampler == NULL || throttle == NULL || rounds == 0 || rounds > ROUNDS_MAX) {
		return 1;
	}
	(void)printf("# what\tprocesses\tmedian_us\tp10_us\tp90_us\n");
	measure_walk(keeper, rounds, &list);
	measure_looks(sampler, rounds);
	sampler_destroy(sampler);
	sampler = sampler_create(keeper, LIMIT);
	if (sampler != NULL) {
		measure_due(sampler);
	}
	sampler_destroy(sampler);
	measure_pauses(throttle, (long)list.count, rounds > 10 ? 10 : rounds);
	throttle_destroy(throttle);
	end_tree(keeper, &list);
	process_list_finish(&list);
	return 0;
}
