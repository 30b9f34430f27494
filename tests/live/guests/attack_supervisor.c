/* Acts on processes whose numbers arrive on stdin, a line "NAME PID" each, "go" at the end: what
 * one process can do to another of the same user.  Then waits for the end of stdin. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/live/guests/act.h"

#define NR_PROCESS_MADVISE  440
#define NR_PROCESS_MRELEASE 448
#define ABSENT_USER	    54321
#define TARGETS		    8
#define AMPLE		    (1ul << 30) /* less than no limit, and never reached */

struct target {
	char name[32];
	pid_t pid;
	int pidfd;
};

/* Lowers every soft limit of the target by one: how many of the 16 could be set. */
static int set_limits(pid_t pid)
{
	int count = 0;

	for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
		struct rlimit limit;

		getrlimit(resource, &limit);
		limit.rlim_cur = limit.rlim_cur == RLIM_INFINITY
					 ? AMPLE
					 : limit.rlim_cur - (limit.rlim_cur > 0);
		count += syscall(SYS_prlimit64, pid, resource, &limit, NULL) == 0;
	}
	return count;
}

static int get_limits(pid_t pid)
{
	int count = 0;

	for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
		struct rlimit limit;

		count += syscall(SYS_prlimit64, pid, resource, NULL, &limit) == 0;
	}
	return count;
}

static void report(const char *act, const struct target *target, long result)
{
	char name[96];

	snprintf(name, sizeof(name), "%s_%.31s", act, target->name);
	act_result(name, result);
}

static void try_limits(const struct target *target)
{
	char name[96];

	snprintf(name, sizeof(name), "limits_set_%.31s", target->name);
	act_value(name, set_limits(target->pid));
	snprintf(name, sizeof(name), "limits_get_%.31s", target->name);
	act_value(name, get_limits(target->pid));
	report("prlimit_high_bits", target,
		syscall(SYS_prlimit64, 0xabcd00000000l | target->pid, RLIMIT_CORE,
			&(struct rlimit){ 0, 0 }, NULL));
}

static void try_scheduling(const struct target *target)
{
	static const struct sched_param zero;
	static uint32_t attributes[12] = { 48, SCHED_BATCH };
	unsigned long processors = 1;
	pid_t pid = target->pid;

	report("priority", target, syscall(SYS_setpriority, PRIO_PROCESS, pid, 7));
	report("priority_group", target, syscall(SYS_setpriority, PRIO_PGRP, getpgid(pid), 7));
	report("scheduler", target, syscall(SYS_sched_setscheduler, pid, SCHED_BATCH, &zero));
	report("sched_param", target, syscall(SYS_sched_setparam, pid, &zero));
	report("sched_attributes", target, syscall(SYS_sched_setattr, pid, attributes, 0));
	report("affinity", target, syscall(SYS_sched_setaffinity, pid, 8, &processors));
	report("io_priority", target, syscall(SYS_ioprio_set, 1, pid, (3 << 13) | 0));
	report("io_priority_group", target,
		syscall(SYS_ioprio_set, 2, getpgid(pid), (3 << 13) | 0));
}

/* In a process of its own, whose end lets the target go. */
static int seize(void *argument)
{
	return ptrace(PTRACE_SEIZE, *(pid_t *)argument, 0, 0) < 0 ? errno : 0;
}

static void try_memory(const struct target *target)
{
	char name[96];
	char byte;
	struct iovec local = { &byte, 1 }, remote = { &byte, 1 };
	pid_t pid = target->pid;
	uint64_t event[16] = { (uint64_t)sizeof(event) << 32 | 1 };

	report("migrate_pages", target, syscall(SYS_migrate_pages, pid, 0, NULL, NULL));
	report("move_pages", target, syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0));
	report("madvise", target, syscall(NR_PROCESS_MADVISE, target->pidfd, NULL, 0, 20, 0));
	report("mrelease", target, syscall(NR_PROCESS_MRELEASE, target->pidfd, 0));
	report("vm_read", target, syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0));
	report("vm_write", target, syscall(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0));
	report("kcmp", target, syscall(SYS_kcmp, getpid(), pid, 1, 0, 0));
	report("getfd", target, syscall(SYS_pidfd_getfd, target->pidfd, 0, 0));
	report("perf", target, syscall(SYS_perf_event_open, event, pid, -1, -1, 0));
	snprintf(name, sizeof(name), "seize_%.31s", target->name);
	act_forked(name, seize, &pid);
}

static void try_signals(const struct target *target)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	pid_t pid = target->pid;

	report("kill", target, syscall(SYS_kill, pid, SIGUSR1));
	report("kill_probe", target, syscall(SYS_kill, pid, 0));
	report("kill_stop", target, syscall(SYS_kill, pid, SIGTSTP));
	report("tkill", target, syscall(SYS_tkill, pid, SIGUSR1));
	report("tgkill", target, syscall(SYS_tgkill, pid, pid, SIGUSR1));
	report("sigqueue", target, syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	report("tgsigqueue", target, syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info));
	report("pidfd_signal", target,
		syscall(SYS_pidfd_send_signal, target->pidfd, SIGUSR1, NULL, 0));
	/* Minus one would mean every process there is. */
	if (getpgid(pid) > 1) {
		report("kill_group", target, syscall(SYS_kill, -getpgid(pid), SIGUSR1));
	}
}

/* The kernel sends these by itself, on behalf of who set the owner. */
static void try_owner_signals(const struct target *target)
{
	struct f_owner_ex owner = { F_OWNER_PID, target->pid };
	int ends[2];

	(void)!pipe(ends);
	report("set_owner", target, fcntl(ends[0], F_SETOWN, target->pid));
	fcntl(ends[0], F_SETSIG, SIGUSR2);
	fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	(void)!write(ends[1], "x", 1);
	fcntl(ends[0], F_SETOWN_EX, &owner);
	(void)!write(ends[1], "x", 1);
	close(ends[0]);
	close(ends[1]);
}

/* Joins the target's group, where the session allows it, and signals the group it is then in. */
static int join_and_signal(void *argument)
{
	const struct target *target = argument;

	signal(SIGUSR1, SIG_IGN);
	if (setpgid(0, getpgid(target->pid)) != 0) {
		return errno;
	}
	return kill(0, SIGUSR1) == 0 ? 0 : errno;
}

static size_t read_targets(struct target *targets)
{
	char line[64];
	size_t count = 0;

	while (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "go\n") != 0) {
		if (count < TARGETS &&
			sscanf(line, "%31s %d", targets[count].name, &targets[count].pid) == 2) {
			targets[count].pidfd = (int)syscall(SYS_pidfd_open, targets[count].pid, 0);
			count++;
		}
	}
	return count;
}

/* What must go on working: the same calls on a child of one's own. */
static void try_own_child(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	act_result("own_kill", kill(pid, SIGKILL));
	waitpid(pid, &status, 0);
	act_value("own_child", WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : 0);
	act_result("own_priority", setpriority(PRIO_PROCESS, 0, 1));
	act_value("own_limits_set", set_limits(0));
}

int main(void)
{
	struct target targets[TARGETS];
	size_t count = read_targets(targets);
	char name[96];

	act_result("priority_user", syscall(SYS_setpriority, PRIO_USER, ABSENT_USER, 0));
	act_result("io_priority_user", syscall(SYS_ioprio_set, 3, ABSENT_USER, (2 << 13) | 4));
	for (size_t i = 0; i < count; i++) {
		try_limits(&targets[i]);
		try_scheduling(&targets[i]);
		try_memory(&targets[i]);
		try_signals(&targets[i]);
		try_owner_signals(&targets[i]);
		snprintf(name, sizeof(name), "join_and_signal_%.31s", targets[i].name);
		act_forked(name, join_and_signal, &targets[i]);
	}
	try_own_child();
	(void)!write(1, "done\n", 5);
	while (fgets(name, sizeof(name), stdin) != NULL) {
	}
	return 0;
}
