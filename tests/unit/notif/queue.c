/* The queue: order, bounds, sleep and wake, close. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/notif/queue.h"

static int items[16];

Test(queue, gives_items_back_in_the_order_of_their_pushes)
{
	struct queue *queue = queue_create(8);

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 8; i++) {
			cr_assert(queue_push(queue, &items[i]));
		}
		for (int i = 0; i < 8; i++) {
			cr_assert_eq(queue_try_pop(queue), &items[i]);
		}
	}
	cr_assert_null(queue_try_pop(queue));
	queue_destroy(queue);
}

Test(queue, refuses_what_does_not_fit)
{
	struct queue *queue = queue_create(2);

	cr_assert(queue_push(queue, &items[0]));
	cr_assert(queue_push(queue, &items[1]));
	cr_assert_not(queue_push(queue, &items[2]));
	cr_assert_eq(queue_depth(queue), 2);

	cr_assert_eq(queue_try_pop(queue), &items[0]);
	cr_assert(queue_push(queue, &items[2]));
	queue_destroy(queue);
}

Test(queue, gives_up_after_the_timeout)
{
	struct queue *queue = queue_create(2);
	uint64_t began_ns = clock_monotonic_ns();

	cr_assert_null(queue_pop(queue, 20000000));

	cr_assert_geq(clock_monotonic_ns() - began_ns, 20000000);
	cr_assert_not(queue_has_sleeper(queue));
	queue_destroy(queue);
}

static void *pop_one(void *queue)
{
	return queue_pop(queue, UINT64_MAX);
}

static void await_sleeper(const struct queue *queue)
{
	while (!queue_has_sleeper(queue)) {
		(void)sched_yield();
	}
}

Test(queue, wakes_a_sleeper_with_an_item, .timeout = 20)
{
	struct queue *queue = queue_create(2);
	pthread_t thread;
	void *popped;

	cr_assert_eq(pthread_create(&thread, NULL, pop_one, queue), 0);
	await_sleeper(queue);
	cr_assert(queue_push(queue, &items[3]));
	cr_assert_eq(pthread_join(thread, &popped), 0);

	cr_assert_eq(popped, &items[3]);
	queue_destroy(queue);
}

Test(queue, wakes_every_sleeper_at_the_close_and_still_gives_what_it_holds, .timeout = 20)
{
	struct queue *queue = queue_create(4);
	pthread_t threads[3];
	void *popped;

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, pop_one, queue), 0);
	}
	await_sleeper(queue);
	queue_close(queue);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(pthread_join(threads[i], &popped), 0);
		cr_assert_null(popped);
	}

	cr_assert(queue_push(queue, &items[1]));
	cr_assert_eq(queue_pop(queue, UINT64_MAX), &items[1]);
	cr_assert_null(queue_pop(queue, UINT64_MAX));
	queue_destroy(queue);
}
