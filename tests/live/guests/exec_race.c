/* Many execs of the programs in a directory (see exec_guest.c), unraced or with a process that
 * rewrites what they read: KIND COUNT DIRECTORY. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEANT	 42
#define MUST_NOT 66
#define REFUSED	 13

static bool runs_as_meant(const char *path)
{
	static char *argv[] = { "t", "one", "two words", "", NULL };
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execv(path, argv);
		_exit(1);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == MEANT;
}

/* Unraced execs of four kinds, `count` in all. */
static int run_storm(int count)
{
	static const char *const paths[] = { "t", "link", "script", "/proc/self/cwd/hard" };
	int failed = 0;

	for (int i = 0; i < count; i++) {
		failed += !runs_as_meant(paths[i % 4]);
	}
	return failed == 0 ? MEANT : 1;
}

/* How the children of a race ended. */
struct counts {
	int meant, refused, killed, must_not, other;
};

static void count_status(struct counts *counts, int status)
{
	if (WIFSIGNALED(status)) {
		counts->killed += WTERMSIG(status) == SIGKILL;
		counts->other += WTERMSIG(status) != SIGKILL;
		return;
	}
	switch (WEXITSTATUS(status)) {
	case MEANT:
		counts->meant++;
		break;
	case MUST_NOT:
		counts->must_not++;
		break;
	case REFUSED:
		counts->refused++;
		break;
	default:
		counts->other++;
		break;
	}
}

static void idle(void)
{
	for (volatile int i = 0; i < 30000; i++) {
	}
}

static pid_t writer_start(char *page, const char *good, const char *bad)
{
	pid_t writer = fork();

	while (writer == 0) {
		idle();
		memcpy(page, bad, strlen(bad) + 1);
		idle();
		memcpy(page, good, strlen(good) + 1);
	}
	return writer;
}

/* A process that shares the page writes into it all the time, the children of this one exec what
 * stands there: a path ("t" or "bad") or an argument ("good" or "evil"). */
static int run_race(bool races_path, int count)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *argv[] = { "t", races_path ? "good" : page, NULL };
	const char *good = races_path ? "t" : "good";
	struct counts counts = { 0 };
	pid_t writer;
	FILE *file;

	(void)strcpy(page, good);
	writer = writer_start(page, good, races_path ? "bad" : "evil");
	for (int i = 0; i < count; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			(void)execv(races_path ? page : "t", argv);
			_exit(errno == EACCES ? REFUSED : 2);
		}
		(void)waitpid(pid, &status, 0);
		count_status(&counts, status);
	}
	(void)kill(writer, SIGKILL);
	(void)waitpid(writer, NULL, 0);
	file = fopen("counts", "w");
	(void)fprintf(file, "%d %d %d %d %d\n", counts.meant, counts.refused, counts.killed,
		counts.must_not, counts.other);
	(void)fclose(file);
	return MEANT;
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[2]) : 0;

	if (argc != 4 || chdir(argv[3]) < 0) {
		return 1;
	}
	if (strcmp(argv[1], "storm") == 0) {
		return run_storm(count);
	}
	return run_race(strcmp(argv[1], "path") == 0, count);
}
