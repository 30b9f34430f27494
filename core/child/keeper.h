/* The keeper: one small process per sandbox that starts the command, reaps, and ends the tree. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHILD_KEEPER_H
#define CORE_CHILD_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/child/child.h"

/* Requests of the supervisor and events of the keeper, one message of a SOCK_SEQPACKET pair each.
 * The last event is a whole struct run_report. */
enum keeper_message_kind {
	KEEPER_SIGNAL_TREE,  /* → send signal `value` to everything inside */
	KEEPER_SIGNAL_GROUP, /* → send signal `value` to the command's own group */
	KEEPER_MAY_REAP,     /* → the answer to the last one */
	KEEPER_ROOT_STARTED, /* ← the command has pid `value` */
	KEEPER_ROOT_STOPPED, /* ← the command was stopped by signal `value` */
	KEEPER_ROOT_ENDING, /* ← the command, pid `value`, is dead and not reaped: /proc still shows
			       it */
	KEEPER_LISTENER,    /* ← carries the listener (SCM_RIGHTS); the command waits … */
	KEEPER_RESUME,	    /* → … until somebody receives what it will ask */
};

struct keeper_message {
	uint32_t kind;
	int32_t value;
};

/* The keeper's whole life; does not return.  Runs in a fork of the supervisor that has one thread.
 * When its socket closes, or the command ends, it ends everything inside, reaps, sends its
 * report, and exits. */
__attribute__((noreturn)) void keeper_run(struct launch *launch);

/* Sends SIGKILL to everything below the calling process and reaps it, for at most five seconds.
 * `scoped`: the caller is in a Landlock domain of its own that scopes signals, so that kill(-1)
 * reaches the sandbox and nothing else; otherwise the children are ended generation by generation.
 * Needs PR_SET_CHILD_SUBREAPER.  Accounts into `report`; true when nothing is left. */
bool tree_end(bool scoped, struct run_report *report);

#endif
