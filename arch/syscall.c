/* System calls by name: the numbers of each architecture, from one list. */
// SPDX-License-Identifier: Apache-2.0

#include <linux/audit.h>
#include <stddef.h>
#include <string.h>

#include "arch/syscall.h"

/* 16 bits are enough for every number and keep the table within a few cache lines. */
struct syscall_row {
	const char *name;
	int16_t numbers[ARCH_COUNT];
};

static const struct syscall_row rows[SYSCALL_COUNT] = {
#define SYSCALL(name, x86_64, aarch64, riscv64)                                                    \
	[SYSCALL_##name] = { #name, { x86_64, aarch64, riscv64 } },
#include "arch/syscalls.def"
#undef SYSCALL
};

static const struct {
	const char *name;
	uint32_t audit_token;
} archs[ARCH_COUNT] = {
	[ARCH_X86_64] = { "x86_64", AUDIT_ARCH_X86_64 },
	[ARCH_AARCH64] = { "aarch64", AUDIT_ARCH_AARCH64 },
	[ARCH_RISCV64] = { "riscv64", AUDIT_ARCH_RISCV64 },
};

const char *arch_name(enum arch arch)
{
	return archs[arch].name;
}

uint32_t arch_audit_token(enum arch arch)
{
	return archs[arch].audit_token;
}

const char *syscall_name(enum syscall_id id)
{
	return rows[id].name;
}

int syscall_number(enum arch arch, enum syscall_id id)
{
	return rows[id].numbers[arch];
}

int syscall_find(const char *name)
{
	for (int id = 0; id < SYSCALL_COUNT; id++) {
		if (strcmp(rows[id].name, name) == 0) {
			return id;
		}
	}
	return -1;
}

int syscall_find_number(enum arch arch, uint32_t number)
{
	if (number > INT16_MAX) {
		return -1;
	}
	for (int id = 0; id < SYSCALL_COUNT; id++) {
		if (rows[id].numbers[arch] == (int16_t)number) {
			return id;
		}
	}
	return -1;
}
