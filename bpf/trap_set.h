/* What the filter decides, by system call number: a verdict, or tests of the arguments. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BPF_TRAP_SET_H
#define BPF_TRAP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attributes.h"

/* What happens to a call, in rising severity; everything above NOTIFY is a denial. */
enum verdict {
	VERDICT_ALLOW,
	VERDICT_NOTIFY,
	VERDICT_ENOSYS,
	VERDICT_EPERM,
	VERDICT_KILL,
	VERDICT_COUNT
};

/* "ALLOW", "NOTIFY", … */
const char *verdict_name(enum verdict verdict);
/* The value that the program returns to the kernel, SECCOMP_RET_*. */
uint32_t verdict_return_value(enum verdict verdict);

/* How wide the kernel takes an argument.  A test that looks at more than the kernel does can be
 * dodged by garbage in the upper half, one that looks at less can be dodged by a large value. */
enum arg_type {
	ARG_INT, /* int, unsigned int, pid_t, mode_t: the low 32 bits */
	ARG_FD,	 /* a descriptor: the low 32 bits, which the kernel extends by their sign */
	ARG_U64, /* unsigned long, size_t, a pointer: all 64 bits */
};

enum arg_relation {
	ARG_EQUAL,	  /* argument == value */
	ARG_MASKED_EQUAL, /* (argument & mask) == value */
	ARG_ANY_BIT,	  /* (argument & mask) != 0 */
	ARG_IN_RANGE,	  /* low <= argument <= high, unsigned */
};

/* One test of one argument.  For 32-bit types the upper halves of the operands are zero.  A test
 * must be able to hold and to fail: no empty mask, no value outside its mask, no range of
 * everything. */
struct arg_test {
	uint8_t argument; /* 0..5 */
	uint8_t type;	  /* enum arg_type */
	uint8_t relation; /* enum arg_relation */
	union {
		uint64_t mask;
		uint64_t low;
	};
	union {
		uint64_t value;
		uint64_t high;
	};
};

/* Initializers, so that a table of tests reads as a list of conditions. */
#define ARG_IS(number, kind, wanted)                                                               \
	{                                                                                          \
		.argument = (number), .type = ARG_##kind, .relation = ARG_EQUAL, .value = (wanted) \
	}
#define ARG_MASKED_IS(number, kind, bits, wanted)                                                  \
	{                                                                                          \
		.argument = (number), .type = ARG_##kind, .relation = ARG_MASKED_EQUAL,            \
		.mask = (bits), .value = (wanted)                                                  \
	}
#define ARG_HAS(number, kind, bits)                                                                \
	{                                                                                          \
		.argument = (number), .type = ARG_##kind, .relation = ARG_ANY_BIT, .mask = (bits)  \
	}
#define ARG_WITHIN(number, kind, first, last)                                                      \
	{                                                                                          \
		.argument = (number), .type = ARG_##kind, .relation = ARG_IN_RANGE,                \
		.low = (first), .high = (last)                                                     \
	}

#define ARG_CLAUSE_TESTS 3

/* If all of the tests hold, this verdict. */
struct arg_clause {
	struct arg_test tests[ARG_CLAUSE_TESTS];
	uint8_t test_count;
	uint8_t verdict; /* enum verdict */
};

/* The decision on one number: the first clause that holds, or `otherwise`. */
struct trap {
	const struct arg_clause
		*clauses; /* borrowed: must live as long as the set; NULL with count 0 */
	uint16_t clause_count;
	uint8_t otherwise; /* enum verdict */
	uint8_t next;	   /* private: what to ask after an ALLOW of this one */
};

/* The same decision without clauses that decide nothing: a plain verdict has no clauses. */
struct trap trap_simplified(const struct trap *trap);

#define TRAP_SET_NUMBERS 512 /* numbers the set can hold; the highest known one is 469 */
#define TRAP_SET_CHAINED 64

/* By number, so that it is always sorted.  Meant for the stack. */
struct trap_set {
	struct trap traps[TRAP_SET_NUMBERS];
	bool present[TRAP_SET_NUMBERS];
	struct trap chained[TRAP_SET_CHAINED];
	uint8_t chained_count;
};

/* Empty: every number is unknown, which answers ENOSYS. */
void trap_set_init(struct trap_set *set);

/* Adds a decision, which may deny or notify, but not both.  A number may be given several: a denial
 * by any of them wins over a notification by any, and that over ALLOW; between denials the one that
 * was added first wins.  0, -EINVAL (it denies and notifies), -ERANGE (number too large) or -ENOSPC
 * (too many numbers with several decisions). */
int trap_set_add(struct trap_set *set, uint32_t number, const struct trap *trap) nodiscard;

/* The first decision on a number, NULL if unknown, and the one to ask after it allowed, or NULL. */
const struct trap *trap_set_get(const struct trap_set *set, uint32_t number);
const struct trap *trap_set_next(const struct trap_set *set, const struct trap *trap);

/* The model: what a test, a clause and the whole set say about six arguments, computed without a
 * program. */
bool arg_test_holds(const struct arg_test *test, const uint64_t arguments[6]);
enum verdict trap_verdict(const struct trap *trap, const uint64_t arguments[6]);
enum verdict trap_set_verdict(
	const struct trap_set *set, uint32_t number, const uint64_t arguments[6]);

#endif
