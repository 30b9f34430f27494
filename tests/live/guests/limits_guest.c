/* Programs that use memory and processor time in the ways that limits must understand.  Sizes in
 * MiB. */
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024ul * 1024)

static size_t number(char **argv, int index)
{
	return argv[index] != NULL ? strtoul(argv[index], NULL, 10) : 0;
}

static char *map(size_t bytes, int flags)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		exit(3);
	}
	return memory;
}

static void touch(char *memory, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 4096) {
		memory[i] = (char)(i >> 12) | 1;
	}
}

/* Says that this process has what it wants, and stays. */
static void forever(void)
{
	(void)!write(STDOUT_FILENO, "r", 1);
	for (;;) {
		(void)pause();
	}
}

/* allocate SIZE */
static void allocate(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;

	touch(map(bytes, MAP_PRIVATE), bytes);
	forever();
}

/* allocate-huge SIZE: as fast as the machine can */
static void allocate_huge(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;
	char *memory = map(bytes, MAP_PRIVATE);

	(void)madvise(memory, bytes, MADV_HUGEPAGE);
	touch(memory, bytes);
	forever();
}

/* pair SIZE: two children, each of that size */
static void allocate_pair(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;

	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			touch(map(bytes, MAP_PRIVATE), bytes);
			forever();
		}
	}
	forever();
}

/* reserve SIZE: address space that nobody touches */
static void reserve(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;

	if (mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) ==
		MAP_FAILED) {
		exit(3);
	}
	touch(map(10 * MIB, MAP_PRIVATE), 10 * MIB);
	forever();
}

/* copies SIZE COUNT: children that share their parent's pages, unwritten */
static void copies(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;

	touch(map(bytes, MAP_PRIVATE), bytes);
	for (size_t i = 0; i < number(argv, 3); i++) {
		if (fork() == 0) {
			forever();
		}
	}
	forever();
}

/* rewrite SIZE COUNT: children that each write all of what they share */
static void rewrite(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;
	char *memory = map(bytes, MAP_PRIVATE);

	touch(memory, bytes);
	for (size_t i = 0; i < number(argv, 3); i++) {
		if (fork() == 0) {
			touch(memory, bytes);
			forever();
		}
	}
	forever();
}

/* shared SIZE COUNT: MAP_SHARED memory that all children have touched */
static void shared(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;
	char *memory = map(bytes, MAP_SHARED);

	touch(memory, bytes);
	for (size_t i = 0; i < number(argv, 3); i++) {
		if (fork() == 0) {
			touch(memory, bytes);
			forever();
		}
	}
	forever();
}

static void write_file(int fd, size_t bytes)
{
	static char block[MIB];

	memset(block, 7, sizeof(block));
	for (size_t i = 0; i < bytes; i += sizeof(block)) {
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block)) {
			exit(3);
		}
	}
}

/* memfd SIZE: written, never mapped */
static void memfd(char **argv)
{
	write_file(memfd_create("limits", MFD_CLOEXEC), number(argv, 2) * MIB);
	forever();
}

/* unlinked SIZE: the same on /dev/shm without a name */
static void unlinked(char **argv)
{
	write_file(open("/dev/shm", O_TMPFILE | O_RDWR, 0600), number(argv, 2) * MIB);
	forever();
}

/* memfd-mapped SIZE COUNT: written, mapped, and touched by all */
static void memfd_mapped(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;
	int fd = memfd_create("limits", MFD_CLOEXEC);
	char *memory;

	write_file(fd, bytes);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	touch(memory, bytes);
	for (size_t i = 0; i < number(argv, 3); i++) {
		if (fork() == 0) {
			touch(memory, bytes);
			forever();
		}
	}
	forever();
}

static void *thread_sleep(void *unused)
{
	(void)unused;
	forever();
	return NULL;
}

static void *thread_fork(void *context)
{
	size_t bytes = *(size_t *)context;

	if (fork() == 0) {
		touch(map(bytes, MAP_PRIVATE), bytes);
		forever();
	}
	forever();
	return NULL;
}

/* threads SIZE: eight threads, the last of which forks a child of that size */
static void threads(char **argv)
{
	static size_t bytes;
	pthread_t thread;

	bytes = number(argv, 2) * MIB;
	for (int i = 0; i < 7; i++) {
		(void)pthread_create(&thread, NULL, thread_sleep, NULL);
	}
	(void)pthread_create(&thread, NULL, thread_fork, &bytes);
	forever();
}

static void *thread_allocate(void *context)
{
	size_t bytes = *(size_t *)context;

	(void)usleep(20000); /* the first thread shall be gone */
	touch(map(bytes, MAP_PRIVATE), bytes);
	forever();
	return NULL;
}

/* leaderless SIZE: the first thread ends, another one allocates */
static void leaderless(char **argv)
{
	static size_t bytes;
	pthread_t thread;

	bytes = number(argv, 2) * MIB;
	(void)pthread_create(&thread, NULL, thread_allocate, &bytes);
	pthread_exit(NULL);
}

/* storm SIZE: short processes without end, and a parent of that size */
static void storm(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;

	touch(map(bytes, MAP_PRIVATE), bytes);
	(void)!write(STDOUT_FILENO, "r", 1);
	for (;;) {
		if (fork() == 0) {
			_exit(0);
		}
		(void)waitpid(-1, NULL, 0);
	}
}

/* vfork SIZE: a large process whose child borrows its memory for long */
static void borrow(char **argv)
{
	size_t bytes = number(argv, 2) * MIB;

	touch(map(bytes, MAP_PRIVATE), bytes);
	if (vfork() == 0) {
		forever();
	}
}

static void spin(void)
{
	for (volatile uint64_t i = 0;; i++) {
	}
}

/* busy COUNT: so many more busy processes, each in a session of its own */
static void busy(char **argv)
{
	for (size_t i = 0; i < number(argv, 2); i++) {
		if (fork() == 0) {
			(void)setsid();
			spin();
		}
	}
	spin();
}

/* forks: a fork storm whose processes each live 20 ms and leave a child behind */
static void forks(char **argv)
{
	(void)argv;
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() == 0) {
			(void)setsid();
			(void)usleep(20000);
			if (fork() == 0) {
				(void)usleep(20000);
			}
			_exit(0);
		}
		(void)usleep(500);
	}
}

static const struct mode {
	const char *name;
	void (*run)(char **argv);
} modes[] = {
	{ "allocate", allocate },
	{ "allocate-huge", allocate_huge },
	{ "pair", allocate_pair },
	{ "reserve", reserve },
	{ "copies", copies },
	{ "rewrite", rewrite },
	{ "shared", shared },
	{ "memfd", memfd },
	{ "unlinked", unlinked },
	{ "memfd-mapped", memfd_mapped },
	{ "threads", threads },
	{ "leaderless", leaderless },
	{ "storm", storm },
	{ "borrow", borrow },
	{ "busy", busy },
	{ "forks", forks },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run(argv);
			return 0;
		}
	}
	(void)fprintf(stderr, "limits_guest: no such mode\n");
	return 2;
}
