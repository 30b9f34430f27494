/* Bind and connect ports that Landlock can hold. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_PORT_RULE_H
#define CORE_POLICY_PORT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

struct port_range {
	uint16_t first;
	uint16_t last; /* inclusive, not below first */
};

/* An owned set of TCP ports; `any` means all of them and leaves `ranges` empty. */
struct port_set {
	bool any;
	struct port_range *ranges;
	size_t count;
};

void port_set_finish(struct port_set *set);
#define cleanup_port_set cleanup(port_set_finish)
static inline bool port_set_is_empty(const struct port_set *set)
{
	return !set->any && set->count == 0;
}

/* "80", "8000-8999", "80,443", "*" (alone).  Port 0 means bind(0) only.  Adds to the set; nothing
 * is added when an item is wrong.  `option` names the flag in messages. */
int port_set_add_bind(
	struct port_set *set, const char *option, const char *text, struct error *error);
/* A --net-allow rule of spec/network.md §1.  What Landlock can hold is added: TCP to any host, on
 * ports or on all of them ("tcp://:443", "tcp://:80,443"; a star may stand for the host, and for
 * the ports if it stands alone).  Any other well-formed rule is refused as "not available in this
 * version", a malformed one with the grammar's message. */
int port_set_add_connect(
	struct port_set *set, const char *option, const char *text, struct error *error);

#endif
