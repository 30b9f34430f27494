/* Starts sandlock or a bare command with pipes on its descriptors, collects what it writes, and
 * ends it when it does not end by itself. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/live/harness.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "tests/live/probe.h"

#define STATUS_FD      9   /* the number that --status-fd names */
#define STATUS_FD_WORD "9" /* not from the ring of words: a spec may be started many times */
#define FIRST_SAFE_FD  500 /* above all that the test process has open */
#define INPUT	       3   /* index of stdin's pipe, after the streams */
#define WORD_COUNT     64
#define COMMAND_WORDS  512
#define STARTED_LIMIT  32

enum stream { STREAM_OUT, STREAM_ERR, STREAM_STATUS, STREAM_COUNT };

extern char **environ;

double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int count_choose(int few, int many)
{
	const char *counts = getenv("SANDLOCK_COUNTS");

	return counts != NULL && strcmp(counts, "full") == 0 ? many : few;
}

int machine_lock(void)
{
	int fd = open("/tmp/sandlock-live.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	cr_assert(fd >= 0 && flock(fd, LOCK_EX) == 0, "lock: %s", strerror(errno));
	return fd;
}

static char *word_next(void)
{
	static char words[WORD_COUNT][PATH_MAX];
	static unsigned next;

	return words[next++ % WORD_COUNT];
}

const char *word(const char *format, ...)
{
	char *text = word_next();
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, PATH_MAX, format, arguments);
	va_end(arguments);
	return text;
}

/* An absolute path out of the environment: a run may start in another directory. */
static const char *path_from_environment(const char *name, char *buffer)
{
	const char *value = getenv(name);

	if (buffer[0] == '\0') {
		cr_assert(value != NULL, "%s must be set", name);
		cr_assert(
			realpath(value, buffer) != NULL, "%s=%s: %s", name, value, strerror(errno));
	}
	return buffer;
}

const char *sandlock_path(void)
{
	static char path[PATH_MAX];

	return path_from_environment("SANDLOCK", path);
}

const char *guests_directory(void)
{
	static char path[PATH_MAX];

	return path_from_environment("GUESTS", path);
}

const char *sandlock_faults_path(void)
{
	static char path[PATH_MAX];

	return path_from_environment("SANDLOCK_FAULTS", path);
}

bool sandlock_has_faults(void)
{
	return strcmp(sandlock_path(), sandlock_faults_path()) == 0;
}

const char *guest(const char *name)
{
	return word("%s/%s", guests_directory(), name);
}

struct scratch scratch_create(void)
{
	struct scratch scratch = { .path = "/tmp/sandlock-live-XXXXXX" };

	cr_assert(mkdtemp(scratch.path) != NULL, "mkdtemp: %s", strerror(errno));
	cr_assert(chmod(scratch.path, 0777) == 0);
	return scratch;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

void scratch_destroy(struct scratch *scratch)
{
	(void)nftw(scratch->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_file(const struct scratch *scratch, const char *name)
{
	return word("%s/%s", scratch->path, name);
}

void file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

char *file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0, capacity = 4096;
	char *text;
	ssize_t count;

	if (fd < 0) {
		return NULL;
	}
	text = malloc(capacity + 1);
	while ((count = read(fd, text + length, capacity - length)) > 0) {
		length += (size_t)count;
		if (length == capacity) {
			capacity *= 2;
			text = realloc(text, capacity + 1);
		}
	}
	text[length] = '\0';
	close(fd);
	return text;
}

/* Flags that every run gets before its own: the whole suite under one more option. */
static size_t add_flags(const struct run_spec *spec, const char **command, size_t count)
{
	const char *flags = getenv("SANDLOCK_TEST_FLAGS");
	char *words = flags != NULL ? word_next() : NULL;
	char *rest = NULL;

	for (const char *const *item = spec->options; item != NULL && *item != NULL; item++) {
		if (strcmp(*item, "--no-supervisor") == 0) {
			return count; /* what is tried here is for those that it refuses */
		}
	}
	if (words == NULL) {
		return count;
	}
	snprintf(words, PATH_MAX, "%s", flags);
	for (char *flag = strtok_r(words, " ", &rest); flag != NULL;
		flag = strtok_r(NULL, " ", &rest)) {
		command[count++] = flag;
	}
	return count;
}

/* A run that another program of the test starts. */
static bool is_start_of_run(const char *const *items, size_t at)
{
	return at > 0 && strcmp(items[at], "run") == 0 &&
	       strcmp(items[at - 1], sandlock_path()) == 0;
}

/* The words of the process to start; they live as long as the spec's own. */
static void build_command(const struct run_spec *spec, const char **command)
{
	size_t count = 0;
	const char *const *lists[2] = { spec->outside ? NULL : spec->options, spec->command };

	if (!spec->outside) {
		command[count++] = spec->binary != NULL ? spec->binary : sandlock_path();
		if (!spec->plain) {
			command[count++] = "run";
			count = add_flags(spec, command, count);
			command[count++] = "-r";
			command[count++] = guests_directory();
		}
		if (!spec->plain && !spec->no_status) {
			command[count++] = "--status-fd";
			command[count++] = STATUS_FD_WORD;
		}
	}
	for (size_t i = 0; i < 2; i++) {
		if (i == 1 && !spec->outside && spec->command != NULL) {
			command[count++] = "--";
		}
		for (const char *const *item = lists[i]; item != NULL && *item != NULL; item++) {
			cr_assert_lt(count, (size_t)COMMAND_WORDS - 2, "too many words");
			command[count++] = *item;
			if (spec->outside && is_start_of_run(lists[i], (size_t)(item - lists[i]))) {
				count = add_flags(spec, command, count);
			}
		}
	}
	command[count] = NULL;
}

/* Puts the three streams and the status pipe where the command expects them, and closes the rest.
 */
static void arrange_descriptors(const struct run_spec *spec, int pipes[4][2])
{
	int wanted[4] = { pipes[INPUT][0], pipes[STREAM_OUT][1], pipes[STREAM_ERR][1],
		pipes[STREAM_STATUS][1] };

	for (int i = 0; i < 4; i++) {
		int source = i < 3 && spec->terminal != 0 ? spec->terminal : wanted[i];

		wanted[i] = fcntl(source, F_DUPFD, FIRST_SAFE_FD);
	}
	for (int fd = 0; fd < 3; fd++) {
		dup2(wanted[fd], fd);
	}
	close_range(3, FIRST_SAFE_FD - 1, 0);
	if (!spec->no_status && !spec->outside) {
		dup2(wanted[3], STATUS_FD);
	}
	close_range(FIRST_SAFE_FD, ~0u, 0);
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < SIGRTMAX; number++) {
		signal(number, SIG_DFL);
	}
}

/* A session whose controlling terminal is the spec's; in the foreground unless it says otherwise.
 */
static void take_terminal(const struct run_spec *spec)
{
	setsid();
	ioctl(0, TIOCSCTTY, 0);
	if (spec->background && fork() != 0) {
		/* The leader keeps the foreground, hands on the end of its child, and nothing else.
		 */
		int status;

		while (wait(&status) < 0 && errno == EINTR) {
		}
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
	}
	if (spec->background) {
		setpgid(0, 0);
	}
}

/* In the new process. */
static void become_command(
	const struct run_spec *spec, const char *marker, int pipes[4][2], const char **command)
{
	arrange_descriptors(spec, pipes);
	reset_signals();
	if (spec->terminal != 0) {
		take_terminal(spec);
	} else {
		/* What signals its group then reaches nothing of the test's. */
		setpgid(0, 0);
	}
	putenv(strdup(marker));
	for (const char *const *item = spec->env; item != NULL && *item != NULL; item++) {
		putenv(strdup(*item));
	}
	if (spec->prepare != NULL) {
		spec->prepare(spec->prepare_argument);
	}
	if (spec->uid != 0 &&
		(setgroups(0, NULL) != 0 || setresgid(spec->uid, spec->uid, spec->uid) != 0 ||
			setresuid(spec->uid, spec->uid, spec->uid) != 0)) {
		_exit(99);
	}
	execvp(command[0], (char *const *)command);
	dprintf(2, "harness: %s: %s\n", command[0], strerror(errno));
	_exit(98);
}

/* Processes that run_finish() will wait for; what else ends as our child is an orphan of a run. */
static pid_t started[STARTED_LIMIT];

static void started_replace(pid_t old, pid_t new)
{
	for (size_t i = 0; i < STARTED_LIMIT; i++) {
		if (started[i] == old) {
			started[i] = new;
			return;
		}
	}
	cr_assert_fail("more than %d runs at once", STARTED_LIMIT);
}

void orphans_reap(void)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
		for (size_t i = 0; i < STARTED_LIMIT; i++) {
			if (started[i] == info.si_pid) {
				return;
			}
		}
		(void)waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
}

void run_start(const struct run_spec *spec, struct run *ret_run)
{
	static unsigned counter;
	const char *command[COMMAND_WORDS];
	int pipes[4][2];
	struct run run = { .started_at = now_seconds() };

	/* The first process of a container may be slow to reap, and a storm leaves thousands. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	build_command(spec, command);
	snprintf(run.marker, sizeof(run.marker), "SANDLOCK_LIVE_MARKER=%d-%u-%ld", getpid(),
		counter++, (long)(run.started_at * 1e6));
	for (int i = 0; i < 4; i++) {
		cr_assert(pipe2(pipes[i], O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));
	}
	run.limit_at = run.started_at +
		       (spec->limit_seconds != 0 ? spec->limit_seconds : RUN_LIMIT_SECONDS);
	run.pid = fork();
	cr_assert(run.pid >= 0, "fork: %s", strerror(errno));
	if (run.pid == 0) {
		become_command(spec, run.marker, pipes, command);
	}

	started_replace(0, run.pid);
	close(pipes[INPUT][0]);
	for (int i = 0; i < STREAM_COUNT; i++) {
		close(pipes[i][1]);
		fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
		run.text[i] = calloc(1, 1);
	}
	run.input = pipes[INPUT][1];
	run.out = pipes[STREAM_OUT][0];
	run.err = pipes[STREAM_ERR][0];
	run.status = pipes[STREAM_STATUS][0];
	*ret_run = run;
	if (spec->input != NULL) {
		run_write(ret_run, spec->input);
		run_end_input(ret_run);
	}
}

void run_write(struct run *run, const char *text)
{
	cr_assert_eq(write(run->input, text, strlen(text)), (ssize_t)strlen(text));
}

void run_end_input(struct run *run)
{
	if (run->input >= 0) {
		close(run->input);
		run->input = -1;
	}
}

/* Takes what one pipe holds now; false once its other end is closed. */
static bool stream_drain(struct run *run, int *fd, int stream)
{
	char block[65536];
	ssize_t count;

	while (*fd >= 0 && (count = read(*fd, block, sizeof(block))) != 0) {
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			return true;
		}
		run->text[stream] =
			realloc(run->text[stream], run->length[stream] + (size_t)count + 1);
		memcpy(run->text[stream] + run->length[stream], block, (size_t)count);
		run->length[stream] += (size_t)count;
		run->text[stream][run->length[stream]] = '\0';
	}
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

static bool streams_drain(struct run *run)
{
	bool out = stream_drain(run, &run->out, STREAM_OUT);
	bool err = stream_drain(run, &run->err, STREAM_ERR);
	bool status = stream_drain(run, &run->status, STREAM_STATUS);

	return out || err || status;
}

/* Ends a run that passed its limit, and all that carries its marker. */
static void run_enforce_limit(struct run *run)
{
	if (now_seconds() >= run->limit_at && !run->timed_out) {
		run->timed_out = true;
		kill(run->pid, SIGKILL);
		survivors_kill(run->marker);
	}
}

/* Waits until a pipe has bytes or the process ended, for at most 50 ms. */
static void run_wait_event(const struct run *run, int process)
{
	struct pollfd watched[4] = { { run->out, POLLIN, 0 }, { run->err, POLLIN, 0 },
		{ run->status, POLLIN, 0 }, { process, POLLIN, 0 } };

	(void)poll(watched, 4, 50);
}

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
		if ((at == text || at[-1] == '\n') && at[length] == '\n') {
			return true;
		}
	}
	return false;
}

bool run_wait_line(struct run *run, const char *line)
{
	while (!has_line(run->text[STREAM_OUT], line)) {
		if (!stream_drain(run, &run->out, STREAM_OUT)) {
			return has_line(run->text[STREAM_OUT], line);
		}
		run_enforce_limit(run);
		if (!has_line(run->text[STREAM_OUT], line)) {
			run_wait_event(run, -1);
		}
	}
	return true;
}

void run_finish(struct run *run, struct run_result *ret_result)
{
	int process = (int)syscall(SYS_pidfd_open, run->pid, 0);
	struct run_result result = { .exit_code = -1 };

	run_end_input(run);
	while (waitpid(run->pid, &result.status, WNOHANG) == 0) {
		(void)streams_drain(run);
		run_enforce_limit(run);
		run_wait_event(run, process);
		orphans_reap();
	}
	started_replace(run->pid, 0);
	orphans_reap();
	result.seconds = now_seconds() - run->started_at;
	(void)streams_drain(run);
	close(process);
	if (WIFEXITED(result.status)) {
		result.exit_code = WEXITSTATUS(result.status);
	}
	result.timed_out = run->timed_out;
	result.out = run->text[STREAM_OUT];
	result.err = run->text[STREAM_ERR];
	result.status_json = run->text[STREAM_STATUS];
	result.out_length = run->length[STREAM_OUT];
	result.err_length = run->length[STREAM_ERR];
	memcpy(result.marker, run->marker, sizeof(result.marker));
	fd_close(&run->out);
	fd_close(&run->err);
	fd_close(&run->status);
	*ret_result = result;
}

struct run_result run_once(const struct run_spec *spec)
{
	struct run run;
	struct run_result result;

	run_start(spec, &run);
	run_finish(&run, &result);
	return result;
}

void run_result_finish(struct run_result *result)
{
	free(result->out);
	free(result->err);
	free(result->status_json);
}

struct run_result run_inside(const char *const *options, const char *const *command)
{
	return run_once(&(struct run_spec){ .options = options, .command = command });
}

struct run_result run_outside(const char *const *command)
{
	return run_once(&(struct run_spec){ .outside = true, .command = command });
}
