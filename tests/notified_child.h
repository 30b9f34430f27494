/* A child behind a filter that notifies some numbers, and its listener: for tests and benches that
 * bring a supervisor of their own and need no sandbox. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_NOTIFIED_CHILD_H
#define TESTS_NOTIFIED_CHILD_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOTIFIED_MAX 16

struct notified_child {
	pid_t pid;
	int listener; /* owned */
	int gate;     /* owned: closing it lets the child go on */
};

static inline int notified_filter(const int *numbers, size_t count)
{
	struct sock_filter code[NOTIFIED_MAX + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { (unsigned short)(count + 3), code };

	for (size_t i = 0; i < count; i++) {
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(unsigned int)numbers[i], (unsigned char)(count - i), 0);
	}
	code[count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[count + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

/* The child runs body(context) behind the filter once `gate` is closed, and exits with its answer.
 * At most NOTIFIED_MAX numbers.  .pid is below 0 when that is not possible here. */
static inline struct notified_child notified_child_start(
	const int *numbers, size_t count, int (*body)(void *context), void *context)
{
	struct notified_child child = { -1, -1, -1 };
	int number = -1, up[2], down[2];
	char byte;

	if (pipe(up) < 0 || pipe(down) < 0) {
		return child;
	}
	child.pid = fork();
	if (child.pid == 0) {
		number = notified_filter(numbers, count);
		(void)close(down[1]);
		(void)!write(up[1], &number, sizeof(number));
		(void)!read(down[0], &byte, 1); /* the end of the file */
		(void)close(number);
		_exit(body(context));
	}
	(void)close(up[1]);
	(void)close(down[0]);
	if (child.pid > 0 && read(up[0], &number, sizeof(number)) == sizeof(number) &&
		number >= 0) {
		int pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);

		child.listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
		(void)close(pidfd);
	}
	(void)close(up[0]);
	child.gate = down[1];
	return child;
}

#endif
