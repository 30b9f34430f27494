/* The floor of a notified call: a filter that notifies two numbers, and threads that do nothing but
 * receive and answer them.  No queue, no table, no counters. */
// SPDX-License-Identifier: Apache-2.0
/* usage: notify [-k THREADS] [-s] COMMAND...     -s: the system calls per answer, on stderr */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int listener;

static int install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_getaffinity, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

/* Registers: RECV, SEND.  Memory: RECV, uname, process_vm_writev, SEND. */
static void *answer(void *unused)
{
	struct utsname name;

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
		if (request.data.nr == SYS_uname) {
			struct iovec local = { &name, sizeof(name) };
			struct iovec remote = { (void *)(uintptr_t)request.data.args[0],
				sizeof(name) };

			(void)uname(&name);
			strcpy(name.nodename, "box");
			(void)process_vm_writev((pid_t)request.pid, &local, 1, &remote, 1, 0);
		} else {
			response.error = -EINVAL;
		}
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

int main(int argc, char **argv)
{
	int threads = 1, option, status, ends[2];
	pthread_t thread;
	pid_t pid;
	int number;

	while ((option = getopt(argc, argv, "+k:s")) != -1) {
		if (option == 'k') {
			threads = atoi(optarg);
		} else if (option == 's') {
			fprintf(stderr,
				"register: 2 system calls per answer (RECV, SEND); memory: 4 "
				"(RECV, uname, process_vm_writev, SEND)\n");
		} else {
			return 1;
		}
	}
	if (optind >= argc || pipe2(ends, O_CLOEXEC) < 0) {
		return 1;
	}
	pid = (pid_t)fork();
	if (pid == 0) {
		int fd = install();

		(void)!write(ends[1], &fd, sizeof(fd));
		(void)usleep(50000); /* until the listener was fetched */
		execv(argv[optind], argv + optind);
		_exit(127);
	}
	if (pid < 0 || read(ends[0], &number, sizeof(number)) != sizeof(number) || number < 0) {
		return 1;
	}
	listener = (int)syscall(SYS_pidfd_getfd, (int)syscall(SYS_pidfd_open, pid, 0), number, 0);
	if (listener < 0) {
		perror("pidfd_getfd");
		return 1;
	}
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1ul);
	for (int i = 0; i < threads; i++) {
		if (pthread_create(&thread, NULL, answer, NULL) != 0) {
			return 1;
		}
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
