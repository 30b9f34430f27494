/* One notification: received from the kernel into a preallocated slot, valid while its task waits.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_NOTIF_NOTIF_H
#define CORE_NOTIF_NOTIF_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/attributes.h"

#define LISTENER_RESPONSE_BYTES                                                                    \
	256 /* what a reply keeps on its stack: many times of today's 24                           \
	     */

/* The descriptor that notifications of one sandbox arrive on.  Everything is set once. */
struct listener {
	int fd;		     /* owned */
	size_t request_size; /* what RECV may write, at least sizeof(struct seccomp_notif) */
	/* Ends every process of the sandbox, from any thread, without waiting for it. */
	void (*end_tree)(void *context);
	void *context; /* borrowed */
	/* Borrowed, or NULL: gets the errno value for which listener_fail() ended the tree. */
	_Atomic int *failure;
};

/* Takes over `fd`, asks the kernel for the sizes of its structs (SECCOMP_GET_NOTIF_SIZES) and turns
 * synchronous wake-up on where the kernel has it (6.6).  0 or -errno; on failure `fd` is the
 * caller's. */
int listener_init(
	struct listener *listener, int fd, void (*end_tree)(void *context), void *context);
void listener_finish(struct listener *listener);
/* A notification can no longer be received or answered, for a reason on our side: ends the tree, so
 * that nobody waits for ever, and keeps the first error.  Any thread. */
void listener_fail(const struct listener *listener, int error);
/* Whether the last task behind the filter is gone (POLLHUP): nothing will arrive any more. */
bool listener_is_over(const struct listener *listener);

/* The copies below are what handlers look at.  Belongs to the thread that received or popped it. */
struct notif {
	uint64_t id; /* of this listener; never reused */
	pid_t tid;   /* the calling thread; its number may be reused once the id is gone */
	int nr;	     /* system call number */
	uint64_t args[6];
	uint64_t received_ns;	      /* CLOCK_MONOTONIC, right after RECV */
	struct seccomp_notif request; /* last: the kernel may write more than this */
};

/* Waits for a notification (ioctl SECCOMP_IOCTL_NOTIF_RECV, seccomp_unotify(2)).  0; -ENOENT when
 * the task was gone before its notification could be taken, or when the last task has gone: see
 * listener_is_over(); -EINTR; or another -errno, after which the listener is of no use. */
int notif_receive(const struct listener *listener, struct notif *notif) nodiscard;

/* Whether the task still waits for this answer.  What was read of the task before a true answer was
 * read of that task: until then its number cannot have passed to another. */
bool notif_is_valid(const struct listener *listener, const struct notif *notif) nodiscard;

/* Slots, all allocated at creation.  At most `standing` are out at once, so that no more stand
 * received and unanswered in the kernel, whose every look at a listener walks them all; a thread
 * that blocks in a handler lends one more of `spare` for that time.  Any thread, any number. */
struct notif_pool;
struct notif_pool *notif_pool_create(
	const struct listener *listener, size_t standing, size_t spare);
void notif_pool_destroy(struct notif_pool *pool);
/* Sleeps until a slot is free; NULL when none is and the pool was closed. */
struct notif *notif_pool_get(struct notif_pool *pool);
void notif_pool_close(struct notif_pool *pool);
void notif_pool_put(struct notif_pool *pool, struct notif *notif);
void notif_pool_lend(struct notif_pool *pool);
void notif_pool_reclaim(struct notif_pool *pool);

#endif
