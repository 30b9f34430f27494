/* The queue under load: every item that was pushed is popped exactly once, the items of one
 * producer in their order, and nobody sleeps for ever. */
// SPDX-License-Identifier: Apache-2.0
/* usage: queue [OPERATIONS]   0 when all rounds hold */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/attributes.h"
#include "core/base/clock.h"
#include "core/notif/queue.h"

#define THREADS_MAX 8

struct item {
	unsigned int producer;
	uint64_t number;
};

struct round {
	struct queue *queue;
	struct item *items; /* per_producer of each producer */
	_Atomic unsigned char *popped;
	uint64_t per_producer;
	unsigned int producers;
	unsigned int consumers;
	_Atomic uint64_t out_of_order;
	_Atomic uint64_t twice;
};

struct thread {
	struct round *round;
	unsigned int number;
	pthread_t thread;
};

static void *produce(void *argument)
{
	struct thread *self = argument;
	struct round *round = self->round;
	struct item *items = round->items + self->number * round->per_producer;

	for (uint64_t i = 0; i < round->per_producer; i++) {
		items[i] = (struct item){ self->number, i };
		while (!queue_push(round->queue, &items[i])) {
			(void)sched_yield();
		}
	}
	return NULL;
}

/* One consumer sees the items of one producer in rising order. */
static void *consume(void *argument)
{
	struct thread *self = argument;
	struct round *round = self->round;
	uint64_t next[THREADS_MAX] = { 0 };
	struct item *item;

	while ((item = queue_pop(round->queue, UINT64_MAX)) != NULL) {
		uint64_t place = item->producer * round->per_producer + item->number;

		if (item->number < next[item->producer]) {
			atomic_fetch_add(&round->out_of_order, 1);
		}
		next[item->producer] = item->number + 1;
		if (atomic_exchange(&round->popped[place], 1) != 0) {
			atomic_fetch_add(&round->twice, 1);
		}
	}
	return NULL;
}

static bool run_round(
	unsigned int producers, unsigned int consumers, size_t capacity, uint64_t operations)
{
	struct thread threads[2 * THREADS_MAX];
	struct round round = {
		.queue = queue_create(capacity),
		.per_producer = operations / producers,
		.producers = producers,
		.consumers = consumers,
	};
	uint64_t total = round.per_producer * producers;
	uint64_t lost = 0, began_ns = clock_monotonic_ns();

	round.items = calloc(total, sizeof(round.items[0]));
	round.popped = calloc(total, sizeof(round.popped[0]));
	if (round.queue == NULL || round.items == NULL || round.popped == NULL) {
		(void)fprintf(stderr, "queue: out of memory\n");
		return false;
	}
	for (unsigned int i = 0; i < producers + consumers; i++) {
		bool produces = i < producers;

		threads[i] =
			(struct thread){ .round = &round, .number = produces ? i : i - producers };
		if (pthread_create(&threads[i].thread, NULL, produces ? produce : consume,
			    &threads[i]) != 0) {
			(void)fprintf(stderr, "queue: cannot start a thread\n");
			return false;
		}
	}
	for (unsigned int i = 0; i < producers; i++) {
		(void)pthread_join(threads[i].thread, NULL);
	}
	queue_close(round.queue);
	for (unsigned int i = 0; i < consumers; i++) {
		(void)pthread_join(threads[producers + i].thread, NULL);
	}
	for (uint64_t i = 0; i < total; i++) {
		lost += round.popped[i] == 0;
	}
	(void)printf("queue: %u producers, %u consumers, %4zu cells: %llu items, %llu lost, %llu "
		     "twice, %llu out of order, %.0f ns each\n",
		producers, consumers, capacity, (unsigned long long)total, (unsigned long long)lost,
		(unsigned long long)round.twice, (unsigned long long)round.out_of_order,
		(double)(clock_monotonic_ns() - began_ns) / (double)total);
	queue_destroy(round.queue);
	free(round.items);
	free((void *)round.popped);
	return lost == 0 && round.twice == 0 && round.out_of_order == 0;
}

int main(int argc, char **argv)
{
	static const struct {
		unsigned int producers, consumers;
		size_t capacity;
	} rounds[] = {
		{ 1, 2, 64 },
		{ 2, 1, 64 },
		{ 2, 2, 2 },
		{ 4, 4, 64 },
		{ 8, 8, 512 },
		{ 8, 2, 4 },
		{ 2, 8, 4 },
	};
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 10) : 500000;
	bool holds = true;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		holds = run_round(rounds[i].producers, rounds[i].consumers, rounds[i].capacity,
				operations) &&
			holds;
	}
	return holds ? 0 : 1;
}
