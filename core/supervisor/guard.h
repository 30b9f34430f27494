/* The last word on a call that no handler had an opinion on. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_GUARD_H
#define CORE_SUPERVISOR_GUARD_H

#include "core/handler/call.h"
#include "core/notif/reply.h"

/* No opinion is not approval: ACTION_NEXT, which lets the kernel run the call inside the walls, or
 * a refusal.  An exec is put before the judges, and what they approve is written down for the
 * tracer before the kernel is let go on. */
struct action guard_ask(struct call *call);

/* After the answer: what stood still for its sake goes on. */
void guard_end(struct call *call);

#endif
