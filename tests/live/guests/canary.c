/* Stands where an attack must not reach: prints "ready", then a line for every signal that arrives,
 * and ends when its stdin does. */
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <signal.h>

#include "tests/live/guests/act.h"

static void print_signal(int number)
{
	act_value("signal", number);
}

int main(void)
{
	struct pollfd input = { 0, POLLIN, 0 };
	char byte;

	/* A group of its own, so that a signal to its group reaches nobody else. */
	setpgid(0, 0);
	for (int number = 1; number < SIGRTMAX; number++) {
		signal(number, print_signal);
	}
	act_value("pid", getpid());
	(void)!write(1, "ready\n", 6);
	while (poll(&input, 1, -1) < 0 || read(0, &byte, 1) > 0) {
	}
	return 0;
}
