/* Who has the terminal: a command with inherited streams gets it, and the caller gets it back. */
// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>

#include "core/run/terminal.h"

bool terminal_is_there(void)
{
	return isatty(STDIN_FILENO) != 0;
}

bool terminal_is_ours(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void terminal_hand_over(pid_t from, pid_t group)
{
	if (tcgetpgrp(STDIN_FILENO) == from) {
		(void)tcsetpgrp(STDIN_FILENO, group); /* the terminal or the group may be gone */
	}
}
