/* What is still done when the program ends because memory ran out. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_LAST_ACT_H
#define CORE_BASE_LAST_ACT_H

#include <sys/types.h>

/* Owned by whoever registers it, and in force until it is taken back. */
struct last_act {
	void (*function)(void *context); /* may not allocate; runs in any thread, at most once */
	void *context;
	struct last_act *before; /* private */
	pid_t process;		 /* private: a child that runs out of memory does not act */
};

/* Registers an act and takes it back; one that is not registered is left alone.  Only one thread of
 * a process does this. */
void last_act_begin(struct last_act *act);
void last_act_end(const struct last_act *act);

/* Says that there is no memory left, performs the acts, the youngest first, and ends the program
 * with status 125. */
__attribute__((noreturn)) void last_act_perform(void);

#endif
