/* Decides whether two filter programs that differ in one instruction can ever answer differently.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_MUTATE_BPF_PATHS_H
#define TOOLS_MUTATE_BPF_PATHS_H

#include <linux/seccomp.h>

#include "bpf/program.h"

enum bpf_difference {
	BPF_NO_DIFFERENCE, /* proved: no call tells the two apart */
	BPF_DIFFERENCE,	   /* a call that does was found */
	BPF_UNRESOLVED,	   /* a path may tell them apart, but no call that takes it was found */
};

/* Follows every path of `original` to instruction `at`, goes on in `mutant`, and compares each end
 * with what `original` answers to the same calls.  Both are valid and equal but for that one
 * instruction. */
enum bpf_difference bpf_programs_compare(const struct bpf_program *original,
	const struct bpf_program *mutant, size_t at, struct seccomp_data *ret_call);

#endif
