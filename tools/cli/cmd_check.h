/* `sandlock check`: would a run work here, and if not, why. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLI_CMD_CHECK_H
#define TOOLS_CLI_CMD_CHECK_H

/* `sandlock check [--json]`; argv[0] is "check".  Prints the report to stdout.  0: a run with
 * default options would work.  1: it would not; one line on stderr names the cure.  125: wrong
 * usage, or the report could not be written.
 *
 * The JSON form is one object.  Members are only ever added:
 *   works        boolean
 *   cure         string, or null when it works
 *   kernel       string: the release that uname reports
 *   platform     string: the machine that uname reports
 *   libseccomp   string: "2.5.4"
 *   landlock     { abi: number or null, minimum: number, reason: string or null,
 *                  errata: [number, …] }
 *   protections  [{ name, title, requires: number, available: boolean }, …]
 *   probes       [{ name, needed_by, required: boolean, ok: boolean, error: string or null }, …] */
int cmd_check(int argc, char **argv);

#endif
