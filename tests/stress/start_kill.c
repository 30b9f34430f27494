/* Starts sandboxes and ends each at a random moment of its life, from before the first exec to well
 * after it, by a random signal to sandlock; then looks for what is left.  Bounded by its count. */
// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AT_A_TIME	4
#define LONGEST_LIFE_US 20000
#define END_SECONDS	10.0
#define MARKER		"SANDLOCK_STRESS_MARKER"

struct run {
	pid_t pid; /* 0: the place is free */
	double kill_at;
	int signal;
	bool killed;
};

/* How the runs ended: by our signal's own number, by exit code, or otherwise. */
struct tally {
	int by_signal, by_code, unexpected;
	double longest_end;
};

static char marker[64];

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void start(struct run *run, const char *sandlock, const char *guests)
{
	static const int signals[] = { SIGKILL, SIGKILL, SIGTERM, SIGINT, SIGHUP };
	char tree[PATH_MAX + 8];
	const char *const command[] = { sandlock, "run", "-r", guests, "--", tree, "deep", "6",
		NULL };

	snprintf(tree, sizeof(tree), "%s/tree", guests);
	run->signal = signals[(size_t)rand() % (sizeof(signals) / sizeof(signals[0]))];
	run->killed = false;
	run->kill_at = now_seconds() + (double)(rand() % LONGEST_LIFE_US) / 1e6;
	run->pid = fork();
	if (run->pid == 0) {
		int nowhere = open("/dev/null", O_RDWR);

		dup2(nowhere, 0);
		dup2(nowhere, 1);
		dup2(nowhere, 2);
		setpgid(0, 0);
		putenv(marker);
		execv(sandlock, (char *const *)command);
		_exit(127);
	}
}

/* A signal that arrived before sandlock listened ends sandlock itself; later ones end the command.
 */
static void count_end(struct tally *tally, const struct run *run, int status)
{
	double took = now_seconds() - run->kill_at;

	if (took > tally->longest_end) {
		tally->longest_end = took;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == run->signal) {
		tally->by_signal++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + run->signal) {
		tally->by_code++;
	} else {
		fprintf(stderr, "start_kill: signal %d, but status %x\n", run->signal, status);
		tally->unexpected++;
	}
}

/* Kills what is due and collects what ended; false when one does not end at all. */
static bool tend(struct run *run, struct tally *tally)
{
	int status;

	if (!run->killed && now_seconds() >= run->kill_at) {
		kill(run->pid, run->signal);
		run->killed = true;
	}
	if (waitpid(run->pid, &status, WNOHANG) == run->pid) {
		count_end(tally, run, status);
		run->pid = 0;
	}
	return run->pid == 0 || now_seconds() < run->kill_at + END_SECONDS;
}

static int count_survivors(void)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char path[300], block[65536];
		ssize_t length;
		int fd;

		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
		fd = open(path, O_RDONLY);
		length = fd < 0 ? 0 : read(fd, block, sizeof(block));
		close(fd);
		count += length > 0 &&
			 memmem(block, (size_t)length, marker, strlen(marker) + 1) != NULL;
	}
	closedir(directory);
	return count;
}

static bool run_all(const char *sandlock, const char *guests, int count, struct tally *tally)
{
	struct run runs[AT_A_TIME] = { 0 };
	struct timespec pause_time = { 0, 500000 };
	int started = 0, alive = 0;

	do {
		alive = 0;
		for (int i = 0; i < AT_A_TIME; i++) {
			if (runs[i].pid == 0 && started < count) {
				start(&runs[i], sandlock, guests);
				started++;
			}
			if (runs[i].pid != 0 && !tend(&runs[i], tally)) {
				fprintf(stderr, "start_kill: %d does not end\n", runs[i].pid);
				return false;
			}
			alive += runs[i].pid != 0;
		}
		nanosleep(&pause_time, NULL);
	} while (alive > 0 || started < count);
	return true;
}

/* start_kill SANDLOCK GUESTS COUNT */
int main(int argc, char **argv)
{
	struct tally tally = { 0 };
	char sandlock[PATH_MAX], guests[PATH_MAX];
	int left;
	bool ended;
	double limit;

	if (argc < 4 || realpath(argv[1], sandlock) == NULL || realpath(argv[2], guests) == NULL) {
		fprintf(stderr, "usage: start_kill SANDLOCK GUESTS COUNT\n");
		return 2;
	}
	snprintf(marker, sizeof(marker), MARKER "=%d", getpid());
	srand((unsigned)getpid());
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ended = run_all(sandlock, guests, atoi(argv[3]), &tally);
	limit = now_seconds() + 1;
	while ((left = count_survivors()) > 0 && now_seconds() < limit) {
		while (waitpid(-1, NULL, WNOHANG) > 0) {
		}
	}
	printf("start_kill: %d ended by the signal, %d with its code, %d otherwise; "
	       "longest end %.0f ms; %d processes left\n",
		tally.by_signal, tally.by_code, tally.unexpected, tally.longest_end * 1e3, left);
	return ended && left == 0 && tally.unexpected == 0 ? 0 : 1;
}
