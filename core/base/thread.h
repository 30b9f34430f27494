/* Threads of the supervisor: each has a role and a name, and takes no signals. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_THREAD_H
#define CORE_BASE_THREAD_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/attributes.h"

enum thread_role { THREAD_MAIN, THREAD_RECEIVER, THREAD_WORKER, THREAD_TRACER, THREAD_ROLE_COUNT };

/* Starts a thread that runs function(argument), named after its role and number ("worker-3"), with
 * every signal blocked but the one of thread_interrupt() in a receiver: what is sent to the process
 * goes to the thread that asks for it.  The thread is known to RCU.  0 or -errno (-EAGAIN: too
 * many).  Not before the last fork whose child does more than exec. */
int thread_start(enum thread_role role, unsigned int number, void *(*function)(void *argument),
	void *argument, pthread_t *ret_thread) nodiscard;

/* Waits for the end of a receiver that may sleep in the kernel: for `grace_ms` it is left alone,
 * then its system call is made to return EINTR again and again until it has ended. */
void thread_join_interrupting(pthread_t thread, unsigned int grace_ms);

/* The same up to a moment: false when it has not ended by `give_up_ns`; then it is neither joined
 * nor detached.  A receiver is interrupted from `interrupt_ns` on; UINT64_MAX for any other.  Both
 * by CLOCK_MONOTONIC. */
bool thread_join_until(pthread_t thread, uint64_t interrupt_ns, uint64_t give_up_ns);

/* Of the calling thread; whoever was not started here is THREAD_MAIN. */
enum thread_role thread_role(void);
#define assert_role(role) assert(thread_role() == (role))

#endif
