/* Threads: role, name, signals, and how one that sleeps in the kernel is brought to its end. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/base/thread.h"

struct seen {
	enum thread_role role;
	char name[16];
	sigset_t blocked;
};

static void *look(void *argument)
{
	struct seen *seen = argument;

	seen->role = thread_role();
	(void)pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
	return NULL;
}

Test(thread, has_its_role_and_name_and_takes_no_signals)
{
	struct seen seen;
	pthread_t thread;

	cr_assert_eq(thread_start(THREAD_WORKER, 7, look, &seen, &thread), 0);
	(void)pthread_join(thread, NULL);

	cr_assert_eq(seen.role, THREAD_WORKER);
	cr_assert_str_eq(seen.name, "worker-7");
	cr_assert(sigismember(&seen.blocked, SIGTERM));
	cr_assert(sigismember(&seen.blocked, SIGCHLD));
	cr_assert_eq(thread_role(), THREAD_MAIN);
}

Test(thread, leaves_the_mask_of_its_starter_alone)
{
	struct seen seen;
	sigset_t mask;
	pthread_t thread;

	cr_assert_eq(thread_start(THREAD_RECEIVER, 0, look, &seen, &thread), 0);
	(void)pthread_join(thread, NULL);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);

	cr_assert_not(sigismember(&mask, SIGTERM));
	cr_assert_not(sigismember(&seen.blocked, SIGRTMIN));
}

static atomic_bool is_stopping;

static void *sleep_in_the_kernel(void *argument)
{
	int *ends = argument;
	char byte;

	while (!atomic_load(&is_stopping)) {
		(void)!read(ends[0], &byte, 1);
	}
	return NULL;
}

Test(thread, is_interrupted_in_the_kernel_until_it_has_ended, .timeout = 20)
{
	pthread_t thread;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(thread_start(THREAD_RECEIVER, 0, sleep_in_the_kernel, ends, &thread), 0);
	(void)usleep(10000);
	atomic_store(&is_stopping, true);

	thread_join_interrupting(thread, 5);
}
