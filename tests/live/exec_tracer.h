/* A tracer and a listener around one guest, of a few lines, for the verification of exec. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_EXEC_TRACER_H
#define TESTS_LIVE_EXEC_TRACER_H

#include <stdbool.h>

#include "core/tracee/tracee_exec.h"

/* Zero-initialised: approve everything, and check it. */
struct exec_watch {
	/* Asked on the listening thread before an exec is continued; NULL: yes.  No is EACCES. */
	bool (*approves)(const struct exec_request *request);
	bool blind; /* the control: lets every image run */
};

struct exec_report {
	int status;	   /* of the guest, as waitpid() tells it */
	int matched;	   /* images that were what was expected */
	int wrong_image;   /* and were killed, unless blind */
	int wrong_argv;	   /* the right image, with other arguments */
	int not_found_out; /* checks that failed */
	int foreseen;	   /* .error of the last exec */
	int failed;	   /* our own errors while an exec was read or resolved */
};

/* Runs a guest, and all that it starts, to the end. */
struct exec_report exec_watch_run(const struct exec_watch *watch, const char *const *command);

#endif
