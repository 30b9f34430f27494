/* Criterion keeps its parameterized tests in a header of this name; ours are in criterion.h. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
