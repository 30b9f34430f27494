/* Fault points of debug builds: a test makes one named thing go wrong through the environment. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_FAULT_H
#define CORE_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* SANDLOCK_FAULT="name[:value][,name[:value]…]" arms fault points in builds made with
 * -DSANDLOCK_FAULTS (FAULTS=1 and the sanitizer variants).  In every other build both functions are
 * the constant "no", so that the environment of a user can never weaken a run.  Names consist of
 * [a-z0-9-]; a value is a decimal number.  Reads the environment only: thread-safe as getenv is. */
#ifdef SANDLOCK_FAULTS

/* The points of fault_calls.c, at every call into libc that can fail: call-at:N fails the N-th of
 * them, counted from the start of the program over all threads, with call-errno:E (12, ENOMEM,
 * without it); with call-stays that function fails from then on.  call-log:FD writes "number name"
 * for the call that failed, or without call-at for every call, and "number leaked" for each
 * descriptor that is open at the end of the program and was not at its start. */

/* Whether the point is armed, with or without a value. */
bool fault_is_set(const char *name);
/* Whether the point is armed with a number; *ret_value is untouched if not. */
bool fault_value(const char *name, uint64_t *ret_value);

#else

static inline bool fault_is_set(const char *name)
{
	(void)name;
	return false;
}

static inline bool fault_value(const char *name, uint64_t *ret_value)
{
	(void)name;
	(void)ret_value;
	return false;
}

#endif
#endif
