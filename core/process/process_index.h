/* Thread id to process, for every task of a sandbox.  Lookups take no lock. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PROCESS_INDEX_H
#define CORE_PROCESS_PROCESS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/base/attributes.h"
#include "core/process/process.h"

/* What may run at the same time:
 *
 *                    get, process_put   add, remove   reclaim
 *      get, put            yes              yes          yes
 *      add, remove         yes              no           yes     (one thread: the tracer)
 *      reclaim             yes              yes          no      (one thread: main)
 *      create, destroy: alone.
 *
 * A thread that calls get is registered with RCU (thread_start() does it). */
struct process_index;

struct deferred_signal;

/* What the tracer notes about a thread: its own. */
struct tracee {
	bool is_interrupted; /* PTRACE_INTERRUPT was sent, its stop is due */
	bool is_held;	     /* stopped until the thaw, which lets it go on so: */
	int held_how;	     /* PTRACE_CONT or PTRACE_LISTEN */
	int held_signal;
	long mended_call;  /* number + 1 of a call whose EINTR we took; 0: none */
	long stopped_call; /* number + 1 of a call that a group-stop ended; 0: none */
	struct deferred_signal *deferred; /* owned by the tracer: signals held back, oldest first */
};

/* NULL without memory.  `full` is called, in the thread of whoever retires something, when enough
 * waits to be freed that a reclaim is worth its wait. */
struct process_index *process_index_create(void (*full)(void *context), void *context);
/* Frees what is left; nobody holds a reference. */
void process_index_destroy(struct process_index *index);

/* A task is there: the first of a new process, or another thread of one that is.  Its number is
 * reserved by the kernel until it is removed, because its tracer has not waited for its end.
 * 0, -EEXIST, -ENOMEM, or what task_identify() says. */
int process_index_add(struct process_index *index, pid_t tid) nodiscard;
/* The task is gone.  True when its process has ended with it: when its leader is gone, which the
 * kernel reports last (kernel/exit.c, delay_group_leader). */
bool process_index_remove(struct process_index *index, pid_t tid);

/* For the thread that adds and removes: its notes on a task, NULL if that is not known. */
struct tracee *process_index_tracee(struct process_index *index, pid_t tid);
/* Calls `each` for every task, for the thread that adds and removes; `each` may remove the task
 * that it is given. */
void process_index_each(struct process_index *index,
	void (*each)(void *context, pid_t tid, struct process *process, struct tracee *tracee),
	void *context);

/* The process of a thread, with a reference for the caller; NULL if it is not known, or gone. */
struct process *process_index_get(struct process_index *index, pid_t tid) nodiscard;

/* Processes that have not ended. */
size_t process_index_processes(const struct process_index *index);

/* Waits until no reader can see what was retired before, and frees it. */
void process_index_reclaim(struct process_index *index);

#endif
