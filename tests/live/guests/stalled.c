/* Threads whose notified calls write into pages of a slow file, and beside them a process whose
 * calls do not: what those take. */
// SPDX-License-Identifier: Apache-2.0
/* usage: stalled FILE THREADS CALLS         prints name-value lines, times in microseconds
 *        stalled FILE THREADS 0             stays stalled */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "tests/live/guests/act.h"

#define PAGE	    4096l
#define THREADS_MAX 64
#define CALLS_MAX   4096
#define PAUSE_NS    1000000

/* Shared by both processes. */
struct board {
	_Atomic int begun, ended, right;
};

static struct board *board;
static char *pages;

static void *call_into_page(void *argument)
{
	struct utsname *name = argument;

	atomic_fetch_add(&board->begun, 1);
	if (syscall(SYS_uname, name) == 0 && strcmp(name->nodename, "box") == 0) {
		atomic_fetch_add(&board->right, 1);
	}
	atomic_fetch_add(&board->ended, 1);
	return NULL;
}

static int stall(int threads)
{
	pthread_t thread[THREADS_MAX];

	for (int i = 0; i < threads; i++) {
		if (pthread_create(&thread[i], NULL, call_into_page, pages + i * PAGE) != 0) {
			return GUEST_BROKEN;
		}
	}
	for (int i = 0; i < threads; i++) {
		(void)pthread_join(thread[i], NULL);
	}
	return 0;
}

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Both kinds of answer: the row that is stuck, and one that is not. */
static void measure(int calls)
{
	static double took[CALLS_MAX];
	static const struct timespec pause = { 0, PAUSE_NS };
	long right = 0;

	for (int i = 0; i < calls; i++) {
		double began = now_us();
		struct utsname name;
		cpu_set_t set;

		if (i % 2 == 0) {
			right += uname(&name) == 0 && strcmp(name.nodename, "box") == 0;
		} else {
			right += sched_getaffinity(0, sizeof(set), &set) == 0;
		}
		took[i] = now_us() - began;
		(void)nanosleep(&pause, NULL);
	}
	act_value("right", right);
	act_value("stalled_after", atomic_load(&board->begun) - atomic_load(&board->ended));
	qsort(took, (size_t)calls, sizeof(took[0]), compare);
	act_value("p50", (long)took[calls / 2]);
	act_value("p99", (long)took[calls * 99 / 100]);
	act_value("max", (long)took[calls - 1]);
}

int main(int argc, char **argv)
{
	int threads = argc > 3 ? atoi(argv[2]) : 0;
	int calls = argc > 3 ? atoi(argv[3]) : -1;
	int fd = argc > 3 ? open(argv[1], O_RDONLY) : -1;
	pid_t pid;

	if (threads < 1 || threads > THREADS_MAX || calls < 0 || calls > CALLS_MAX) {
		return GUEST_MISUSED;
	}
	board = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pages = mmap(NULL, (size_t)(threads * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (board == MAP_FAILED || pages == MAP_FAILED ||
		madvise(pages, (size_t)(threads * PAGE), MADV_RANDOM) < 0) {
		return GUEST_BROKEN;
	}
	pid = fork();
	if (pid == 0) {
		_exit(stall(threads));
	}
	while (atomic_load(&board->begun) < threads) {
		(void)usleep(100);
	}
	if (calls > 0) {
		measure(calls);
	}
	(void)waitpid(pid, NULL, 0);
	act_value("stalled_right", atomic_load(&board->right));
	return 0;
}
