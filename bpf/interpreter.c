/* Runs a filter program over one system call, as the kernel would. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <string.h>

#include "bpf/interpreter.h"

static bool instruction_is_valid(const struct bpf_program *program, size_t at)
{
	const struct sock_filter *instruction = &program->instructions[at];
	size_t rest = program->count - at - 1; /* instructions behind this one */

	switch (instruction->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return rest > 0 && instruction->k % sizeof(uint32_t) == 0 &&
		       instruction->k < sizeof(struct seccomp_data);
	case BPF_ALU | BPF_AND | BPF_K:
		return rest > 0;
	case BPF_RET | BPF_K:
		return true;
	case BPF_JMP | BPF_JA:
		return instruction->k < rest;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return instruction->jt < rest && instruction->jf < rest;
	default:
		return false;
	}
}

bool bpf_program_is_valid(const struct bpf_program *program)
{
	if (program->count == 0 || program->count > BPF_MAXINSNS) {
		return false;
	}
	for (size_t at = 0; at < program->count; at++) {
		if (!instruction_is_valid(program, at)) {
			return false;
		}
	}
	return true;
}

static bool condition_holds(const struct sock_filter *instruction, uint32_t accumulator)
{
	switch (BPF_OP(instruction->code)) {
	case BPF_JEQ:
		return accumulator == instruction->k;
	case BPF_JGT:
		return accumulator > instruction->k;
	case BPF_JGE:
		return accumulator >= instruction->k;
	default:
		return (accumulator & instruction->k) != 0;
	}
}

uint32_t bpf_program_run(
	const struct bpf_program *program, const struct seccomp_data *call, size_t *ret_steps)
{
	uint32_t accumulator = 0;
	size_t steps = 0;

	for (size_t at = 0;; at++) {
		const struct sock_filter *instruction = &program->instructions[at];

		assert(at < program->count);
		steps++;
		switch (BPF_CLASS(instruction->code)) {
		case BPF_LD:
			memcpy(&accumulator, (const char *)call + instruction->k,
				sizeof(accumulator));
			break;
		case BPF_ALU:
			accumulator &= instruction->k;
			break;
		case BPF_JMP:
			if (BPF_OP(instruction->code) == BPF_JA) {
				at += instruction->k;
			} else {
				at += condition_holds(instruction, accumulator) ? instruction->jt
										: instruction->jf;
			}
			break;
		default:
			if (ret_steps != NULL) {
				*ret_steps = steps;
			}
			return instruction->k;
		}
	}
}
