/* What the threads of one supervisor share: for the files of this folder only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_STATE_H
#define CORE_SUPERVISOR_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/notif/notif.h"
#include "core/notif/queue.h"
#include "core/process/domain.h"
#include "core/process/fork_count.h"
#include "core/process/process_index.h"
#include "core/supervisor/dispatch.h"
#include "core/supervisor/tracer.h"

/* More calls than this do not stand received and unanswered, those blocked on purpose aside: every
 * look of the kernel at the listener walks them all under one lock. */
#define STANDING_MAX 64

/* Threads that receive in turns: one that receives, one that stands by, and those whose handler was
 * given up and that have not come back.  A row of which a call is stuck goes to the queue, so only
 * calls of different rows that get stuck at the same time use one up each. */
#define CREW_MAX 8

/* Calls that a handler has said to block; beyond it the answer is EAGAIN. */
#define BLOCKED_MAX 1024

/* Workers whose handler was given up, beyond --workers-max: they run nothing, and cost a stack.
 * With the default of that flag all slots together are a power of two. */
#define STUCK_MAX 184

/* A thread that runs handlers.  handling.h says what the members mean. */
struct worker {
	struct supervisor *supervisor; /* borrowed */
	pthread_t thread;	       /* written by its starter before anybody looks at it */
	bool is_crew;		       /* set once */
	bool blocks;		   /* its own thread only: between worker_block_begin and _end */
	struct exec_request *exec; /* owned; its own thread only; NULL until an exec is judged */
	_Atomic uint64_t handling;
	_Atomic(struct dispatch_entry *) entry; /* written while `handling` is 0 */
	struct notif *notif;			/* likewise; published by `handling` */
};

/* The clock that finds handlers which take too long.  See watch.h. */
struct watch {
	int timer;		       /* owned: timerfd */
	_Atomic unsigned int is_armed; /* 0 or 1: riscv64 exchanges no single bytes */
};

struct crew {
	_Atomic(struct worker *) receiver; /* written by the thread that takes the role */
	_Atomic bool is_relievable; /* if the receiver gets stuck, another can follow and be watched
				     */
	_Atomic uint64_t handovers;
	struct worker members[CREW_MAX]; /* the first `started` exist */
	pthread_mutex_t lock;		 /* guards the members below; nothing is locked under it */
	pthread_cond_t relief;
	unsigned int started;
	unsigned int spare; /* waiting at `relief` to stand by */
	bool has_standby;
	bool is_closing;
};

struct worker_pool {
	unsigned int runnable_max;     /* set once: how many shall run handlers at once */
	unsigned int started_max;      /* set once: --workers-max, 2 at least */
	struct worker *workers;	       /* owned, set once: room for started_max + STUCK_MAX */
	unsigned int blocked_max;      /* set once: one worker stays free of blocked calls */
	_Atomic unsigned int runnable; /* threads that are not away and not parked */
	_Atomic unsigned int blocked;  /* between worker_block_begin and _end */
	_Atomic int away;	       /* those, and the stuck; below 0 for an instant */
	_Atomic unsigned int started;  /* written under .lock: the first of `workers` that exist */
	pthread_mutex_t lock;	       /* guards the members below; nothing is locked under it */
	pthread_cond_t unpark;
	unsigned int parked;	 /* waiting for `unpark` because enough others run */
	unsigned int unpark_due; /* wake-ups given and not yet taken */
	bool is_closing;
	_Atomic unsigned int failures; /* threads that could not be started */
};

struct supervisor {
	struct domain domain; /* set once */
	struct listener listener;
	struct notif_pool *slots; /* owned */
	struct queue *queue;	  /* owned: of struct notif */
	struct dispatch_table table;
	struct process_index *index; /* owned */
	struct fork_count forks;
	struct tracer tracer;
	int service;	   /* owned: an eventfd, readable when supervisor_serve() has work */
	bool always_queue; /* set once: SANDLOCK_DISPATCH=queue */
	_Atomic bool is_stopping;
	bool is_abandoned; /* main only: a thread is stuck for good and may still look at all this
			    */
	struct supervisor *next_abandoned;
	struct watch watch;
	struct crew crew;    /* receives, and runs handlers too */
	_Atomic int failure; /* errno value for which the tree was ended; 0: none */
	struct worker_pool pool;
	uint64_t drop_at;	  /* set once: fault point, the answer that is not sent; 0: none */
	_Atomic uint64_t answers; /* counted for the fault point */
};

#endif
