/* A terminal made in the test: what is typed, and the transcript of what was printed. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_PTY_H
#define TESTS_LIVE_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "core/base/attributes.h"

struct pty {
	int master, slave;
	char *transcript; /* owned, never NULL */
	size_t length;
};

struct pty pty_open(void);
void pty_close(struct pty *pty);
#define cleanup_pty cleanup(pty_close)

void pty_type(struct pty *pty, const char *bytes);
/* Reads until the transcript holds `text`; false when it does not within the seconds. */
bool pty_wait_text(struct pty *pty, const char *text, double limit_seconds);
/* Reads what is there. */
void pty_drain(struct pty *pty);
/* The foreground group, as the kernel tells it. */
pid_t pty_foreground(const struct pty *pty);
struct termios pty_settings(const struct pty *pty);
/* The number after the first "NAME " at the start of a line; -1 when there is none. */
long pty_number(const struct pty *pty, const char *name);

#endif
