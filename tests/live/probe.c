/* Reads /proc for the tests. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/live/probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/text.h"
#include "tests/live/harness.h"

#define IOPRIO_WHO_PROCESS 1

static void sleep_milliseconds(long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* Calls visit() for every process; its sum. */
static int processes_visit(int (*visit)(pid_t pid, const void *argument), const void *argument)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	int sum = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0])) {
			sum += visit((pid_t)atoi(entry->d_name), argument);
		}
	}
	closedir(directory);
	return sum;
}

static char *process_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return file_read(path);
}

static int carries_marker(pid_t pid, const void *argument)
{
	const char *marker = argument;
	char path[64];
	char block[65536];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return 0;
	}
	length = read(fd, block, sizeof(block));
	close(fd);
	return length > 0 && memmem(block, (size_t)length, marker, strlen(marker) + 1) != NULL;
}

static int kill_marked(pid_t pid, const void *argument)
{
	return carries_marker(pid, argument) && kill(pid, SIGKILL) == 0;
}

int survivors_count(const char *marker)
{
	return processes_visit(carries_marker, marker);
}

void survivors_kill(const char *marker)
{
	double limit = now_seconds() + 2;

	while (processes_visit(kill_marked, marker) > 0 && now_seconds() < limit) {
		orphans_reap();
		sleep_milliseconds(1);
	}
}

double survivors_wait_gone(const char *marker, double limit_seconds)
{
	double start = now_seconds();

	while (survivors_count(marker) > 0) {
		orphans_reap();
		if (now_seconds() - start > limit_seconds) {
			return -1;
		}
		sleep_milliseconds(2);
	}
	return now_seconds() - start;
}

/* The part of /proc/PID/stat after the name, which may hold anything: "S ppid pgrp …". */
static bool process_stat(pid_t pid, char *ret_state, pid_t *ret_parent)
{
	char *text = process_file(pid, "stat");
	const char *after = text == NULL ? NULL : strrchr(text, ')');
	bool ok = after != NULL && sscanf(after, ") %c %d", ret_state, ret_parent) == 2;

	free(text);
	return ok;
}

struct child_list {
	pid_t parent;
	pid_t *items;
	size_t capacity;
	size_t *count;
};

static int collect_child(pid_t pid, const void *argument)
{
	const struct child_list *list = argument;
	char state;
	pid_t parent;

	if (process_stat(pid, &state, &parent) && parent == list->parent &&
		*list->count < list->capacity) {
		list->items[(*list->count)++] = pid;
	}
	return 0;
}

size_t process_children(pid_t pid, pid_t *ret_children, size_t capacity)
{
	size_t count = 0;
	struct child_list list = { pid, ret_children, capacity, &count };

	(void)processes_visit(collect_child, &list);
	return count;
}

pid_t process_only_child(pid_t pid)
{
	double limit = now_seconds() + 2;
	pid_t children[2];

	while (now_seconds() < limit) {
		if (process_children(pid, children, 2) == 1) {
			return children[0];
		}
		sleep_milliseconds(1);
	}
	return 0;
}

char process_state(pid_t pid)
{
	char state;
	pid_t parent;

	return process_stat(pid, &state, &parent) ? state : 0;
}

/* What is stopped by job control while a tracer watches it shows 't' (ptrace(2), PTRACE_LISTEN). */
static bool has_state(pid_t pid, char wanted)
{
	char state = process_state(pid);

	return state == wanted || (wanted == 'T' && state == 't');
}

bool process_wait_state(pid_t pid, char state, double limit_seconds)
{
	double limit = now_seconds() + limit_seconds;

	while (!has_state(pid, state)) {
		if (now_seconds() > limit) {
			return false;
		}
		sleep_milliseconds(1);
	}
	return true;
}

const char *process_field(pid_t pid, const char *name, char *buffer, size_t capacity)
{
	char *text = process_file(pid, "status");
	char *line = text;
	size_t length = strlen(name);

	while (line != NULL && (strncmp(line, name, length) != 0 || line[length] != ':')) {
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	if (line == NULL) {
		free(text);
		return NULL;
	}
	line += length + 1;
	line += strspn(line, " \t");
	snprintf(buffer, capacity, "%.*s", (int)strcspn(line, "\n"), line);
	free(text);
	return buffer;
}

char *process_settings(pid_t pid)
{
	struct text settings = { 0 };
	char *limits = process_file(pid, "limits");
	struct sched_param parameter = { 0 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	sched_getparam(pid, &parameter);
	sched_getaffinity(pid, sizeof(cpus), &cpus);
	text_add(&settings, "%s", limits == NULL ? "gone" : limits);
	text_add(&settings, "nice %d\n", getpriority(PRIO_PROCESS, (id_t)pid));
	text_add(&settings, "scheduler %d %d\n", sched_getscheduler(pid), parameter.sched_priority);
	text_add(&settings, "processors %d\n", CPU_COUNT(&cpus));
	text_add(&settings, "ioprio %ld\n", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid));
	free(limits);
	return settings.bytes;
}

int directory_entry_count(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (directory == NULL) {
		return -1;
	}
	while ((entry = readdir(directory)) != NULL) {
		count += entry->d_name[0] != '.';
	}
	closedir(directory);
	return count;
}
