/* A classic BPF program: the instruction buffer with labels, jump resolution and asserted bounds. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BPF_PROGRAM_H
#define BPF_PROGRAM_H

#include <linux/filter.h>
#include <stddef.h>

/* Owned.  Zero-initialised is empty. */
struct bpf_program {
	struct sock_filter *instructions;
	size_t count;
};

void bpf_program_finish(struct bpf_program *program);

#endif
