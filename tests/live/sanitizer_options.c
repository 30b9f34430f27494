/* What AddressSanitizer is told by default in the runner of the live tests. */
// SPDX-License-Identifier: Apache-2.0

/* The runtime is a shared library and looks for this name in the program. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* Criterion forgets a few bytes of its own in the runner now and then.  The programs that are
 * tested here are processes of their own and look for leaks; so does the runner of the unit tests.
 */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
