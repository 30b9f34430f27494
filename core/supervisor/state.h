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

/* A thread that runs handlers. */
struct worker {
	struct supervisor *supervisor; /* borrowed */
	pthread_t thread;
	bool blocks;		   /* its own thread only: between worker_block_begin and _end */
	struct exec_request *exec; /* owned; its own thread only; NULL until an exec is judged */
};

struct worker_pool {
	unsigned int runnable_max;     /* set once: how many shall run handlers at once */
	unsigned int started_max;      /* set once: --workers-max */
	struct worker *workers;	       /* owned, set once: room for started_max */
	_Atomic unsigned int runnable; /* threads that are not blocked and not parked */
	pthread_mutex_t lock;	       /* guards the members below; nothing is locked under it */
	pthread_cond_t unpark;
	unsigned int started;
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
	struct worker receiver; /* the receiver runs handlers too */
	struct worker_pool pool;
	uint64_t drop_at;	  /* set once: fault point, the answer that is not sent; 0: none */
	_Atomic uint64_t answers; /* counted for the fault point */
};

#endif
