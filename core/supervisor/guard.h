/* The last word on a call that no handler had an opinion on. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_GUARD_H
#define CORE_SUPERVISOR_GUARD_H

#include "core/handler/call.h"
#include "core/notif/reply.h"

/* No opinion is not approval: ACTION_NEXT, which lets the kernel run the call inside the walls, or
 * a refusal. */
struct action guard_ask(const struct call *call);

#endif
