/* A notified call while it is handled. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_HANDLER_CALL_H
#define CORE_HANDLER_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/attributes.h"
#include "core/notif/notif.h"
#include "core/notif/reply.h"

struct domain;
struct worker;

#define CALL_UNDO_MAX 8

/* Takes one reservation back. */
struct undo {
	void (*run)(void *context);
	void *context; /* borrowed */
};

/* Lives on the stack of the thread that handles it, and belongs to that thread. */
struct call {
	const struct domain *domain; /* borrowed */
	struct worker *worker;	     /* borrowed: the thread, for worker_block_begin() */
	const struct notif *notif;   /* borrowed */
	bool has_read_memory;	     /* a copy of task memory was taken: see enum verdict_class */
	bool is_frozen;		     /* every other task stands still until the answer is sent */
	uint64_t fork_token;	     /* that it has opened in the count of forks; 0: none */
	size_t undo_count;
	struct undo undo[CALL_UNDO_MAX];
};

void call_begin(struct call *call, const struct domain *domain, struct worker *worker,
	const struct notif *notif);

/* Registers what takes a reservation back if the call is refused, or its answer lost.  To be called
 * before the reservation is made, so that it cannot fail half-way.  0, or -ENOSPC. */
int call_undo_add(struct call *call, void (*run)(void *context), void *context) nodiscard;

/* The answer was sent.  Unless the task got what it asked for (or the kernel runs the call), undoes
 * in reverse order. */
void call_end(struct call *call, const struct action *action, enum reply_result result);

#endif
