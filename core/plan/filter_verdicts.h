/* What a compiled filter can answer to one system call number, whatever the arguments are. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_FILTER_VERDICTS_H
#define CORE_PLAN_FILTER_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/program.h"

#define FILTER_VERDICTS_MAX 8

/* Return values of the program (SECCOMP_RET_*), each once, in ascending order. */
struct filter_verdicts {
	uint32_t values[FILTER_VERDICTS_MAX];
	size_t count;
	bool looks_at_arguments; /* some path loads an argument: the kernel cannot cache the verdict
				  */
};

/* Follows every path that the program can take for this number when arguments are unknown: the
 * answer is about all of them, not about samples.  A path that two tests of one argument exclude
 * together is still followed, so a program that asks twice may seem to answer more than it can.
 * 0; -EINVAL for an instruction that the kernel would not accept in a seccomp filter or that loads
 * from elsewhere; -E2BIG beyond FILTER_VERDICTS_MAX verdicts or 1,000,000 steps.  Pure; the stack
 * it needs grows with the conditional jumps on one path. */
int filter_verdicts_find(const struct bpf_program *program, uint32_t audit_token, uint32_t number,
	struct filter_verdicts *ret_verdicts);

#endif
