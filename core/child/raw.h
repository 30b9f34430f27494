/* The few raw helpers that keeper and child share. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHILD_RAW_H
#define CORE_CHILD_RAW_H

#include <asm/unistd.h>
#include <linux/futex.h>
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

/* Sleeps while *word is `value`; returns early for a signal or after `timeout_ns` (0: no limit). */
static inline void raw_futex_wait(uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct __kernel_timespec timeout = {
		.tv_sec = (long long)(timeout_ns / 1000000000),
		.tv_nsec = (long long)(timeout_ns % 1000000000),
	};

	(void)raw_syscall(__NR_futex, word, FUTEX_WAIT, value, timeout_ns > 0 ? &timeout : NULL);
}

/* Writes the word for the others to see, after everything before it, and wakes who sleeps. */
static inline void raw_futex_post(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	(void)raw_syscall(__NR_futex, word, FUTEX_WAKE, 1);
}

#endif
