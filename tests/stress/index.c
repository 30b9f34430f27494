/* The index of processes under load: one thread adds and removes, some look up and keep references
 * for a while, one reclaims.  Whoever is found is whole and is who was asked for. */
// SPDX-License-Identifier: Apache-2.0
/* usage: index [OPERATIONS]   0 when all holds */

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/thread.h"
#include "core/process/process_index.h"

#define READERS	 3
#define SLEEPERS 16
#define KEPT	 8 /* references that a reader holds at once */

/* The index asks the kernel who a task is: these are threads of this process. */
static pid_t sleepers[SLEEPERS];
static sem_t may_go;
static struct process_index *process_index;
static _Atomic bool is_over, is_full;
static _Atomic uint64_t found, wrong;

static void *sleep_until_told(void *argument)
{
	atomic_store((_Atomic pid_t *)argument, gettid());
	while (sem_wait(&may_go) < 0) {
	}
	return NULL;
}

static void note_full(void *context)
{
	(void)context;
	atomic_store(&is_full, true);
}

static void *look_up(void *argument)
{
	struct process *kept[KEPT] = { NULL };
	uint64_t looks = (uintptr_t)argument, local = 0;

	while (!atomic_load(&is_over)) {
		struct process **place = &kept[looks % KEPT];
		pid_t tid = looks % 5 == 0 ? getpid() : sleepers[looks % SLEEPERS];

		if (*place != NULL) {
			process_put(*place);
		}
		*place = process_index_get(process_index, tid);
		if (*place != NULL) {
			local++;
			if ((*place)->tgid != getpid() || (*place)->index != process_index) {
				atomic_fetch_add(&wrong, 1);
			}
		}
		looks++;
	}
	for (size_t i = 0; i < KEPT; i++) {
		if (kept[i] != NULL) {
			process_put(kept[i]);
		}
	}
	atomic_fetch_add(&found, local);
	return NULL;
}

static void *reclaim(void *unused)
{
	(void)unused;
	while (!atomic_load(&is_over)) {
		if (atomic_exchange(&is_full, false)) {
			process_index_reclaim(process_index);
		}
		(void)usleep(200);
	}
	return NULL;
}

static void expect(bool holds)
{
	if (!holds) {
		atomic_fetch_add(&wrong, 1);
	}
}

/* The life of a process: its leader, threads, their ends in any order, the leader's last. */
static uint64_t live_once(uint64_t round)
{
	size_t threads = 1 + round % SLEEPERS;

	expect(process_index_add(process_index, getpid()) == 0);
	for (size_t i = 0; i < threads; i++) {
		expect(process_index_add(process_index, sleepers[i]) == 0);
	}
	expect(process_index_processes(process_index) == 1);
	for (size_t i = 0; i < threads; i++) {
		expect(!process_index_remove(
			process_index, sleepers[round % 2 == 0 ? i : threads - 1 - i]));
	}
	expect(process_index_remove(process_index, getpid()));
	return 2 * (threads + 1);
}

static int start(
	enum thread_role role, void *(*function)(void *), void *argument, pthread_t *thread)
{
	return thread_start(role, 0, function, argument, thread);
}

int main(int argc, char **argv)
{
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000, done = 0;
	pthread_t readers[READERS], reclaimer, sleeping[SLEEPERS];
	int r = 0;

	(void)sem_init(&may_go, 0, 0);
	process_index = process_index_create(note_full, NULL);
	for (size_t i = 0; i < SLEEPERS; i++) {
		r |= pthread_create(&sleeping[i], NULL, sleep_until_told, &sleepers[i]);
		while (r == 0 && atomic_load((_Atomic pid_t *)&sleepers[i]) == 0) {
			(void)sched_yield();
		}
	}
	for (size_t i = 0; i < READERS; i++) {
		r |= start(THREAD_WORKER, look_up, (void *)(i * 7), &readers[i]);
	}
	r |= start(THREAD_WORKER, reclaim, NULL, &reclaimer);
	if (process_index == NULL || r != 0) {
		fprintf(stderr, "index: cannot start its threads\n");
		return 1;
	}
	for (uint64_t round = 0; done < operations; round++) {
		done += live_once(round);
	}
	atomic_store(&is_over, true);
	for (size_t i = 0; i < READERS; i++) {
		(void)pthread_join(readers[i], NULL);
	}
	(void)pthread_join(reclaimer, NULL);
	for (size_t i = 0; i < SLEEPERS; i++) {
		(void)sem_post(&may_go);
	}
	for (size_t i = 0; i < SLEEPERS; i++) {
		(void)pthread_join(sleeping[i], NULL);
	}
	process_index_destroy(process_index);
	printf("index: %llu changes, %llu found, %llu wrong\n", (unsigned long long)done,
		(unsigned long long)atomic_load(&found), (unsigned long long)atomic_load(&wrong));
	return atomic_load(&wrong) == 0 && atomic_load(&found) > 0 ? 0 : 1;
}
