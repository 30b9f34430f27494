/* CPU throttle: the whole tree runs for a share of each period and is stopped for the rest. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_THROTTLE_H
#define CORE_SUPERVISOR_THROTTLE_H

#include <stdint.h>
#include <sys/types.h>

struct throttle;

/* `percent` 1..99 of one period: 100 ms, longer (2 s at most) for a tree of hundreds of processes.
 * NULL and errno on failure. */
struct throttle *throttle_create(pid_t keeper, uint32_t percent, uint64_t now_ns);
/* Continues whatever it had stopped. */
void throttle_destroy(struct throttle *throttle);

uint64_t throttle_due(const struct throttle *throttle);
/* Stops or continues the tree as the period says.  A process that somebody else stopped (before or
 * during our pause) stays stopped. */
void throttle_step(struct throttle *throttle, uint64_t now_ns);

#endif
