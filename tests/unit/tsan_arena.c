/* Lets Criterion run under ThreadSanitizer.  Its library maps a shared arena at a random address
 * that TSan nearly always reserves for itself; this rand_r, which the library then finds first,
 * keeps the choice inside the range that TSan leaves to position-independent programs (Criterion
 * issue 274). */
// SPDX-License-Identifier: Apache-2.0

#ifdef __SANITIZE_THREAD__

#include <stdlib.h>

/* Addresses are 0x200000000000 + (answer << 24): from 0x550000000000, 256 GiB of them. */
#define FIRST_UNIT 0x350000u
#define UNIT_MASK  0x3fffu

__attribute__((visibility("default"))) int rand_r(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return (int)(FIRST_UNIT + ((*seed >> 8) & UNIT_MASK));
}

/* Criterion runs a test beside a thread of its own; a child that the test forks may start threads
 * too. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

#endif
