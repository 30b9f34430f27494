/* The floor of a supervised run: supervisor, keeper and child with the least work that makes the
 * keeper end everything and, with --listener, the supervisor answer a notified call. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/floor/walls.h"

#define CHILD_STACK_SIZE (64 * 1024)

/* How far the hand-over of the listener has come; keeper and child wait on it. */
enum hand_over { HAND_OVER_NONE, HAND_OVER_INSTALLED, HAND_OVER_DONE };

/* What supervisor and self-test see of the guests of a self-test. */
struct selftest {
	atomic_int leftover; /* pid of a process that the guest leaves behind */
	atomic_int failures;
	bool stay; /* the guest itself stays until it is killed */
};

struct floor {
	struct walls walls;
	char **argv;  /* NULL-terminated; the first names the file */
	int scope_fd; /* owned: the keeper's ruleset */
	pid_t supervisor;
	struct selftest *selftest; /* shared mapping; NULL: run the command */

	/* Shared by keeper and child, which share their memory. */
	_Atomic uint32_t hand_over;
	int listener;
	const char *failed_step;
	int failure;
};

/* What the keeper tells the supervisor at the end. */
struct report {
	int status;  /* as of wait */
	int failure; /* an errno: the command was never run */
	char step[32];
};

static void guest_stay_behind(struct selftest *selftest)
{
	if (fork() == 0) {
		(void)setsid();
		atomic_store(&selftest->leftover, getpid());
		for (;;) {
			(void)pause();
		}
	}
	while (atomic_load(&selftest->leftover) == 0) {
		(void)usleep(1000);
	}
}

static int guest_run(struct floor *floor)
{
	struct selftest *selftest = floor->selftest;

	if (!selftest->stay) {
		atomic_store(&selftest->failures, walls_check(&floor->walls, floor->supervisor));
	}
	guest_stay_behind(selftest);
	while (selftest->stay) {
		(void)pause();
	}
	return 0;
}

static void hand_over_wait(struct floor *floor, uint32_t stage)
{
	uint32_t now;

	while ((now = atomic_load(&floor->hand_over)) < stage) {
		(void)syscall(SYS_futex, &floor->hand_over, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
	}
}

static void hand_over_advance(struct floor *floor, uint32_t stage)
{
	atomic_store(&floor->hand_over, stage);
	(void)syscall(SYS_futex, &floor->hand_over, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Leaves word in the shared memory; the keeper sends it on when it has reaped us. */
static void child_fail(struct floor *floor, const char *step, int failure)
{
	floor->failed_step = step;
	floor->failure = failure;
	floor->listener = -1;
	hand_over_advance(floor, HAND_OVER_INSTALLED);
	_exit(125);
}

static int child_main(void *argument)
{
	struct floor *floor = argument;
	sigset_t none;
	int r;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if ((r = walls_set_no_new_privileges()) < 0) {
		child_fail(floor, "no_new_privs", -r);
	}
	if ((r = walls_drop_capabilities()) < 0) {
		child_fail(floor, "capabilities", -r);
	}
	if ((r = walls_restrict_self(floor->walls.ruleset_fd)) < 0) {
		child_fail(floor, "landlock", -r);
	}
	if ((r = walls_install_filter(&floor->walls)) < 0) {
		child_fail(floor, "filter", -r);
	}
	if (floor->walls.notify) {
		floor->listener = r;
		hand_over_advance(floor, HAND_OVER_INSTALLED);
		hand_over_wait(floor, HAND_OVER_DONE);
	}
	if (floor->selftest != NULL) {
		return guest_run(floor);
	}
	if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_UNSHARE) < 0) {
		child_fail(floor, "close_range", errno);
	}
	execve(floor->argv[0], floor->argv, environ);
	child_fail(floor, "exec", errno);
	return 125;
}

static int send_listener(int socket_fd, int listener)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char byte = 'L';
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(header), &listener, sizeof(listener));
	return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_listener(int socket_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int listener;

	if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) <= 0 ||
		CMSG_FIRSTHDR(&message) == NULL) {
		return -1;
	}
	memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(listener));
	return listener;
}

/* Kills everything in the keeper's signal scope, which is everything that the child began. */
static void end_tree(void)
{
	do {
		(void)kill(-1, SIGKILL);
	} while (wait4(-1, NULL, 0, NULL) > 0);
}

static void on_child(int signal)
{
	(void)signal;
}

static int keeper_enter(struct floor *floor, sigset_t *ret_waiting)
{
	const struct sigaction action = { .sa_handler = on_child };
	sigset_t blocked;
	int r = walls_set_no_new_privileges();

	if (r == 0) {
		r = walls_restrict_self(floor->scope_fd);
	}
	/* The proof that a later kill(-1) ends at the sandbox: who is outside is out of reach. */
	if (r < 0 || kill(floor->supervisor, 0) == 0 || errno != EPERM) {
		return -1;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		return -1;
	}
	/* SIGCHLD is only let in while the keeper sleeps, so that no wake-up is missed. */
	(void)sigaction(SIGCHLD, &action, NULL);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD);
	return sigprocmask(SIG_BLOCK, &blocked, ret_waiting);
}

/* Waits for the command's end, reaps what was orphaned meanwhile and ends what is left. */
static int keeper_wait(int socket_fd, pid_t command, const sigset_t *waiting)
{
	struct pollfd poll_fd = { .fd = socket_fd, .events = POLLIN };
	int command_status = -1;
	int status;
	pid_t pid;

	for (;;) {
		while ((pid = wait4(-1, &status, WNOHANG, NULL)) > 0) {
			if (pid == command) {
				command_status = status;
			}
		}
		if (command_status != -1) {
			break;
		}
		/* The supervisor never writes: a readable socket is a closed one. */
		if (ppoll(&poll_fd, 1, NULL, waiting) > 0) {
			end_tree();
			_exit(125);
		}
	}
	if (pid == 0) {
		end_tree();
	}
	return command_status;
}

static void keeper_main(struct floor *floor, int socket_fd)
{
	static char stack[CHILD_STACK_SIZE] __attribute__((aligned(16)));
	struct report report = { 0 };
	sigset_t waiting;
	pid_t command;

	if (keeper_enter(floor, &waiting) < 0) {
		_exit(125);
	}

	command = clone(child_main, stack + sizeof(stack),
		CLONE_VM | SIGCHLD | (floor->walls.notify ? CLONE_FILES : 0), floor);
	if (command < 0) {
		_exit(125);
	}
	if (floor->walls.notify) {
		hand_over_wait(floor, HAND_OVER_INSTALLED);
		if (floor->listener >= 0) {
			(void)send_listener(socket_fd, floor->listener);
			(void)close(floor->listener);
			hand_over_advance(floor, HAND_OVER_DONE);
		}
	}

	report.status = keeper_wait(socket_fd, command, &waiting);
	report.failure = floor->failure;
	if (floor->failed_step != NULL) {
		(void)stpncpy(report.step, floor->failed_step, sizeof(report.step) - 1);
	}
	(void)send(socket_fd, &report, sizeof(report), MSG_NOSIGNAL);
	_exit(0);
}

static void answer_call(int listener)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp answer = { .val = WALLS_NOTIFIED_ANSWER };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) {
		answer.id = call.id;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

static int supervisor_wait(const struct floor *floor, int socket_fd, struct report *ret_report)
{
	struct pollfd poll_fds[2] = { { socket_fd, POLLIN, 0 }, { -1, POLLIN, 0 } };

	if (floor->walls.notify) {
		poll_fds[1].fd = receive_listener(socket_fd);
		while (poll(poll_fds, 2, -1) > 0 && poll_fds[0].revents == 0) {
			if ((poll_fds[1].revents & POLLIN) != 0) {
				answer_call(poll_fds[1].fd);
			} else {
				/* Nobody is left behind the filter. */
				poll_fds[1].fd = -1;
			}
		}
	}
	return recv(socket_fd, ret_report, sizeof(*ret_report), 0) == sizeof(*ret_report) ? 0 : -1;
}

static int supervisor_run(struct floor *floor)
{
	struct report report;
	int sockets[2];
	int r = walls_prepare(&floor->walls);

	if (r == 0) {
		r = floor->scope_fd = walls_create_signal_scope();
	}
	if (r >= 0) {
		r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0 ? -errno : 0;
	}
	if (r < 0) {
		fprintf(stderr, "start: cannot prepare: %s\n", strerror(-r));
		return 125;
	}

	floor->supervisor = getpid();
	pid_t keeper = fork();

	if (keeper == 0) {
		(void)close(sockets[0]);
		keeper_main(floor, sockets[1]);
	}
	(void)close(sockets[1]);
	r = keeper < 0 ? -1 : supervisor_wait(floor, sockets[0], &report);
	walls_finish(&floor->walls);
	if (r < 0) {
		fprintf(stderr, "start: the keeper did not report\n");
		return 125;
	}
	if (report.failure != 0) {
		fprintf(stderr, "start: %s: %s\n", report.step, strerror(report.failure));
		return report.failure == ENOENT ? 127 : 126;
	}
	return WIFEXITED(report.status) ? WEXITSTATUS(report.status)
					: 128 + WTERMSIG(report.status);
}

/* Waits up to a second until the process is gone, as a zombie or altogether. */
static bool is_gone(pid_t pid)
{
	for (int tries = 0; tries < 1000; tries++) {
		if (kill(pid, 0) < 0 && errno == ESRCH) {
			return true;
		}
		(void)usleep(1000);
	}
	return false;
}

static int selftest_run(struct floor *floor)
{
	struct selftest *selftest = mmap(
		NULL, sizeof(*selftest), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int failures = 0;
	int code;

	floor->selftest = selftest;
	code = supervisor_run(floor);
	failures += atomic_load(&selftest->failures);
	if (code != 0 || !is_gone(atomic_load(&selftest->leftover))) {
		fprintf(stderr, "selftest: failed: the keeper ends what the command left behind\n");
		failures++;
	}

	atomic_store(&selftest->leftover, 0);
	atomic_store(&floor->hand_over, HAND_OVER_NONE);
	selftest->stay = true;
	pid_t supervisor = fork();

	if (supervisor == 0) {
		_exit(supervisor_run(floor));
	}
	while (atomic_load(&selftest->leftover) == 0) {
		(void)usleep(1000);
	}
	(void)kill(supervisor, SIGKILL);
	(void)waitpid(supervisor, NULL, 0);
	if (!is_gone(atomic_load(&selftest->leftover))) {
		fprintf(stderr,
			"selftest: failed: the keeper ends the tree of a dead supervisor\n");
		failures++;
	}
	printf("start%s: %zu instructions, %d checks failed\n",
		floor->walls.notify ? " --listener" : "", floor->walls.filter_count, failures);
	return failures == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct floor floor;
	bool selftest;
	int command = walls_parse(&floor.walls, argc, argv, &selftest);

	if (command < 0) {
		fprintf(stderr,
			"usage: start [--listener] [--private-tmp] [-r PATH] [-w PATH] -- COMMAND\n"
			"       start [--listener] --selftest\n");
		return 125;
	}
	floor.argv = argv + command;
	return selftest ? selftest_run(&floor) : supervisor_run(&floor);
}
