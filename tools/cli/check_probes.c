/* What `sandlock check` tries: one probe per kernel feature, each in a process of its own.  A probe
 * makes the real call and then looks whether it had its effect. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/fd.h"
#include "core/plan/landlock_plan.h"
#include "tools/cli/check_probes.h"

/* Exit status of a probe beyond the errno values, which end at 133. */
#define PROBE_WITHOUT_EFFECT 200
#define PROBE_SECONDS	     5

static int try_no_new_privs(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return errno;
	}
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : PROBE_WITHOUT_EFFECT;
}

/* Enters the ruleset and closes it.  0 or an errno. */
static int enter_domain(int ruleset)
{
	int r = try_no_new_privs();

	if (r == 0 && !fault_is_set("landlock-restrict") &&
		syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		r = errno;
	}
	(void)close(ruleset); /* the process ends soon */
	return r;
}

static int try_landlock(void)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };
	int ruleset, r;
	cleanup_close int fd = -1;

	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		policy.protections[i] = PROTECTION_DEGRADABLE;
	}
	r = landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL);
	if (r < 0) {
		return -r;
	}
	ruleset = landlock_plan_create_ruleset(&plan, NULL);
	if (ruleset < 0) {
		return -ruleset;
	}
	r = enter_domain(ruleset);
	if (r != 0) {
		return r;
	}
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 && errno == EACCES ? 0 : PROBE_WITHOUT_EFFECT;
}

static int try_signal_scope(void)
{
	int ruleset = landlock_create_signal_scope(NULL);
	int r;

	if (ruleset < 0) {
		return -ruleset;
	}
	r = enter_domain(ruleset);
	if (r != 0) {
		return r;
	}
	if (kill(getpid(), 0) < 0) {
		return errno;
	}
	return kill(getppid(), 0) < 0 && errno == EPERM ? 0 : PROBE_WITHOUT_EFFECT;
}

/* Installs a filter that answers `action` to getpgid; the listener, 0, or -errno. */
static int install_filter(unsigned int flags, uint32_t action)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(instructions), instructions };
	long r = try_no_new_privs();

	if (r != 0) {
		return (int)-r;
	}
	if (fault_is_set("seccomp-install")) {
		return 0;
	}
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return r < 0 ? -errno : (int)r;
}

static int try_filter(void)
{
	int r = install_filter(0, SECCOMP_RET_ERRNO | ENOTTY);

	if (r < 0) {
		return -r;
	}
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER) {
		return PROBE_WITHOUT_EFFECT;
	}
	return syscall(SYS_getpgid, 0) < 0 && errno == ENOTTY ? 0 : PROBE_WITHOUT_EFFECT;
}

static int try_notification(void)
{
	int listener = install_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_USER_NOTIF);

	return listener < 0 ? -listener : listener == 0 ? PROBE_WITHOUT_EFFECT : 0;
}

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif

static int try_wait_killable(void)
{
	int listener = install_filter(
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		SECCOMP_RET_USER_NOTIF);

	return listener < 0 ? -listener : listener == 0 ? PROBE_WITHOUT_EFFECT : 0;
}

/* A grandchild makes the notified call and gets a descriptor as its result, in one step. */
static int try_inject(void)
{
	int listener = install_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_USER_NOTIF);
	struct seccomp_notif notification = { 0 };
	struct seccomp_notif_addfd answer = { .flags = SECCOMP_ADDFD_FLAG_SEND };
	int status;
	pid_t caller;

	if (listener <= 0) {
		return listener < 0 ? -listener : PROBE_WITHOUT_EFFECT;
	}
	caller = fork();
	if (caller == 0) {
		long fd = syscall(SYS_getpgid, 0);

		_exit(fd >= 0 && fcntl((int)fd, F_GETFD) >= 0 ? 0 : PROBE_WITHOUT_EFFECT);
	}
	if (caller < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0) {
		return errno;
	}
	answer.id = notification.id;
	answer.srcfd = (uint32_t)listener;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &answer) < 0) {
		int failure = errno;

		(void)kill(caller, SIGKILL); /* it would wait for an answer forever */
		return failure;
	}
	return waitpid(caller, &status, 0) == caller && status == 0 ? 0 : PROBE_WITHOUT_EFFECT;
}

/* Begins a process once its tracer is there. */
static void fork_when_told(int go)
{
	char byte;

	if (read(go, &byte, 1) != 1 || fork() < 0) {
		_exit(1);
	}
	_exit(0);
}

/* What the tracer does: it attaches without stopping, and is told of a fork. */
static int try_ptrace(void)
{
	int go[2], status = 0, failure = 0;
	pid_t child;

	if (pipe(go) < 0) {
		return errno;
	}
	child = fork();
	if (child == 0) {
		fork_when_told(go[0]);
	}
	if (child < 0 || ptrace(PTRACE_SEIZE, child, NULL,
				 (void *)(PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL)) < 0) {
		failure = errno;
	} else if (write(go[1], "", 1) != 1 || waitpid(child, &status, __WALL) != child) {
		failure = errno;
	} else if (!WIFSTOPPED(status) || status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8)) {
		failure = PROBE_WITHOUT_EFFECT;
	}
	if (child > 0) {
		(void)kill(child, SIGKILL); /* what it began dies with this process: EXITKILL */
	}
	return failure;
}

/* An orphan must come to us: both our child and its child are ours to reap. */
static int try_subreaper(void)
{
	int ends[2];
	pid_t orphan, reaped;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || pipe(ends) < 0) {
		return errno;
	}
	pid_t child = fork();

	if (child == 0) {
		orphan = fork();
		if (orphan != 0) {
			_exit(write(ends[1], &orphan, sizeof(orphan)) == sizeof(orphan) ? 0 : 1);
		}
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) < 0 ||
		read(ends[0], &orphan, sizeof(orphan)) != sizeof(orphan)) {
		return errno;
	}
	reaped = waitpid(orphan, NULL, 0);
	return reaped == orphan ? 0 : PROBE_WITHOUT_EFFECT;
}

#define FAR_DESCRIPTOR 100

static int try_close_range(void)
{
	if (dup2(STDIN_FILENO, FAR_DESCRIPTOR) < 0 ||
		syscall(SYS_close_range, FAR_DESCRIPTOR, ~0u, 0) < 0) {
		return errno;
	}
	return fcntl(FAR_DESCRIPTOR, F_GETFD) < 0 ? 0 : PROBE_WITHOUT_EFFECT;
}

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int try_pidfd(void)
{
	siginfo_t info = { 0 };
	pid_t child = fork();
	int pidfd;

	if (child == 0) {
		_exit(7);
	}
	pidfd = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
	if (pidfd < 0 || waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0) {
		return errno;
	}
	return info.si_status == 7 ? 0 : PROBE_WITHOUT_EFFECT;
}

static int write_shared(void *word)
{
	*(volatile int *)word = 1;
	return 0;
}

static int try_clone_vm(void)
{
	static char stack[64 * 1024] __attribute__((aligned(64)));
	volatile int word = 0;
	pid_t child = clone(write_shared, stack + sizeof(stack),
		CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, (void *)&word);

	if (child < 0 || waitpid(child, NULL, 0) < 0) {
		return errno;
	}
	return word == 1 ? 0 : PROBE_WITHOUT_EFFECT;
}

static int try_proc_children(void)
{
	char path[64], wanted[16];
	char text[4096] = { 0 };
	cleanup_close int fd = -1;
	pid_t child = fork();
	ssize_t length;
	int failure;

	if (child == 0) {
		(void)pause(); /* until it is killed */
		_exit(0);
	}
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	(void)snprintf(wanted, sizeof(wanted), "%d ", child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	failure = length < 0 ? errno : strstr(text, wanted) == NULL ? PROBE_WITHOUT_EFFECT : 0;
	(void)kill(child, SIGKILL); /* ours, and nothing waits for it */
	return failure;
}

static int try_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) < 0 ? errno : 0;
}

/* The directory of our cgroup below the unified hierarchy; 0 or an errno. */
static int find_own_cgroup(char *ret_path, size_t size)
{
	char line[4096];
	FILE *file = fopen("/proc/self/cgroup", "re");
	int r = ENOENT;

	if (file == NULL) {
		return errno;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "0::/", 4) == 0) {
			line[strcspn(line, "\n")] = '\0';
			r = (size_t)snprintf(ret_path, size, "/sys/fs/cgroup%s", line + 3) < size
				    ? 0
				    : ENAMETOOLONG;
		}
	}
	(void)fclose(file); /* only read */
	return r;
}

/* A group made for the moment shows whether a run could have a memory.max of its own. */
static int try_cgroup(void)
{
	char parent[4200], group[4300], limit[4400];
	int r = find_own_cgroup(parent, sizeof(parent));

	if (r != 0) {
		return r;
	}
	(void)snprintf(group, sizeof(group), "%s/sandlock-check-%d", parent, getpid());
	(void)snprintf(limit, sizeof(limit), "%s/memory.max", group);
	if (mkdir(group, 0700) < 0) {
		return errno;
	}
	r = access(limit, W_OK) < 0 ? errno : 0;
	(void)rmdir(group); /* empty, and ours */
	return r;
}

static const struct check_probe probes[] = {
	{ "no-new-privs", "every run", true, "prctl", "Linux 3.5", try_no_new_privs },
	{ "landlock-restriction", "every run", true, "landlock_*",
		"CONFIG_SECURITY_LANDLOCK=y and `landlock` in the lsm= boot parameter",
		try_landlock },
	{ "signal-scope", "every run but --no-supervisor", true, "landlock_*",
		"Linux 6.12 (Landlock ABI 6)", try_signal_scope },
	{ "seccomp-filter", "every run", true, "seccomp", "CONFIG_SECCOMP_FILTER=y", try_filter },
	{ "subreaper", "every run but --no-supervisor", true, "prctl", "Linux 3.4", try_subreaper },
	{ "clone-vm", "every run but --no-supervisor", true, "clone", "Linux 2.6", try_clone_vm },
	{ "close-range", "every run", true, "close_range", "Linux 5.9", try_close_range },
	{ "pidfd", "every run but --no-supervisor", true, "pidfd_open and waitid", "Linux 5.4",
		try_pidfd },
	{ "proc-children", "-m, -c and peak numbers", false, "openat",
		"CONFIG_PROC_CHILDREN=y and a mounted /proc", try_proc_children },
	{ "user-namespace", "--user", false, "unshare",
		"CONFIG_USER_NS=y and user namespaces permitted (sysctl user.max_user_namespaces, "
		"kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)",
		try_user_namespace },
	{ "cgroup-memory", "memory.max instead of measuring with -m", false, "mkdir",
		"a delegated cgroup v2 with the memory controller", try_cgroup },
	{ "ptrace", "--max-processes, --name and --num-cpus", false, "ptrace",
		"to be traced by nobody yet: neither a debugger nor a sandbox with these options; "
		"and kernel.yama.ptrace_scope below 3",
		try_ptrace },
	{ "seccomp-notify", "--max-processes, --name and --num-cpus", false, "seccomp",
		"Linux 5.0, and no outer sandbox that listens", try_notification },
	{ "seccomp-addfd-send", "no option of this version", false, "seccomp and ioctl",
		"Linux 5.14", try_inject },
	{ "seccomp-wait-killable", "--max-processes, --name and --num-cpus", false, "seccomp",
		"Linux 5.19, and no outer sandbox that listens", try_wait_killable },
};

size_t check_probe_count(void)
{
	return ARRAY_LEN(probes);
}

const struct check_probe *check_probe_at(size_t index)
{
	return &probes[index];
}

/* No probe may get one of the numbers 0 to 2: they are told apart from "nothing" there. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(&fd);
}

struct check_outcome check_probe_run(const struct check_probe *probe)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		(void)signal(SIGALRM, SIG_DFL); /* cannot fail for a valid signal */
		(void)alarm(PROBE_SECONDS);
		fill_standard_descriptors();
		_exit(probe->run());
	}
	while (child >= 0 && waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			child = -1;
		}
	}
	if (child < 0) {
		return (struct check_outcome){ CHECK_FAILED, errno };
	}
	if (WIFSIGNALED(status)) {
		return (struct check_outcome){ CHECK_KILLED, WTERMSIG(status) };
	}
	if (WEXITSTATUS(status) == PROBE_WITHOUT_EFFECT) {
		return (struct check_outcome){ CHECK_WITHOUT_EFFECT, 0 };
	}
	return (struct check_outcome){ WEXITSTATUS(status) == 0 ? CHECK_OK : CHECK_FAILED,
		WEXITSTATUS(status) };
}

void check_outcome_describe(const struct check_outcome *outcome, struct error *ret_text)
{
	switch (outcome->kind) {
	case CHECK_OK:
		(void)error_set(ret_text, 0, "ok"); /* a text, not a failure */
		break;
	case CHECK_FAILED:
		(void)error_set(ret_text, outcome->number, "%s", strerror(outcome->number));
		break;
	case CHECK_WITHOUT_EFFECT:
		(void)error_set(ret_text, EPROTO, "the call succeeds without effect");
		break;
	case CHECK_KILLED:
		(void)error_set(ret_text, EINTR,
			outcome->number == SIGALRM ? "no answer within %d s"
						   : "killed by signal %d",
			outcome->number == SIGALRM ? PROBE_SECONDS : outcome->number);
		break;
	}
}

void check_probe_cure(const struct check_probe *probe, const struct check_outcome *outcome,
	struct error *ret_text)
{
	struct error what = { 0 };
	bool is_refused = outcome->kind == CHECK_KILLED ||
			  (outcome->kind == CHECK_FAILED &&
				  (outcome->number == EPERM || outcome->number == EACCES));

	check_outcome_describe(outcome, &what);
	if (outcome->kind == CHECK_FAILED && outcome->number == E2BIG) {
		(void)error_set(ret_text, E2BIG,
			"%s: %s (16 Landlock domains are the limit: nest fewer)", probe->name,
			what.text);
	} else if (outcome->kind == CHECK_WITHOUT_EFFECT) {
		(void)error_set(ret_text, what.code,
			"%s: %s (this kernel or its emulation only pretends: use a real Linux kernel)",
			probe->name, what.text);
	} else if (is_refused) {
		(void)error_set(ret_text, what.code,
			"%s: %s (a seccomp filter or a security module around this process refuses "
			"it: allow %s, for example in the container's profile)",
			probe->name, what.text, probe->calls);
	} else {
		(void)error_set(ret_text, what.code, "%s: %s (needs %s)", probe->name, what.text,
			probe->needs);
	}
}
