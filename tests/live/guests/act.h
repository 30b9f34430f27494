/* How a guest says what it tried: a line "name value" per act, where value is 0 for done, an errno
 * number, or 1000 plus the number of the signal that ended the act. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_GUESTS_ACT_H
#define TESTS_LIVE_GUESTS_ACT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST_BROKEN	 200 /* exit status or value: an act could not even be tried */
#define GUEST_MISUSED	 201 /* exit status: wrong words on the command line */
#define ACT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One line at once, so that acts of several processes do not mix. */
static inline void act_value(const char *name, long value)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "%s %ld\n", name, value);

	if (write(1, line, (size_t)length) != length) {
		_exit(GUEST_BROKEN);
	}
}

/* For the usual convention: a negative result means errno. */
static inline void act_result(const char *name, long result)
{
	act_value(name, result < 0 ? errno : 0);
}

/* Runs the act in a process of its own and reports its exit status, or what killed it. */
static inline void act_forked(const char *name, int (*act)(void *argument), void *argument)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(act(argument));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		act_value(name, GUEST_BROKEN);
		return;
	}
	act_value(name, WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status));
}

struct act_command {
	const char *name;
	int (*run)(int argc, char **argv);
};

/* The first word chooses; argv then starts with it. */
static inline int act_dispatch(
	const struct act_command *commands, size_t count, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < count; i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "guest: no such subcommand: %s\n", argc > 1 ? argv[1] : "(none)");
	return GUEST_MISUSED;
}

#endif
