/* Signals that were taken from a tracee, to be given back later. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_DEFERRED_SIGNAL_H
#define CORE_SUPERVISOR_DEFERRED_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

#include "core/base/attributes.h"

/* The oldest comes first.  A list belongs to the tracer's thread. */
struct deferred_signal {
	struct deferred_signal *next; /* owned */
	siginfo_t info;
	bool is_sent; /* again, by us: a stop is due in which it can be what it was */
};

/* Behind all others.  0 or -ENOMEM. */
int deferred_signal_add(struct deferred_signal **list, const siginfo_t *info) nodiscard;

/* The place of the oldest of one number, which holds NULL if there is none: between equal signals
 * the order is kept.  It stays valid until something is taken. */
struct deferred_signal **deferred_signal_find(struct deferred_signal **list, int signal);

/* Frees the one in this place; the next takes it. */
void deferred_signal_take(struct deferred_signal **place);

#endif
