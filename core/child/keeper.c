/* The keeper: starts the command, reaps what loses its parent, and ends the tree with one call. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/child/keeper.h"
#include "core/child/raw.h"

#define TEARDOWN_NS                                                                                \
	UINT64_C(5000000000) /* a task stuck in the kernel holds a report up so long               \
			      */
#define CHILD_STACK	  65536
#define EXIT_SETUP	  125
#define HAND_OVER_LOOK_NS UINT64_C(10000000)
#define CHILDREN_BUFFER	  4096
#define REAP_BATCH	  64

/* The child's stack while it shares our memory: it lies in the keeper's own copy of the program. */
static char child_stack[CHILD_STACK] __attribute__((aligned(16)));

struct keeper {
	struct launch *launch;
	int control;  /* socket to the supervisor */
	int signals;  /* signalfd for SIGCHLD */
	bool resumed; /* the supervisor receives */
	bool scoped;  /* kill(-1) reaches the sandbox and nothing else */
	pid_t root;
};

static void account(struct run_report *report, const struct rusage *usage)
{
	report->user_us +=
		(uint64_t)usage->ru_utime.tv_sec * 1000000 + (uint64_t)usage->ru_utime.tv_usec;
	report->system_us +=
		(uint64_t)usage->ru_stime.tv_sec * 1000000 + (uint64_t)usage->ru_stime.tv_usec;
	if ((uint64_t)usage->ru_maxrss > report->max_rss_kib) {
		report->max_rss_kib = (uint64_t)usage->ru_maxrss;
	}
	report->minor_faults += (uint64_t)usage->ru_minflt;
	report->major_faults += (uint64_t)usage->ru_majflt;
	report->voluntary_switches += (uint64_t)usage->ru_nvcsw;
	report->involuntary_switches += (uint64_t)usage->ru_nivcsw;
	report->processes_reaped++;
}

/* Sends SIGKILL to each child.  Their children become ours, for the next round.  The list comes
 * from /proc/thread-self/children (proc(5)); a number cut off at the end of the buffer waits for it
 * too. */
static void kill_children(void)
{
	char bytes[CHILDREN_BUFFER];
	long fd = raw_syscall(
		__NR_openat, AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	long length;
	long pid = 0;

	if (fd < 0) {
		return;
	}
	length = raw_syscall(__NR_read, fd, bytes, sizeof(bytes));
	for (long i = 0; i < length; i++) {
		if (bytes[i] >= '0' && bytes[i] <= '9') {
			pid = pid * 10 + (bytes[i] - '0');
		} else if (pid > 0) {
			(void)raw_syscall(__NR_kill, pid, SIGKILL); /* gone is as good */
			pid = 0;
		}
	}
	(void)raw_syscall(__NR_close, fd); /* read only */
}

/* Looks once more before the call that would otherwise end every process of root: process 1 is
 * never inside a sandbox, so a scope that holds refuses even the question.  To other users it
 * answers so anyway; for them the proof is the one that was made when the scope was entered. */
static void kill_tree(bool scoped)
{
	if (scoped && raw_syscall(__NR_kill, 1, 0) == -EPERM) {
		(void)raw_syscall(__NR_kill, -1, SIGKILL); /* ESRCH: nobody left */
	} else {
		kill_children();
	}
}

/* A storm makes orphans as fast as they can be reaped, so killing comes before reaping, and again
 * after a batch.  When nobody is dead yet it sleeps for a fifth of a millisecond: the killed need a
 * processor to die on. */
bool tree_end(bool scoped, struct run_report *report)
{
	uint64_t deadline = raw_now() + TEARDOWN_NS;
	struct __kernel_timespec pause = { .tv_nsec = 200000 };
	struct rusage usage;
	int status;
	long pid = raw_syscall(__NR_wait4, -1, &status, WNOHANG | __WALL | __WNOTHREAD, &usage);

	/* As a subreaper we are the ancestor of everything inside: no child means nothing is left.
	 * Tracees are for the thread that traces them to wait for (__WNOTHREAD). */
	while (pid != -ECHILD) {
		kill_tree(scoped);
		for (int i = 0; pid > 0 && i < REAP_BATCH; i++) {
			account(report, &usage);
			report->left_behind++;
			pid = raw_syscall(
				__NR_wait4, -1, &status, WNOHANG | __WALL | __WNOTHREAD, &usage);
		}
		if (pid != -ECHILD && raw_now() > deadline) {
			return false;
		}
		if (pid == 0) {
			(void)raw_syscall(__NR_nanosleep, &pause, NULL);
			pid = raw_syscall(
				__NR_wait4, -1, &status, WNOHANG | __WALL | __WNOTHREAD, &usage);
		}
	}
	return true;
}

/* Runs on its own stack, in the keeper's memory.  With a listener to hand over it shares the
 * keeper's descriptor table too, until the keeper leaves it. */
static void child_main(void *argument)
{
	const struct launch *launch = argument;

	child_become_command(launch);
	(void)raw_syscall(__NR_exit_group, EXIT_SETUP);
}

__attribute__((noreturn)) static void keeper_exit(const struct keeper *keeper)
{
	/* A supervisor that is gone needs no report. */
	(void)raw_syscall(__NR_sendto, keeper->control, keeper->launch->report,
		sizeof(*keeper->launch->report), MSG_NOSIGNAL, NULL, 0);
	(void)raw_syscall(__NR_exit_group, 0);
	__builtin_unreachable();
}

__attribute__((noreturn)) static void keeper_fail(
	const struct keeper *keeper, uint32_t step, long error)
{
	struct run_report *report = keeper->launch->report;

	report->stage = REPORT_FAILED;
	report->step = step;
	report->error = (int32_t)-error;
	report->complete = true;
	keeper_exit(keeper);
}

/* A domain of its own that scopes signals, and the proof that it does: the supervisor, which is
 * outside, can no longer be signalled. */
static long enter_scope(struct keeper *keeper)
{
	long supervisor = raw_syscall(__NR_getppid);
	long r;

	if (keeper->launch->scope_fd < 0) {
		return 0;
	}
	r = raw_syscall(__NR_landlock_restrict_self, keeper->launch->scope_fd, 0);
	if (r < 0) {
		return r;
	}
	if (supervisor > 0 && raw_syscall(__NR_kill, supervisor, 0) == 0) {
		return -EPROTO;
	}
	keeper->scoped = true;
	return 0;
}

static void keeper_start(struct keeper *keeper)
{
	struct launch *launch = keeper->launch;
	raw_sigset all = ~(raw_sigset)0;
	unsigned long flags = CLONE_VM | SIGCHLD;
	long r;

	/* Blocked for the child too, until it resets its mask: a signal of the terminal must not
	 * end it half-way. */
	(void)raw_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	(void)raw_syscall(__NR_prctl, PR_SET_NAME, "sandlock-keeper"); /* for ps(1) only */
	r = raw_syscall(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (r == 0) {
		r = raw_syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	}
	if (r == 0) {
		r = enter_scope(keeper);
	}
	if (r < 0) {
		keeper_fail(keeper, REPORT_STEP_KEEPER, r);
	}
	if (launch->plan->has_user) {
		flags |= CLONE_NEWUSER;
	}
	if (launch->hand_over != NULL) {
		/* Above the standard streams, which the child replaces in the shared table. */
		r = raw_syscall(__NR_fcntl, launch->control_fd, F_DUPFD_CLOEXEC, 3);
		if (r < 0) {
			keeper_fail(keeper, REPORT_STEP_HAND_OVER, r);
		}
		launch->control_fd = (int)r;
		flags |= CLONE_FILES;
	}
	keeper->control = launch->control_fd;
	keeper->root =
		(pid_t)raw_clone(flags, child_stack + sizeof(child_stack), child_main, launch);
	if (keeper->root < 0) {
		keeper_fail(keeper, REPORT_STEP_KEEPER, keeper->root);
	}
	launch->report->root = keeper->root;
}

/* After the clone: the keeper lets go of everything that it inherited, so that no pipe or lock of
 * the caller stays open for its sake. */
static void keeper_detach(struct keeper *keeper)
{
	raw_sigset child_signal = RAW_SIGNAL_BIT(SIGCHLD);
	long r;

	r = raw_syscall(__NR_dup3, keeper->control, 0, O_CLOEXEC);
	if (r >= 0) {
		r = raw_syscall(__NR_close_range, 1, ~0u, 0);
	}
	if (r >= 0) {
		r = raw_syscall(__NR_signalfd4, -1, &child_signal, sizeof(child_signal),
			SFD_CLOEXEC | SFD_NONBLOCK);
	}
	if (r < 0) {
		(void)tree_end(keeper->scoped, keeper->launch->report);
		keeper_fail(keeper, REPORT_STEP_KEEPER, r);
	}
	keeper->control = 0;
	keeper->signals = (int)r;
	if (keeper->launch->own_session) {
		/* A session is an autogroup of the scheduler: a storm of tasks inside does not keep
		 * the keeper from its processor (sched(7)). */
		(void)raw_syscall(
			__NR_setsid); /* EPERM: it leads a group already, which is harmless */
	}
}

static void send_event(const struct keeper *keeper, uint32_t kind, int value)
{
	struct keeper_message message = { kind, value };

	/* A supervisor that is gone is noticed in the loop. */
	(void)raw_syscall(
		__NR_sendto, keeper->control, &message, sizeof(message), MSG_NOSIGNAL, NULL, 0);
}

static bool child_is_dead(const struct keeper *keeper)
{
	siginfo_t info;

	info.si_pid = 0; /* the whole would be cleared by a call of libc's */
	/* It stays to be reaped by the loop. */
	(void)raw_syscall(__NR_waitid, P_PID, keeper->root, &info,
		WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);
	return info.si_pid == keeper->root;
}

/* Leaves a dead command unreaped until the supervisor has looked at what /proc still says of it.
 * Requests that come meanwhile concern a tree that is about to end. */
static void announce_end(const struct keeper *keeper)
{
	struct keeper_message message = { 0 };

	if (!child_is_dead(keeper)) {
		return;
	}
	send_event(keeper, KEEPER_ROOT_ENDING, keeper->root);
	while (message.kind != KEEPER_MAY_REAP &&
		raw_syscall(__NR_recvfrom, keeper->control, &message, sizeof(message), 0, NULL,
			NULL) == (long)sizeof(message)) {
	}
}

enum reaped { REAPED_ALL, REAPED_SOME, REAPED_ROOT };

/* Reaps what is dead, but no more than a batch: a storm makes orphans as fast as they are reaped,
 * and a request must not wait for its end. */
static enum reaped reap(const struct keeper *keeper)
{
	struct run_report *report = keeper->launch->report;
	struct signalfd_siginfo drained;
	struct rusage usage;
	int status;
	long pid;

	(void)raw_syscall(
		__NR_read, keeper->signals, &drained, sizeof(drained)); /* EAGAIN is fine */
	if (keeper->launch->announces_end) {
		announce_end(keeper);
	}
	for (int i = 0; i < REAP_BATCH; i++) {
		pid = raw_syscall(__NR_wait4, -1, &status, WNOHANG | WUNTRACED | __WALL, &usage);
		if (pid <= 0) {
			return REAPED_ALL;
		}
		if (WIFSTOPPED(status)) {
			if (pid == keeper->root) {
				send_event(keeper, KEEPER_ROOT_STOPPED, WSTOPSIG(status));
			}
			continue;
		}
		account(report, &usage);
		if (pid == keeper->root) {
			report->exit_ns = raw_now();
			report->status = status;
			report->root_ended = true;
			return REAPED_ROOT;
		}
	}
	return REAPED_SOME;
}

static void send_signal(const struct keeper *keeper, uint32_t kind, int signal)
{
	if (kind == KEEPER_SIGNAL_TREE && keeper->scoped &&
		raw_syscall(__NR_kill, 1, 0) == -EPERM) {
		(void)raw_syscall(__NR_kill, -1, signal); /* ESRCH: nobody left, which is as good */
		return;
	}
	/* The group is the nearest thing to the tree without scopes.  Before the child has made it,
	 * the signal waits at the child itself, blocked until just before exec. */
	if (raw_syscall(__NR_kill, -keeper->root, signal) == -ESRCH) {
		(void)raw_syscall(__NR_kill, keeper->root, signal);
	}
}

/* True while the supervisor is there. */
static bool serve_request(struct keeper *keeper)
{
	struct keeper_message message;
	long length = raw_syscall(__NR_recvfrom, keeper->control, &message, sizeof(message),
		MSG_DONTWAIT, NULL, NULL);

	if (length == -EAGAIN || length == -EINTR) {
		return true;
	}
	if (length != (long)sizeof(message)) {
		return false;
	}
	if (message.kind == KEEPER_RESUME) {
		keeper->resumed = true;
	} else {
		send_signal(keeper, message.kind, message.value);
	}
	return true;
}

/* The listener's number in the shared table; -ECHILD when the child will have none, -EPIPE when the
 * supervisor is gone.  A child that is killed wakes nobody, so now and then we look. */
static long await_listener(struct keeper *keeper)
{
	uint32_t *word = &keeper->launch->hand_over->listener;
	uint32_t seen;

	while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) == HAND_OVER_NOTHING) {
		raw_futex_wait(word, HAND_OVER_NOTHING, HAND_OVER_LOOK_NS);
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != HAND_OVER_NOTHING) {
			continue;
		}
		if (!serve_request(keeper)) {
			return -EPIPE;
		}
		if (child_is_dead(keeper)) {
			return -ECHILD;
		}
	}
	return seen == HAND_OVER_FAILED ? -ECHILD : (long)seen - HAND_OVER_NUMBER;
}

static long send_listener(const struct keeper *keeper, int fd)
{
	struct keeper_message message = { KEEPER_LISTENER, keeper->root };
	struct iovec bytes = { &message, sizeof(message) };
	/* Laid out by hand: CMSG_FIRSTHDR and its kin may call into libc. */
	struct {
		struct cmsghdr header;
		int fd;
	} rights = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
		.fd = fd,
	};
	struct msghdr header;
	long r;

	/* One by one: an initializer for the whole may become a call of memset. */
	header.msg_name = NULL;
	header.msg_namelen = 0;
	header.msg_iov = &bytes;
	header.msg_iovlen = 1;
	header.msg_control = &rights;
	header.msg_controllen = sizeof(rights);
	header.msg_flags = 0;
	r = raw_syscall(__NR_sendmsg, keeper->control, &header, MSG_NOSIGNAL);

	return r < 0 ? r : 0;
}

/* Gives the listener away and lets the child go on when somebody receives.  False when the
 * supervisor is gone.  Until the end the table is shared: our close is the child's too, so nobody
 * inside ever holds the listener; then we leave the table to the child. */
static bool hand_over_listener(struct keeper *keeper)
{
	struct launch *launch = keeper->launch;
	struct pollfd source = { .fd = keeper->control, .events = POLLIN };
	long fd = await_listener(keeper);
	long r = fd;

	if (fd >= 0) {
		r = send_listener(keeper, (int)fd);
		(void)raw_syscall(__NR_close, fd); /* our only copy */
	}
	while (r >= 0 && !keeper->resumed) {
		(void)raw_syscall(__NR_ppoll, &source, 1, NULL, NULL, 0);
		if (!serve_request(keeper)) {
			r = -EPIPE;
		}
	}
	if (r == -EPIPE || r == -ECONNRESET) {
		return false;
	}
	if (r >= 0) {
		r = child_limit_open_files(launch, keeper->root);
		r = r == -ESRCH ? 0 : r; /* it was killed meanwhile: the loop will see it */
	}
	if (r >= 0 || r == -ECHILD) {
		long left = raw_syscall(
			__NR_close_range, keeper->control + 1, ~0u, CLOSE_RANGE_UNSHARE);

		r = left < 0 ? left : 0;
	}
	if (r < 0) {
		(void)tree_end(keeper->scoped, launch->report);
		keeper_fail(keeper, REPORT_STEP_HAND_OVER, r);
	}
	raw_futex_post(&launch->hand_over->resumed, 1);
	return true;
}

void keeper_run(struct launch *launch)
{
	struct keeper keeper = { .launch = launch, .control = launch->control_fd };
	struct __kernel_timespec no_time = { 0 };
	struct pollfd sources[2];

	launch->keeper = (pid_t)raw_syscall(__NR_getpid);
	keeper_start(&keeper);
	if (launch->hand_over != NULL && !hand_over_listener(&keeper)) {
		launch->report->complete = tree_end(keeper.scoped, launch->report);
		keeper_exit(&keeper);
	}
	keeper_detach(&keeper);
	if (launch->announces_start) {
		send_event(&keeper, KEEPER_ROOT_STARTED, keeper.root);
	}

	sources[0] = (struct pollfd){ .fd = keeper.signals, .events = POLLIN };
	sources[1] = (struct pollfd){ .fd = keeper.control, .events = POLLIN };
	for (;;) {
		/* The command may have ended before the signal descriptor was there: look first. */
		enum reaped reaped = reap(&keeper);

		if (reaped == REAPED_ROOT) {
			break;
		}
		(void)raw_syscall(__NR_ppoll, sources, ARRAY_LEN(sources),
			reaped == REAPED_SOME ? &no_time : NULL, NULL, 0);
		if (sources[1].revents != 0 && !serve_request(&keeper)) {
			break;
		}
	}
	launch->report->complete = tree_end(keeper.scoped, launch->report);
	keeper_exit(&keeper);
}
