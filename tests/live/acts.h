/* The lines "name value" that a guest prints, one per act it tried, against a table of what is
 * expected inside and outside. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_ACTS_H
#define TESTS_LIVE_ACTS_H

#include <stddef.h>

#include "tests/live/harness.h"

/* Values beside the errno numbers; guests/act.h prints a signal as 1000 + number. */
#define ACT_DONE	   0
#define ACT_SIGNAL(number) (1000 + (number))
#define ACT_REFUSED	   -1 /* EPERM, EACCES or ENOSYS */
#define ACT_NOT_REFUSED	   -2 /* the kernel's own answer, whatever it is */
#define ACT_ANY		   -3 /* must have been tried */
#define ACT_MISSING	   -4 /* what acts_get() answers for an act that printed no line */

struct act {
	const char *name;
	int inside;
	int outside;
};

/* The value that an act printed, or ACT_MISSING. */
int acts_get(const struct run_result *result, const char *name);

/* Fails the test with one line per act that differs, and when the guest did not end with 0. */
void acts_check_inside(const struct run_result *result, const struct act *table, size_t count);
void acts_check_outside(const struct run_result *result, const struct act *table, size_t count);

#endif
