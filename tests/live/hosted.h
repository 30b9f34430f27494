/* A run that the library makes in a process of its own, with features of the test's own. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_HOSTED_H
#define TESTS_LIVE_HOSTED_H

#include "core/handler/handler.h"
#include "core/run/result.h"
#include "core/run/sandbox.h"

struct hosted {
	const char *const *options;	       /* as on the command line, ended by NULL */
	const char *const *command;	       /* ended by NULL */
	const struct feature *const *features; /* ended by NULL; NULL: those of the program */
	/* Runs in a thread beside sandbox_wait(); NULL: nobody. */
	void (*beside)(struct sandbox *sandbox, void *context);
	void *context; /* shared with the caller, if it is to see it */
};

/* Its exit code as `sandlock run` would give it, with the whole result in *ret_result.  Fails the
 * test when the run could not be made. */
int hosted_run(const struct hosted *hosted, struct result *ret_result);

/* For a process that a test has forked, before it starts threads: see the comment there. */
void hosted_avoid_used_stack(void);

/* Memory that the process of the run shares with the test. */
void *hosted_memory(size_t size);

#endif
