/* Memory by measurement: what the tree of a sandbox uses, and who made it too much. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_SAMPLER_H
#define CORE_SUPERVISOR_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Who was killed, for the status record. */
struct sampler_victim {
	pid_t pid;
	char comm[16];
	uint64_t bytes;	     /* its own share when it was killed */
	uint64_t tree_bytes; /* what the tree used then */
};

struct sampler;

/* `keeper` is the process whose descendants are the tree (itself not counted); `limit` in bytes,
 * not 0.  NULL and errno on failure. */
struct sampler *sampler_create(pid_t keeper, uint64_t limit);
void sampler_destroy(struct sampler *sampler);

/* When to call sampler_look() next, in CLOCK_MONOTONIC nanoseconds. */
uint64_t sampler_due(const struct sampler *sampler);

/* Measures; over the limit it kills (SIGKILL) the process that grew most and returns true with
 * *ret_victim filled.  Never blocks for longer than the reading of /proc takes. */
bool sampler_look(struct sampler *sampler, uint64_t now_ns, struct sampler_victim *ret_victim);

/* After a look: 0, or the -errno for which the last looks, all of them, did not see all that is
 * there. Then the limit is not kept, and what it was for should end. */
int sampler_error(const struct sampler *sampler);

/* The most that a look found.  A look that finds the tree below its limit by the upper bound knows
 * no more than that: pages that processes share are counted once for each there. */
uint64_t sampler_peak_bytes(const struct sampler *sampler);
/* With those that had ended and were not reaped yet. */
uint32_t sampler_peak_processes(const struct sampler *sampler);

#endif
