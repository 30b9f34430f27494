/* Numbers that no program of today needs: removed calls, calls for one machine only, and numbers
 * that the kernel does not have. */
// SPDX-License-Identifier: Apache-2.0
#include <sys/syscall.h>

#include "tests/live/guests/act.h"

#define ABSENT_KEY 0x5a4c6b21

struct number {
	const char *name;
	long value;
};

static const struct number legacy[] = {
	{ "uselib", 134 },
	{ "sysctl", 156 },
	{ "iopl", 172 },
	{ "ioperm", 173 },
	{ "create_module", 174 },
	{ "get_kernel_syms", 177 },
	{ "query_module", 178 },
	{ "nfsservctl", 180 },
	{ "getpmsg", 181 },
	{ "putpmsg", 182 },
	{ "afs_syscall", 183 },
	{ "tuxcall", 184 },
	{ "security", 185 },
	{ "set_thread_area", 205 },
	{ "get_thread_area", 211 },
	{ "lookup_dcookie", 212 },
	{ "epoll_ctl_old", 214 },
	{ "epoll_wait_old", 215 },
	{ "vserver", 236 },
	{ "keyctl", 250 },
	{ "add_key", 248 },
	{ "request_key", 249 },
	{ "shmget", 29 },
	{ "semget", 64 },
	{ "name_to_handle_at", 303 },
	{ "kcmp_other", 312 },
	{ "map_shadow_stack", 453 },
	{ "listmount", 458 },
	{ "statmount", 457 },
};

/* First and last of ranges that name no call on x86_64. */
static const struct {
	long first, last;
} holes[] = {
	{ 337, 423 },
	{ 600, 1023 },
	{ 0x3ffffff0, 0x3fffffff },
	{ 0x7ffffff0, 0x7fffffff },
};

static int try_number(void *argument)
{
	return syscall(*(const long *)argument, -1, -1, -1, -1, -1, -1) < 0 ? errno : 0;
}

static int run_legacy(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	/* With nonsense this one would make a queue. */
	act_result("msgget", syscall(SYS_msgget, ABSENT_KEY, 0));
	for (size_t i = 0; i < ACT_COUNT(legacy); i++) {
		act_forked(legacy[i].name, try_number, (void *)&legacy[i].value);
	}
	return 0;
}

static int run_holes(int argc, char **argv)
{
	int other = 0;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ACT_COUNT(holes); i++) {
		for (long number = holes[i].first; number <= holes[i].last; number++) {
			other += syscall(number, -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS;
		}
	}
	act_value("answered", other);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "legacy", run_legacy },
		{ "holes", run_holes },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}
