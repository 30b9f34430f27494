/* The supervisor's threads as a run sees them: opened when the listener arrives, closed when the
 * tree is gone. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/run/doors.h"
#include "core/supervisor/supervisor.h"

ssize_t doors_receive_message(int control, void *buffer, size_t size, int *ret_listener)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} rights;
	struct iovec bytes = { buffer, size };
	struct msghdr header = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &rights,
		.msg_controllen = sizeof(rights),
	};
	ssize_t length = recvmsg(control, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *found = length > 0 ? CMSG_FIRSTHDR(&header) : NULL;

	*ret_listener = -1;
	if (found != NULL && found->cmsg_type == SCM_RIGHTS &&
		found->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(ret_listener, CMSG_DATA(found), sizeof(int));
	}
	return length;
}

void doors_init(struct doors *doors)
{
	*doors = (struct doors){ 0 };
	(void)pthread_mutex_init(&doors->lock, NULL); /* without attributes neither can fail */
	(void)pthread_cond_init(&doors->left, NULL);
}

/* The supervisor, which stays until it is left again; NULL when the doors are closed. */
static struct supervisor *enter(struct doors *doors)
{
	struct supervisor *supervisor = NULL;

	(void)pthread_mutex_lock(&doors->lock);
	if (doors->is_open) {
		doors->visitors++;
		supervisor = doors->supervisor;
	}
	(void)pthread_mutex_unlock(&doors->lock);
	return supervisor;
}

static void leave(struct doors *doors)
{
	(void)pthread_mutex_lock(&doors->lock);
	doors->visitors--;
	(void)pthread_cond_signal(&doors->left);
	(void)pthread_mutex_unlock(&doors->lock);
}

int doors_freeze(struct doors *doors)
{
	struct supervisor *supervisor = enter(doors);
	int r = supervisor != NULL ? supervisor_freeze(supervisor) : -ESRCH;

	if (supervisor != NULL && r < 0) {
		leave(doors);
	}
	return r;
}

void doors_thaw(struct doors *doors)
{
	supervisor_thaw(doors->supervisor);
	leave(doors);
}

int doors_open(struct doors *doors, const struct plan *plan, int listener, pid_t root,
	void (*end_tree)(void *context), void *context)
{
	int r;

	if (listener < 0) {
		end_tree(context);
		return error_set(&doors->error, EMFILE,
			"listener hand-over: no descriptor left for it (see ulimit -n)");
	}
	r = supervisor_start(
		plan, listener, root, end_tree, context, &doors->supervisor, &doors->error);
	if (r >= 0) {
		(void)pthread_mutex_lock(&doors->lock);
		doors->is_open = true;
		(void)pthread_mutex_unlock(&doors->lock);
	}
	return r;
}

/* What they wait for ends with the tree. */
static void await_visitors(struct doors *doors)
{
	(void)pthread_mutex_lock(&doors->lock);
	doors->is_open = false;
	while (doors->visitors > 0) {
		(void)pthread_cond_wait(&doors->left, &doors->lock);
	}
	(void)pthread_mutex_unlock(&doors->lock);
}

int doors_service(const struct doors *doors)
{
	return doors->supervisor != NULL ? supervisor_service(doors->supervisor) : -1;
}

void doors_serve(struct doors *doors)
{
	supervisor_serve(doors->supervisor);
}

/* Each notification that was received had one answer, or the run is not to be trusted. */
static void check_balance(struct doors *doors, const struct result *result)
{
#ifdef SANDLOCK_FAULTS
	for (size_t i = 0; i < result->call_count; i++) {
		const struct call_summary *call = &result->calls[i];

		if (!call_summary_is_balanced(call)) {
			(void)error_set(&doors->error, EPROTO,
				"notifications of system call %d: %llu received, %llu done, %llu "
				"continued, %llu lost",
				call->nr, (unsigned long long)call->received,
				(unsigned long long)call->done, (unsigned long long)call->continued,
				(unsigned long long)call->lost); /* reported by the caller */
		}
	}
#else
	(void)doors;
	(void)result;
#endif
}

void doors_close(struct doors *doors, struct result *result)
{
	if (doors->supervisor == NULL) {
		return;
	}

	await_visitors(doors);
	result->plan_is_in_use = !supervisor_stop(doors->supervisor);
	result->is_counted = supervisor_count_processes(
		doors->supervisor, &result->counted_processes, &result->forks_refused);
	result->call_count = supervisor_summarize(doors->supervisor, result->calls, RESULT_CALLS);
	result->exec_kills = supervisor_exec_kills(doors->supervisor);
	check_balance(doors, result);
	supervisor_tell_failure(doors->supervisor, &doors->error);
	supervisor_destroy(doors->supervisor);
	doors->supervisor = NULL;
}
