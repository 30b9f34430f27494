/* The plan as text and as JSON: what a run would do, taken from what the kernel would be told. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_EXPLAIN_H
#define CORE_PLAN_EXPLAIN_H

#include "core/base/text.h"
#include "core/plan/plan.h"

/* Both print the compiled plan and nothing else.  What is said about system calls is read from the
 * compiled filter program, for every number and whatever the arguments are; the rows of
 * syscall_rules.h only add the reason.  Nothing is asked of the kernel. */

/* For a human.  Control bytes in names and paths are printed as \xNN. */
void explain_text(const struct plan *plan, struct text *ret);

/* One JSON object and a newline.  Members are only ever added.  Strings that are not UTF-8 have
 * U+FFFD in the place of each wrong byte.  Sizes are bytes, times nanoseconds, null means "none" or
 * "as inherited": name, supervised command       { argv: [string], exec_paths: [string], cwd,
 * private_tmp, arguments: { count, bytes }, environment: { count, bytes }, descriptors: [number] }
 *   starts        [{ what, why }]: "keeper", "timer", "sampler", "throttle", "relay"
 *   notified      [string]: calls that a supervisor would be asked about
 *   landlock      { abi, handled_fs: [string], handled_net: [string], scoped: [string],
 *                   protections: [{ name, state }],
 *                   paths: [{ path, source, rights: [string] }], skipped: [string],
 *                   tcp_connect: { policed, ports: [[first, last]] }, tcp_bind: likewise,
 *                   socket_files_policed }
 *   system_calls  { allowed_groups: [{ name, allows, price }],
 *                   denied: [{ name, number, answer, by, why }],
 *                   filtered: [{ name, number, answers: [string], by, why }],
 *                   allowed: [string], unknown: [string], x32: [string], foreign: [string],
 *                   instructions }
 *                 answers are "ALLOW", "NOTIFY", "KILL" or the name of an errno
 *   capabilities  [string]: what is not dropped
 *   limits        { memory, cpu_percent, timeout, kill_after, output, open_files, cpus: [number] }
 *   settings      { no_coredump, no_huge_pages, no_randomize_memory, user: { uid, gid } } */
void explain_json(const struct plan *plan, struct text *ret);

#endif
