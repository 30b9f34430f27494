/* Fault points at every call into libc that can fail: debug builds are linked with --wrap for each
 * symbol of fault_calls.def, and the environment says which call, counted from the start, fails and
 * with what error. */
// SPDX-License-Identifier: Apache-2.0

#include "core/base/fault.h"

#ifdef SANDLOCK_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>

#define DESCRIPTORS 1024

enum fault_kind {
	/* NULL and ENOMEM, whatever was asked for: libc relies on it. */
	FAULT_MEMORY,
	/* -1 and errno, but never for good: many calls have this name, and some cannot fail. */
	FAULT_ONCE,
	FAULT_MINUS_ONE, /* -1 and errno */
	FAULT_ZERO,	 /* NULL or 0, and errno */
	FAULT_CODE,	 /* the error number itself */
	FAULT_STREAM, /* NULL and errno, and the stream of the third argument has its error flag set
		       */
	FAULT_DONE,   /* -1 and errno, but what was asked for is done: a descriptor is closed */
};

/* Integers and pointers travel in registers, and what is not there on the stack, in the same way
 * for every function and on every architecture that we build for; so one shape fits them all.  What
 * a call has not passed is handed on as it is found and never looked at. */
typedef long wrapped_call(long a, long b, long c, long d, long e, long f, long g);

#define FAULT_CALL(symbol, kind) wrapped_call __wrap_##symbol, __real_##symbol;
#define NEVER_FAILS(symbol)
#include "core/base/fault_calls.def"
#undef FAULT_CALL

/* Set before the first thread and constant from then on, but for the counter. */
static struct {
	bool is_armed;
	uint64_t fails_at; /* 0: none */
	bool stays;	   /* from then on every call of the same function fails */
	uint64_t error;
	int log; /* -1: none */
	bool was_open[DESCRIPTORS];
	_Atomic uint64_t count;
	_Atomic(const char *) failed; /* the function, once its call was due */
} points = { .log = -1 };

static void log_line(const char *format, uint64_t number, const char *name)
{
	char line[128];
	int length = snprintf(line, sizeof(line), format, (unsigned long long)number, name);

	(void)__real_write(
		points.log, (long)line, length, 0, 0, 0, 0); /* a test reads it, or nobody */
}

static bool is_open(int fd)
{
	return (int)__real_fcntl(fd, F_GETFD, 0, 0, 0, 0, 0) >= 0;
}

__attribute__((constructor)) static void points_arm(void)
{
	uint64_t log;

	points.is_armed = fault_value("call-at", &points.fails_at);
	points.stays = fault_is_set("call-stays");
	if (!fault_value("call-errno", &points.error)) {
		points.error = ENOMEM;
	}
	if (fault_value("call-log", &log) && log < DESCRIPTORS) {
		points.log = (int)log;
		points.is_armed = true;
	}
	for (int fd = 0; points.is_armed && fd < DESCRIPTORS; fd++) {
		points.was_open[fd] = is_open(fd);
	}
}

/* A descriptor that the program did not inherit must be gone at its end. */
__attribute__((destructor)) static void points_check(void)
{
	for (int fd = 0; points.log >= 0 && fd < DESCRIPTORS; fd++) {
		if (!points.was_open[fd] && is_open(fd)) {
			log_line("%llu leaked\n%s", (uint64_t)fd, "");
		}
	}
}

/* Counts the call; true when it is the one that fails.  Without call-at all of them are logged,
 * with it the one that failed. */
static bool is_due(enum fault_kind kind, const char *name, long a, long c)
{
	uint64_t number;
	int saved = errno;

	/* A wake-up has no way to fail (futex(2)), and its callers need not look. */
	if (!points.is_armed ||
		(kind == FAULT_ONCE && a == SYS_futex && (c & FUTEX_CMD_MASK) == FUTEX_WAKE)) {
		return false;
	}
	number = atomic_fetch_add(&points.count, 1) + 1;
	if (points.log >= 0 && (points.fails_at == 0 || number == points.fails_at)) {
		log_line("%llu %s\n", number, name);
	}
	errno = saved;
	if (number == points.fails_at) {
		atomic_store(&points.failed, name);
	}
	/* Names are compared by address: each stands in its wrapper only. */
	return number == points.fails_at ||
	       (points.stays && kind != FAULT_ONCE && number > points.fails_at &&
		       atomic_load(&points.failed) == name);
}

static long fail(enum fault_kind kind, long stream)
{
	if (kind == FAULT_CODE) {
		return (long)points.error;
	}
	if (kind == FAULT_STREAM) {
		((FILE *)stream)->_flags |= 0x20; /* what ferror() looks at in glibc */
	}
	errno = kind == FAULT_MEMORY ? ENOMEM : (int)points.error;
	return kind == FAULT_MINUS_ONE || kind == FAULT_ONCE || kind == FAULT_DONE ? -1 : 0;
}

#define FAULT_CALL(symbol, kind)                                                                   \
	long __wrap_##symbol(long a, long b, long c, long d, long e, long f, long g)               \
	{                                                                                          \
		static const char name[] = #symbol;                                                \
                                                                                                   \
		if (!is_due(kind, name, a, c)) {                                                   \
			return __real_##symbol(a, b, c, d, e, f, g);                               \
		}                                                                                  \
		if (kind == FAULT_DONE) {                                                          \
			(void)__real_##symbol(a, b, c, d, e, f, g);                                \
		}                                                                                  \
		return fail(kind, c);                                                              \
	}
#include "core/base/fault_calls.def"

#endif
