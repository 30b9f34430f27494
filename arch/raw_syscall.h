/* System calls without libc: no errno, no thread-local state, no cancellation point.  For code that
 * runs after a raw clone in a copied or shared address space. */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_RAW_SYSCALL_H
#define ARCH_RAW_SYSCALL_H

/* Each gives raw_syscall6(), whose answer is a value, or -errno in -4095..-1, and raw_clone_task().
 */
#if defined(__x86_64__)
#include "arch/x86_64/raw.h"
#elif defined(__aarch64__)
#include "arch/aarch64/raw.h"
#elif defined(__riscv)
#include "arch/riscv64/raw.h"
#else
#error "no system call convention for this processor"
#endif

/* raw_syscall(nr, up to six arguments): pointers and integers alike are passed as long. */
#define RAW_ARGS_(nr, a, b, c, d, e, f, ...)                                                       \
	raw_syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw_syscall(nr, ...) RAW_ARGS_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* clone(2) with a stack of its own: the new task runs function(argument) there and must not return.
 * `stack_top` is 16-byte aligned.  Answers the child's pid in the caller, or -errno. */
static inline long raw_clone(
	unsigned long flags, void *stack_top, void (*function)(void *), void *argument)
{
	void **stack = stack_top;

	/* On the stack, because registers of ours may be in use. */
	*--stack = argument;
	*--stack = (void *)function;
	return raw_clone_task(flags, stack);
}

#endif
