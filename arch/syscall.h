/* System calls by name: the numbers of each architecture, from one list. */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H

#include <stdint.h>

enum arch { ARCH_X86_64, ARCH_AARCH64, ARCH_RISCV64, ARCH_COUNT };

/* arch/syscalls.def: SYSCALL(name, x86_64, aarch64, riscv64), -1 where the architecture lacks it. */
enum syscall_id {
#define SYSCALL(name, x86_64, aarch64, riscv64) SYSCALL_##name,
#include "arch/syscalls.def"
#undef SYSCALL
	SYSCALL_COUNT
};

#endif
