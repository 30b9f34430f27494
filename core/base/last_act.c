/* What is still done when the program ends because memory ran out. */
// SPDX-License-Identifier: Apache-2.0

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/last_act.h"

#define EXIT_CODE 125

static struct last_act *youngest;
static atomic_flag performed = ATOMIC_FLAG_INIT;

void last_act_begin(struct last_act *act)
{
	act->before = youngest;
	act->process = getpid();
	youngest = act;
}

void last_act_end(const struct last_act *act)
{
	for (struct last_act **link = &youngest; *link != NULL; link = &(*link)->before) {
		if (*link == act) {
			*link = act->before;
			return;
		}
	}
}

void last_act_perform(void)
{
	(void)fprintf(stderr, "sandlock: out of memory\n"); /* nobody to tell if stderr is gone */
	while (atomic_flag_test_and_set(&performed)) {
		(void)pause(); /* another thread ends the program */
	}
	for (const struct last_act *act = youngest; act != NULL; act = act->before) {
		if (act->process == getpid()) {
			act->function(act->context);
		}
	}
	/* No destructor may find a state that is half changed. */
	_exit(EXIT_CODE);
}
