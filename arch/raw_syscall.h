/* System calls without libc: no errno, no thread-local state, no cancellation point.  For code that
 * runs after a raw clone in a copied or shared address space. */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_RAW_SYSCALL_H
#define ARCH_RAW_SYSCALL_H

#include <stddef.h>

/* The kernel's answer: a value, or -errno in -4095..-1.  Register conventions: syscall(2), table
 * "Architecture calling conventions". */
#if defined(__x86_64__)
static inline long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#elif defined(__riscv)
static inline long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}
#else
#error "no system call convention for this processor"
#endif

/* raw_syscall(nr, up to six arguments): pointers and integers alike are passed as long. */
#define RAW_ARGS_(nr, a, b, c, d, e, f, ...)                                                       \
	raw_syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw_syscall(nr, ...) RAW_ARGS_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* clone(2) with a stack of its own: the new task runs function(argument) there and must not return.
 * `stack_top` is 16-byte aligned.  Answers the child's pid in the caller, or -errno.  The argument
 * order of clone differs between processors, but flags and stack come first everywhere. */
static inline long raw_clone(
	unsigned long flags, void *stack_top, void (*function)(void *), void *argument)
{
	void **stack = stack_top;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long result;

	/* The child finds what to do on its own stack: registers of ours may be in use. */
	*--stack = argument;
	*--stack = (void *)function;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "call *%%rax\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "0"(56L), "D"(flags), "S"(stack), "d"(0L), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory", "cc");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = 220;
	register long x0 __asm__("x0") = (long)flags;
	register long x1 __asm__("x1");
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	*--stack = argument;
	*--stack = (void *)function;
	x1 = (long)stack;
	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "ldp x9, x0, [sp], #16\n\t"
			 "blr x9\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "x9", "memory", "cc");
	return x0;
#elif defined(__riscv)
	register long a7 __asm__("a7") = 220;
	register long a0 __asm__("a0") = (long)flags;
	register long a1 __asm__("a1");
	register long a2 __asm__("a2") = 0;
	register long a3 __asm__("a3") = 0;
	register long a4 __asm__("a4") = 0;

	*--stack = argument;
	*--stack = (void *)function;
	a1 = (long)stack;
	__asm__ volatile("ecall\n\t"
			 "bnez a0, 1f\n\t"
			 "ld t0, 0(sp)\n\t"
			 "ld a0, 8(sp)\n\t"
			 "addi sp, sp, 16\n\t"
			 "li s0, 0\n\t"
			 "jalr t0\n\t"
			 "ebreak\n"
			 "1:"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4)
			 : "t0", "memory");
	return a0;
#endif
}

#endif
