/* What features see of the sandbox that a call comes from. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_DOMAIN_H
#define CORE_PROCESS_DOMAIN_H

struct listener;
struct plan;

/* Everything is set once, before the first notification. */
struct domain {
	const struct plan *plan;	 /* borrowed */
	const struct listener *listener; /* borrowed */
};

#endif
