/* The supervisor's threads as a run sees them: opened when the listener arrives, closed when the
 * tree is gone. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_DOORS_H
#define CORE_RUN_DOORS_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/attributes.h"
#include "core/child/keeper.h"
#include "core/plan/plan.h"
#include "core/run/result.h"

struct supervisor;

/* Made by doors_init(), closed. */
struct doors {
	struct supervisor *supervisor; /* owned; NULL while nothing is received */
	pthread_mutex_t lock;	       /* guards the members below; nothing is locked under it */
	pthread_cond_t left;
	unsigned int visitors; /* threads that use the supervisor, which stays for them */
	bool is_open;
	struct error error; /* code 0, or why the run failed on our side */
};

void doors_init(struct doors *doors);

/* For a thread other than the one that opens and closes: see sandbox_freeze(). */
int doors_freeze(struct doors *doors) nodiscard;
void doors_thaw(struct doors *doors);

/* Reads one message of the keeper without waiting, and the listener that came with it: -1 when none
 * did, or none that could be held.  It is the caller's.  Otherwise what recv(2) answers. */
ssize_t doors_receive_message(int control, void *buffer, size_t size, int *ret_listener);

/* Takes the listener over; `root` is parked before its exec.  0, or -errno and the reason in
 * doors->error; then the tree was told to end. */
int doors_open(struct doors *doors, const struct plan *plan, int listener, pid_t root,
	void (*end_tree)(void *context), void *context);

/* A descriptor to wait on, or -1, and what to do when it is readable. */
int doors_service(const struct doors *doors);
void doors_serve(struct doors *doors);

/* Ends the threads; the tree is gone.  The counts of the run go into the result. */
void doors_close(struct doors *doors, struct result *result);

#endif
