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

/* A decision that may notify is asked last: a call that another one denies must not reach us. */
static bool trap_may_notify(const struct trap *trap)
{
	for (size_t i = 0; i < trap->clause_count; i++) {
		if (trap->clauses[i].verdict == VERDICT_NOTIFY) {
			return true;
		}
	}
	return trap->otherwise == VERDICT_NOTIFY;
}

static bool trap_is_plain(const struct trap *trap, enum verdict verdict)
{
	return trap->clause_count == 0 && trap->otherwise == verdict;
}

static bool trap_denies_always(const struct trap *trap)
{
	return trap->clause_count == 0 && trap->otherwise > VERDICT_NOTIFY;
}

/* A first clause without tests decides everything; last ones that say the same as `otherwise`
 * decide nothing. */
struct trap trap_simplified(const struct trap *trap)
{
	struct trap simple = *trap;

	while (simple.clause_count > 0 &&
		simple.clauses[simple.clause_count - 1].verdict == simple.otherwise) {
		simple.clause_count--;
	}
	if (simple.clause_count > 0 && simple.clauses[0].test_count == 0) {
		simple.otherwise = simple.clauses[0].verdict;
		simple.clause_count = 0;
	}
	if (simple.clause_count == 0) {
		simple.clauses = NULL;
	}
	simple.next = 0;
	return simple;
}

static int trap_append(struct trap_set *set, struct trap *trap, const struct trap *addition)
{
	if (set->chained_count == TRAP_SET_CHAINED) {
		return -ENOSPC;
	}
	set->chained[set->chained_count] = *addition;
	set->chained[set->chained_count].next = trap->next;
	trap->next = ++set->chained_count; /* counted from 1: 0 ends the chain */
	return 0;
}

int trap_set_add(struct trap_set *set, uint32_t number, const struct trap *trap)
{
	struct trap addition, *first;

	if (number >= TRAP_SET_NUMBERS) {
		return -ERANGE;
	}
	addition = trap_simplified(trap);
	first = &set->traps[number];
	if (!set->present[number]) {
		*first = addition;
		set->present[number] = true;
		return 0;
	}
	if (trap_is_plain(first, VERDICT_ALLOW)) {
		addition.next = first->next;
		*first = addition;
		return 0;
	}
	if (trap_denies_always(first) || trap_is_plain(&addition, VERDICT_ALLOW)) {
		return 0;
	}
	if (trap_denies_always(&addition)) {
		*first = addition; /* whatever was chained is never asked again */
		return 0;
	}
	if (trap_may_notify(first) && !trap_may_notify(&addition)) {
		struct trap moved = *first;

		addition.next = first->next;
		*first = addition;
		return trap_append(set, first, &moved);
	}
	return trap_append(set, first, &addition);
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
