/* Who has the terminal: a command with inherited streams gets it, and the caller gets it back. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_TERMINAL_H
#define CORE_RUN_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Descriptor 0 is a terminal. */
bool terminal_is_there(void);
/* Our group is its foreground group: a background job never takes it. */
bool terminal_is_ours(void);
/* Makes `group` the foreground group, if the group `from` is it now.  SIGTTOU must be blocked. */
void terminal_hand_over(pid_t from, pid_t group);

#endif
