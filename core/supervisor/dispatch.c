/* From a system call number to those who are asked. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/supervisor/dispatch.h"

int dispatch_table_init(struct dispatch_table *table, const struct notify_plan *notify)
{
	*table = (struct dispatch_table){ .stray.nr = -1 };
	table->entries = calloc(notify->count + 1, sizeof(table->entries[0]));
	if (table->entries == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < notify->count; i += table->entries[table->count - 1].count) {
		struct dispatch_entry *entry = &table->entries[table->count++];

		entry->nr = notify->rows[i].trap->nr;
		entry->count = notify_plan_find(notify, entry->nr, &entry->rows);
		for (size_t row = 0; row < entry->count; row++) {
			entry->blocks = entry->blocks || entry->rows[row].trap->blocks;
		}
		table->by_number[entry->nr] = entry;
	}
	return 0;
}

void dispatch_table_finish(struct dispatch_table *table)
{
	free(table->entries);
	table->entries = NULL;
	table->count = 0;
}

struct dispatch_entry *dispatch_find(struct dispatch_table *table, int nr)
{
	struct dispatch_entry *entry = NULL;

	if (nr >= 0 && nr < TRAP_SET_NUMBERS) {
		entry = table->by_number[nr];
	}
	return entry != NULL ? entry : &table->stray;
}

/* A verdict that rests on memory, which the task can rewrite until the kernel reads it again, must
 * not end in "the kernel runs it" unless the walls hold anyway. */
static bool may_continue(const struct trap_row *trap, const struct call *call)
{
	return !call->has_read_memory || trap->class == CLASS_DOOR ||
	       trap->class == CLASS_VERIFIED_AFTER;
}

struct action dispatch_ask(const struct dispatch_entry *entry, struct call *call)
{
	bool asked = false;

	for (size_t i = 0; i < entry->count; i++) {
		const struct trap_row *trap = entry->rows[i].trap;
		struct action action;

		if (trap->only_if != NULL && !arg_test_holds(trap->only_if, call->notif->args)) {
			continue;
		}
		asked = true;
		call->has_read_memory = false;
		action = trap->handle(call);
		if (action.kind != ACTION_NEXT) {
			return action;
		}
		if (!may_continue(trap, call)) {
			assert(false);
			return action_errno(EPERM);
		}
	}
	return asked ? action_next() : action_errno(EPERM);
}
