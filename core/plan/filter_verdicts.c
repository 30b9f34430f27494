/* What a compiled filter can answer to one system call number, whatever the arguments are. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "core/plan/filter_verdicts.h"

#define STEPS_MAX 1000000

/* The accumulator: one number, or anything once it depends on an argument. */
struct accumulator {
	uint32_t value;
	bool is_known;
};

struct walk {
	const struct bpf_program *program;
	uint32_t audit_token;
	uint32_t number;
	size_t steps;
	/* Instructions met with an unknown accumulator: what follows was followed already. */
	uint8_t visited[BPF_MAXINSNS / 8];
	struct filter_verdicts verdicts;
};

static int follow(struct walk *walk, size_t position, struct accumulator a);

static int add_verdict(struct filter_verdicts *verdicts, uint32_t value)
{
	size_t place = 0;

	while (place < verdicts->count && verdicts->values[place] < value) {
		place++;
	}
	if (place < verdicts->count && verdicts->values[place] == value) {
		return 0;
	}
	if (verdicts->count == FILTER_VERDICTS_MAX) {
		return -E2BIG;
	}
	memmove(&verdicts->values[place + 1], &verdicts->values[place],
		(verdicts->count - place) * sizeof(verdicts->values[0]));
	verdicts->values[place] = value;
	verdicts->count++;
	return 0;
}

static bool was_visited(struct walk *walk, size_t position)
{
	uint8_t bit = (uint8_t)(1u << (position % 8));
	bool was = (walk->visited[position / 8] & bit) != 0;

	walk->visited[position / 8] |= bit;
	return was;
}

static int load(struct walk *walk, uint32_t offset, struct accumulator *a)
{
	if (offset % 4 != 0 || offset >= sizeof(struct seccomp_data)) {
		return -EINVAL;
	}
	if (offset == offsetof(struct seccomp_data, nr)) {
		*a = (struct accumulator){ walk->number, true };
	} else if (offset == offsetof(struct seccomp_data, arch)) {
		*a = (struct accumulator){ walk->audit_token, true };
	} else {
		*a = (struct accumulator){ 0, false };
		walk->verdicts.looks_at_arguments = true;
	}
	return 0;
}

static int compute(uint16_t operation, uint32_t operand, struct accumulator *a)
{
	switch (operation) {
	case BPF_AND:
		a->value &= operand;
		return 0;
	case BPF_OR:
		a->value |= operand;
		return 0;
	case BPF_ADD:
		a->value += operand;
		return 0;
	case BPF_SUB:
		a->value -= operand;
		return 0;
	case BPF_RSH:
		a->value >>= operand & 31;
		return 0;
	default:
		return -EINVAL;
	}
}

static int branch(struct walk *walk, size_t position, struct accumulator a)
{
	const struct sock_filter *jump = &walk->program->instructions[position];
	bool holds;
	int r;

	if (!a.is_known) {
		r = follow(walk, position + 1 + jump->jt, a);
		return r < 0 ? r : follow(walk, position + 1 + jump->jf, a);
	}
	switch (BPF_OP(jump->code)) {
	case BPF_JEQ:
		holds = a.value == jump->k;
		break;
	case BPF_JGT:
		holds = a.value > jump->k;
		break;
	case BPF_JGE:
		holds = a.value >= jump->k;
		break;
	case BPF_JSET:
		holds = (a.value & jump->k) != 0;
		break;
	default:
		return -EINVAL;
	}
	return follow(walk, position + 1 + (holds ? jump->jt : jump->jf), a);
}

static int follow(struct walk *walk, size_t position, struct accumulator a)
{
	for (; position < walk->program->count; position++) {
		const struct sock_filter *instruction = &walk->program->instructions[position];
		int r = 0;

		if (++walk->steps > STEPS_MAX) {
			return -E2BIG;
		}
		if (!a.is_known && was_visited(walk, position)) {
			return 0;
		}
		switch (instruction->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			r = load(walk, instruction->k, &a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
		case BPF_ALU | BPF_OR | BPF_K:
		case BPF_ALU | BPF_ADD | BPF_K:
		case BPF_ALU | BPF_SUB | BPF_K:
		case BPF_ALU | BPF_RSH | BPF_K:
			r = compute(BPF_OP(instruction->code), instruction->k, &a);
			break;
		case BPF_JMP | BPF_JA:
			position += instruction->k;
			break;
		case BPF_RET | BPF_K:
			return add_verdict(&walk->verdicts, instruction->k);
		default:
			if (BPF_CLASS(instruction->code) == BPF_JMP &&
				BPF_SRC(instruction->code) == BPF_K) {
				return branch(walk, position, a);
			}
			return -EINVAL;
		}
		if (r < 0) {
			return r;
		}
	}
	return -EINVAL; /* the kernel refuses a program that can run off its end */
}

int filter_verdicts_find(const struct bpf_program *program, uint32_t audit_token, uint32_t number,
	struct filter_verdicts *ret_verdicts)
{
	struct walk walk = { .program = program, .audit_token = audit_token, .number = number };
	int r;

	if (program->count > BPF_MAXINSNS) {
		return -E2BIG;
	}
	r = follow(&walk, 0, (struct accumulator){ 0, true });
	if (r == 0) {
		*ret_verdicts = walk.verdicts;
	}
	return r;
}
