/* What to answer to a notification, and sending it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_NOTIF_REPLY_H
#define CORE_NOTIF_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/notif/notif.h"

enum action_kind {
	ACTION_NEXT,	  /* no opinion; sent as an answer: the kernel runs the call */
	ACTION_ERRNO,	  /* the call fails */
	ACTION_RETURN,	  /* the call succeeds with a value */
	ACTION_INJECT_FD, /* the call answers a descriptor of the task, which gets a copy of ours */
	ACTION_KILL,	  /* the task's process, or the whole tree, is killed */
};

#define ACTION_SLOT_LOWEST -1

/* Made by the functions below only.  Owns `fd`; reply() consumes it. */
struct action {
	enum action_kind kind;
	int error;     /* ACTION_ERRNO: positive */
	int64_t value; /* ACTION_RETURN */
	int fd;	       /* ACTION_INJECT_FD: owned */
	int slot;      /* ACTION_INJECT_FD: where to, or ACTION_SLOT_LOWEST */
	bool cloexec;  /* ACTION_INJECT_FD */
	bool tree;     /* ACTION_KILL: all of it */
	/* ACTION_INJECT_FD: told the number before the task goes on; NULL: nobody needs it. */
	void (*installed)(void *context, int slot);
	void *context; /* borrowed */
};

static inline struct action action_next(void)
{
	return (struct action){ .kind = ACTION_NEXT, .fd = -1 };
}

static inline struct action action_errno(int error)
{
	return (struct action){ .kind = ACTION_ERRNO, .error = error, .fd = -1 };
}

static inline struct action action_return(int64_t value)
{
	return (struct action){ .kind = ACTION_RETURN, .value = value, .fd = -1 };
}

/* `fd` passes to the action.  A file that is open at a chosen slot is replaced, as by dup2(2). */
static inline struct action action_inject_fd(int fd, int slot, bool cloexec)
{
	return (struct action){
		.kind = ACTION_INJECT_FD, .fd = fd, .slot = slot, .cloexec = cloexec
	};
}

static inline struct action action_kill_task(void)
{
	return (struct action){ .kind = ACTION_KILL, .fd = -1 };
}

static inline struct action action_kill_tree(void)
{
	return (struct action){ .kind = ACTION_KILL, .tree = true, .fd = -1 };
}

enum reply_result {
	REPLY_DONE,	 /* the task has our answer */
	REPLY_CONTINUED, /* the kernel runs the call; what it will answer is unknown */
	REPLY_LOST,	 /* the task was gone (ENOENT) */
};

/* Sends the answer and says what became of it.  Whatever fails on the way, the notification is
 * answered, and never by letting the kernel run the call.  When a descriptor cannot be installed
 * the call fails: EMFILE (no slot below RLIMIT_NOFILE is free) and EBADF (the chosen slot is not
 * below it) are the task's own; anything else is EACCES.  action->error tells which.  A killed
 * task's answer is LOST as soon as the kernel has taken notice of the signal, and DONE before. */
enum reply_result reply(
	const struct listener *listener, const struct notif *notif, struct action *action);

#endif
