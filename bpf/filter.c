/* Compiles a trap set into the program that the kernel runs before every system call: a search tree
 * over ranges of numbers, whose leaves are verdicts or blocks of argument tests. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <endian.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "bpf/filter.h"

/* Consecutive numbers with one target, up to the first of the next range. */
struct range {
	uint32_t first;
	uint16_t target; /* a verdict, or VERDICT_COUNT plus the index of a block */
};

/* Ranges that a leaf of the tree decides in a line: every second one is a single number, an
 * exception to the target that the others share. */
struct span {
	uint16_t first_range;
	uint16_t exceptions;
};

/* One comparison per exception is cheaper than two tree nodes around it; a line of them is slower
 * to walk than a tree.  Measured at installation, which checks every instruction and walks once for
 * every number: 1, 2, 4 and 8 differ by less than the noise beyond 4. */
#define SPAN_EXCEPTIONS 4

/* What is known while a program is built. */
struct compilation {
	const struct trap_set *set;
	enum filter_search search;
	struct bpf_builder builder;
	uint16_t returns[VERDICT_COUNT]; /* the RET of each verdict put last; 0: none yet */
	uint16_t blocks[TRAP_SET_NUMBERS];
	const struct trap *block_traps[TRAP_SET_NUMBERS];
	size_t block_count;
	struct range ranges[TRAP_SET_NUMBERS + 1];
	size_t range_count;
	struct span spans[TRAP_SET_NUMBERS + 1];
	size_t span_count;
};

/* What a test goes on to when it fails.  The code there begins with a test of `word` whose load is
 * not written yet: a jump that comes with that word in A skips it, any other one has it written. */
struct continuation {
	uint16_t loaded;
	uint16_t unloaded; /* 0 until somebody needs it */
	uint32_t word;	   /* offset in struct seccomp_data; NO_WORD: nothing to load */
};

#define NO_WORD UINT32_MAX

static const uint32_t low_word[6] = {
#define LOW_WORD(i) (offsetof(struct seccomp_data, args[i]) + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0))
	LOW_WORD(0),
	LOW_WORD(1),
	LOW_WORD(2),
	LOW_WORD(3),
	LOW_WORD(4),
	LOW_WORD(5),
};

static uint32_t high_word(uint8_t argument)
{
	return low_word[argument] ^ 4;
}

static uint16_t verdict_label(struct compilation *compilation, enum verdict verdict)
{
	uint16_t *label = &compilation->returns[verdict];

	/* A second RET is cheaper than a jump to a far one. */
	if (*label == 0 || !bpf_label_is_near(&compilation->builder, *label)) {
		*label = bpf_emit_return(&compilation->builder, verdict_return_value(verdict));
	}
	return *label;
}

/* Where to jump with `word` intact in A (NO_WORD: with anything in A). */
static uint16_t continuation_label(
	struct compilation *compilation, struct continuation *continuation, uint32_t word)
{
	if (continuation->word == NO_WORD || continuation->word == word) {
		return continuation->loaded;
	}
	if (continuation->unloaded == 0) {
		continuation->unloaded = bpf_emit_load(
			&compilation->builder, continuation->word, continuation->loaded);
	}
	return continuation->unloaded;
}

static struct continuation at_label(uint16_t label)
{
	return (struct continuation){ .loaded = label, .word = NO_WORD };
}

/* Puts one comparison of the word at `word`, which must be in A when it is reached.  `in_a` is what
 * the comparison leaves there. */
static uint16_t emit_comparison(struct compilation *compilation, uint16_t condition, uint32_t value,
	uint32_t in_a, struct continuation *if_true, struct continuation *if_false)
{
	uint16_t true_label = continuation_label(compilation, if_true, in_a);
	uint16_t false_label = continuation_label(compilation, if_false, in_a);

	return bpf_emit_branch(&compilation->builder, condition, value, true_label, false_label);
}

static struct continuation emit_word_equal(struct compilation *compilation, uint32_t word,
	uint32_t value, struct continuation *if_true, struct continuation *if_false)
{
	return (struct continuation){
		.loaded = emit_comparison(compilation, BPF_JEQ, value, word, if_true, if_false),
		.word = word,
	};
}

/* A mask of zero compares nothing, and a mask of ones needs no AND. */
static struct continuation emit_word_masked(struct compilation *compilation, uint32_t word,
	uint32_t mask, uint32_t value, struct continuation *if_true, struct continuation *if_false)
{
	uint16_t comparison;

	if (mask == 0) {
		return *if_true;
	}
	if (mask == UINT32_MAX) {
		return emit_word_equal(compilation, word, value, if_true, if_false);
	}
	comparison = emit_comparison(compilation, BPF_JEQ, value, NO_WORD, if_true, if_false);
	return (struct continuation){
		.loaded = bpf_emit_and(&compilation->builder, mask, comparison),
		.word = word,
	};
}

static struct continuation emit_word_any_bit(struct compilation *compilation, uint32_t word,
	uint32_t mask, struct continuation *if_true, struct continuation *if_false)
{
	if (mask == 0) {
		return *if_false;
	}
	return (struct continuation){
		.loaded = emit_comparison(compilation, BPF_JSET, mask, word, if_true, if_false),
		.word = word,
	};
}

/* word >= low, and word <= high.  A bound that every word keeps needs no comparison. */
static struct continuation emit_word_range(struct compilation *compilation, uint32_t word,
	uint32_t low, uint32_t high, struct continuation *if_true, struct continuation *if_false)
{
	struct continuation below_high = *if_true;

	if (high != UINT32_MAX) {
		below_high = (struct continuation){
			.loaded = emit_comparison(
				compilation, BPF_JGT, high, word, if_false, if_true),
			.word = word,
		};
	}
	if (low == 0) {
		return below_high;
	}
	return (struct continuation){
		.loaded = emit_comparison(compilation, BPF_JGE, low, word, &below_high, if_false),
		.word = word,
	};
}

/* Ranges of 64-bit arguments are only needed within one value of the upper half, as for lengths
 * below 4 GiB. */
static struct continuation emit_wide_test(struct compilation *compilation,
	const struct arg_test *test, struct continuation *if_true, struct continuation *if_false)
{
	uint32_t low = low_word[test->argument];
	uint32_t high = high_word(test->argument);
	uint32_t mask_low = (uint32_t)test->mask, mask_high = (uint32_t)(test->mask >> 32);
	uint32_t value_low = (uint32_t)test->value, value_high = (uint32_t)(test->value >> 32);
	struct continuation rest;

	switch ((enum arg_relation)test->relation) {
	case ARG_EQUAL:
		rest = emit_word_equal(compilation, low, value_low, if_true, if_false);
		return emit_word_equal(compilation, high, value_high, &rest, if_false);
	case ARG_MASKED_EQUAL:
		rest = emit_word_masked(compilation, low, mask_low, value_low, if_true, if_false);
		return emit_word_masked(compilation, high, mask_high, value_high, &rest, if_false);
	case ARG_ANY_BIT:
		rest = emit_word_any_bit(compilation, low, mask_low, if_true, if_false);
		return emit_word_any_bit(compilation, high, mask_high, if_true, &rest);
	case ARG_IN_RANGE:
		assert(mask_high == value_high);
		rest = emit_word_range(compilation, low, mask_low, value_low, if_true, if_false);
		return emit_word_equal(compilation, high, value_high, &rest, if_false);
	}
	assert(false);
	return *if_false;
}

static struct continuation emit_test(struct compilation *compilation, const struct arg_test *test,
	struct continuation *if_true, struct continuation *if_false)
{
	uint32_t word = low_word[test->argument];
	uint32_t mask = (uint32_t)test->mask, value = (uint32_t)test->value;

	if (test->type == ARG_U64) {
		return emit_wide_test(compilation, test, if_true, if_false);
	}
	assert(test->value <= UINT32_MAX && test->mask <= UINT32_MAX);
	switch ((enum arg_relation)test->relation) {
	case ARG_EQUAL:
		return emit_word_equal(compilation, word, value, if_true, if_false);
	case ARG_MASKED_EQUAL:
		return emit_word_masked(compilation, word, mask, value, if_true, if_false);
	case ARG_ANY_BIT:
		return emit_word_any_bit(compilation, word, mask, if_true, if_false);
	case ARG_IN_RANGE:
		return emit_word_range(compilation, word, mask, value, if_true, if_false);
	}
	assert(false);
	return *if_false;
}

/* A verdict within a block: ALLOW goes on to the next decision on the same number. */
static struct continuation verdict_continuation(struct compilation *compilation,
	enum verdict verdict, const struct continuation *if_allowed)
{
	if (verdict == VERDICT_ALLOW) {
		return *if_allowed;
	}
	return at_label(verdict_label(compilation, verdict));
}

static struct continuation emit_trap(struct compilation *compilation, const struct trap *trap,
	const struct continuation *if_allowed)
{
	struct continuation otherwise =
		verdict_continuation(compilation, trap->otherwise, if_allowed);

	for (size_t i = trap->clause_count; i-- > 0;) {
		const struct arg_clause *clause = &trap->clauses[i];
		struct continuation then =
			verdict_continuation(compilation, clause->verdict, if_allowed);

		for (size_t t = clause->test_count; t-- > 0;) {
			then = emit_test(compilation, &clause->tests[t], &then, &otherwise);
		}
		otherwise = then;
	}
	return otherwise;
}

/* A chain is as long as the number of features that look at one call. */
static struct continuation emit_chain(struct compilation *compilation, const struct trap *trap)
{
	const struct trap *next = trap_set_next(compilation->set, trap);
	struct continuation if_allowed;

	if (next != NULL) {
		if_allowed = emit_chain(compilation, next);
	} else {
		if_allowed = at_label(verdict_label(compilation, VERDICT_ALLOW));
	}
	return emit_trap(compilation, trap, &if_allowed);
}

static bool traps_are_equal(
	const struct compilation *compilation, const struct trap *a, const struct trap *b)
{
	if (a->clause_count != b->clause_count || a->otherwise != b->otherwise) {
		return false;
	}
	if (a->clauses != b->clauses &&
		memcmp(a->clauses, b->clauses, a->clause_count * sizeof(*a->clauses)) != 0) {
		return false;
	}
	a = trap_set_next(compilation->set, a);
	b = trap_set_next(compilation->set, b);
	return a == b || (a != NULL && b != NULL && traps_are_equal(compilation, a, b));
}

/* The block that decides like `trap`; equal ones are shared. */
static uint16_t block_for(struct compilation *compilation, const struct trap *trap)
{
	size_t i = 0;

	while (i < compilation->block_count &&
		!traps_are_equal(compilation, compilation->block_traps[i], trap)) {
		i++;
	}
	if (i == compilation->block_count) {
		compilation->block_traps[compilation->block_count++] = trap;
	}
	return (uint16_t)(VERDICT_COUNT + i);
}

static uint16_t target_of(struct compilation *compilation, uint32_t number)
{
	const struct trap *trap = trap_set_get(compilation->set, number);

	if (trap == NULL) {
		return VERDICT_ENOSYS;
	}
	if (trap->clause_count == 0 && trap_set_next(compilation->set, trap) == NULL) {
		return trap->otherwise;
	}
	return block_for(compilation, trap);
}

/* The last range begins at TRAP_SET_NUMBERS at the latest and has no end: unknown numbers, those of
 * the x32 ABI, and -1, which a tracer writes to skip a call. */
static void find_ranges(struct compilation *compilation)
{
	compilation->range_count = 0;
	compilation->block_count = 0;
	for (uint32_t number = 0; number <= TRAP_SET_NUMBERS; number++) {
		uint16_t here = target_of(compilation, number);
		size_t count = compilation->range_count;

		if (count == 0 || compilation->ranges[count - 1].target != here) {
			compilation->ranges[compilation->range_count++] =
				(struct range){ number, here };
		}
	}
}

static bool is_exception(const struct compilation *compilation, size_t range)
{
	const struct range *r = &compilation->ranges[range];

	return range + 1 < compilation->range_count && r[1].first == r[0].first + 1 &&
	       r[1].target == r[-1].target;
}

static void find_spans(struct compilation *compilation)
{
	compilation->span_count = 0;
	for (size_t i = 0; i < compilation->range_count; i++) {
		struct span span = { .first_range = (uint16_t)i };

		while (span.exceptions < SPAN_EXCEPTIONS && is_exception(compilation, i + 1)) {
			span.exceptions++;
			i += 2;
		}
		compilation->spans[compilation->span_count++] = span;
	}
}

static uint16_t target_label(struct compilation *compilation, uint16_t target)
{
	return target < VERDICT_COUNT ? verdict_label(compilation, target)
				      : compilation->blocks[target - VERDICT_COUNT];
}

static uint16_t emit_span(struct compilation *compilation, const struct span *span)
{
	const struct range *first = &compilation->ranges[span->first_range];
	uint16_t label = target_label(compilation, first->target);

	for (size_t e = span->exceptions; e-- > 0;) {
		const struct range *exception = &first[2 * e + 1];
		uint16_t exception_label = target_label(compilation, exception->target);

		label = bpf_emit_branch(
			&compilation->builder, BPF_JEQ, exception->first, exception_label, label);
	}
	return label;
}

static uint32_t span_start(const struct compilation *compilation, size_t span)
{
	return compilation->ranges[compilation->spans[span].first_range].first;
}

/* The span where the second half of [begin, end) begins.  Halves are equal in numbers, not in
 * spans: at installation the kernel walks the tree once for every number. */
static size_t middle_of(const struct compilation *compilation, size_t begin, size_t end)
{
	uint32_t low = span_start(compilation, begin);
	uint32_t high =
		end < compilation->span_count ? span_start(compilation, end) : TRAP_SET_NUMBERS;
	size_t middle = begin + 1;

	if (compilation->search == FILTER_SEARCH_LINE) {
		return middle;
	}
	while (middle + 1 < end &&
		span_start(compilation, middle) - low < high - span_start(compilation, middle)) {
		middle++;
	}
	return middle;
}

/* As deep as the logarithm of the number of spans, in practice. */
static uint16_t emit_tree(struct compilation *compilation, size_t begin, size_t end)
{
	uint16_t left, right;
	size_t middle;

	if (end - begin == 1) {
		return emit_span(compilation, &compilation->spans[begin]);
	}
	middle = middle_of(compilation, begin, end);
	right = emit_tree(compilation, middle, end);
	left = emit_tree(compilation, begin, middle);
	return bpf_emit_branch(
		&compilation->builder, BPF_JGE, span_start(compilation, middle), right, left);
}

/* What every call meets first. */
static void emit_entry(struct compilation *compilation, uint32_t audit_token, uint16_t tree)
{
	struct bpf_builder *builder = &compilation->builder;
	uint16_t native = bpf_emit_load(builder, offsetof(struct seccomp_data, nr), tree);
	uint16_t foreign = bpf_emit_return(builder, verdict_return_value(VERDICT_KILL));
	uint16_t check = bpf_emit_branch(builder, BPF_JEQ, audit_token, native, foreign);

	(void)bpf_emit_load(builder, offsetof(struct seccomp_data, arch), check);
}

int filter_compile(const struct trap_set *set, uint32_t audit_token, enum filter_search search,
	struct bpf_program *ret_program)
{
	struct compilation compilation;

	compilation.set = set;
	compilation.search = search;
	bpf_builder_init(&compilation.builder);
	memset(compilation.returns, 0, sizeof(compilation.returns));
	find_ranges(&compilation);
	find_spans(&compilation);

	/* From the end of the program to its start. */
	for (size_t i = compilation.block_count; i-- > 0;) {
		struct continuation block = emit_chain(&compilation, compilation.block_traps[i]);

		compilation.blocks[i] = continuation_label(&compilation, &block, NO_WORD);
	}
	emit_entry(&compilation, audit_token, emit_tree(&compilation, 0, compilation.span_count));
	return bpf_builder_finish(&compilation.builder, ret_program);
}
