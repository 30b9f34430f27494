/* Starts short processes one after another and prints the microseconds that one of them took. */
// SPDX-License-Identifier: Apache-2.0
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	double begin = now();

	if (count < 1) {
		fprintf(stderr, "usage: fork_storm COUNT COMMAND [ARGUMENT...]\n");
		return 1;
	}
	for (int i = 0; i < count; i++) {
		int status;
		pid_t pid;

		if (posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
			waitpid(pid, &status, 0) != pid || status != 0) {
			fprintf(stderr, "fork_storm: process %d of %d fails\n", i, count);
			return 1;
		}
	}
	printf("%.3f\n", (now() - begin) / count);
	return 0;
}
