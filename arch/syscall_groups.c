/* Named groups of system calls that a user may allow or deny as a whole. */
// SPDX-License-Identifier: Apache-2.0

#include <string.h>

#include "arch/syscall_groups.h"
#include "core/base/attributes.h"

/* POSIX queues stand here too: like the System V objects they live in the IPC namespace of the
 * host, and mq_unlink meets no Landlock right. */
static const uint16_t sysv_ipc[] = {
	SYSCALL_shmget,
	SYSCALL_shmat,
	SYSCALL_shmdt,
	SYSCALL_shmctl,
	SYSCALL_msgget,
	SYSCALL_msgsnd,
	SYSCALL_msgrcv,
	SYSCALL_msgctl,
	SYSCALL_semget,
	SYSCALL_semop,
	SYSCALL_semctl,
	SYSCALL_semtimedop,
	SYSCALL_mq_open,
	SYSCALL_mq_unlink,
};

/* perf_event_open is a member because rr counts the branches of what it records. */
static const uint16_t ptrace_calls[] = {
	SYSCALL_ptrace,
	SYSCALL_process_vm_readv,
	SYSCALL_process_vm_writev,
	SYSCALL_process_madvise,
	SYSCALL_kcmp,
	SYSCALL_pidfd_getfd,
	SYSCALL_perf_event_open,
};

static const uint16_t perf[] = { SYSCALL_perf_event_open };

static const uint16_t io_uring[] = {
	SYSCALL_io_uring_setup,
	SYSCALL_io_uring_enter,
	SYSCALL_io_uring_register,
};

static const uint16_t userns[] = { SYSCALL_unshare, SYSCALL_setns };

static const uint16_t scheduling[] = {
	SYSCALL_sched_setaffinity,
	SYSCALL_sched_setscheduler,
	SYSCALL_sched_setparam,
	SYSCALL_sched_setattr,
	SYSCALL_setpriority,
	SYSCALL_ioprio_set,
};

static const struct syscall_group_info groups[SYSCALL_GROUP_COUNT] = {
	[SYSCALL_GROUP_SYSV_IPC] = {
		"sysv_ipc", "System V shared memory, messages, semaphores, and POSIX queues",
		"These objects belong to the host: the command can use those of every process of the same user.",
		sysv_ipc, ARRAY_LEN(sysv_ipc),
	},
	[SYSCALL_GROUP_PTRACE] = {
		"ptrace", "debugging what runs inside: LeakSanitizer, gdb, rr",
		"Landlock keeps tracing inside the sandbox, but a task inside may control any other one there, "
		"hide children from a tracer outside, switch address randomisation off and count hardware "
		"events.",
		ptrace_calls, ARRAY_LEN(ptrace_calls),
	},
	[SYSCALL_GROUP_PERF] = {
		"perf", "performance counters",
		"perf_event_open is a large kernel interface with a history of holes, and counters are side channels.",
		perf, ARRAY_LEN(perf),
	},
	[SYSCALL_GROUP_IO_URING] = {
		"io_uring", "asynchronous rings",
		"A ring makes sockets, opens files and sends without passing the filter: of the network only "
		"Landlock's TCP rules are left.",
		io_uring, ARRAY_LEN(io_uring),
	},
	[SYSCALL_GROUP_USERNS] = {
		"userns", "namespaces made or entered inside",
		"A user namespace gives all capabilities within it and opens kernel code that only root reaches "
		"otherwise; Landlock still forbids every mount.",
		userns, ARRAY_LEN(userns),
	},
	[SYSCALL_GROUP_UNIX_SOCKETS] = {
		"unix_sockets", "sockets of the UNIX family",
		"Before Landlock ABI 9 nothing polices which socket file is connected to: D-Bus, a container "
		"engine or an agent of the same user is a way out.",
		NULL, 0,
	},
	[SYSCALL_GROUP_SCHEDULING] = {
		"scheduling", "priority and processors of threads named by number, as pthread_setaffinity_np does",
		"The command can slow down or pin every process of the same user, sandlock included.",
		scheduling, ARRAY_LEN(scheduling),
	},
};

const struct syscall_group_info *syscall_group_get(enum syscall_group group)
{
	return &groups[group];
}

int syscall_group_find(const char *name)
{
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		if (strcmp(groups[group].name, name) == 0) {
			return group;
		}
	}
	return -1;
}

uint32_t syscall_groups_of(enum syscall_id id)
{
	uint32_t found = 0;

	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		for (size_t i = 0; i < groups[group].member_count; i++) {
			if (groups[group].members[i] == id) {
				found |= 1u << group;
			}
		}
	}
	return found;
}
