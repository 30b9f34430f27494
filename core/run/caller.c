/* What the calling process becomes for the time of a run: a supervisor. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/run/caller.h"

/* What a terminal, a shell or a job scheduler sends to the program that it knows: us. */
static const int forwarded_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

/* Blocks what the loop reads from the signal descriptor.  A signal that the caller ignores (nohup,
 * a background job of a plain shell) stays ignored. */
int caller_watch_signals(struct error *error)
{
	sigset_t watched;
	int fd;

	/* An ignored SIGCHLD, inherited from the caller, would have the kernel reap behind our
	 * back; and a reader of our output that goes away must not end us before the tree. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		return error_set(error, errno, "signal: %s", strerror(errno));
	}
	(void)sigemptyset(&watched); /* cannot fail */
	(void)sigaddset(&watched, SIGTSTP);
	(void)sigaddset(&watched, SIGCONT);
	(void)sigaddset(&watched, SIGTTOU);
	for (size_t i = 0; i < ARRAY_LEN(forwarded_signals); i++) {
		struct sigaction action;

		if (sigaction(forwarded_signals[i], NULL, &action) == 0 &&
			action.sa_handler != SIG_IGN) {
			(void)sigaddset(&watched, forwarded_signals[i]);
		}
	}
	if (sigprocmask(SIG_BLOCK, &watched, NULL) < 0) {
		return error_set(error, errno, "sigprocmask: %s", strerror(errno));
	}
	(void)sigdelset(&watched, SIGTTOU); /* blocked so that the terminal can be taken back */
	fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_set(error, errno, "signalfd: %s", strerror(errno)) : fd;
}

/* This thread enters the signal scope before the keeper is made.  Should the keeper die, the thread
 * can end the tree itself, and its kill(-1) reaches nothing else. */
int caller_enter_scope(int scope_fd, struct error *error)
{
	pid_t parent = getppid();
	bool could_signal = parent > 0 && kill(parent, 0) == 0;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return error_set(error, errno, "prctl: %s", strerror(errno));
	}
	if (scope_fd < 0) {
		return 0;
	}
	if (syscall(SYS_landlock_restrict_self, scope_fd, 0) < 0) {
		return error_set(error, errno, "landlock: %s%s", strerror(errno),
			errno == E2BIG ? " (16 layers are the kernel's limit: sandboxes are nested "
					 "too deep)"
				       : "");
	}
	if (could_signal && getppid() == parent && kill(parent, 0) == 0) {
		return error_set(
			error, EPROTO, "landlock: the signal scope was accepted but does not hold");
	}
	return 0;
}

int caller_pin(const struct sandbox_policy *policy, struct error *error)
{
	const struct number_list *cpus = &policy->run.supervisor_cpus;
	cpu_set_t set;

	if (cpus->count == 0) {
		return 0;
	}
	CPU_ZERO(&set);
	for (size_t i = 0; i < cpus->count; i++) {
		if (cpus->items[i] < CPU_SETSIZE) {
			CPU_SET(cpus->items[i], &set);
		}
	}
	if (sched_setaffinity(0, sizeof(set), &set) < 0) {
		return error_set(error, errno, "--supervisor-cpus: none of them is online: %s",
			strerror(errno));
	}
	return 0;
}
