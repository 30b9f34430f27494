/* Runs calls by number: reads a byte (enum call) from its input, answers with the nanoseconds that
 * one of them took, as a double.  Ends when its input does.  Native and confined it is one file. */
// SPDX-License-Identifier: Apache-2.0
#include "bench/calls.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_STACK_SIZE (32 * 1024)
#define PAGES_SIZE	 (64 * 1024)
#define BATCHES		 4

/* What the calls work on; opened before anything is measured. */
static struct {
	char *true_path;
	char file_path[4096];
	char new_path[4096];
	int file_fd;
	int pipe_ends[2];
	char *pages;
} world;

static void check(bool holds, const char *what)
{
	if (!holds) {
		perror(what);
		exit(1);
	}
}

static void wait_child(pid_t pid)
{
	int status;

	check(pid > 0, "child");
	check(waitpid(pid, &status, 0) == pid && status == 0, "wait");
}

static void call_getpid(void)
{
	(void)syscall(SYS_getpid);
}

static void call_read_byte(void)
{
	char byte;

	check(pread(world.file_fd, &byte, 1, 0) == 1, "read");
}

static void call_pipe_write_read(void)
{
	char byte = 0;

	check(write(world.pipe_ends[1], &byte, 1) == 1, "write");
	check(read(world.pipe_ends[0], &byte, 1) == 1, "read");
}

static void call_stat(void)
{
	struct stat status;

	check(stat(world.file_path, &status) == 0, "stat");
}

static void call_mmap_munmap(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(page != MAP_FAILED, "mmap");
	*page = 1;
	check(munmap(page, 4096) == 0, "munmap");
}

static void call_mprotect(void)
{
	check(mprotect(world.pages, PAGES_SIZE, PROT_READ) == 0, "mprotect");
	check(mprotect(world.pages, PAGES_SIZE, PROT_READ | PROT_WRITE) == 0, "mprotect");
}

static void open_close(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check(fd >= 0, path);
	(void)close(fd);
}

static void call_open_close(void)
{
	open_close(world.file_path);
}

static void call_open_close_system(void)
{
	open_close("/usr/bin/env");
}

static void call_create_unlink(void)
{
	int fd = open(world.new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	check(fd >= 0, world.new_path);
	(void)close(fd);
	check(unlink(world.new_path) == 0, world.new_path);
}

static void call_ioctl(void)
{
	int readable;

	check(ioctl(world.pipe_ends[0], FIONREAD, &readable) == 0, "ioctl");
}

static void call_prctl(void)
{
	check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) >= 0, "prctl");
}

static void call_socket_close(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd >= 0, "socket");
	(void)close(fd);
}

/* SIGURG is ignored by default: the cost is that of asking whether it may be sent. */
static void call_signal_self(void)
{
	check(kill(getpid(), SIGURG) == 0, "kill");
}

static void call_fork_wait(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		_exit(0);
	}
	wait_child(pid);
}

static int clone_main(void *argument)
{
	(void)argument;
	_exit(0);
}

static void call_clone_vm_wait(void)
{
	static char stack[CHILD_STACK_SIZE] __attribute__((aligned(16)));

	wait_child(clone(clone_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}

static void call_vfork_exec_wait(void)
{
	char *argv[] = { world.true_path, NULL };
	char *envp[] = { NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execve(world.true_path, argv, envp);
		_exit(127);
	}
	wait_child(pid);
}

static void *thread_main(void *argument)
{
	return argument;
}

static void call_thread_create_join(void)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, thread_main, NULL) == 0, "thread");
	(void)pthread_join(thread, NULL);
}

static const struct {
	void (*run)(void);
	int repetitions;
} calls[CALL_COUNT] = {
#define CALL(name, count) [CALL_##name] = { call_##name, count },
	CALLS
#undef CALL
};

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The quickest of some batches: what else runs on the machine makes a batch slower, never quicker.
 */
static double measure(enum call call)
{
	int repetitions = calls[call].repetitions / BATCHES;
	double quickest = 0;

	calls[call].run();
	for (int batch = 0; batch < BATCHES; batch++) {
		double begin = now();
		double cost;

		for (int i = 0; i < repetitions; i++) {
			calls[call].run();
		}
		cost = (now() - begin) / repetitions;
		quickest = batch == 0 || cost < quickest ? cost : quickest;
	}
	return quickest;
}

int main(int argc, char **argv)
{
	unsigned char call;

	if (argc != 3) {
		fprintf(stderr, "usage: calls DIRECTORY TRUE\n");
		return 1;
	}
	world.true_path = argv[2];
	(void)snprintf(world.file_path, sizeof(world.file_path), "%s/calls-file", argv[1]);
	(void)snprintf(
		world.new_path, sizeof(world.new_path), "%s/calls-new.%d", argv[1], getpid());
	world.file_fd = open(world.file_path, O_RDONLY | O_CLOEXEC);
	check(world.file_fd >= 0, world.file_path);
	check(pipe2(world.pipe_ends, O_CLOEXEC) == 0, "pipe");
	world.pages =
		mmap(NULL, PAGES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(world.pages != MAP_FAILED, "mmap");

	while (read(STDIN_FILENO, &call, 1) == 1 && call < CALL_COUNT) {
		double cost = measure(call);

		check(write(STDOUT_FILENO, &cost, sizeof(cost)) == sizeof(cost), "write");
	}
	return 0;
}
