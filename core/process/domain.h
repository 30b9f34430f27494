/* What features see of the sandbox that a call comes from. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_DOMAIN_H
#define CORE_PROCESS_DOMAIN_H

struct fork_count;
struct listener;
struct plan;
struct process_index;
struct tracer;

/* Everything is set once, before the first notification. */
struct domain {
	const struct plan *plan;	 /* borrowed */
	const struct listener *listener; /* borrowed */
	struct process_index *index;	 /* borrowed: every task, while there is a tracer */
	struct fork_count *forks;	 /* borrowed */
	struct tracer *tracer;		 /* borrowed; NULL: see plan->notify */
};

#endif
