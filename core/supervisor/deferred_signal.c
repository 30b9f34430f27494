/* Signals that were taken from a tracee, to be given back later. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>

#include "core/supervisor/deferred_signal.h"

int deferred_signal_add(struct deferred_signal **list, const siginfo_t *info)
{
	struct deferred_signal *deferred = calloc(1, sizeof(*deferred));

	if (deferred == NULL) {
		return -ENOMEM;
	}
	deferred->info = *info;
	while (*list != NULL) {
		list = &(*list)->next;
	}
	*list = deferred;
	return 0;
}

struct deferred_signal **deferred_signal_find(struct deferred_signal **list, int signal)
{
	while (*list != NULL && (*list)->info.si_signo != signal) {
		list = &(*list)->next;
	}
	return list;
}

void deferred_signal_take(struct deferred_signal **place)
{
	struct deferred_signal *taken = *place;

	*place = taken->next;
	free(taken);
}
