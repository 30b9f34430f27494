/* Threads of the supervisor: each has a role and a name, and takes no signals. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <urcu/urcu-memb.h>

#include "core/base/clock.h"
#include "core/base/thread.h"

#define NAME_BYTES    16      /* the kernel's limit, with the NUL */
#define INTERRUPT_GAP 1000000 /* nanoseconds between two tries */

static const char *const role_names[THREAD_ROLE_COUNT] = {
	[THREAD_MAIN] = "main",
	[THREAD_RECEIVER] = "receiver",
	[THREAD_WORKER] = "worker",
	[THREAD_TRACER] = "tracer",
};

static _Thread_local enum thread_role current_role = THREAD_MAIN;

struct beginning {
	enum thread_role role;
	unsigned int number;
	void *(*function)(void *argument);
	void *argument;
};

enum thread_role thread_role(void)
{
	return current_role;
}

static void interrupted(int signal)
{
	(void)signal; /* the system call that it ended is all that was wanted */
}

static void name_thread(const struct beginning *beginning)
{
	char name[NAME_BYTES];

	if (beginning->role == THREAD_WORKER) {
		(void)snprintf(name, sizeof(name), "%s-%u", role_names[beginning->role],
			beginning->number); /* a cut name is still one */
	} else {
		(void)snprintf(name, sizeof(name), "%s", role_names[beginning->role]);
	}
	(void)pthread_setname_np(pthread_self(), name); /* for ps(1) and debuggers only */
}

static void *begin(void *memory)
{
	struct beginning beginning = *(struct beginning *)memory;

	free(memory);
	current_role = beginning.role;
	name_thread(&beginning);
	urcu_memb_register_thread();

	void *result = beginning.function(beginning.argument);

	urcu_memb_unregister_thread();
	return result;
}

/* The mask is in force from the thread's first instruction, because it is inherited. */
static int block_signals(enum thread_role role, sigset_t *ret_before)
{
	struct sigaction action = { .sa_handler = interrupted };
	sigset_t blocked;

	(void)sigfillset(&blocked); /* cannot fail */
	if (role == THREAD_RECEIVER) {
		/* No SA_RESTART: the interrupted call shall return. */
		if (sigaction(SIGRTMIN, &action, NULL) < 0) {
			return -errno;
		}
		(void)sigdelset(&blocked, SIGRTMIN);
	}
	return -pthread_sigmask(SIG_SETMASK, &blocked, ret_before);
}

int thread_start(enum thread_role role, unsigned int number, void *(*function)(void *argument),
	void *argument, pthread_t *ret_thread)
{
	struct beginning *beginning = malloc(sizeof(*beginning));
	sigset_t before;
	int r;

	if (beginning == NULL) {
		return -ENOMEM;
	}
	*beginning = (struct beginning){ role, number, function, argument };
	r = block_signals(role, &before);
	if (r < 0) {
		free(beginning);
		return r;
	}
	r = pthread_create(ret_thread, NULL, begin, beginning);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* it was valid before */
	if (r != 0) {
		free(beginning);
	}
	return -r;
}

bool thread_join_until(pthread_t thread, uint64_t interrupt_ns, uint64_t give_up_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t wait_ns = interrupt_ns > now_ns ? interrupt_ns - now_ns : INTERRUPT_GAP;

	for (;;) {
		uint64_t left_ns = give_up_ns > now_ns ? give_up_ns - now_ns : 0;
		uint64_t part_ns = wait_ns < left_ns ? wait_ns : left_ns;
		/* By the wall clock: ThreadSanitizer knows no other form.  A clock that is set back
		 * makes the wait longer for a thread that is stuck, and for no other. */
		struct timespec until = clock_timespec(clock_realtime_ns() + part_ns);

		if (pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT) {
			return true;
		}
		now_ns = clock_monotonic_ns();
		if (now_ns >= give_up_ns) {
			return false;
		}
		if (now_ns >= interrupt_ns) {
			/* A signal that comes just before the system call interrupts nothing: the
			 * next one will.  ESRCH: it has just ended. */
			(void)pthread_kill(thread, SIGRTMIN);
			wait_ns = INTERRUPT_GAP;
		}
	}
}

void thread_join_interrupting(pthread_t thread, unsigned int grace_ms)
{
	(void)thread_join_until(
		thread, clock_monotonic_ns() + (uint64_t)grace_ms * 1000000, UINT64_MAX);
}
