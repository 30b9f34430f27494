/* What `sandlock check` tries: one probe per kernel feature, each in a process of its own. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLI_CHECK_PROBES_H
#define TOOLS_CLI_CHECK_PROBES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"

enum check_kind {
	CHECK_OK,
	CHECK_FAILED,	      /* `number` is the errno */
	CHECK_WITHOUT_EFFECT, /* the call succeeds and changes nothing */
	CHECK_KILLED,	      /* `number` is the signal that ended the probe */
};

struct check_outcome {
	enum check_kind kind;
	int number;
};

struct check_probe {
	const char *name;      /* kebab-case, as in the JSON form */
	const char *needed_by; /* what does not work without it */
	bool required;	       /* a run with default options needs it */
	const char *calls;     /* what an outer filter must let through */
	const char *needs;     /* what the kernel must have */
	int (*run)(void);      /* in the child: 0, an errno, or PROBE_WITHOUT_EFFECT */
};

/* The probes in the order of the report; the required ones come first. */
size_t check_probe_count(void);
const struct check_probe *check_probe_at(size_t index);

/* Runs the probe in a forked child and waits for it, 5 seconds at most.  The caller stays as it is.
 */
struct check_outcome check_probe_run(const struct check_probe *probe);

/* "ok", or what went wrong, without a newline. */
void check_outcome_describe(const struct check_outcome *outcome, struct error *ret_text);

/* One line: what fails and how to cure it. */
void check_probe_cure(const struct check_probe *probe, const struct check_outcome *outcome,
	struct error *ret_text);

#endif
