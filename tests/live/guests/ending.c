/* Ends in every way a program can end, or waits to be ended. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/live/guests/act.h"

static int number_of(int argc, char **argv)
{
	return argc > 1 ? atoi(argv[1]) : 0;
}

static int run_exit(int argc, char **argv)
{
	return number_of(argc, argv);
}

static int run_signal(int argc, char **argv)
{
	signal(number_of(argc, argv), SIG_DFL);
	raise(number_of(argc, argv));
	return GUEST_BROKEN;
}

static int caught_code;

static void end_by_signal(int number)
{
	(void)number;
	_exit(caught_code);
}

/* ending catch CODE SIGNAL...: exits with the code when one of them arrives. */
static int run_catch(int argc, char **argv)
{
	caught_code = number_of(argc, argv);
	for (int i = 2; i < argc; i++) {
		signal(atoi(argv[i]), end_by_signal);
	}
	(void)!write(1, "ready\n", 6);
	while (pause() < 0) {
	}
	return 0;
}

/* ending ignore SIGNAL...: only SIGKILL ends it. */
static int run_ignore(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		signal(atoi(argv[i]), SIG_IGN);
	}
	(void)!write(1, "ready\n", 6);
	while (pause() < 0) {
	}
	return 0;
}

/* Writes into a pipe that nobody reads. */
static int run_broken_pipe(int argc, char **argv)
{
	int ends[2];

	(void)argc;
	(void)argv;
	(void)!pipe(ends);
	close(ends[0]);
	(void)!write(ends[1], "x", 1);
	return 0;
}

/* ending flood BYTES: writes them to stdout, as many as it can, and then says nothing. */
static int run_flood(int argc, char **argv)
{
	long left = argc > 1 ? atol(argv[1]) : 0;
	char block[4096];

	memset(block, 'x', sizeof(block));
	while (left > 0) {
		ssize_t count = write(1, block, left < 4096 ? (size_t)left : 4096);

		if (count <= 0) {
			return 1;
		}
		left -= count;
	}
	return 0;
}

/* ending both OUT ERR: so many bytes to each of the two. */
static int run_both(int argc, char **argv)
{
	for (int i = 1; i < argc && i < 3; i++) {
		for (int left = atoi(argv[i]); left > 0; left--) {
			(void)!write(i, i == 1 ? "o" : "e", 1);
		}
	}
	return 0;
}

/* ending work MILLISECONDS: uses the processor in two processes at once. */
static int run_work(int argc, char **argv)
{
	struct timespec now;
	pid_t pid = fork();

	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < number_of(argc, argv));
	if (pid > 0) {
		waitpid(pid, NULL, 0);
	}
	return 0;
}

/* ending closed: 0 when stdout is not there. */
static int run_closed(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return write(1, "x", 1) < 0 && errno == EBADF ? 0 : 1;
}

/* Ends with the bits of the standard streams that are open. */
static int run_streams(int argc, char **argv)
{
	int bits = 0;

	(void)argc;
	(void)argv;
	for (int fd = 0; fd < 3; fd++) {
		bits |= (fcntl(fd, F_GETFD) >= 0) << fd;
	}
	return bits;
}

/* ending children N: that many at once, and waits for all. */
static int run_children(int argc, char **argv)
{
	int ends[2];
	char byte;

	(void)!pipe(ends);
	for (int i = 0; i < number_of(argc, argv); i++) {
		if (fork() == 0) {
			close(ends[1]);
			(void)!read(ends[0], &byte, 1);
			_exit(0);
		}
	}
	usleep(50000);
	close(ends[1]);
	while (wait(NULL) > 0) {
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "exit", run_exit },
		{ "signal", run_signal },
		{ "catch", run_catch },
		{ "ignore", run_ignore },
		{ "broken-pipe", run_broken_pipe },
		{ "flood", run_flood },
		{ "both", run_both },
		{ "work", run_work },
		{ "closed", run_closed },
		{ "streams", run_streams },
		{ "children", run_children },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}
