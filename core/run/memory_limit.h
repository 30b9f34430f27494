/* The memory limit of a run: by measurement always, by the kernel where a cgroup is delegated. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_MEMORY_LIMIT_H
#define CORE_RUN_MEMORY_LIMIT_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/run/result.h"

struct memory_limit;

/* Makes the group, if SANDLOCK_CGROUP names a directory for it or one is delegated.  A named
 * directory that does not serve is an error; none at all is not: measurement needs none.  0 or
 * -errno. */
int memory_limit_create(uint64_t bytes, struct memory_limit **ret_limit, struct error *error);
/* In the process that becomes the keeper, before anything is begun there.  0 or -errno. */
int memory_limit_join(const struct memory_limit *limit);
/* Begins to measure what is below the keeper.  0 or -errno with a message. */
int memory_limit_start(struct memory_limit *limit, pid_t keeper, struct error *error);

/* When to look next, in CLOCK_MONOTONIC nanoseconds. */
uint64_t memory_limit_due(const struct memory_limit *limit);
/* Measures, and kills the process that broke the limit; says so on stderr and in the result.  0, or
 * -errno when the limit is not kept because nothing can be measured: see sampler_error(). */
int memory_limit_look(struct memory_limit *limit, uint64_t now_ns, struct result *result);

/* After the end of the tree: peaks and the kernel's own kills into the result.  Frees; NULL is
 * fine, and so is a NULL result. */
void memory_limit_finish(struct memory_limit *limit, struct result *result);

#endif
