/* New namespaces by every way in, and the clone flags that hide a task from its parent or its
 * tracer. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "tests/live/guests/act.h"

#define NEWTIME                                                                                    \
	0x80 /* CLONE_NEWTIME: part of the exit signal for clone, so only unshare knows it */
#define ABOVE_32 0xdeadbeef00000000ul

struct flag {
	const char *name;
	unsigned long value;
};

static const struct flag namespaces[] = {
	{ "user", CLONE_NEWUSER },
	{ "mount", CLONE_NEWNS },
	{ "pid", CLONE_NEWPID },
	{ "net", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },
	{ "cgroup", CLONE_NEWCGROUP },
};

static const struct flag hidings[] = {
	{ "untraced", CLONE_UNTRACED },
	{ "parent", CLONE_PARENT },
};

/* In a process of its own, so that a child with CLONE_PARENT becomes a child of this program. */
static int try_clone(void *argument)
{
	unsigned long flags = *(unsigned long *)argument;
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		_exit(0);
	}
	if (pid > 0 && (flags & CLONE_PARENT) == 0) {
		waitpid((pid_t)pid, NULL, 0);
	}
	return pid < 0 ? errno : 0;
}

static int try_clone3(void *argument)
{
	unsigned long flags = *(unsigned long *)argument;
	/* With CLONE_PARENT the exit signal is the parent's choice and must be 0. */
	uint64_t arguments[11] = { flags, 0, 0, 0, (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD };
	long pid = syscall(SYS_clone3, arguments, sizeof(arguments));

	if (pid == 0) {
		_exit(0);
	}
	if (pid > 0 && (arguments[0] & CLONE_PARENT) == 0) {
		waitpid((pid_t)pid, NULL, 0);
	}
	return pid < 0 ? errno : 0;
}

static int try_unshare(void *argument)
{
	return syscall(SYS_unshare, *(unsigned long *)argument) < 0 ? errno : 0;
}

/* Joins the namespace it is in already, by a pidfd: needs no file below /proc. */
static int try_setns(void *argument)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return syscall(SYS_setns, self, *(unsigned long *)argument) < 0 ? errno : 0;
}

static void try_each(const char *verb, const struct flag *flags, size_t count,
	int (*act)(void *argument), unsigned long added)
{
	char name[64];

	for (size_t i = 0; i < count; i++) {
		unsigned long value = flags[i].value | added;

		snprintf(name, sizeof(name), "%s_%s", verb, flags[i].name);
		act_forked(name, act, &value);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0) {
	}
}

static int run_namespaces(int argc, char **argv)
{
	static const struct flag time_namespace[] = { { "time", NEWTIME } };
	static const struct flag joinable[] = { { "uts", CLONE_NEWUTS }, { "net", CLONE_NEWNET } };
	size_t count = ACT_COUNT(namespaces);

	(void)argc;
	(void)argv;
	try_each("clone", namespaces, count, try_clone, 0);
	try_each("clone_high_bits", namespaces, count, try_clone, ABOVE_32);
	try_each("clone3", namespaces, count, try_clone3, 0);
	try_each("unshare", namespaces, count, try_unshare, 0);
	try_each("unshare", time_namespace, 1, try_unshare, 0);
	try_each("setns", joinable, ACT_COUNT(joinable), try_setns, 0);
	return 0;
}

static int run_hidings(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	try_each("clone", hidings, ACT_COUNT(hidings), try_clone, 0);
	try_each("clone_high_bits", hidings, ACT_COUNT(hidings), try_clone, ABOVE_32);
	try_each("clone3", hidings, ACT_COUNT(hidings), try_clone3, 0);
	return 0;
}

/* What must go on working: threads' and fork's own flags, and a table of files of one's own. */
static int run_ordinary(int argc, char **argv)
{
	static const struct flag ordinary[] = { { "fork", 0 }, { "vfork", CLONE_VFORK },
		{ "files", CLONE_FILES } };
	static const struct flag unshared[] = { { "files", CLONE_FILES }, { "fs", CLONE_FS } };

	(void)argc;
	(void)argv;
	try_each("clone", ordinary, ACT_COUNT(ordinary), try_clone, 0);
	try_each("unshare", unshared, ACT_COUNT(unshared), try_unshare, 0);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "namespaces", run_namespaces },
		{ "hidings", run_hidings },
		{ "ordinary", run_ordinary },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}
