/* Makes the calls that can be notified: whole, with bad pointers, in a race, in a storm. */
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include "tests/live/guests/act.h"

static int show_name(void)
{
	struct utsname name;

	if (uname(&name) < 0) {
		return GUEST_BROKEN;
	}
	(void)puts(name.nodename);
	return 0;
}

/* Two pages of which the second is not there, and one that cannot be written. */
static int try_pointers(void)
{
	char *pages = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long mask[128];

	if (pages == MAP_FAILED || munmap(pages + 4096, 4096) < 0 ||
		mprotect(pages + 8192, 4096, PROT_READ) < 0) {
		return GUEST_BROKEN;
	}
	act_result("uname_whole", syscall(SYS_uname, pages));
	act_result("uname_null", syscall(SYS_uname, NULL));
	act_result("uname_unmapped", syscall(SYS_uname, pages + 4096));
	act_result("uname_read_only", syscall(SYS_uname, pages + 8192));
	act_result("uname_end_of_page", syscall(SYS_uname, pages + 4096 - 100));
	act_result(
		"uname_last_fit", syscall(SYS_uname, pages + 4096 - (long)sizeof(struct utsname)));
	act_result("uname_kernel", syscall(SYS_uname, (void *)0xffff888000000000ul));
	act_result("uname_high", syscall(SYS_uname, (void *)UINTPTR_MAX));
	act_result("affinity_null", syscall(SYS_sched_getaffinity, 0, sizeof(mask), NULL));
	act_result("affinity_read_only",
		syscall(SYS_sched_getaffinity, 0, sizeof(mask), pages + 8192));
	act_result("affinity_size_0", syscall(SYS_sched_getaffinity, 0, 0, mask));
	act_result("affinity_size_4", syscall(SYS_sched_getaffinity, 0, 4, mask));
	act_result("affinity_size_9", syscall(SYS_sched_getaffinity, 0, 9, mask));
	act_result("affinity_upper_half",
		syscall(SYS_sched_getaffinity, 0, 0xdeadbeef00000000ul | sizeof(mask), mask));
	act_result("affinity_huge_size", syscall(SYS_sched_getaffinity, 0, 0xfffffff8ul, mask));
	act_result("affinity_no_process", syscall(SYS_sched_getaffinity, 0x3fffffff, 128, mask));
	act_result("affinity_negative", syscall(SYS_sched_getaffinity, -2, 128, mask));
	act_value("affinity_bytes", syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask));
	return 0;
}

static int count_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0) {
		return GUEST_BROKEN;
	}
	act_value("processors", CPU_COUNT(&set));
	act_value("first", CPU_ISSET(0, &set));
	return 0;
}

static char *volatile racing_page;
static volatile int race_is_over;

/* Takes the page away, gives it back, makes it read-only, and writes into it. */
static void *disturb(void *unused)
{
	(void)unused;
	while (!race_is_over) {
		(void)mprotect(racing_page, 4096, PROT_READ);
		(void)mmap(racing_page, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			-1, 0);
		(void)mmap(racing_page, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return NULL;
}

static int race(int count)
{
	long other = 0;
	pthread_t thread;

	racing_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (racing_page == MAP_FAILED || pthread_create(&thread, NULL, disturb, NULL) != 0) {
		return GUEST_BROKEN;
	}
	for (int i = 0; i < count; i++) {
		long r = syscall(SYS_uname, racing_page);

		other += r < 0 && errno != EFAULT ? 1 : 0;
	}
	race_is_over = 1;
	(void)pthread_join(thread, NULL);
	act_value("other_errors", other);
	return 0;
}

/* How a process that calls ends. */
enum { CALL_RIGHT, CALL_REFUSED, CALL_WRONG };

static int call_often(const char *expected, int count)
{
	for (int i = 0; i < count; i++) {
		struct utsname name;

		if (uname(&name) < 0) {
			return CALL_REFUSED;
		}
		if (strcmp(name.nodename, expected) != 0) {
			return CALL_WRONG;
		}
	}
	return 0;
}

/* Processes that call at once; the number of those that ever got a wrong answer, or
 * none, and of those that were shown another name. */
static int storm(const char *expected, int processes, int count)
{
	long wrong = 0, shown = 0;

	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			return GUEST_BROKEN;
		}
		if (pid == 0) {
			_exit(call_often(expected, count));
		}
	}
	for (int i = 0; i < processes; i++) {
		int status;

		if (wait(&status) < 0) {
			return GUEST_BROKEN;
		}
		wrong += status != CALL_RIGHT;
		shown += WIFEXITED(status) && WEXITSTATUS(status) == CALL_WRONG;
	}
	act_value("wrong", wrong);
	act_value("shown", shown);
	return 0;
}

/* Children die in the middle of their calls. */
static int kill_callers(int count)
{
	for (int i = 0; i < count; i++) {
		struct timespec pause = { 0, i * 7919l % 300000 };
		pid_t pid = fork();

		if (pid < 0) {
			return GUEST_BROKEN;
		}
		if (pid == 0) {
			struct utsname name;

			for (;;) {
				(void)uname(&name);
			}
		}
		(void)nanosleep(&pause, NULL);
		if (kill(pid, SIGKILL) < 0 || waitpid(pid, NULL, 0) != pid) {
			return GUEST_BROKEN;
		}
	}
	act_value("killed", count);
	return 0;
}

/* Is the listener anywhere?  Whoever held it could answer for the supervisor. */
static int search_listener(void)
{
	long open_fds = 0, listeners = 0;

	for (int fd = 0; fd < 4096; fd++) {
		struct seccomp_notif request = { 0 };

		if (fcntl(fd, F_GETFD) < 0) {
			continue;
		}
		open_fds++;
		listeners += ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0 ||
					     (errno != ENOTTY && errno != EINVAL &&
						     errno != EPERM && errno != EBADF)
				     ? 1
				     : 0;
	}
	act_value("listeners", listeners);
	act_value("descriptors", open_fds);
	return 0;
}

static void nothing(int signal)
{
	(void)signal;
}

/* A timer that fires all the time: what a notified call may answer then. */
static int under_signals(int count)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 300 }, { 0, 300 } };
	struct utsname name;
	long failed = 0;

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < count; i++) {
		failed += uname(&name) < 0;
	}
	act_value("failed", failed);
	return 0;
}

int main(int argc, char **argv)
{
	const char *act = argc > 1 ? argv[1] : "";
	int count = argc > 2 ? atoi(argv[2]) : 0;

	if (strcmp(act, "name") == 0) {
		return show_name();
	}
	if (strcmp(act, "pointers") == 0) {
		return try_pointers();
	}
	if (strcmp(act, "processors") == 0) {
		return count_processors();
	}
	if (strcmp(act, "race") == 0) {
		return race(count);
	}
	if (strcmp(act, "storm") == 0 && argc > 4) {
		return storm(argv[4], count, atoi(argv[3]));
	}
	if (strcmp(act, "kill") == 0) {
		return kill_callers(count);
	}
	if (strcmp(act, "listener") == 0) {
		return search_listener();
	}
	if (strcmp(act, "signals") == 0) {
		return under_signals(count);
	}
	return GUEST_MISUSED;
}
