/* The count of processes: forks under way, the limit, and those who wait for the truth. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/process/fork_count.h"

#define MANY 500

static struct fork_count count;

static void set_up(void)
{
	fork_count_init(&count);
}

static void tear_down(void)
{
	fork_count_finish(&count);
}

TestSuite(fork_count, .init = set_up, .fini = tear_down, .timeout = 20);

Test(fork_count, lets_forks_through_until_the_limit)
{
	fork_count_born(&count, 0);

	cr_assert(fork_count_open(&count, 101, 3));
	cr_assert(fork_count_open(&count, 102, 3));
	cr_assert_not(fork_count_open(&count, 103, 3));
}

Test(fork_count, counts_a_fork_once_when_its_child_begins)
{
	fork_count_born(&count, 0);
	cr_assert(fork_count_open(&count, 101, 2));

	fork_count_born(&count, 101);

	cr_assert_eq(count.processes, 2);
	cr_assert_eq(count.token_count, 0);
	cr_assert_not(fork_count_open(&count, 101, 2));
}

Test(fork_count, has_room_again_when_a_process_ends_or_a_fork_fails)
{
	fork_count_born(&count, 0);
	cr_assert(fork_count_open(&count, 101, 2));
	cr_assert_not(fork_count_open(&count, 102, 2));

	fork_count_close(&count, 101);
	cr_assert(fork_count_open(&count, 102, 2));
	fork_count_born(&count, 102);
	cr_assert_not(fork_count_open(&count, 101, 2));
	fork_count_ended(&count);
	cr_assert(fork_count_open(&count, 101, 2));
}

Test(fork_count, keeps_one_token_for_a_thread_that_asks_again)
{
	cr_assert(fork_count_open(&count, 101, 1));
	cr_assert(fork_count_open(&count, 101, 1));

	cr_assert_eq(count.token_count, 1);
}

Test(fork_count, ignores_the_end_of_a_fork_that_is_not_under_way)
{
	cr_assert(fork_count_open(&count, 101, 9));

	fork_count_close(&count, 102);
	fork_count_born(&count, 102);

	cr_assert_eq(count.token_count, 1);
	cr_assert_eq(atomic_load(&count.open), 1);
}

Test(fork_count, remembers_the_most_that_were_alive)
{
	for (int i = 0; i < 3; i++) {
		fork_count_born(&count, 0);
	}
	fork_count_ended(&count);
	fork_count_ended(&count);
	fork_count_born(&count, 0);

	cr_assert_eq(count.peak, 3);
	cr_assert_eq(count.processes, 2);
}

Test(fork_count, lists_tokens_from_the_oldest_in_pieces)
{
	struct fork_token tokens[64];
	uint64_t after = 0, before;
	size_t found, seen = 0;

	for (pid_t tid = 1; tid <= MANY; tid++) {
		cr_assert(fork_count_open(&count, tid, MANY));
	}
	fork_count_close(&count, 200);
	before = fork_count_ticket(&count);
	cr_assert(fork_count_open(&count, 200, MANY)); /* younger than the ticket */

	while ((found = fork_count_list(&count, after, before, tokens, 64)) > 0) {
		for (size_t i = 0; i < found; i++) {
			pid_t expected = (pid_t)(seen + i + 1);

			cr_assert_gt(tokens[i].sequence, after);
			cr_assert_eq(tokens[i].tid, expected < 200 ? expected : expected + 1);
			after = tokens[i].sequence;
		}
		seen += found;
	}
	cr_assert_eq(seen, MANY - 1);
}

Test(fork_count, keeps_the_fork_of_a_thread_that_has_ended_until_its_child_was_looked_for)
{
	cr_assert(fork_count_open(&count, 101, 3));
	cr_assert(fork_count_open(&count, 102, 3));
	fork_count_orphan(&count, 101);
	fork_count_orphan(&count, 103); /* it did not fork */

	cr_assert_not(fork_count_awaits_orphans(&count));
	fork_count_looked(&count, fork_count_ticket(&count));
	cr_assert(fork_count_awaits_orphans(&count));
	fork_count_born(&count, 0); /* some other process */
	cr_assert(count.token_count == 2 && !fork_count_open(&count, 101, 3));

	fork_count_close_orphans(&count);
	cr_assert_not(fork_count_awaits_orphans(&count));
	cr_assert(count.token_count == 1 && count.tokens[0].tid == 102);
	cr_assert(fork_count_open(&count, 101, 3));
}

Test(fork_count, takes_back_one_fork_and_not_the_next_of_the_thread)
{
	uint64_t first = fork_count_open(&count, 101, 9);
	uint64_t second = fork_count_open(&count, 101, 9);

	cr_assert(first != 0 && second != 0);
	fork_count_take_back(&count, first);
	cr_assert_eq(count.token_count, 1);
	fork_count_take_back(&count, second);
	cr_assert_eq(count.token_count, 0);
}

/* Somebody who waits for the truth. */
struct waiter {
	uint64_t ticket;
	_Atomic bool is_back;
	pthread_t thread;
};

static void *await(void *argument)
{
	struct waiter *waiter = argument;

	fork_count_await(&count, waiter->ticket);
	atomic_store(&waiter->is_back, true);
	return NULL;
}

static void start_waiter(struct waiter *waiter)
{
	waiter->ticket = fork_count_ticket(&count);
	cr_assert_eq(pthread_create(&waiter->thread, NULL, await, waiter), 0);
}

/* Long enough for a waiter that would wrongly come back to be seen. */
static bool is_still_waiting(struct waiter *waiter)
{
	(void)usleep(30000);
	return !atomic_load(&waiter->is_back);
}

Test(fork_count, waits_for_the_look_and_for_older_forks)
{
	struct waiter waiter = { 0 };

	cr_assert(fork_count_open(&count, 101, 9));
	start_waiter(&waiter);
	cr_assert(fork_count_open(&count, 102, 9)); /* younger: not waited for */

	fork_count_close(&count, 101);
	cr_assert(is_still_waiting(&waiter));
	fork_count_looked(&count, waiter.ticket);
	(void)pthread_join(waiter.thread, NULL);
	cr_assert_eq(count.token_count, 1);
}

Test(fork_count, waits_for_a_fork_after_the_look_too)
{
	struct waiter waiter = { 0 };

	cr_assert(fork_count_open(&count, 101, 9));
	start_waiter(&waiter);

	fork_count_looked(&count, waiter.ticket);
	cr_assert(is_still_waiting(&waiter));
	fork_count_born(&count, 101);
	(void)pthread_join(waiter.thread, NULL);
}

Test(fork_count, does_not_take_an_old_look_for_a_new_one)
{
	struct waiter waiter = { 0 };
	uint64_t old = fork_count_ticket(&count);

	start_waiter(&waiter);

	fork_count_looked(&count, old);
	cr_assert(is_still_waiting(&waiter));
	fork_count_looked(&count, waiter.ticket);
	(void)pthread_join(waiter.thread, NULL);
}

Test(fork_count, lets_everybody_go_and_no_fork_through_when_it_is_over)
{
	struct waiter waiters[3] = { 0 };

	cr_assert(fork_count_open(&count, 101, 9));
	for (int i = 0; i < 3; i++) {
		start_waiter(&waiters[i]);
	}

	fork_count_over(&count);

	for (int i = 0; i < 3; i++) {
		(void)pthread_join(waiters[i].thread, NULL);
	}
	cr_assert_not(fork_count_open(&count, 102, 9));
}
