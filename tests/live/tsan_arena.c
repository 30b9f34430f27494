/* The live tests need the same help under ThreadSanitizer as the unit tests. */
// SPDX-License-Identifier: Apache-2.0

#include "tests/unit/tsan_arena.c"
