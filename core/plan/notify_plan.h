/* What is notified, and who is asked: the rows of the wanted features, by number and in the order
 * of asking. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_NOTIFY_PLAN_H
#define CORE_PLAN_NOTIFY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/handler/handler.h"
#include "core/plan/syscall_rules.h"
#include "core/policy/policy.h"

struct notify_row {
	const struct trap_row *trap;
	const struct feature *feature;
};

/* Without rows nothing is notified: no listener, no thread. */
struct notify_plan {
	struct notify_row *rows;      /* owned; ascending by number, then in the order of asking */
	struct syscall_notify *asked; /* owned; the same rows as the filter is told of them */
	size_t count;
	const struct feature **judges; /* owned: those that judge execs, in the order of asking */
	size_t judge_count;
};

/* Collects the rows of the features that the policy wants; `features` ends with NULL, and its order
 * is the order of asking.  NULL stands for none.  0, or -errno with a message. */
int notify_plan_compile(const struct sandbox_policy *policy, const struct feature *const *features,
	struct notify_plan *ret_notify, struct error *error);
void notify_plan_finish(struct notify_plan *notify);

/* The rows of one number: how many, and the first (untouched for none).  Pure. */
size_t notify_plan_find(
	const struct notify_plan *notify, int number, const struct notify_row **ret_first);

/* Whether a supervisor must listen. */
static inline bool notify_plan_needs_listener(const struct notify_plan *notify)
{
	return notify->count > 0;
}

/* Whether a signal that comes between a notification and its receipt would end a call with an error
 * that the kernel never gives, or execs are judged: then the tree must be traced.  Pure. */
bool notify_plan_needs_tracer(const struct notify_plan *notify);
bool notify_plan_repairs(const struct notify_plan *notify, int number);

/* For --explain: appends the names of the features that look at a number, as in "host-identity,
 * cpu-count", in the order of asking; nothing for a number that is not notified. */
void notify_plan_add_features(const struct notify_plan *notify, int number, struct text *text);

#endif
