/* Runs a filter program over one system call, as the kernel would. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BPF_INTERPRETER_H
#define BPF_INTERPRETER_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/program.h"

/* Pure, thread-safe. */

/* What the kernel accepts of a seccomp filter (seccomp_check_filter and bpf_check_classic), as far
 * as our programs go: loads of aligned words of struct seccomp_data, AND, the jumps, RET with a
 * constant.  Every jump stays inside and the last instruction returns.  Refuses what it does not
 * know, also where the kernel would accept it. */
bool bpf_program_is_valid(const struct bpf_program *program);

/* The value that a valid program returns.  *ret_steps, if not NULL, is the number of instructions
 * that ran. */
uint32_t bpf_program_run(
	const struct bpf_program *program, const struct seccomp_data *call, size_t *ret_steps);

#endif
