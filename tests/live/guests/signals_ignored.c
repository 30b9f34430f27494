/* Waits of every kind, disturbed by signals that are ignored, handled, both, or by a stop; and by
 * another thread's forks at the limit.  What each wait says is compared with and without a tracer.
 */
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "tests/live/guests/act.h"

#define REALTIME 40 /* SIGRTMIN is no constant */

static long wait_ms; /* how long a wait lasts when nothing ends it */

static long wait_epoll(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0);
	long r = epoll_wait(fd, &event, 1, (int)wait_ms);
	int error = errno;

	(void)close(fd);
	errno = error;
	return r;
}

static struct timespec wait_time(void)
{
	return (struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 };
}

static long wait_semaphore(void)
{
	int set = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf take = { 0, -1, 0 };
	struct timespec time = wait_time();
	long r = semtimedop(set, &take, 1, &time);
	int error = errno;

	(void)semctl(set, 0, IPC_RMID);
	errno = error;
	return r;
}

static long wait_signal(void)
{
	struct timespec time = wait_time();
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGRTMIN + 5);
	return sigtimedwait(&set, NULL, &time);
}

static long wait_receive(void)
{
	struct timeval time = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	int ends[2];
	char byte;
	long r;
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) {
		return -1;
	}
	(void)setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	r = recv(ends[0], &byte, 1, 0);
	error = errno;
	(void)close(ends[0]);
	(void)close(ends[1]);
	errno = error;
	return r;
}

static long wait_poll(void)
{
	return poll(NULL, 0, (int)wait_ms);
}

static long wait_sleep(void)
{
	struct timespec time = wait_time();

	return nanosleep(&time, NULL);
}

static long wait_futex(void)
{
	static int word;
	struct timespec time = wait_time();

	return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
}

static const struct {
	const char *name;
	long (*run)(void);
} waits[] = {
	{ "epoll_wait", wait_epoll },
	{ "semtimedop", wait_semaphore },
	{ "sigtimedwait", wait_signal },
	{ "recv", wait_receive },
	{ "poll", wait_poll },
	{ "nanosleep", wait_sleep },
	{ "futex", wait_futex },
};

static void nothing(int signal)
{
	(void)signal;
}

static void sleep_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&pause, &pause) < 0 && errno == EINTR) {
	}
}

/* The signals of one disturbance, sent at once in this order. */
static const struct disturbance {
	const char *name;
	int signals[3];
} disturbances[] = {
	{ "hup_ignored", { SIGHUP } },
	{ "chld_default", { SIGCHLD } },
	{ "winch_default", { SIGWINCH } },
	{ "urg_default", { SIGURG } },
	{ "cont_default", { SIGCONT } },
	{ "realtime_ignored", { REALTIME } },
	{ "handled", { SIGUSR1 } },
	{ "ignored_and_handled", { SIGHUP, SIGUSR1 } },
	{ "handled_and_ignored", { SIGUSR1, SIGCHLD } },
	{ "stop_and_continue", { SIGSTOP, SIGCONT } },
};

/* Another process sends, twice: a call that was mended must bear the next as well. */
static pid_t start_sender(const struct disturbance *disturbance)
{
	pid_t target = getpid(), pid = fork();

	if (pid == 0) {
		for (int round = 0; round < 2; round++) {
			sleep_ms(15);
			for (int i = 0; i < 3 && disturbance->signals[i] != 0; i++) {
				(void)kill(target, disturbance->signals[i]);
				if (disturbance->signals[i] == SIGSTOP) {
					sleep_ms(5);
				}
			}
		}
		_exit(0);
	}
	return pid;
}

static int disturb(void)
{
	char line[64];

	wait_ms = 60;
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(REALTIME, SIG_IGN);
	(void)sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nothing }, NULL);
	for (size_t i = 0; i < ACT_COUNT(waits); i++) {
		for (size_t j = 0; j < ACT_COUNT(disturbances); j++) {
			pid_t sender = start_sender(&disturbances[j]);
			long r = waits[i].run();
			int error = errno;

			(void)waitpid(sender, NULL, 0);
			(void)snprintf(
				line, sizeof(line), "%s.%s", waits[i].name, disturbances[j].name);
			act_value(line, r < 0 ? error : 0);
		}
	}
	return 0;
}

/* The same call as often as the kernel restarts it: a fork under signals never fails, whatever a
 * wait before it went through. */
static int fork_after(int rounds)
{
	struct itimerval timer = { { 0, 100 }, { 0, 100 } };
	struct epoll_event event;
	int fd = epoll_create1(0);
	long failed = 0;

	(void)sigaction(SIGALRM, &(struct sigaction){ .sa_handler = nothing }, NULL);
	for (int i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			sleep_ms(2);
			_exit(0); /* SIGCHLD in the middle of the wait */
		}
		(void)epoll_wait(fd, &event, 1, 4);
		(void)setitimer(ITIMER_REAL, &timer, NULL);
		for (int j = 0; j < 10; j++) {
			pid_t other = fork();

			if (other == 0) {
				_exit(0);
			}
			failed += other < 0;
			while (other > 0 && waitpid(other, NULL, 0) < 0 && errno == EINTR) {
			}
		}
		(void)setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
		while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	act_value("failed", failed);
	return 0;
}

static volatile int forks_are_over;

/* Its children end without a signal: one that another thread takes would wake this one for nothing,
 * and the tracer sees no stop of it. */
static void *fork_all_the_time(void *unused)
{
	(void)unused;
	while (!forks_are_over) {
		long pid = syscall(SYS_clone, 0, 0, 0, 0, 0);

		if (pid == 0) {
			(void)syscall(SYS_exit_group, 0);
		}
		while (pid > 0 && waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR) {
		}
	}
	return NULL;
}

/* A fork that the kernel refuses leaves open what came of it until the tracer looks, and it looks
 * when another thread forks at the limit. */
static int settle(int rounds)
{
	pid_t other = fork();
	pthread_t thread;

	if (other == 0) {
		for (;;) {
			(void)pause();
		}
	}
	wait_ms = 10;
	if (other < 0 || pthread_create(&thread, NULL, fork_all_the_time, NULL) != 0) {
		return GUEST_BROKEN;
	}
	for (size_t i = 0; i < ACT_COUNT(waits); i++) {
		long interrupted = 0, accepted = 0;
		char line[64];

		for (int round = 0; round < rounds; round++) {
			accepted += syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0) >= 0 ||
				    (errno != EINVAL && errno != EAGAIN);
			interrupted += waits[i].run() < 0 && errno == EINTR;
		}
		act_value(waits[i].name, interrupted);
		(void)snprintf(line, sizeof(line), "%s.clone", waits[i].name);
		act_value(line, accepted);
	}
	forks_are_over = 1;
	(void)pthread_join(thread, NULL);
	(void)kill(other, SIGKILL);
	return 0;
}

/* Uses a processor while signals come all the time. */
static int burn(void)
{
	struct itimerval timer = { { 0, 200 }, { 0, 200 } };

	(void)signal(SIGALRM, nothing);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	for (;;) {
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *act = argc > 1 ? argv[1] : "";
	int rounds = argc > 2 ? atoi(argv[2]) : 10;

	if (strcmp(act, "disturb") == 0) {
		return disturb();
	}
	if (strcmp(act, "fork_after") == 0) {
		return fork_after(rounds);
	}
	if (strcmp(act, "settle") == 0) {
		return settle(rounds);
	}
	if (strcmp(act, "burn") == 0) {
		return burn();
	}
	return GUEST_MISUSED;
}
