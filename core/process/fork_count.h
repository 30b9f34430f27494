/* How many processes a sandbox has, exact at every moment at which somebody asks for one more. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_FORK_COUNT_H
#define CORE_PROCESS_FORK_COUNT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/attributes.h"

/* A fork that was let through and may still fail: it counts until it is known what came of it. */
struct fork_token {
	pid_t tid; /* 0: an orphan, see fork_count_orphan() */
	uint64_t sequence;
};

/* The count is derived: processes that were seen to begin and not yet to end, and forks that are
 * under way.  Any thread may call any function; each holds the lock for a few dozen instructions,
 * but for fork_count_await(), which sleeps. */
struct fork_count {
	pthread_mutex_t lock; /* guards the members below; nothing is locked under it */
	pthread_cond_t settled;
	size_t processes;
	size_t peak;
	struct fork_token *tokens; /* owned */
	size_t token_count;
	size_t token_room;
	uint64_t sequence;	  /* of the last token or ticket */
	uint64_t looked;	  /* the highest ticket that the tracer has looked for */
	bool is_over;		  /* nobody looks any more */
	_Atomic size_t open;	  /* token_count, for a look without the lock */
	_Atomic size_t orphans;	  /* tokens without a thread, for the same */
	_Atomic uint64_t refused; /* forks, for want of room under the limit */
};

void fork_count_init(struct fork_count *count);
void fork_count_finish(struct fork_count *count);

/* A process begins, which thread `parent` has forked (0: none of the sandbox's): its token closes
 * in the same moment. */
void fork_count_born(struct fork_count *count, pid_t parent);
void fork_count_ended(struct fork_count *count);

/* Opens a token for a thread that asks to fork, unless there are `limit` already.  Its sequence, or
 * 0: too many.  So is a token that there is no memory for. */
uint64_t fork_count_open(struct fork_count *count, pid_t tid, size_t limit) nodiscard;
/* The fork that this token was opened for does not happen.  By its sequence: a thread that has been
 * answered may have opened another one. */
void fork_count_take_back(struct fork_count *count, uint64_t sequence);
/* The thread was seen outside of its fork: stopped, asking for something else, or gone. */
void fork_count_close(struct fork_count *count, pid_t tid);

/* For the tracer.  The thread has ended and may have forked before: a token of its own stays open,
 * without it, until somebody has looked for the child and closes all such. */
void fork_count_orphan(struct fork_count *count, pid_t tid);
/* Whether there is one that somebody may be waiting for: one older than the last look. */
bool fork_count_awaits_orphans(struct fork_count *count);
void fork_count_close_orphans(struct fork_count *count);

/* To be exact at the limit: takes a ticket, has the tracer look at what has happened and at every
 * thread with an older token, and waits until it has and they are closed. */
uint64_t fork_count_ticket(struct fork_count *count);
void fork_count_await(struct fork_count *count, uint64_t ticket);

/* For the tracer.  The oldest tokens between two sequences, exclusive, at most `room`: a token
 * after another has the higher sequence. */
size_t fork_count_list(struct fork_count *count, uint64_t after, uint64_t before,
	struct fork_token *tokens, size_t room);
/* For the tracer: what had happened when the ticket was taken is counted. */
void fork_count_looked(struct fork_count *count, uint64_t ticket);
/* Whether it has come to that end. */
bool fork_count_is_over(struct fork_count *count);
/* For the tracer's end: whoever waits goes on, and every later fork is refused. */
void fork_count_over(struct fork_count *count);

#endif
