/* A program reads like what it does. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/seccomp.h>

#include "bpf/listing.h"

Test(bpf_listing, names_words_ways_and_verdicts)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct bpf_program program = { instructions, ARRAY_LEN(instructions) };
	cleanup_text struct text text = { 0 };

	bpf_program_list(&program, &text);

	cr_assert_str_eq(text.bytes, "   0  load arch\n"
				     "   1  if == 0xc000003e, then 3\n"
				     "   2  kill process\n"
				     "   3  load arg1.high\n"
				     "   4  and 0xf\n"
				     "   5  if & 0x4, else 7\n"
				     "   6  go to 8\n"
				     "   7  errno 38\n"
				     "   8  allow\n"
				     "   9  0x16 0 0 0x0\n");
}
