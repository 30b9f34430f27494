/* From a system call number to those who are asked. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_DISPATCH_H
#define CORE_SUPERVISOR_DISPATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/handler/call.h"
#include "core/plan/notify_plan.h"
#include "core/supervisor/counters.h"

/* Everything about one number that something is notified of. */
struct dispatch_entry {
	int nr;
	const struct notify_row *rows; /* borrowed from the plan, in the order of asking */
	size_t count;
	bool blocks;		  /* set once: some row may sleep for long */
	_Atomic uint64_t cost_ns; /* recent duration of its handlers */
	_Atomic int away;	  /* calls that are blocked or stuck; below 0 for an instant */
	struct call_counters counters;
};

/* Made from the rows that made the filter, so that the two cannot differ. */
struct dispatch_table {
	struct dispatch_entry *entries; /* owned; ascending by number */
	size_t count;
	struct dispatch_entry *by_number[TRAP_SET_NUMBERS]; /* NULL: nothing is notified */
	struct dispatch_entry stray; /* a number that no row asked for: our mistake, refused */
};

/* 0 or -ENOMEM. */
int dispatch_table_init(struct dispatch_table *table, const struct notify_plan *notify);
void dispatch_table_finish(struct dispatch_table *table);

/* Never NULL. */
struct dispatch_entry *dispatch_find(struct dispatch_table *table, int nr);

/* Asks the rows whose test holds, in order; the first opinion wins, and ACTION_NEXT is none. */
struct action dispatch_ask(const struct dispatch_entry *entry, struct call *call);

#endif
