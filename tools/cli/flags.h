/* The command line of `sandlock run`: from words to a policy, and the option table as help text. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLI_FLAGS_H
#define TOOLS_CLI_FLAGS_H

#include <stdio.h>

#include "core/base/error.h"
#include "core/policy/policy.h"

enum run_mode {
	RUN_NORMAL,
	RUN_HELP,
	RUN_HELP_ROFF,
	RUN_VERSION,
	RUN_EXPLAIN_TEXT,
	RUN_EXPLAIN_JSON
};

struct run_flags {
	enum run_mode mode;
};

/* Reads the words after argv[0] ("run") into an initialised policy, on top of what is in it, and
 * checks it with policy_check().  The first --help or --version ends the reading: nothing behind it
 * is looked at or checked.  Reads the files named by @FILE and the descriptors of --args, which it
 * closes.  0, or -errno with one line for the user; the policy then holds a part of the options and
 * is still to be finished. */
int flags_parse(int argc, char **argv, struct sandbox_policy *policy, struct run_flags *ret_flags,
	struct error *error);

/* `sandlock run --help`: at most 80 columns. */
void flags_print_help(FILE *file);
/* The options as man page source: a .SS for each section, a .TP for each option. */
void flags_print_man(FILE *file);

#endif
