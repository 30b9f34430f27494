/* When to look at the memory of a tree again: early enough to be in time, seldom enough to be
 * cheap. Pure arithmetic, all times in nanoseconds. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_SAMPLER_PACE_H
#define CORE_SUPERVISOR_SAMPLER_PACE_H

#include <stdint.h>

#define SAMPLER_PACE_NEVER UINT64_MAX

struct sampler_pace {
	uint64_t limit;		   /* bytes; set once */
	uint64_t bytes_per_second; /* how fast the machine can fill memory; set once */
	uint64_t looked_ns;	   /* when the last look began; 0: none yet */
	uint64_t total;		   /* what it found */
	int64_t credit_ns;	   /* processor time that looks may still take */
};

/* `memory` is what the machine has at all, swap included: a limit that it cannot hold is never
 * broken, and then nobody needs to look. */
void sampler_pace_init(
	struct sampler_pace *pace, uint64_t limit, uint64_t memory, unsigned int processors);

/* The shortest time between two looks. */
uint64_t sampler_pace_minimum(void);

/* The time until the first look. */
uint64_t sampler_pace_first(const struct sampler_pace *pace);

/* A look that began at `now_ns` took `spent_ns` of processor time and found `total` bytes; returns
 * how long after its end the next one is due, or SAMPLER_PACE_NEVER. */
uint64_t sampler_pace_next(
	struct sampler_pace *pace, uint64_t now_ns, uint64_t spent_ns, uint64_t total);

#endif
