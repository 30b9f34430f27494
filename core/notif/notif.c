/* One notification: received from the kernel into a preallocated slot, valid while its task waits.
 */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/notif/notif.h"
#include "core/notif/queue.h"

/* Linux 6.6; the headers of the build machine may be older. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define SLOT_ALIGNMENT 64 /* a cache line: two threads never write into one */

struct notif_pool {
	struct queue *unused; /* what may be taken */
	struct queue *spare;  /* what may be lent */
	_Atomic size_t owed;  /* slots that were lent and go back to `spare` when they come in */
	unsigned char *slots; /* owned: all of them */
};

int listener_init(struct listener *listener, int fd, void (*end_tree)(void *context), void *context)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) {
		return -errno;
	}
	if (sizes.seccomp_notif_resp > LISTENER_RESPONSE_BYTES) {
		return -EOVERFLOW;
	}
	*listener = (struct listener){
		.fd = fd,
		.request_size = sizes.seccomp_notif,
		.end_tree = end_tree,
		.context = context,
	};
	if (listener->request_size < sizeof(struct seccomp_notif)) {
		listener->request_size = sizeof(struct seccomp_notif);
	}
	/* The waker hands its processor to the woken, which spares a caller and its answerer a way
	 * over another processor.  An older kernel refuses, and works as before. */
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return 0;
}

void listener_finish(struct listener *listener)
{
	fd_close(&listener->fd);
}

void listener_fail(const struct listener *listener, int error)
{
	int none = 0;

	if (listener->failure != NULL) {
		(void)atomic_compare_exchange_strong(
			listener->failure, &none, error); /* the first is the reason */
	}
	listener->end_tree(listener->context);
}

bool listener_is_over(const struct listener *listener)
{
	struct pollfd source = { .fd = listener->fd, .events = POLLIN };

	return poll(&source, 1, 0) > 0 && (source.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 &&
	       (source.revents & POLLIN) == 0;
}

int notif_receive(const struct listener *listener, struct notif *notif)
{
	/* The kernel refuses a request that is not zero (EINVAL). */
	memset(&notif->request, 0, listener->request_size);
	if (ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_RECV, &notif->request) < 0) {
		return -errno;
	}
	notif->received_ns = clock_monotonic_ns();
	notif->id = notif->request.id;
	notif->tid = (pid_t)notif->request.pid;
	notif->nr = notif->request.data.nr;
	memcpy(notif->args, notif->request.data.args, sizeof(notif->args));
	return 0;
}

bool notif_is_valid(const struct listener *listener, const struct notif *notif)
{
	return ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &notif->id) == 0;
}

static size_t slot_size(const struct listener *listener)
{
	size_t size = offsetof(struct notif, request) + listener->request_size;

	return (size + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
}

static void put_into(struct queue *queue, struct notif *notif)
{
	bool fits = queue_push(queue, notif);

	assert(fits); /* each queue has room for every slot */
	(void)fits;
}

struct notif_pool *notif_pool_create(const struct listener *listener, size_t standing, size_t spare)
{
	struct notif_pool *pool = calloc(1, sizeof(*pool));
	size_t size = slot_size(listener);

	if (pool == NULL) {
		return NULL;
	}
	pool->unused = queue_create(standing + spare);
	pool->spare = queue_create(standing + spare);
	pool->slots = aligned_alloc(SLOT_ALIGNMENT, (standing + spare) * size);
	if (pool->unused == NULL || pool->spare == NULL || pool->slots == NULL) {
		notif_pool_destroy(pool);
		return NULL;
	}
	for (size_t i = 0; i < standing + spare; i++) {
		put_into(i < standing ? pool->unused : pool->spare,
			(struct notif *)(void *)(pool->slots + i * size));
	}
	return pool;
}

void notif_pool_destroy(struct notif_pool *pool)
{
	if (pool != NULL) {
		queue_destroy(pool->unused);
		queue_destroy(pool->spare);
		free(pool->slots);
		free(pool);
	}
}

struct notif *notif_pool_get(struct notif_pool *pool)
{
	return queue_pop(pool->unused, UINT64_MAX);
}

void notif_pool_close(struct notif_pool *pool)
{
	queue_close(pool->unused);
}

/* Takes one off the debt; false when there is none. */
static bool settle_one(struct notif_pool *pool)
{
	size_t owed = atomic_load(&pool->owed);

	while (owed > 0) {
		if (atomic_compare_exchange_weak(&pool->owed, &owed, owed - 1)) {
			return true;
		}
	}
	return false;
}

void notif_pool_put(struct notif_pool *pool, struct notif *notif)
{
	put_into(settle_one(pool) ? pool->spare : pool->unused, notif);
}

void notif_pool_lend(struct notif_pool *pool)
{
	struct notif *notif;

	/* A slot that is still owed need not go back first. */
	if (settle_one(pool)) {
		return;
	}
	notif = queue_try_pop(pool->spare);
	if (notif != NULL) {
		put_into(pool->unused, notif);
	}
}

void notif_pool_reclaim(struct notif_pool *pool)
{
	atomic_fetch_add(&pool->owed, 1);
}
