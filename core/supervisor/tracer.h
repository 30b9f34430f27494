/* The tracer: one thread that knows every process from its first instruction to its end, keeps
 * signals from breaking calls that are notified, and ends with everything inside. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_TRACER_H
#define CORE_SUPERVISOR_TRACER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/process/fork_count.h"
#include "core/process/process_index.h"

struct domain;

enum tracer_request_kind {
	TRACER_SETTLE,	 /* look at everything that has happened, and at who forks */
	TRACER_RECEIVED, /* a call of this thread was received, a signal waits for that */
	TRACER_FREEZE,	 /* stop all tasks but this thread */
	TRACER_THAW,
	TRACER_STOP, /* end when nobody is left */
};

/* Owned by the tracer from the post on. */
struct tracer_request {
	struct tracer_request *next;
	enum tracer_request_kind kind;
	uint64_t ticket; /* TRACER_SETTLE, TRACER_FREEZE */
	pid_t tid;	 /* TRACER_RECEIVED, TRACER_FREEZE */
};

struct expected_exec;

/* Of tracer_exec.c. */
struct tracer_execs {
	pthread_mutex_t lock;		/* guards the list; nothing is locked under it */
	struct expected_exec *expected; /* owned */
	_Atomic uint64_t kills;		/* images that were not what was approved */
};

/* Of tracer_freeze.c. */
struct tracer_freeze {
	sem_t turn;		     /* one freeze at a time, from its request to its thaw */
	uint64_t tickets;	     /* of who has the turn */
	struct tracer_request *thaw; /* of who has the turn: made before the freeze */
	bool is_on;		     /* tracer only: tasks that stop are held */
	pid_t except;		     /* tracer only */
	uint64_t asked;	      /* tracer only: the ticket that waits for completion; 0: none */
	pthread_mutex_t lock; /* guards the members below; nothing is locked under it */
	pthread_cond_t changed;
	uint64_t frozen; /* the highest ticket whose freeze was complete */
	bool is_over;
};

struct tracer {
	const struct domain *domain; /* set once; borrowed */
	pid_t root;		     /* set once */
	bool is_portable;	     /* set once: signals are held back, registers left alone */
	bool leaves_signals;	     /* set once: fault point, signals do what they do */
	uint64_t end_after; /* set once: fault point, events until the thread ends; 0: never */
	pthread_t thread;
	bool is_started; /* main only */
	sem_t attached;	 /* posted once */
	int error;	 /* set before `attached` is posted: 0 or -errno of the attachment */
	_Atomic(struct tracer_request *) inbox; /* a stack: pushed by any thread, taken whole */
	struct tracer_request stop;		/* posted once */
	_Atomic bool has_failed;		/* it ended before its time */
	_Atomic size_t deferred;		/* threads with a signal that was held back */
	struct tracer_freeze freeze;
	struct tracer_execs execs;
	bool is_stopping; /* tracer only */
	uint64_t events;  /* tracer only */
};

/* Starts the thread and attaches it to `root`, which is parked before its exec, and to everything
 * that `root` will begin (ptrace(2): PTRACE_SEIZE with TRACEFORK, TRACEVFORK, TRACECLONE, TRACEEXEC
 * and EXITKILL).  Blocks SIGCHLD in the calling thread: the tracer alone takes it, and waits for
 * nothing but tracees of its own.  0 or -errno with a message; tracer_stop() is due in any case. */
int tracer_start(
	struct tracer *tracer, const struct domain *domain, pid_t root, struct error *error);
/* Waits for the end of the thread, which comes when the last tracee is gone. */
void tracer_stop(struct tracer *tracer);

/* For the files of this folder: a request, NULL without memory, and handing it over.  Any thread.
 */
struct tracer_request *tracer_request_create(enum tracer_request_kind kind) nodiscard;
void tracer_post(struct tracer *tracer, struct tracer_request *request);

/* Ends the tree, and the run fails: something that must not be left undone cannot be done.  Any
 * thread. */
void tracer_fail(struct tracer *tracer);

/* Returns when everything that had happened before, forks that were under way included, is counted
 * in domain->forks.  The tracer waits for nobody, so any other thread may wait for it. */
void tracer_settle(struct tracer *tracer);

/* For the receiver, right after RECV: the thread is in this call now and nowhere else. */
void tracer_note_received(struct tracer *tracer, pid_t tid);

#endif
