/* The program's entry: the table of subcommands and nothing else. */
// SPDX-License-Identifier: Apache-2.0

#include <stdio.h>
#include <string.h>

#include "core/base/attributes.h"
#include "tools/cli/commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
} commands[] = {
	{ "run", cmd_run, "run a command that can touch only what its policy grants" },
	{ "check", cmd_check, "try whether this machine can do it" },
};

static void print_help(FILE *stream)
{
	(void)fprintf(stream, "Usage: sandlock COMMAND [options]\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		(void)fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].text);
	}
	(void)fprintf(stream, "\n`sandlock run --help` lists the options of a run.\n");
}

int main(int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
				 strcmp(argv[1], "help") == 0)) {
		print_help(stdout);
		return 0;
	}
	if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		(void)printf("sandlock %s\n", SANDLOCK_VERSION);
		return 0;
	}
	for (size_t i = 0; argc >= 2 && i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	if (argc >= 2) {
		(void)fprintf(stderr, "sandlock: %s: no such command\n", argv[1]);
	}
	print_help(stderr);
	return EXIT_USAGE;
}
