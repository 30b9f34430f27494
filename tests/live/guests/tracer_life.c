/* Job control, threads, forks and execs of every kind: what a program sees of them is the same with
 * and without a tracer. */
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/live/guests/act.h"

extern char **environ;

static const char *self;

static void sleep_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&pause, &pause) < 0 && errno == EINTR) {
	}
}

/* The state of a child as waitpid tells it: 1000 + signal that ended it, 2000 + that stopped it,
 * 3000 continued, or its exit status; 4000 + errno. */
static long wait_state(pid_t pid, int flags)
{
	int status = 0;

	if (waitpid(pid, &status, flags) != pid) {
		return 4000 + errno;
	}
	return WIFSTOPPED(status)     ? 2000 + WSTOPSIG(status)
	       : WIFCONTINUED(status) ? 3000
	       : WIFSIGNALED(status)  ? 1000 + WTERMSIG(status)
				      : WEXITSTATUS(status);
}

static volatile long *shared_page(void)
{
	volatile long *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

static void *count_up(void *counter)
{
	for (;;) {
		(*(volatile long *)counter)++;
		(void)sched_yield();
	}
	return NULL;
}

#define COUNTERS 4

/* A child of several threads, each of which counts. */
static pid_t start_counters(volatile long *counters)
{
	pid_t pid = fork();
	pthread_t thread;

	if (pid == 0) {
		(void)setpgid(0, 0); /* its parent in another group: SIGTSTP can stop it */
		for (long i = 1; i < COUNTERS; i++) {
			(void)pthread_create(&thread, NULL, count_up, (void *)&counters[i]);
		}
		(void)count_up((void *)&counters[0]);
	}
	return pid;
}

static long sum(const volatile long *counters)
{
	long all = 0;

	for (int i = 0; i < COUNTERS; i++) {
		all += counters[i];
	}
	return all;
}

static int group_stop(int argc, char **argv)
{
	volatile long *counters = shared_page();
	pid_t pid = start_counters(counters);
	long before;

	(void)argc;
	(void)argv;
	for (int i = 0; i < COUNTERS; i++) {
		while (counters[i] == 0) {
			sleep_ms(1);
		}
	}
	(void)kill(pid, SIGSTOP);
	act_value("stopped", wait_state(pid, WUNTRACED));
	before = sum(counters);
	sleep_ms(50);
	act_value("moved_while_stopped", sum(counters) != before);
	(void)kill(pid, SIGCONT);
	act_value("continued", wait_state(pid, WCONTINUED));
	before = sum(counters);
	for (int i = 0; i < 2000 && sum(counters) == before; i++) {
		sleep_ms(1);
	}
	act_value("moved_afterwards", sum(counters) != before);
	(void)kill(pid, SIGTSTP);
	act_value("stopped_again", wait_state(pid, WUNTRACED));
	(void)kill(pid, SIGKILL);
	act_value("killed", wait_state(pid, WUNTRACED | WCONTINUED));
	return 0;
}

static int work(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			_exit((int)(i % 100));
		}
		if (pid < 0 || wait_state(pid, 0) != i % 100) {
			return 1;
		}
		sleep_ms(1);
	}
	return 0;
}

static void *work_in_thread(void *rounds)
{
	return (void *)(long)work((long)rounds);
}

/* 100 Hz of stops and continues over a process that forks from three threads. */
static int stop_storm(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 100, stops = 0;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t threads[2];
		void *failed[2];
		int own;

		for (int i = 0; i < 2; i++) {
			(void)pthread_create(&threads[i], NULL, work_in_thread, (void *)rounds);
		}
		own = work(rounds);
		for (int i = 0; i < 2; i++) {
			(void)pthread_join(threads[i], &failed[i]);
		}
		_exit(own + (failed[0] != NULL) + (failed[1] != NULL));
	}
	for (;;) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
			info.si_pid == pid) {
			break;
		}
		(void)kill(pid, SIGSTOP);
		sleep_ms(5);
		(void)kill(pid, SIGCONT);
		sleep_ms(5);
		stops++;
	}
	act_value("enough_stops", stops > 5);
	act_value("failed", wait_state(pid, 0));
	return 0;
}

static void *exec_again(void *rest)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%ld", (long)rest);
	(void)execl(self, self, "exec_thread", number, (char *)NULL);
	_exit(GUEST_BROKEN);
}

/* Each program starts the next from a thread that is not the first. */
static int exec_thread(int argc, char **argv)
{
	long rest = argc > 1 ? atol(argv[1]) : 0;
	char first[16];
	pthread_t thread;

	(void)snprintf(first, sizeof(first), "%d", getpid());
	(void)setenv("FIRST_PID", first, 0);
	if (rest > 0) {
		(void)pthread_create(&thread, NULL, exec_again, (void *)(rest - 1));
		for (;;) {
			(void)pause();
		}
	}
	act_value("same_pid", strcmp(getenv("FIRST_PID"), first) == 0);
	act_value("leads", getpid() == (pid_t)syscall(SYS_gettid));
	act_value("forks", work(3));
	return 0;
}

static void *outlive_leader(void *unused)
{
	(void)unused;
	sleep_ms(20);
	act_value("works", work(5));
	exit(7);
}

static int leader_exit(int argc, char **argv)
{
	pid_t pid = fork();
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pid == 0) {
		(void)pthread_create(&thread, NULL, outlive_leader, NULL);
		pthread_exit(NULL);
	}
	act_value("status", wait_state(pid, 0));
	return 0;
}

static long spawn_rounds;

static pid_t vfork_and_exec(char *const *words)
{
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execve(self, words, environ);
		_exit(GUEST_BROKEN);
	}
	return pid;
}

static void *spawn_many(void *unused)
{
	char *const words[] = { (char *)self, "nothing", NULL };
	long failed = 0;

	(void)unused;
	for (long i = 0; i < spawn_rounds; i++) {
		pid_t pid = -1;

		if (i % 2 == 0) {
			failed += posix_spawn(&pid, self, NULL, NULL, words, environ) != 0;
		} else {
			pid = vfork_and_exec(words);
		}
		failed += pid <= 0 || wait_state(pid, 0) != 9;
	}
	return (void *)failed;
}

static int spawn_storm(int argc, char **argv)
{
	pthread_t threads[8];
	long failed = 0;

	spawn_rounds = argc > 1 ? atol(argv[1]) : 10;
	for (int i = 0; i < 8; i++) {
		(void)pthread_create(&threads[i], NULL, spawn_many, NULL);
	}
	for (int i = 0; i < 8; i++) {
		void *result;

		(void)pthread_join(threads[i], &result);
		failed += (long)result;
	}
	act_value("failed", failed);
	return 0;
}

static int failed_forks(int argc, char **argv)
{
	struct rlimit none = { 0, 0 };

	(void)argc;
	(void)argv;
	act_result("sighand_without_vm", syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
	act_result("thread_without_sighand", syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	act_value("then_forks", work(3));
	if (getuid() != 0 && setrlimit(RLIMIT_NPROC, &none) == 0) {
		act_result("past_rlimit", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	}
	return 0;
}

static void *stay(void *unused)
{
	(void)unused;
	for (;;) {
		(void)pause();
	}
	return NULL;
}

static int exit_threads(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		long status;

		if (pid == 0) {
			for (int i = 0; i < 8; i++) {
				pthread_t thread;

				(void)pthread_create(&thread, NULL, stay, NULL);
			}
			exit(11);
		}
		status = wait_state(pid, 0);
		if (status != 11) {
			act_value("status", status);
			return 0;
		}
	}
	act_value("status", 11);
	return 0;
}

static volatile long *heard;

static void hear(int signal)
{
	heard[signal]++;
}

static int signal_stopped(int argc, char **argv)
{
	pid_t pid;

	(void)argc;
	(void)argv;
	heard = shared_page();
	(void)signal(SIGUSR1, hear);
	(void)signal(SIGRTMIN, hear);
	(void)signal(SIGCONT, hear);
	pid = fork();
	if (pid == 0) {
		(void)stay(NULL);
	}
	(void)kill(pid, SIGSTOP);
	act_value("stopped", wait_state(pid, WUNTRACED));
	for (int i = 0; i < 3; i++) {
		(void)kill(pid, SIGUSR1);
		(void)sigqueue(pid, SIGRTMIN, (union sigval){ 0 });
	}
	sleep_ms(50);
	act_value("heard_while_stopped", heard[SIGUSR1] + heard[SIGRTMIN]);
	(void)kill(pid, SIGCONT);
	for (int i = 0; i < 2000 && heard[SIGRTMIN] < 3; i++) {
		sleep_ms(1);
	}
	act_value("heard_usr1", heard[SIGUSR1]);
	act_value("heard_realtime", heard[SIGRTMIN]);
	act_value("heard_cont", heard[SIGCONT]);
	(void)kill(pid, SIGSTOP);
	(void)kill(pid, SIGTERM);
	sleep_ms(20);
	(void)kill(pid, SIGCONT);
	for (long state; (state = wait_state(pid, WUNTRACED)) != 1000 + SIGTERM;) {
		if (state < 2000 || state >= 3000) {
			act_value("terminated", state);
			return 0;
		}
	}
	act_value("terminated", 1000 + SIGTERM);
	return 0;
}

static int look_only(int argc, char **argv)
{
	siginfo_t info = { 0 };
	pid_t pid = fork();

	(void)argc;
	(void)argv;
	if (pid == 0) {
		(void)raise(SIGSTOP);
		_exit(13);
	}
	for (int i = 0; i < 2; i++) {
		act_result("look_stopped", waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
		act_value("stop_signal", info.si_status);
	}
	(void)kill(pid, SIGCONT);
	act_result("look_continued", waitid(P_PID, (id_t)pid, &info, WCONTINUED | WNOWAIT));
	for (int i = 0; i < 2; i++) {
		act_result("look_ended", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
		act_value("status", info.si_status);
	}
	act_value("reaped", wait_state(pid, 0));
	act_value("then", wait_state(pid, 0));
	return 0;
}

static int trace_self(void *unused)
{
	(void)unused;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0;
}

static int trace(int argc, char **argv)
{
	pid_t pid = fork();

	(void)argc;
	(void)argv;
	if (pid == 0) {
		(void)stay(NULL);
	}
	act_forked("traceme", trace_self, NULL);
	act_result("seize", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	act_result("attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	(void)kill(pid, SIGKILL);
	return 0;
}

static int nothing(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 9;
}

static int dumpable(int argc, char **argv)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)argc;
	(void)argv;
	act_value("readable", fd >= 0);
	act_value("works", work(20));
	act_value("threads", (spawn_rounds = 0, spawn_storm(0, argv)));
	return 0;
}

static const struct act_command commands[] = {
	{ "group_stop", group_stop },
	{ "stop_storm", stop_storm },
	{ "exec_thread", exec_thread },
	{ "leader_exit", leader_exit },
	{ "spawn_storm", spawn_storm },
	{ "failed_forks", failed_forks },
	{ "exit_threads", exit_threads },
	{ "signal_stopped", signal_stopped },
	{ "look_only", look_only },
	{ "trace", trace },
	{ "nothing", nothing },
	{ "dumpable", dumpable },
};

int main(int argc, char **argv)
{
	self = argv[0];
	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}
