/* The subcommands of the program.  Each takes its own name as argv[0] and answers the exit code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLI_COMMANDS_H
#define TOOLS_CLI_COMMANDS_H

#define SANDLOCK_VERSION "0.1.0"

/* Every failure that is sandlock's own, wrong usage included. */
#define EXIT_USAGE 125

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);

#endif
