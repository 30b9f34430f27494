/* What the filter decides, by system call number: a verdict, or tests of the arguments. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "bpf/trap_set.h"

static const struct {
	const char *name;
	uint32_t return_value;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_ALLOW] = { "ALLOW", SECCOMP_RET_ALLOW },
	[VERDICT_NOTIFY] = { "NOTIFY", SECCOMP_RET_USER_NOTIF },
	[VERDICT_ENOSYS] = { "ENOSYS", SECCOMP_RET_ERRNO | ENOSYS },
	[VERDICT_EPERM] = { "EPERM", SECCOMP_RET_ERRNO | EPERM },
	[VERDICT_KILL] = { "KILL", SECCOMP_RET_KILL_PROCESS },
};

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

uint32_t verdict_return_value(enum verdict verdict)
{
	return verdicts[verdict].return_value;
}

void trap_set_init(struct trap_set *set)
{
	memset(set->present, 0, sizeof(set->present));
	set->chained_count = 0;
}

/* Whether a decision can ever end in a verdict from `first` to `last`. */
static bool trap_can_answer(const struct trap *trap, enum verdict first, enum verdict last)
{
	for (size_t i = 0; trap->clauses != NULL && i < trap->clause_count; i++) {
		if (trap->clauses[i].verdict >= first && trap->clauses[i].verdict <= last) {
			return true;
		}
	}
	return trap->otherwise >= first && trap->otherwise <= last;
}

static bool trap_can_allow(const struct trap *trap)
{
	return trap_can_answer(trap, VERDICT_ALLOW, VERDICT_ALLOW);
}

static bool trap_can_notify(const struct trap *trap)
{
	return trap_can_answer(trap, VERDICT_NOTIFY, VERDICT_NOTIFY);
}

static bool trap_can_deny(const struct trap *trap)
{
	return trap_can_answer(trap, VERDICT_NOTIFY + 1, VERDICT_COUNT - 1);
}

struct trap trap_simplified(const struct trap *trap)
{
	struct trap simple = *trap;
	uint16_t count = 0;

	/* A clause without tests decides whatever reaches it. */
	while (count < simple.clause_count && simple.clauses[count].test_count > 0) {
		count++;
	}
	if (count < simple.clause_count) {
		simple.otherwise = simple.clauses[count].verdict;
	}
	while (count > 0 && simple.clauses[count - 1].verdict == simple.otherwise) {
		count--;
	}
	simple.clause_count = count;
	simple.clauses = count == 0 ? NULL : simple.clauses;
	simple.next = 0;
	return simple;
}

/* The place in the chain after which a decision is asked, behind `first` which is asked before it.
 * NULL: never, because one of those before it leaves nothing to ask. */
static struct trap *place_in_chain(
	struct trap_set *set, struct trap *first, const struct trap *addition)
{
	struct trap *before = first;

	for (;;) {
		struct trap *next = before->next == 0 ? NULL : &set->chained[before->next - 1];

		if (!trap_can_allow(before)) {
			return NULL;
		}
		if (next == NULL || (trap_can_notify(next) && !trap_can_notify(addition))) {
			return before;
		}
		before = next;
	}
}

static int chain_after(struct trap_set *set, struct trap *before, struct trap addition)
{
	if (set->chained_count == TRAP_SET_CHAINED) {
		return -ENOSPC;
	}
	addition.next = trap_can_allow(&addition) ? before->next : 0;
	set->chained[set->chained_count] = addition;
	before->next = ++set->chained_count; /* counted from 1: 0 ends the chain */
	return 0;
}

/* Puts a denial before a first decision that notifies. */
static int chain_first(struct trap_set *set, struct trap *first, struct trap addition)
{
	struct trap moved = *first;
	int r = 0;

	addition.next = 0;
	if (trap_can_allow(&addition)) {
		r = chain_after(set, &addition, moved);
		if (r == 0) {
			set->chained[addition.next - 1].next = moved.next;
		}
	}
	if (r == 0) {
		*first = addition;
	}
	return r;
}

int trap_set_add(struct trap_set *set, uint32_t number, const struct trap *trap)
{
	struct trap addition = trap_simplified(trap), *first, *before;

	if (number >= TRAP_SET_NUMBERS) {
		return -ERANGE;
	}
	if (trap_can_notify(&addition) && trap_can_deny(&addition)) {
		return -EINVAL;
	}
	first = &set->traps[number];
	if (!set->present[number] || !(trap_can_notify(first) || trap_can_deny(first))) {
		*first = addition;
		set->present[number] = true;
		return 0;
	}
	if (!trap_can_notify(&addition) && !trap_can_deny(&addition)) {
		return 0;
	}
	if (trap_can_notify(first) && !trap_can_notify(&addition)) {
		return chain_first(set, first, addition);
	}
	before = place_in_chain(set, first, &addition);
	return before == NULL ? 0 : chain_after(set, before, addition);
}

const struct trap *trap_set_get(const struct trap_set *set, uint32_t number)
{
	return number < TRAP_SET_NUMBERS && set->present[number] ? &set->traps[number] : NULL;
}

const struct trap *trap_set_next(const struct trap_set *set, const struct trap *trap)
{
	return trap->next == 0 ? NULL : &set->chained[trap->next - 1];
}

bool arg_test_holds(const struct arg_test *test, const uint64_t arguments[6])
{
	uint64_t argument = arguments[test->argument];

	if (test->type != ARG_U64) {
		argument = (uint32_t)argument;
	}
	switch ((enum arg_relation)test->relation) {
	case ARG_EQUAL:
		return argument == test->value;
	case ARG_MASKED_EQUAL:
		return (argument & test->mask) == test->value;
	case ARG_ANY_BIT:
		return (argument & test->mask) != 0;
	case ARG_IN_RANGE:
		return argument >= test->low && argument <= test->high;
	}
	assert(false);
	return false;
}

enum verdict trap_verdict(const struct trap *trap, const uint64_t arguments[6])
{
	for (size_t i = 0; i < trap->clause_count; i++) {
		const struct arg_clause *clause = &trap->clauses[i];
		size_t held = 0;

		while (held < clause->test_count &&
			arg_test_holds(&clause->tests[held], arguments)) {
			held++;
		}
		if (held == clause->test_count) {
			return clause->verdict;
		}
	}
	return trap->otherwise;
}

enum verdict trap_set_verdict(
	const struct trap_set *set, uint32_t number, const uint64_t arguments[6])
{
	const struct trap *trap = trap_set_get(set, number);
	enum verdict verdict = trap == NULL ? VERDICT_ENOSYS : VERDICT_ALLOW;

	for (; trap != NULL && verdict == VERDICT_ALLOW; trap = trap_set_next(set, trap)) {
		verdict = trap_verdict(trap, arguments);
	}
	return verdict;
}
