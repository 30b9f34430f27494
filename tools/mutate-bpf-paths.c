/* Decides whether two filter programs that differ in one instruction can ever answer differently,
 * by following all paths with the conditions that a call must meet to take them. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <string.h>

#include "bpf/interpreter.h"
#include "tools/mutate-bpf-paths.h"

#define PATH_LIMIT 512 /* conditions on one path; programs are shorter than that */

/* Where no word was loaded yet, A is the constant 0. */
#define NO_WORD UINT32_MAX

/* "The word at this offset, under this mask, compared with k, gave this outcome." */
struct condition {
	uint32_t word;
	uint32_t mask;
	uint32_t k;
	uint16_t relation;
	bool outcome;
};

struct path {
	struct condition conditions[PATH_LIMIT];
	size_t count;
};

/* A on a path. */
struct accumulator {
	uint32_t word;
	uint32_t mask;
};

struct comparison {
	const struct bpf_program *original;
	const struct bpf_program *mutant;
	size_t at;
	struct path path;
	struct seccomp_data call; /* the one that tells them apart, once found */
	bool unresolved;
};

static bool outcome_of(const struct condition *condition, uint32_t value)
{
	value &= condition->mask;
	switch (condition->relation) {
	case BPF_JEQ:
		return value == condition->k;
	case BPF_JGT:
		return value > condition->k;
	case BPF_JGE:
		return value >= condition->k;
	default:
		return (value & condition->k) != 0;
	}
}

/* What the conditions on one word leave of it. */
struct word_set {
	uint64_t low, high;   /* 64 bits, so that high can fall below low */
	uint32_t zeros, ones; /* bits that are known */
};

static void narrow_interval(struct word_set *set, const struct condition *condition)
{
	uint64_t k = condition->k;
	bool outcome = condition->outcome;

	if (condition->relation == BPF_JGE || condition->relation == BPF_JGT) {
		uint64_t first_above = k + (condition->relation == BPF_JGT ? 1 : 0);

		if (outcome && set->low < first_above) {
			set->low = first_above;
		}
		if (!outcome && set->high >= first_above) {
			set->high = first_above == 0 ? 0 : first_above - 1;
			set->low = first_above == 0 ? 1 : set->low; /* nothing is below zero */
		}
	}
}

static void narrow_bits(struct word_set *set, const struct condition *condition)
{
	if (condition->relation == BPF_JEQ && condition->outcome) {
		set->ones |= condition->k & condition->mask;
		set->zeros |= condition->mask & ~condition->k;
		if ((condition->k & ~condition->mask) != 0) {
			set->low = 1; /* a bit outside the mask: never equal */
			set->high = 0;
		}
	}
	if (condition->relation == BPF_JSET && !condition->outcome) {
		set->zeros |= condition->k & condition->mask;
	}
}

static bool value_is_possible(const struct path *path, uint32_t word, uint32_t value)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct condition *condition = &path->conditions[i];

		if (condition->word == word && outcome_of(condition, value) != condition->outcome) {
			return false;
		}
	}
	return true;
}

/* Whether a condition alone is refuted by the known bits. */
static bool condition_is_possible(const struct condition *condition, const struct word_set *set)
{
	uint32_t known = set->zeros | set->ones;

	if ((condition->mask & ~known) == 0) {
		return outcome_of(condition, set->ones) == condition->outcome;
	}
	if (condition->relation == BPF_JSET && condition->outcome) {
		return (condition->k & condition->mask & ~set->zeros) != 0;
	}
	return true;
}

/* The bits that the conditions on a word can see. */
static uint32_t visible_bits(const struct path *path, uint32_t word)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < path->count; i++) {
		const struct condition *condition = &path->conditions[i];

		if (condition->word == word) {
			bits |= condition->relation == BPF_JSET ? condition->k & condition->mask
								: condition->mask;
		}
	}
	return bits;
}

/* Tries all values of the bits of `unknown` on top of `ones`. */
static bool some_bits_are_possible(
	const struct path *path, uint32_t word, uint32_t ones, uint32_t unknown)
{
	uint32_t subset = 0;

	do {
		if (value_is_possible(path, word, ones | subset)) {
			return true;
		}
		subset = (subset - unknown) & unknown; /* the next subset of the mask */
	} while (subset != 0);
	return false;
}

/* False: no value of the word meets all the conditions of the path. */
static bool word_is_possible(const struct path *path, uint32_t word)
{
	struct word_set set = { .low = 0, .high = UINT32_MAX };
	uint32_t unknown;

	for (size_t i = 0; i < path->count; i++) {
		const struct condition *condition = &path->conditions[i];

		if (condition->word == word) {
			narrow_bits(&set, condition);
			if (condition->mask == UINT32_MAX) {
				narrow_interval(&set, condition);
			}
		}
	}
	set.low = set.low < set.ones ? set.ones : set.low;
	set.high = set.high > (uint32_t)~set.zeros ? (uint32_t)~set.zeros : set.high;
	if (set.low > set.high || (set.zeros & set.ones) != 0) {
		return false;
	}
	if (set.high - set.low < 1024) {
		for (uint64_t value = set.low; value <= set.high; value++) {
			if (value_is_possible(path, word, (uint32_t)value)) {
				return true;
			}
		}
		return false;
	}
	for (uint32_t bit = 1u << 31; bit > set.high; bit >>= 1) {
		set.zeros |= bit;
	}
	unknown = visible_bits(path, word) & ~(set.zeros | set.ones);
	if (__builtin_popcount(unknown) <= 10) {
		return some_bits_are_possible(path, word, set.ones, unknown);
	}
	for (size_t i = 0; i < path->count; i++) {
		if (path->conditions[i].word == word &&
			!condition_is_possible(&path->conditions[i], &set)) {
			return false;
		}
	}
	return true;
}

/* Adds the condition of a branch; false, with the path unchanged, if nothing meets it any more. */
static bool path_take(struct path *path, const struct accumulator *accumulator,
	const struct sock_filter *branch, bool outcome)
{
	struct condition condition = {
		.word = accumulator->word,
		.mask = accumulator->mask,
		.k = branch->k,
		.relation = BPF_OP(branch->code),
		.outcome = outcome,
	};

	if (condition.word == NO_WORD) {
		return outcome_of(&condition, 0) == outcome;
	}
	assert(path->count < PATH_LIMIT);
	path->conditions[path->count++] = condition;
	if (!word_is_possible(path, condition.word)) {
		path->count--;
		return false;
	}
	return true;
}

/* Runs up to the next branch or return; the position of that. */
static size_t run_straight(
	const struct bpf_program *program, size_t at, struct accumulator *accumulator)
{
	for (;; at++) {
		const struct sock_filter *instruction = &program->instructions[at];

		switch (instruction->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			*accumulator = (struct accumulator){ instruction->k, UINT32_MAX };
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator->mask &= instruction->k;
			break;
		case BPF_JMP | BPF_JA:
			at += instruction->k;
			break;
		default:
			return at;
		}
	}
}

static size_t branch_target(const struct sock_filter *branch, size_t at, bool outcome)
{
	return at + 1 + (outcome ? branch->jt : branch->jf);
}

/* A value of the word that meets all conditions of the path: one of their constants or a neighbour,
 * with the bits that must be set.  False if none of those does. */
static bool find_value(const struct path *path, uint32_t word, uint32_t *ret_value)
{
	uint32_t ones = 0, any = 0;

	for (size_t i = 0; i < path->count; i++) {
		const struct condition *condition = &path->conditions[i];

		if (condition->word == word && condition->outcome) {
			ones |= condition->relation == BPF_JEQ ? condition->k & condition->mask : 0;
			any |= condition->relation == BPF_JSET ? condition->k & condition->mask : 0;
		}
	}
	for (size_t i = 0; i < path->count * 8 + 32; i++) {
		uint32_t k = i < 32 ? any & 1u << i : path->conditions[(i - 32) / 8].k;
		uint32_t value = k + (uint32_t)(i % 8 % 3) - (i < 32 ? (uint32_t)(i % 8 % 3) : 1);

		value |= i % 8 < 3 ? 0 : ones;
		value |= i % 8 < 6 ? 0 : any;
		if (value_is_possible(path, word, value)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

/* Makes a call that takes the path, and sees whether the two programs really differ on it. */
static bool find_call(struct comparison *comparison)
{
	struct seccomp_data call = { 0 };

	for (uint32_t word = 0; word < sizeof(call); word += sizeof(uint32_t)) {
		uint32_t value = 0;

		if (!value_is_possible(&comparison->path, word, value) &&
			!find_value(&comparison->path, word, &value)) {
			return false;
		}
		memcpy((char *)&call + word, &value, sizeof(value));
	}
	comparison->call = call;
	return bpf_program_run(comparison->original, &call, NULL) !=
	       bpf_program_run(comparison->mutant, &call, NULL);
}

/* Whether the original can answer anything but `answer` to the calls of this path. */
static bool original_differs(
	struct comparison *comparison, size_t at, struct accumulator accumulator, uint32_t answer)
{
	const struct sock_filter *instruction;
	size_t count = comparison->path.count;
	bool differs = false;

	at = run_straight(comparison->original, at, &accumulator);
	instruction = &comparison->original->instructions[at];
	if (BPF_CLASS(instruction->code) == BPF_RET) {
		if (instruction->k == answer) {
			return false;
		}
		if (find_call(comparison)) {
			return true;
		}
		comparison->unresolved = true;
		return false;
	}
	for (int outcome = 0; outcome < 2 && !differs; outcome++) {
		if (path_take(&comparison->path, &accumulator, instruction, outcome)) {
			differs = original_differs(comparison,
				branch_target(instruction, at, outcome), accumulator, answer);
		}
		comparison->path.count = count;
	}
	return differs;
}

/* Follows the mutant; `start` is what the original knew where the two part. */
static bool mutant_differs(struct comparison *comparison, size_t at, struct accumulator accumulator,
	const struct accumulator *start)
{
	const struct sock_filter *instruction;
	size_t count = comparison->path.count;
	bool differs = false;

	at = run_straight(comparison->mutant, at, &accumulator);
	instruction = &comparison->mutant->instructions[at];
	if (BPF_CLASS(instruction->code) == BPF_RET) {
		return original_differs(comparison, comparison->at, *start, instruction->k);
	}
	for (int outcome = 0; outcome < 2 && !differs; outcome++) {
		if (path_take(&comparison->path, &accumulator, instruction, outcome)) {
			differs = mutant_differs(comparison,
				branch_target(instruction, at, outcome), accumulator, start);
		}
		comparison->path.count = count;
	}
	return differs;
}

/* Follows the original to where the two part. */
static bool paths_differ(struct comparison *comparison, size_t at, struct accumulator accumulator)
{
	size_t count = comparison->path.count;
	bool differs = false;

	while (at != comparison->at) {
		const struct sock_filter *instruction = &comparison->original->instructions[at];

		if (BPF_CLASS(instruction->code) == BPF_RET || at > comparison->at) {
			return false; /* jumps only go forward: it is not met on this path */
		}
		if (BPF_CLASS(instruction->code) == BPF_JMP &&
			instruction->code != (BPF_JMP | BPF_JA)) {
			for (int outcome = 0; outcome < 2 && !differs; outcome++) {
				if (path_take(&comparison->path, &accumulator, instruction,
					    outcome)) {
					differs = paths_differ(comparison,
						branch_target(instruction, at, outcome),
						accumulator);
				}
				comparison->path.count = count;
			}
			return differs;
		}
		if (BPF_CLASS(instruction->code) == BPF_LD) {
			accumulator = (struct accumulator){ instruction->k, UINT32_MAX };
		} else if (BPF_CLASS(instruction->code) == BPF_ALU) {
			accumulator.mask &= instruction->k;
		}
		at += instruction->code == (BPF_JMP | BPF_JA) ? instruction->k + 1 : 1;
	}
	return mutant_differs(comparison, at, accumulator, &accumulator);
}

enum bpf_difference bpf_programs_compare(const struct bpf_program *original,
	const struct bpf_program *mutant, size_t at, struct seccomp_data *ret_call)
{
	struct comparison comparison = { .original = original, .mutant = mutant, .at = at };

	if (paths_differ(&comparison, 0, (struct accumulator){ NO_WORD, 0 })) {
		*ret_call = comparison.call;
		return BPF_DIFFERENCE;
	}
	return comparison.unresolved ? BPF_UNRESOLVED : BPF_NO_DIFFERENCE;
}
