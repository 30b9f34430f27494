/* What the calling process becomes for the time of a run: a supervisor. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_CALLER_H
#define CORE_RUN_CALLER_H

#include "core/base/error.h"
#include "core/policy/policy.h"

/* Blocks the signals that a supervisor reads instead, and answers the descriptor for them, which
 * the caller owns; -errno with a message.  Must come before the first thread. */
int caller_watch_signals(struct error *error);

/* The calling thread becomes a subreaper, takes no new privileges, and enters a signal scope,
 * unless it is -1.  0 or -errno with a message: also when the scope was accepted but does not hold.
 */
int caller_enter_scope(int scope_fd, struct error *error);

/* Keeps the calling thread to the processors of --supervisor-cpus.  0 or -errno with a message. */
int caller_pin(const struct sandbox_policy *policy, struct error *error);

#endif
