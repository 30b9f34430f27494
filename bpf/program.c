/* A classic BPF program: the instruction buffer with labels, jump resolution and asserted bounds.
 */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/program.h"

/* jt and jf are one byte: a conditional jump skips at most this many instructions. */
#define NEAR_LIMIT 255

void bpf_program_finish(struct bpf_program *program)
{
	free(program->instructions);
	*program = (struct bpf_program){ 0 };
}

void bpf_builder_init(struct bpf_builder *builder)
{
	builder->count = 0;
	builder->overflow = false;
}

static uint16_t emit(struct bpf_builder *builder, struct sock_filter instruction)
{
	if (builder->count == BPF_MAXINSNS) {
		builder->overflow = true;
		return (uint16_t)builder->count;
	}
	builder->count++;
	builder->instructions[BPF_MAXINSNS - builder->count] = instruction;
	return (uint16_t)builder->count;
}

/* How many instructions lie between the next one to be emitted and the target. */
static uint32_t distance_to(const struct bpf_builder *builder, uint16_t target)
{
	assert(target > 0 && target <= builder->count);
	return (uint32_t)(builder->count - target);
}

static uint16_t emit_always(struct bpf_builder *builder, uint16_t target)
{
	struct sock_filter jump = BPF_STMT(BPF_JMP | BPF_JA, distance_to(builder, target));

	return emit(builder, jump);
}

/* For instructions that fall through. */
static void make_adjacent(struct bpf_builder *builder, uint16_t target)
{
	if (distance_to(builder, target) != 0) {
		(void)emit_always(builder, target); /* its label is where we fall to */
	}
}

bool bpf_label_is_near(const struct bpf_builder *builder, uint16_t label)
{
	return distance_to(builder, label) <= NEAR_LIMIT;
}

uint16_t bpf_emit_return(struct bpf_builder *builder, uint32_t value)
{
	struct sock_filter instruction = BPF_STMT(BPF_RET | BPF_K, value);

	return emit(builder, instruction);
}

uint16_t bpf_emit_load(struct bpf_builder *builder, uint32_t offset, uint16_t next)
{
	struct sock_filter instruction = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);

	make_adjacent(builder, next);
	return emit(builder, instruction);
}

uint16_t bpf_emit_and(struct bpf_builder *builder, uint32_t mask, uint16_t next)
{
	struct sock_filter instruction = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask);

	make_adjacent(builder, next);
	return emit(builder, instruction);
}

uint16_t bpf_emit_branch(struct bpf_builder *builder, uint16_t condition, uint32_t value,
	uint16_t if_true, uint16_t if_false)
{
	struct sock_filter instruction = BPF_JUMP(BPF_JMP | condition | BPF_K, value, 0, 0);

	/* A jump added for one target moves the other one instruction farther: look again. */
	while (!builder->overflow &&
		!(bpf_label_is_near(builder, if_true) && bpf_label_is_near(builder, if_false))) {
		if (!bpf_label_is_near(builder, if_true)) {
			if_true = emit_always(builder, if_true);
		} else {
			if_false = emit_always(builder, if_false);
		}
	}
	if (builder->overflow) {
		return (uint16_t)builder->count;
	}
	assert(distance_to(builder, if_true) <= NEAR_LIMIT);
	assert(distance_to(builder, if_false) <= NEAR_LIMIT);
	instruction.jt = (uint8_t)distance_to(builder, if_true);
	instruction.jf = (uint8_t)distance_to(builder, if_false);
	return emit(builder, instruction);
}

int bpf_builder_finish(const struct bpf_builder *builder, struct bpf_program *ret_program)
{
	size_t size = builder->count * sizeof(struct sock_filter);
	struct sock_filter *instructions;

	if (builder->overflow) {
		return -E2BIG;
	}
	instructions = malloc(size);
	if (instructions == NULL) {
		return -ENOMEM;
	}
	memcpy(instructions, &builder->instructions[BPF_MAXINSNS - builder->count], size);
	*ret_program = (struct bpf_program){ instructions, builder->count };
	return 0;
}
