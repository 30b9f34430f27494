/* What to answer to a notification, and sending it. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/notif/reply.h"

#define ERRNO_MAXIMUM	   4095
#define SEND_TRIES	   3
#define PIDFD_THREAD_VALUE O_EXCL /* PIDFD_THREAD, Linux 6.9 */

/* -ENOENT means that the task is gone.  EINPROGRESS would mean that somebody else has answered, and
 * EINVAL is the answer to a flag that an older kernel does not know.  After anything else the task
 * would wait for ever, so what is not answered at the last try ends the tree. */
static int send_response(const struct listener *listener, const struct notif *notif, int error,
	int64_t value, uint32_t flags)
{
	/* The kernel may read more than today's struct: the rest is zero. */
	union {
		struct seccomp_notif_resp fields;
		unsigned char bytes[LISTENER_RESPONSE_BYTES];
	} response;

	memset(&response, 0, sizeof(response));
	response.fields.id = notif->id;
	response.fields.error = -error;
	response.fields.val = value;
	response.fields.flags = flags;
	for (int tries = 0; ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0;) {
		int r = -errno;

		if (r == -ENOENT || r == -EINPROGRESS || (r == -EINVAL && flags != 0)) {
			return r;
		}
		if (r != -EINTR && ++tries == SEND_TRIES) {
			listener_fail(listener, -r);
			return r;
		}
	}
	return 0;
}

static enum reply_result send_error(
	const struct listener *listener, const struct notif *notif, int error)
{
	assert(error > 0 && error <= ERRNO_MAXIMUM);
	if (error <= 0 || error > ERRNO_MAXIMUM) {
		error = EPERM;
	}
	return send_response(listener, notif, error, 0, 0) == 0 ? REPLY_DONE : REPLY_LOST;
}

static enum reply_result send_value(
	const struct listener *listener, const struct notif *notif, int64_t value)
{
	return send_response(listener, notif, 0, value, 0) == 0 ? REPLY_DONE : REPLY_LOST;
}

/* A kernel that would refuse the flag answers EINVAL; the call must not hang for that. */
static enum reply_result send_continue(const struct listener *listener, const struct notif *notif)
{
	int r = send_response(listener, notif, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);

	if (r == 0) {
		return REPLY_CONTINUED;
	}
	return r == -ENOENT ? REPLY_LOST : send_error(listener, notif, EPERM);
}

static long add_fd(const struct listener *listener, const struct notif *notif,
	const struct action *action, bool send)
{
	struct seccomp_notif_addfd request = {
		.id = notif->id,
		.srcfd = (uint32_t)action->fd,
		.newfd_flags = action->cloexec ? O_CLOEXEC : 0,
		.flags = send ? SECCOMP_ADDFD_FLAG_SEND : 0,
	};
	int slot;

	if (action->slot != ACTION_SLOT_LOWEST) {
		request.flags |= SECCOMP_ADDFD_FLAG_SETFD;
		request.newfd = (uint32_t)action->slot;
	}
	do {
		slot = ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
	} while (slot < 0 && errno == EINTR);
	return slot < 0 ? -errno : slot;
}

/* With somebody to tell, the file is installed first and the task goes on afterwards; otherwise
 * both happen at once.  A failed install leaves the notification pending: it is answered here. */
static enum reply_result inject_fd(
	const struct listener *listener, const struct notif *notif, struct action *action)
{
	bool at_once = action->installed == NULL;
	long slot = add_fd(listener, notif, action, at_once);

	if (slot == -ENOENT) {
		return REPLY_LOST;
	}
	if (slot < 0) {
		bool is_its_own =
			slot == -EMFILE || (slot == -EBADF && action->slot != ACTION_SLOT_LOWEST);

		action->error = is_its_own ? (int)-slot : EACCES;
		return send_error(listener, notif, action->error);
	}
	if (at_once) {
		return REPLY_DONE;
	}
	action->installed(action->context, (int)slot);
	return send_value(listener, notif, slot);
}

/* The descriptor is opened before the look: if the notification stands then, the number belonged to
 * its task all the while, and the signal cannot reach another. */
static void kill_task(const struct listener *listener, const struct notif *notif)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, notif->tid, PIDFD_THREAD_VALUE);

	if (pidfd < 0) {
		/* Before 6.9 only the first thread of a process has one. */
		pidfd = (int)syscall(SYS_pidfd_open, notif->tid, 0);
	}
	if (!notif_is_valid(listener, notif)) {
		return;
	}
	if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0) {
		/* Without a descriptor to spare, or for a thread on an older kernel.  The signal
		 * scope of this thread keeps it inside the sandbox. */
		(void)syscall(SYS_tkill, notif->tid, SIGKILL); /* ESRCH: gone is as good */
	}
}

static enum reply_result kill_and_answer(
	const struct listener *listener, const struct notif *notif, const struct action *action)
{
	if (action->tree) {
		listener->end_tree(listener->context);
	} else {
		kill_task(listener, notif);
	}
	return send_error(listener, notif, EPERM);
}

enum reply_result reply(
	const struct listener *listener, const struct notif *notif, struct action *action)
{
	enum reply_result result = REPLY_LOST;

	switch (action->kind) {
	case ACTION_NEXT:
		result = send_continue(listener, notif);
		break;
	case ACTION_ERRNO:
		result = send_error(listener, notif, action->error);
		break;
	case ACTION_RETURN:
		result = send_value(listener, notif, action->value);
		break;
	case ACTION_INJECT_FD:
		result = inject_fd(listener, notif, action);
		break;
	case ACTION_KILL:
		result = kill_and_answer(listener, notif, action);
		break;
	}
	fd_close(&action->fd);
	return result;
}
