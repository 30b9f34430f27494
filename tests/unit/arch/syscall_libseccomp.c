/* The numbers and tokens of libseccomp. */
// SPDX-License-Identifier: Apache-2.0
/* native only: Debian has libseccomp for its own processor only */

#include <criterion/criterion.h>
#include <seccomp.h>
#include <stdlib.h>

#include "arch/syscall.h"

Test(syscall_libseccomp, agrees_with_the_names_of_libseccomp)
{
	int known = 0;

	for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
		for (int number = 0; number < 470; number++) {
			char *name =
				seccomp_syscall_resolve_num_arch(arch_audit_token(arch), number);
			int id = syscall_find_number(arch, (uint32_t)number);

			if (name != NULL) {
				cr_assert_geq(id, 0, "%s: no row for %d", arch_name(arch), number);
				cr_assert_str_eq(syscall_name(id), name);
				known++;
			}
			free(name);
		}
	}
	cr_assert_gt(known, 900);
}

Test(syscall_libseccomp, has_our_audit_tokens)
{
	cr_assert_eq(arch_audit_token(ARCH_X86_64), SCMP_ARCH_X86_64);
	cr_assert_eq(arch_audit_token(ARCH_AARCH64), SCMP_ARCH_AARCH64);
	cr_assert_eq(arch_audit_token(ARCH_RISCV64), SCMP_ARCH_RISCV64);
	cr_assert_eq(arch_audit_token(ARCH_NATIVE), seccomp_arch_native());
}
