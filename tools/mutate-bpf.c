/* Changes one field of one instruction of the compiled filter at a time and asks the golden tables
 * whether they notice.  A mutant that they do not notice is a verdict that no test holds in place,
 * or an instruction that decides nothing.  Ends with status 1 if one survives. */
// SPDX-License-Identifier: Apache-2.0

#include "bpf/interpreter.h"
#include "bpf/listing.h"
#include "core/plan/syscall_rules.h"
#include "tests/bpf/golden.h"
#include "tools/mutate-bpf-paths.h"

/* The opcodes that the kernel accepts in a seccomp filter and that we emit.  Fields that the kernel
 * does not read (jt and jf of all but conditional jumps) cannot be mutated into anything else. */
static const uint16_t opcodes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_RET | BPF_K,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JSET | BPF_K,
};

struct trial {
	const struct golden *golden;
	enum golden_run run;
	struct bpf_program original;
	struct bpf_program program; /* a copy, one instruction of it mutated */
	/* The calls of the walk with their answers, computed once. */
	struct seccomp_data *calls;
	uint32_t *answers;
	size_t call_count;
	size_t call_room;
	size_t last_killer; /* the next mutant is often caught by the same call */
	uint64_t refused, caught, caught_by_own_call, equivalent, survivors;
};

static bool add_call(const struct seccomp_data *call, void *context)
{
	struct trial *trial = context;

	if (trial->call_count == trial->call_room) {
		trial->call_room = trial->call_room * 2 + 1024;
		trial->calls =
			must_reallocate(trial->calls, trial->call_room, sizeof(*trial->calls));
		trial->answers =
			must_reallocate(trial->answers, trial->call_room, sizeof(*trial->answers));
	}
	trial->calls[trial->call_count] = *call;
	trial->answers[trial->call_count] = golden_answer(trial->golden, trial->run, call);
	trial->call_count++;
	return true;
}

static bool is_caught_by(const struct trial *trial, size_t call)
{
	return bpf_program_run(&trial->program, &trial->calls[call], NULL) != trial->answers[call];
}

static bool is_caught(struct trial *trial)
{
	for (size_t call = 0; call < trial->call_count; call++) {
		if (is_caught_by(trial, call)) {
			trial->last_killer = call;
			return true;
		}
	}
	return false;
}

static void report_survivor(
	const struct trial *trial, size_t at, const struct sock_filter *original)
{
	struct bpf_program before = { (struct sock_filter *)original, 1 };
	struct bpf_program after = { &trial->program.instructions[at], 1 };
	cleanup_text struct text text = { 0 };

	bpf_program_list(&before, &text);
	bpf_program_list(&after, &text);
	printf("survivor at %zu (jt %u jf %u -> jt %u jf %u):\n%s", at, original->jt, original->jf,
		after.instructions->jt, after.instructions->jf, text.bytes);
}

/* The calls of the walk, then one made for this mutant: if the table disagrees with the mutant on
 * it, the mutant is caught by the table all the same. */
static void judge_mutant(struct trial *trial, size_t at, const struct sock_filter *original)
{
	struct seccomp_data call;

	if (!bpf_program_is_valid(&trial->program)) {
		trial->refused++; /* by the kernel too: the command never starts */
		return;
	}
	if (is_caught_by(trial, trial->last_killer)) {
		trial->caught++;
		return;
	}
	switch (bpf_programs_compare(&trial->original, &trial->program, at, &call)) {
	case BPF_NO_DIFFERENCE:
		trial->equivalent++;
		return;
	case BPF_DIFFERENCE:
		if (is_caught(trial)) {
			trial->caught++;
			return;
		}
		if (bpf_program_run(&trial->program, &call, NULL) !=
			golden_answer(trial->golden, trial->run, &call)) {
			trial->caught_by_own_call++;
			return;
		}
		break;
	case BPF_UNRESOLVED:
		if (is_caught(trial)) {
			trial->caught++;
			return;
		}
	}
	trial->survivors++;
	report_survivor(trial, at, original);
}

static void try_mutant(struct trial *trial, size_t at, struct sock_filter mutant)
{
	struct sock_filter original = trial->program.instructions[at];

	if (memcmp(&original, &mutant, sizeof(mutant)) != 0) {
		trial->program.instructions[at] = mutant;
		judge_mutant(trial, at, &original);
		trial->program.instructions[at] = original;
	}
}

static bool is_conditional(uint16_t code)
{
	return BPF_CLASS(code) == BPF_JMP && BPF_OP(code) != BPF_JA;
}

static void mutate_jumps(struct trial *trial, size_t at)
{
	struct sock_filter original = trial->program.instructions[at];
	struct sock_filter mutant = original;

	for (unsigned offset = 0; offset < 256; offset++) {
		mutant.jt = (uint8_t)offset;
		try_mutant(trial, at, mutant);
	}
	mutant = original;
	for (unsigned offset = 0; offset < 256; offset++) {
		mutant.jf = (uint8_t)offset;
		try_mutant(trial, at, mutant);
	}
	mutant.jt = original.jf;
	mutant.jf = original.jt;
	try_mutant(trial, at, mutant);
}

static void mutate_instruction(struct trial *trial, size_t at)
{
	struct sock_filter original = trial->program.instructions[at];
	struct sock_filter mutant = original;

	for (size_t i = 0; i < ARRAY_LEN(opcodes); i++) {
		mutant.code = opcodes[i];
		try_mutant(trial, at, mutant);
	}
	mutant = original;
	for (int bit = 0; bit < 32; bit++) {
		mutant.k = original.k ^ 1u << bit;
		try_mutant(trial, at, mutant);
	}
	for (int step = -1; step <= 1; step += 2) {
		mutant.k = original.k + (uint32_t)step;
		try_mutant(trial, at, mutant);
	}
	mutant.k = 0;
	try_mutant(trial, at, mutant);
	if (is_conditional(original.code)) {
		mutate_jumps(trial, at);
	}
}

/* Runs all mutants of one program; the number of survivors. */
static uint64_t mutate(const struct golden *golden, enum arch arch, enum golden_run run)
{
	static const char *const names[] = { "supervised", "unsupervised", "granted" };
	bool granted = run == GOLDEN_GRANTED;
	struct syscall_choices choices = {
		.supervised = run != GOLDEN_UNSUPERVISED,
		.allowed_groups = granted ? (1u << SYSCALL_GROUP_COUNT) - 1 : 0,
		.tcp_sockets = granted,
		.listen = granted,
		.unix_sockets = granted,
	};
	struct trial trial = { .golden = golden, .run = run };

	if (syscall_rules_compile(arch, &choices, &trial.original) < 0 ||
		syscall_rules_compile(arch, &choices, &trial.program) < 0) {
		fprintf(stderr, "mutate-bpf: the filter does not compile\n");
		exit(1);
	}
	(void)golden_walk(golden, run, add_call, &trial); /* add_call never ends it */
	if (is_caught(&trial)) {
		fprintf(stderr, "mutate-bpf: the unchanged program differs from the table\n");
		exit(1);
	}
	for (size_t at = 0; at < trial.program.count; at++) {
		mutate_instruction(&trial, at);
	}
	printf("%-8s %-13s %4zu instructions: mutants %6llu refused, %6llu caught by %zu calls, "
	       "%4llu by one of their own, %5llu proved equivalent, %llu survived\n",
		arch_name(arch), names[run], trial.program.count, (unsigned long long)trial.refused,
		(unsigned long long)trial.caught, trial.call_count,
		(unsigned long long)trial.caught_by_own_call, (unsigned long long)trial.equivalent,
		(unsigned long long)trial.survivors);
	bpf_program_finish(&trial.original);
	bpf_program_finish(&trial.program);
	free(trial.calls);
	free(trial.answers);
	return trial.survivors;
}

int main(void)
{
	uint64_t survivors = 0;

	for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
		struct golden *golden = golden_load(arch_name(arch));

		for (enum golden_run run = 0; run < GOLDEN_RUNS; run++) {
			survivors += mutate(golden, arch, run);
		}
		free(golden);
	}
	return survivors == 0 ? 0 : 1;
}
