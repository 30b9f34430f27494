/* The raw calls of arch/raw_syscall.h on riscv64.  Registers: syscall(2), "Architecture calling
 * conventions". */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_RISCV64_RAW_H
#define ARCH_RISCV64_RAW_H

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

/* `stack` points at the function to run and its argument, which the new task pops. */
static inline long raw_clone_task(unsigned long flags, void **stack)
{
	register long a7 __asm__("a7") = 220;
	register long a0 __asm__("a0") = (long)flags;
	register long a1 __asm__("a1") = (long)stack;
	register long a2 __asm__("a2") = 0;
	register long a3 __asm__("a3") = 0;
	register long a4 __asm__("a4") = 0;

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
}

#endif
