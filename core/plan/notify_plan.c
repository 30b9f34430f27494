/* What is notified, and who is asked: the rows of the wanted features, by number and in the order
 * of asking. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/notify_plan.h"

/* Behind every equal number, so that the order of asking stays. */
static void insert_row(struct notify_plan *notify, struct notify_row row)
{
	size_t at = notify->count++;

	while (at > 0 && notify->rows[at - 1].trap->nr > row.trap->nr) {
		notify->rows[at] = notify->rows[at - 1];
		at--;
	}
	notify->rows[at] = row;
}

static int add_feature(
	struct notify_plan *notify, const struct feature *feature, struct error *error)
{
	if (feature->judge_exec != NULL) {
		notify->judges = must_reallocate(
			notify->judges, notify->judge_count + 1, sizeof(notify->judges[0]));
		notify->judges[notify->judge_count++] = feature;
	}
	for (const struct trap_row *trap = feature->traps; trap->handle != NULL; trap++) {
		if (trap->nr < 0) {
			continue;
		}
		if (notify->count == SYSCALL_RULES_NOTIFIED) {
			return error_set(error, ENOSPC, "%s: more than %d notified calls",
				feature->name, SYSCALL_RULES_NOTIFIED);
		}
		notify->rows =
			must_reallocate(notify->rows, notify->count + 1, sizeof(notify->rows[0]));
		insert_row(notify, (struct notify_row){ trap, feature });
	}
	return 0;
}

int notify_plan_compile(const struct sandbox_policy *policy, const struct feature *const *features,
	struct notify_plan *ret_notify, struct error *error)
{
	struct notify_plan notify = { 0 };

	for (; features != NULL && *features != NULL; features++) {
		int r = (*features)->wanted(policy) ? add_feature(&notify, *features, error) : 0;

		if (r < 0) {
			notify_plan_finish(&notify);
			return r;
		}
	}
	if (notify.count > 0) {
		notify.asked = must_allocate(notify.count * sizeof(notify.asked[0]));
	}
	for (size_t i = 0; i < notify.count; i++) {
		notify.asked[i] = (struct syscall_notify){ notify.rows[i].trap->nr,
			notify.rows[i].trap->only_if };
	}
	*ret_notify = notify;
	return 0;
}

void notify_plan_finish(struct notify_plan *notify)
{
	free(notify->judges);
	free(notify->rows);
	free(notify->asked);
	*notify = (struct notify_plan){ 0 };
}

size_t notify_plan_find(
	const struct notify_plan *notify, int number, const struct notify_row **ret_first)
{
	size_t begin = 0, end;

	while (begin < notify->count && notify->rows[begin].trap->nr < number) {
		begin++;
	}
	end = begin;
	while (end < notify->count && notify->rows[end].trap->nr == number) {
		end++;
	}
	if (end > begin) {
		*ret_first = &notify->rows[begin];
	}
	return end - begin;
}

bool notify_plan_needs_tracer(const struct notify_plan *notify)
{
	if (notify->judge_count > 0) {
		return true; /* what was approved is compared at an event of its own */
	}
	for (size_t i = 0; i < notify->count; i++) {
		if (!notify->rows[i].trap->interruptible) {
			return true;
		}
	}
	return false;
}

bool notify_plan_repairs(const struct notify_plan *notify, int number)
{
	const struct notify_row *rows;

	return notify_plan_find(notify, number, &rows) > 0 && !rows[0].trap->interruptible;
}

void notify_plan_add_features(const struct notify_plan *notify, int number, struct text *text)
{
	const struct notify_row *rows;
	size_t count = notify_plan_find(notify, number, &rows);

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || rows[i].feature != rows[i - 1].feature) {
			text_add(text, "%s%s", i == 0 ? "" : ", ", rows[i].feature->name);
		}
	}
}
