/* The contract between the features and those who ask them: what a feature wants to see, and who
 * answers. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_HANDLER_HANDLER_H
#define CORE_HANDLER_HANDLER_H

#include <stdbool.h>

#include "arch/syscall.h"
#include "bpf/trap_set.h"
#include "core/notif/reply.h"

struct call;
struct exec_request;
struct sandbox_policy;

/* Answers one notified call.  Runs in any thread of the supervisor, many at once, and holds no lock
 * when it returns.  ACTION_NEXT is "no opinion": the next row is asked, and after the last one the
 * kernel runs the call. */
typedef struct action (*handler_fn)(struct call *call);

/* What a verdict may rest on, and how it may end. */
enum verdict_class {
	CLASS_REGISTER,	      /* on the registers only; may end in "the kernel runs it" */
	CLASS_DOOR,	      /* on anything, because the walls refuse what it adds; likewise */
	CLASS_ON_BEHALF,      /* on private copies; once task memory was read, never in that */
	CLASS_VERIFIED_AFTER, /* continues; checked where it can no longer change */
};

/* One system call that a feature sees: compiled into the filter and into the dispatch table. */
struct trap_row {
	int nr; /* SYS(name); negative: absent on this processor, the row is ignored */
	enum verdict_class class;
	handler_fn handle;		/* NULL ends a table */
	const struct arg_test *only_if; /* a call that fails it is not seen; NULL: sees all */
	bool blocks; /* may sleep for long: never run by the thread that receives */
	/* The kernel itself ends the call with EINTR when a signal comes.  Of every other call that
	 * would be news to the program: for its sake the tree is traced (core/supervisor/tracer.h).
	 */
	bool interruptible;
};

#define TRAP_END                                                                                   \
	{                                                                                          \
		.handle = NULL                                                                     \
	}

struct feature {
	const char *name;				     /* as --explain prints it */
	bool (*wanted)(const struct sandbox_policy *policy); /* pure */
	const struct trap_row *traps;			     /* in the order of asking */
	/* The last word on an exec that no handler had an opinion on, by private copies of what it
	 * asks for; NULL: none.  The rows of such a feature name execve and execveat.  0, or -errno
	 * for the task.  What is approved is what will run: the image is compared with the copies
	 * before its first instruction, and killed if it differs.  Runs as handlers do. */
	int (*judge_exec)(struct call *call, const struct exec_request *request);
};

#endif
