/* The master side of a pseudo-terminal. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/live/pty.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/live/harness.h"

struct pty pty_open(void)
{
	struct pty pty = { .transcript = calloc(1, 1) };
	struct termios settings;

	cr_assert(openpty(&pty.master, &pty.slave, NULL, NULL, NULL) == 0, "openpty: %s",
		strerror(errno));
	/* An echo would put what was typed before the program's own words. */
	settings = pty_settings(&pty);
	settings.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(pty.slave, TCSANOW, &settings);
	fcntl(pty.master, F_SETFL, O_NONBLOCK);
	fcntl(pty.master, F_SETFD, FD_CLOEXEC);
	fcntl(pty.slave, F_SETFD, FD_CLOEXEC);
	return pty;
}

void pty_close(struct pty *pty)
{
	close(pty->master);
	close(pty->slave);
	free(pty->transcript);
}

void pty_type(struct pty *pty, const char *bytes)
{
	cr_assert_eq(write(pty->master, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

void pty_drain(struct pty *pty)
{
	char block[4096];
	ssize_t count;

	while ((count = read(pty->master, block, sizeof(block))) > 0) {
		pty->transcript = realloc(pty->transcript, pty->length + (size_t)count + 1);
		memcpy(pty->transcript + pty->length, block, (size_t)count);
		pty->length += (size_t)count;
		pty->transcript[pty->length] = '\0';
	}
}

bool pty_wait_text(struct pty *pty, const char *text, double limit_seconds)
{
	double limit = now_seconds() + limit_seconds;

	for (;;) {
		struct pollfd watched = { pty->master, POLLIN, 0 };

		pty_drain(pty);
		if (strstr(pty->transcript, text) != NULL) {
			return true;
		}
		if (now_seconds() > limit) {
			return false;
		}
		(void)poll(&watched, 1, 20);
	}
}

pid_t pty_foreground(const struct pty *pty)
{
	pid_t group = -1;

	/* Asked of the master, which needs not be anybody's controlling terminal. */
	(void)ioctl(pty->master, TIOCGPGRP, &group);
	return group;
}

struct termios pty_settings(const struct pty *pty)
{
	struct termios settings;

	memset(&settings, 0, sizeof(settings));
	tcgetattr(pty->slave, &settings);
	return settings;
}

long pty_number(const struct pty *pty, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = pty->transcript; (at = strstr(at, name)) != NULL; at++) {
		if ((at == pty->transcript || at[-1] == '\n') && at[length] == ' ') {
			return strtol(at + length, NULL, 10);
		}
	}
	return -1;
}
