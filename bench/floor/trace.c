/* The floor of a traced tree: one thread that does nothing but let every tracee go on, and with -n
 * another that lets every notified fork through.  No index, no count, no look at a signal. */
// SPDX-License-Identifier: Apache-2.0
/* usage: trace [-n] [-s] COMMAND...     -s: the system calls per fork, on stderr */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |     \
		PTRACE_O_EXITKILL)

static int listener;

static int install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 3, 0),
#ifdef SYS_fork
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fork, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vfork, 1, 0),
#else
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

static void *let_through(void *unused)
{
	(void)unused;
	for (;;) {
		struct seccomp_notif request;
		struct seccomp_notif_resp response = { 0 };

		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
			if (errno == EINTR) {
				continue;
			}
			return NULL;
		}
		response.id = request.id;
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

/* Until the first task has ended: its status. */
static int trace(pid_t root)
{
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		int event = WIFSTOPPED(status) ? status >> 16 : 0;
		int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;

		if (!WIFSTOPPED(status)) {
			if (tid == root) {
				return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
			}
		} else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
			(void)ptrace(PTRACE_LISTEN, tid, NULL, NULL);
		} else {
			(void)ptrace(PTRACE_CONT, tid, NULL,
				(void *)(intptr_t)(event == 0 ? signal : 0));
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	bool notifies = false;
	int option, number, up[2], down[2];
	pthread_t thread;
	pid_t pid;

	while ((option = getopt(argc, argv, "+ns")) != -1) {
		if (option == 'n') {
			notifies = true;
		} else if (option == 's') {
			fprintf(stderr, "per fork: 3 waits and 2 resumes (its event, the child's "
					"birth and end); with -n RECV and SEND\n");
		} else {
			return 1;
		}
	}
	if (optind >= argc || pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0) {
		return 1;
	}
	pid = (pid_t)fork();
	if (pid == 0) {
		char byte;
		int fd = notifies ? install() : 0;

		(void)!write(up[1], &fd, sizeof(fd));
		(void)!read(down[0], &byte, 1); /* until it is traced */
		execv(argv[optind], argv + optind);
		_exit(127);
	}
	if (pid < 0 || read(up[0], &number, sizeof(number)) != sizeof(number) || number < 0 ||
		ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) < 0) {
		return 1;
	}
	if (notifies) {
		listener = (int)syscall(
			SYS_pidfd_getfd, (int)syscall(SYS_pidfd_open, pid, 0), number, 0);
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1ul);
		if (listener < 0 || pthread_create(&thread, NULL, let_through, NULL) != 0) {
			return 1;
		}
	}
	(void)!write(down[1], "g", 1);
	return trace(pid);
}
