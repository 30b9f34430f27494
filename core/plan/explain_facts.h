/* What both forms of --explain say, gathered once from the plan. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_EXPLAIN_FACTS_H
#define CORE_PLAN_EXPLAIN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/plan/filter_verdicts.h"
#include "core/plan/plan.h"

/* How the filter treats a call. */
enum call_treatment {
	CALL_ALLOWED,  /* always */
	CALL_DENIED,   /* always, with one answer */
	CALL_FILTERED, /* by its arguments */
	CALL_NOTIFIED, /* a supervisor may be asked */
};

struct explained_call {
	const char *name;
	uint32_t number;
	enum call_treatment treatment;
	struct filter_verdicts verdicts;
	const char *police; /* who decides, and why so: from the row of the call */
	const char *reason;
};

/* What a run starts beside the command. */
struct explained_start {
	const char *what;
	const char *why;
};

#define EXPLAINED_STARTS_MAX 8

struct explained_size {
	size_t count;
	size_t bytes; /* with the terminating NUL of each string, as execve counts them */
};

struct explain_facts {
	struct explained_call *calls; /* owned; the calls of this architecture by name */
	size_t call_count;
	struct filter_verdicts unknown; /* numbers that no call of this architecture has */
	struct filter_verdicts x32;	/* numbers with the x32 bit; count 0 elsewhere */
	struct filter_verdicts foreign; /* calls of other architectures */
	struct explained_start starts[EXPLAINED_STARTS_MAX];
	size_t start_count;
	struct explained_size arguments;
	struct explained_size environment;
};

void explain_facts_gather(const struct plan *plan, struct explain_facts *ret_facts);
void explain_facts_finish(struct explain_facts *facts);
#define cleanup_explain_facts cleanup(explain_facts_finish)

/* "ALLOW", "NOTIFY", "KILL", the name of an errno ("EPERM"), or "OTHER". */
const char *explain_answer(uint32_t value);

/* The ports with that right as inclusive ranges, in order: calls `add` for each. */
void explain_each_port_range(const struct landlock_plan *landlock, uint64_t right,
	void (*add)(void *context, unsigned int first, unsigned int last), void *context);

#endif
