/* A notified call while it is handled. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>

#include "core/handler/call.h"

void call_begin(struct call *call, const struct domain *domain, struct worker *worker,
	const struct notif *notif)
{
	call->domain = domain;
	call->worker = worker;
	call->notif = notif;
	call->has_read_memory = false;
	call->is_frozen = false;
	call->fork_token = 0;
	call->undo_count = 0;
}

int call_undo_add(struct call *call, void (*run)(void *context), void *context)
{
	if (call->undo_count == CALL_UNDO_MAX) {
		return -ENOSPC;
	}
	call->undo[call->undo_count++] = (struct undo){ run, context };
	return 0;
}

/* An injection that failed has left its errno in the action. */
static bool was_refused(const struct action *action)
{
	return action->kind == ACTION_ERRNO || action->kind == ACTION_KILL ||
	       (action->kind == ACTION_INJECT_FD && action->error != 0);
}

void call_end(struct call *call, const struct action *action, enum reply_result result)
{
	if (result != REPLY_LOST && !was_refused(action)) {
		return;
	}
	while (call->undo_count > 0) {
		const struct undo *undo = &call->undo[--call->undo_count];

		undo->run(undo->context);
	}
}
