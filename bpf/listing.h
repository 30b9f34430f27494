/* A filter program as readable text. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BPF_LISTING_H
#define BPF_LISTING_H

#include "bpf/program.h"
#include "core/base/text.h"

/* Adds one line per instruction: its number, what it does in the words of struct seccomp_data and
 * of the verdicts, and where it goes.  Of a program that did not come from this folder,
 * instructions that are not known are printed as numbers. */
void bpf_program_list(const struct bpf_program *program, struct text *text);

#endif
