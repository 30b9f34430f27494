/* The few raw helpers that keeper and child share. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHILD_RAW_H
#define CORE_CHILD_RAW_H

#include <asm/unistd.h>
#include <linux/time_types.h>
#include <stdint.h>
#include <time.h>

#include "arch/raw_syscall.h"

/* The kernel's signal set: 64 bits, whatever libc thinks. */
typedef uint64_t raw_sigset;
#define RAW_SIGNAL_BIT(signal) (UINT64_C(1) << ((signal)-1))
#define RAW_SIGNAL_COUNT       64

/* CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t raw_now(void)
{
	struct __kernel_timespec now = { 0 };

	(void)raw_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
