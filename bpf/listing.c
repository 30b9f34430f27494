/* A filter program as readable text. */
// SPDX-License-Identifier: Apache-2.0

#include <linux/seccomp.h>

#include "bpf/listing.h"

/* Words of struct seccomp_data in order; offsets are four bytes apart. */
static const char *const words[] = {
	"nr",
	"arch",
	"ip",
	"ip.high",
	"arg0",
	"arg0.high",
	"arg1",
	"arg1.high",
	"arg2",
	"arg2.high",
	"arg3",
	"arg3.high",
	"arg4",
	"arg4.high",
	"arg5",
	"arg5.high",
};

static const struct {
	uint32_t action;
	const char *name;
} actions[] = {
	{ SECCOMP_RET_KILL_PROCESS, "kill process" },
	{ SECCOMP_RET_KILL_THREAD, "kill thread" },
	{ SECCOMP_RET_TRAP, "trap" },
	{ SECCOMP_RET_ERRNO, "errno" },
	{ SECCOMP_RET_USER_NOTIF, "notify" },
	{ SECCOMP_RET_TRACE, "trace" },
	{ SECCOMP_RET_LOG, "log" },
	{ SECCOMP_RET_ALLOW, "allow" },
};

static void list_load(const struct sock_filter *instruction, struct text *text)
{
	if (instruction->k % 4 == 0 && instruction->k / 4 < ARRAY_LEN(words)) {
		text_add(text, "load %s\n", words[instruction->k / 4]);
	} else {
		text_add(text, "load [%u]\n", instruction->k);
	}
}

static void list_return(const struct sock_filter *instruction, struct text *text)
{
	const char *name = "return";

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (actions[i].action == (instruction->k & SECCOMP_RET_ACTION_FULL)) {
			name = actions[i].name;
		}
	}
	text_add(text, "%s", name);
	if ((instruction->k & SECCOMP_RET_DATA) != 0) {
		text_add(text, " %u", instruction->k & SECCOMP_RET_DATA);
	}
	text_add(text, "\n");
}

/* A way that goes on with the next line is not worth a number. */
static void list_way(struct text *text, const char *word, size_t at, uint32_t skipped)
{
	if (skipped > 0) {
		text_add(text, ", %s %zu", word, at + 1 + skipped);
	}
}

static void list_branch(
	const struct sock_filter *instruction, size_t at, const char *relation, struct text *text)
{
	text_add(text, "if %s 0x%x", relation, instruction->k);
	list_way(text, "then", at, instruction->jt);
	list_way(text, "else", at, instruction->jf);
	text_add(text, "\n");
}

static void list_instruction(const struct sock_filter *instruction, size_t at, struct text *text)
{
	switch (instruction->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		list_load(instruction, text);
		break;
	case BPF_ALU | BPF_AND | BPF_K:
		text_add(text, "and 0x%x\n", instruction->k);
		break;
	case BPF_RET | BPF_K:
		list_return(instruction, text);
		break;
	case BPF_JMP | BPF_JA:
		text_add(text, "go to %zu\n", at + 1 + instruction->k);
		break;
	case BPF_JMP | BPF_JEQ | BPF_K:
		list_branch(instruction, at, "==", text);
		break;
	case BPF_JMP | BPF_JGT | BPF_K:
		list_branch(instruction, at, ">", text);
		break;
	case BPF_JMP | BPF_JGE | BPF_K:
		list_branch(instruction, at, ">=", text);
		break;
	case BPF_JMP | BPF_JSET | BPF_K:
		list_branch(instruction, at, "&", text);
		break;
	default:
		text_add(text, "0x%x %u %u 0x%x\n", instruction->code, instruction->jt,
			instruction->jf, instruction->k);
	}
}

void bpf_program_list(const struct bpf_program *program, struct text *text)
{
	for (size_t at = 0; at < program->count; at++) {
		text_add(text, "%4zu  ", at);
		list_instruction(&program->instructions[at], at, text);
	}
}
