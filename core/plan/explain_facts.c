/* What both forms of --explain say, gathered once from the plan. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/explain_facts.h"

#define NUMBERS_ASKED	1024	    /* beyond the highest number of any architecture */
#define X32_BIT		0x40000000u /* __X32_SYSCALL_BIT */
#define NO_ARCHITECTURE 0xffffffffu /* an audit token that none of ours equals */

static struct filter_verdicts ask(const struct plan *plan, uint32_t audit_token, uint32_t number)
{
	struct filter_verdicts verdicts = { 0 };
	int r = filter_verdicts_find(&plan->filter, audit_token, number, &verdicts);

	/* The kernel would refuse such a program as well: it is our own generator that wrote it. */
	assert(r == 0);
	(void)r; /* looked at above; unused with NDEBUG */
	return verdicts;
}

static void unite(struct filter_verdicts *all, const struct filter_verdicts *more)
{
	for (size_t i = 0; i < more->count; i++) {
		size_t place = 0;

		while (place < all->count && all->values[place] != more->values[i]) {
			place++;
		}
		if (place == all->count && place < FILTER_VERDICTS_MAX) {
			all->values[all->count++] = more->values[i];
		}
	}
}

static uint32_t action_of(uint32_t value)
{
	return value & SECCOMP_RET_ACTION_FULL;
}

static enum call_treatment treatment_of(const struct filter_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		if (action_of(verdicts->values[i]) == SECCOMP_RET_USER_NOTIF) {
			return CALL_NOTIFIED;
		}
	}
	if (verdicts->count > 1) {
		return CALL_FILTERED;
	}
	return action_of(verdicts->values[0]) == SECCOMP_RET_ALLOW ? CALL_ALLOWED : CALL_DENIED;
}

static int compare_names(const void *one, const void *other)
{
	const struct explained_call *a = one;
	const struct explained_call *b = other;

	return strcmp(a->name, b->name);
}

static void gather_calls(const struct plan *plan, struct explain_facts *facts)
{
	uint32_t token = arch_audit_token(ARCH_NATIVE);

	facts->calls = must_allocate(SYSCALL_COUNT * sizeof(facts->calls[0]));
	for (int id = 0; id < SYSCALL_COUNT; id++) {
		int number = syscall_number(ARCH_NATIVE, (enum syscall_id)id);
		struct explained_call *call = &facts->calls[facts->call_count];
		struct syscall_rule rule;

		if (number < 0) {
			continue;
		}
		rule = syscall_rules_get(&plan->choices, (enum syscall_id)id);
		call->name = syscall_name((enum syscall_id)id);
		call->number = (uint32_t)number;
		call->verdicts = ask(plan, token, call->number);
		call->treatment = treatment_of(&call->verdicts);
		call->police = syscall_police_name(rule.police);
		call->reason = rule.reason;
		facts->call_count++;
	}
	qsort(facts->calls, facts->call_count, sizeof(facts->calls[0]), compare_names);
}

static void gather_strangers(const struct plan *plan, struct explain_facts *facts)
{
	uint32_t token = arch_audit_token(ARCH_NATIVE);

	for (uint32_t number = 0; number < NUMBERS_ASKED; number++) {
		struct filter_verdicts verdicts = ask(plan, NO_ARCHITECTURE, number);

		unite(&facts->foreign, &verdicts);
		if (syscall_find_number(ARCH_NATIVE, number) < 0) {
			verdicts = ask(plan, token, number);
			unite(&facts->unknown, &verdicts);
		}
		if (ARCH_NATIVE == ARCH_X86_64) {
			verdicts = ask(plan, token, X32_BIT | number);
			unite(&facts->x32, &verdicts);
		}
	}
}

static struct explained_size measure(char *const *strings)
{
	struct explained_size size = { 0 };

	for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
		size.count++;
		size.bytes += strlen(strings[i]) + 1;
	}
	return size;
}

static void gather_starts(const struct plan *plan, struct explain_facts *facts)
{
	const struct {
		bool is_on;
		struct explained_start start;
	} rows[] = {
		{ plan->supervised, { "keeper", "every supervised run: it ends the whole tree" } },
		{ plan->timeout_ns != 0, { "timer", "-t: ends the run at its time limit" } },
		{ plan->memory_limit != 0, { "sampler", "-m: measures the memory of the tree" } },
		{ plan->cpu_percent != 0 && plan->cpu_percent < 100,
			{ "throttle", "-c: stops the tree for a share of each period" } },
		{ notify_plan_needs_listener(&plan->notify),
			{ "receiver",
				"notified calls: takes them from the kernel and answers them" } },
		{ notify_plan_needs_listener(&plan->notify),
			{ "workers",
				"notified calls: on demand, when there are many (--workers-max)" } },
		{ notify_plan_needs_tracer(&plan->notify),
			{ "tracer",
				"notified calls: no signal may break them, every process is known" } },
		{ plan->output_limit != 0, { "relay", "--max-output: counts what is written" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].is_on) {
			facts->starts[facts->start_count++] = rows[i].start;
		}
	}
}

void explain_facts_gather(const struct plan *plan, struct explain_facts *ret_facts)
{
	*ret_facts = (struct explain_facts){
		.arguments = measure(plan->argv),
		.environment = measure(plan->envp),
	};
	gather_calls(plan, ret_facts);
	gather_strangers(plan, ret_facts);
	gather_starts(plan, ret_facts);
}

void explain_facts_finish(struct explain_facts *facts)
{
	free(facts->calls);
	*facts = (struct explain_facts){ 0 };
}

const char *explain_answer(uint32_t value)
{
	const char *name;

	switch (action_of(value)) {
	case SECCOMP_RET_ALLOW:
		return "ALLOW";
	case SECCOMP_RET_USER_NOTIF:
		return "NOTIFY";
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
		return "KILL";
	case SECCOMP_RET_ERRNO:
		name = strerrorname_np((int)(value & SECCOMP_RET_DATA));
		return name != NULL ? name : "OTHER";
	default:
		return "OTHER";
	}
}

void explain_each_port_range(const struct landlock_plan *landlock, uint64_t right,
	void (*add)(void *context, unsigned int first, unsigned int last), void *context)
{
	size_t i = 0;

	while (i < landlock->port_count) {
		unsigned int first = landlock->ports[i].port;
		unsigned int last = first;

		if ((landlock->ports[i++].access & right) == 0) {
			continue;
		}
		while (i < landlock->port_count && landlock->ports[i].port == last + 1 &&
			(landlock->ports[i].access & right) != 0) {
			last++;
			i++;
		}
		add(context, first, last);
	}
}
