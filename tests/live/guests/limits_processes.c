/* Begins and ends processes in every way there is, and says when a fork was refused although there
 * was room, or let through although there was none. */
// SPDX-License-Identifier: Apache-2.0
/* usage: limits_processes COMMAND MOST ROUNDS     MOST: of processes, this one included */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tests/live/guests/act.h"

#define MOST_MAX 64
#define THREADS	 100

/* Shared by all. */
struct common {
	_Atomic int alive; /* from a child's first instruction to before its last: never too many */
	_Atomic int most;
	_Atomic int orphan;
};

static struct common *common;
static int most, rounds;
static pid_t children[MOST_MAX]; /* alive, for all that is known */
static int child_count;
static uint64_t seed = 88172645463325252u;
static long refused, too_many, strange;

extern char **environ;

static unsigned random_below(unsigned bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % bound);
}

static void note_begin(void)
{
	int alive = __atomic_add_fetch(&common->alive, 1, __ATOMIC_SEQ_CST);
	int known = __atomic_load_n(&common->most, __ATOMIC_SEQ_CST);

	while (alive > known && !__atomic_compare_exchange_n(&common->most, &known, alive, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
	}
}

static void note_end(void)
{
	(void)__atomic_sub_fetch(&common->alive, 1, __ATOMIC_SEQ_CST);
}

static void sleep_for_ever(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	for (;;) {
		(void)pause();
	}
}

/* Without libc's handlers: the child's first instruction is the count. */
static pid_t begin_sleeper(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		note_begin();
		sleep_for_ever();
	}
	return pid;
}

static void await_absence(pid_t pid)
{
	while (kill(pid, 0) == 0) {
		(void)sched_yield();
	}
}

/* The way in which the end of a child becomes known. */
enum ending { BY_WAIT, BY_LOOKS, BY_ABSENCE, BY_SIGNAL, ENDINGS };

static void end_child(int index, enum ending ending)
{
	pid_t pid = children[index];
	siginfo_t info;
	int r;

	children[index] = children[--child_count];
	note_end();
	(void)kill(pid, SIGKILL);
	if (ending == BY_SIGNAL) { /* it stays a zombie, and does not count; see reap() */
		while ((r = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) < 0 &&
			errno == EINTR) {
		}
	} else if (ending == BY_LOOKS) {
		while ((r = waitpid(pid, NULL, WNOHANG)) == 0) {
		}
	} else {
		(void)signal(SIGCHLD, ending == BY_ABSENCE ? SIG_IGN : SIG_DFL);
		while ((r = waitpid(pid, NULL, 0)) < 0 && errno == EINTR) {
		}
		(void)signal(SIGCHLD, SIG_DFL);
	}
	if (r < 0) {
		await_absence(pid); /* an orphan is somebody else's to wait for */
	}
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0) {
	}
}

static bool note_failure(const char *what)
{
	if (errno == EAGAIN) {
		refused++;
	} else {
		strange++;
	}
	(void)fprintf(stderr, "%s with %d others: %s\n", what, child_count, strerror(errno));
	return false;
}

static bool do_fork(void)
{
	pid_t pid = begin_sleeper();

	if (pid < 0) {
		return note_failure("fork");
	}
	children[child_count++] = pid;
	return true;
}

static bool do_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		_exit(0);
	}
	if (pid < 0) {
		return note_failure("vfork");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return true;
}

static bool do_spawn(void)
{
	char *argv[] = { "/proc/self/exe", "nothing", "1", "1", NULL };
	pid_t pid;
	int r = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	if (r != 0) {
		errno = r;
		return note_failure("posix_spawn");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return true;
}

/* The kernel refuses it after it was let through: it must leave no trace. */
static bool do_refused(void)
{
	if (syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0) >= 0 || errno != EINVAL) {
		return note_failure("a clone that cannot be");
	}
	return do_fork();
}

static bool do_orphan(void)
{
	pid_t pid;

	if (child_count + 2 > most - 1) {
		return do_fork();
	}
	common->orphan = 0;
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		pid = begin_sleeper();
		common->orphan = pid < 0 ? -errno : pid;
		_exit(0);
	}
	if (pid < 0) {
		return note_failure("fork of a parent");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	if (common->orphan < 0) {
		errno = -common->orphan;
		return note_failure("fork of an orphan");
	}
	children[child_count++] = common->orphan;
	return true;
}

static int nothing(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void report(void)
{
	act_value("refused_below", refused);
	act_value("above", too_many);
	act_value("strange", strange);
	act_value("most", common->most + 1);
}

static bool fill(void)
{
	while (child_count < most - 1) {
		if (!do_fork()) {
			return false;
		}
	}
	return true;
}

static void expect_refusal(void)
{
	pid_t pid = begin_sleeper();

	if (pid >= 0) {
		too_many++;
		note_end();
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	} else if (errno != EAGAIN) {
		strange++;
	}
}

/* Full; one more fails; one ends; one more is there at once. */
static int exchange(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!fill()) {
		return GUEST_BROKEN;
	}
	expect_refusal();
	for (int i = 0; i < rounds; i++) {
		end_child((int)random_below((unsigned)child_count), (enum ending)(i % ENDINGS));
		(void)do_fork();
		if (i % 16 == 0) {
			expect_refusal();
		}
		reap();
	}
	report();
	return 0;
}

static int storm(int argc, char **argv)
{
	static bool (*const ways[])(void) = { do_fork, do_vfork, do_spawn, do_refused, do_orphan };

	(void)argc;
	(void)argv;
	for (int i = 0; i < rounds; i++) {
		if (child_count == most - 1) {
			if (random_below(8) == 0) {
				expect_refusal();
			}
			end_child((int)random_below((unsigned)child_count),
				(enum ending)random_below(ENDINGS));
		}
		(void)ways[random_below(i % 8 == 0 ? 5 : 2)]();
		if (random_below(4) == 0) {
			reap();
		}
	}
	if (fill()) {
		expect_refusal();
	}
	report();
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

/* The storm under a timer that no call outlives undisturbed. */
static int signals(int argc, char **argv)
{
	struct itimerval timer = { { 0, 200 }, { 0, 200 } };
	struct sigaction action = { .sa_handler = ignore };

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	return storm(argc, argv);
}

/* Forks without a pause; its children end at once. */
static void be_a_forker(void)
{
	(void)signal(SIGCHLD, SIG_IGN);
	note_begin();
	for (;;) {
		pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (pid == 0) {
			note_begin();
			note_end();
			_exit(0);
		}
	}
}

/* Forkers that are killed in the middle of it. */
static int killed(int argc, char **argv)
{
	int forkers = most / 2;

	(void)argc;
	(void)argv;
	for (int i = 0; i < rounds; i++) {
		while (child_count < forkers) {
			pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

			if (pid == 0) {
				be_a_forker();
			}
			if (pid < 0 && errno != EAGAIN) {
				strange++;
				break;
			}
			if (pid > 0) {
				children[child_count++] = pid;
			}
		}
		(void)usleep(random_below(2000));
		end_child((int)random_below((unsigned)child_count), BY_WAIT);
	}
	while (child_count > 0) {
		end_child(0, BY_WAIT);
	}
	(void)usleep(300000); /* what they have left behind ends */
	if (fill()) {
		expect_refusal();
	}
	report();
	return 0;
}

static void *wait_a_while(void *gate)
{
	(void)pthread_barrier_wait(gate);
	return NULL;
}

static int threads(int argc, char **argv)
{
	pthread_t thread[THREADS];
	pthread_barrier_t gate;
	int started = 0;

	(void)argc;
	(void)argv;
	(void)pthread_barrier_init(&gate, NULL, THREADS + 1);
	while (started < THREADS &&
		pthread_create(&thread[started], NULL, wait_a_while, &gate) == 0) {
		started++;
	}
	act_value("threads", started);
	if (fill()) {
		expect_refusal();
	}
	if (started == THREADS) {
		(void)pthread_barrier_wait(&gate);
	}
	report();
	return 0;
}

/* Children that no tracer is told of. */
static int untraced(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int i = 0; i < most; i++) {
		pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0) {
			sleep_for_ever();
		}
		if (pid > 0) {
			too_many += i == most - 1;
			children[child_count++] = pid;
		} else {
			act_result("untraced", pid);
			break;
		}
	}
	report();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "exchange", exchange },
		{ "killed", killed },
		{ "nothing", nothing },
		{ "signals", signals },
		{ "storm", storm },
		{ "threads", threads },
		{ "untraced", untraced },
	};
	int status;

	if (argc != 4) {
		return GUEST_MISUSED;
	}
	most = atoi(argv[2]);
	rounds = atoi(argv[3]);
	common = mmap(
		NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED || most < 2 || most > MOST_MAX) {
		return GUEST_BROKEN;
	}
	status = act_dispatch(commands, ACT_COUNT(commands), argc, argv);
	while (child_count > 0) {
		end_child(0, BY_WAIT);
	}
	return status;
}
