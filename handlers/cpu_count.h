/* CPU count: the number of processors that sched_getaffinity shows inside the sandbox. */
// SPDX-License-Identifier: Apache-2.0
#ifndef HANDLERS_CPU_COUNT_H
#define HANDLERS_CPU_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "core/handler/handler.h"

extern const struct feature cpu_count_feature;

#define CPU_COUNT_MASK_BYTES 1024 /* 8,192 processors: as many as Linux can be built for */

/* Fills the first `count` bits of a mask for a caller that offered `offered` bytes, on a kernel
 * whose own mask takes `kernel_bytes`.  The size of the answer, as sched_getaffinity(2) of a kernel
 * with that many processors would return it; -EINVAL when so many do not fit.  Pure. */
int cpu_count_answer(uint32_t count, uint32_t offered, size_t kernel_bytes,
	unsigned char mask[CPU_COUNT_MASK_BYTES]);

#endif
