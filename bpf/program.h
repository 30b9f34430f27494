/* A classic BPF program: the instruction buffer with labels, jump resolution and asserted bounds.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef BPF_PROGRAM_H
#define BPF_PROGRAM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attributes.h"

/* Owned.  Zero-initialised is empty. */
struct bpf_program {
	struct sock_filter *instructions;
	size_t count;
};

void bpf_program_finish(struct bpf_program *program);
#define cleanup_bpf_program cleanup(bpf_program_finish)

/* Classic BPF only jumps forward, so a program is built from its last instruction to its first: the
 * target of a jump is always there already, and no jump is ever patched.  A label, a uint16_t, is
 * the position of an instruction counted from the end, 1 for the last; 0 is no label.
 *
 * The builder takes 32 KiB, meant for the stack; only `count` instructions at the end of the buffer
 * are valid. */
struct bpf_builder {
	struct sock_filter instructions[BPF_MAXINSNS];
	size_t count;
	bool overflow; /* the program grew past BPF_MAXINSNS; labels are meaningless from then on */
};

void bpf_builder_init(struct bpf_builder *builder);

/* Each puts one instruction before those already there and returns its label.  `next` is where the
 * program goes on; a BPF_JA is added where the target is not adjacent (load, and) or farther than
 * the 255 instructions that a conditional jump reaches. */
uint16_t bpf_emit_return(struct bpf_builder *builder, uint32_t value);
/* A = the 32-bit word of struct seccomp_data at `offset`. */
uint16_t bpf_emit_load(struct bpf_builder *builder, uint32_t offset, uint16_t next);
uint16_t bpf_emit_and(struct bpf_builder *builder, uint32_t mask, uint16_t next);
/* `condition` is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET, comparing A with `value`. */
uint16_t bpf_emit_branch(struct bpf_builder *builder, uint16_t condition, uint32_t value,
	uint16_t if_true, uint16_t if_false);

/* True while a conditional jump put before everything else reaches `label` directly. */
bool bpf_label_is_near(const struct bpf_builder *builder, uint16_t label);

/* Copies the program out.  0, -E2BIG after an overflow, or -ENOMEM; on failure *ret_program is
 * untouched. */
int bpf_builder_finish(
	const struct bpf_builder *builder, struct bpf_program *ret_program) nodiscard;

#endif
