/* Named groups of system calls that a user may allow or deny as a whole. */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_SYSCALL_GROUPS_H
#define ARCH_SYSCALL_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "arch/syscall.h"

enum syscall_group {
	SYSCALL_GROUP_SYSV_IPC,
	SYSCALL_GROUP_PTRACE,
	SYSCALL_GROUP_PERF,
	SYSCALL_GROUP_IO_URING,
	SYSCALL_GROUP_USERNS,
	SYSCALL_GROUP_UNIX_SOCKETS, /* arguments of socket, no calls: it has no members */
	SYSCALL_GROUP_SCHEDULING,
	SYSCALL_GROUP_COUNT
};

/* What a group is, as --explain and the man page print it. */
struct syscall_group_info {
	const char *name;
	const char *allows;	 /* what allowing it makes possible, a phrase */
	const char *price;	 /* what is lost by allowing it, one sentence */
	const uint16_t *members; /* enum syscall_id, `member_count` of them */
	size_t member_count;
};

/* All pure and thread-safe; everything returned is constant. */

const struct syscall_group_info *syscall_group_get(enum syscall_group group);
/* The group of that name, or -1. */
int syscall_group_find(const char *name);
/* The groups that have the call as a member: a mask of 1u << enum syscall_group. */
uint32_t syscall_groups_of(enum syscall_id id);

#endif
