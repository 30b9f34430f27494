/* Callers of one system call, all at once: prints the nanoseconds per call of all of them together.
 */
// SPDX-License-Identifier: Apache-2.0
/* usage: notify register|memory CALLERS CALLS      CALLS of each caller */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* An odd size is refused by its register alone; the name is written into memory. */
static void call_once(bool memory)
{
	struct utsname name;

	if (memory) {
		(void)syscall(SYS_uname, &name);
	} else {
		(void)syscall(SYS_sched_getaffinity, 0, 1, NULL);
	}
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
	bool memory = argc > 1 && strcmp(argv[1], "memory") == 0;
	int callers = argc > 3 ? atoi(argv[2]) : 0;
	int calls = argc > 3 ? atoi(argv[3]) : 0;
	int gate[2];
	char byte;
	double began;

	if (callers < 1 || calls < 1 || pipe(gate) < 0) {
		fprintf(stderr, "usage: notify register|memory CALLERS CALLS\n");
		return 1;
	}
	for (int i = 0; i < callers; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			return 1;
		}
		if (pid == 0) {
			(void)close(gate[1]);
			(void)!read(gate[0], &byte, 1); /* all begin when the gate closes */
			for (int call = 0; call < calls; call++) {
				call_once(memory);
			}
			_exit(0);
		}
	}
	began = now();
	(void)close(gate[1]);
	while (wait(NULL) > 0) {
	}
	printf("%.1f\n", (now() - began) / ((double)callers * calls));
	return 0;
}
