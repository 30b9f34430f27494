/* System calls by name: the numbers of each architecture, from one list. */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H

#include <stdint.h>

enum arch { ARCH_X86_64, ARCH_AARCH64, ARCH_RISCV64, ARCH_COUNT };

/* arch/syscalls.def: SYSCALL(name, x86_64, aarch64, riscv64), -1 where the architecture lacks it.
 */
enum syscall_id {
#define SYSCALL(name, x86_64, aarch64, riscv64) SYSCALL_##name,
#include "arch/syscalls.def"
#undef SYSCALL
	SYSCALL_COUNT
};

#if defined(__x86_64__)
#define ARCH_NATIVE				      ARCH_X86_64
#define SYSCALL_PICK_NATIVE(x86_64, aarch64, riscv64) x86_64
#elif defined(__aarch64__)
#define ARCH_NATIVE				      ARCH_AARCH64
#define SYSCALL_PICK_NATIVE(x86_64, aarch64, riscv64) aarch64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH_NATIVE				      ARCH_RISCV64
#define SYSCALL_PICK_NATIVE(x86_64, aarch64, riscv64) riscv64
#else
#error "sandlock knows x86_64, aarch64 and riscv64"
#endif

enum syscall_native_number {
#define SYSCALL(name, x86_64, aarch64, riscv64)                                                    \
	SYSCALL_NATIVE_##name = SYSCALL_PICK_NATIVE(x86_64, aarch64, riscv64),
#include "arch/syscalls.def"
#undef SYSCALL
};

/* SYS(openat): the number on the processor this is compiled for, a constant expression; negative
 * where it lacks the call.  Independent of the kernel headers of the build machine. */
#define SYS(name) ((int)SYSCALL_NATIVE_##name)

/* All of these are pure and may be called from any thread; the strings are constants. */

const char *arch_name(enum arch arch);
/* The AUDIT_ARCH_* value that the kernel puts into seccomp_data.arch. */
uint32_t arch_audit_token(enum arch arch);

const char *syscall_name(enum syscall_id id);
/* The call's number, or -1 where the architecture lacks it. */
int syscall_number(enum arch arch, enum syscall_id id);
/* The enum syscall_id of a name or of a number, or -1. */
int syscall_find(const char *name);
int syscall_find_number(enum arch arch, uint32_t number);

#endif
