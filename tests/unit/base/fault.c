/* Fault points: armed in debug builds only. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/fault.h"

#ifdef SANDLOCK_FAULTS
#define IS_ARMED true
#else
#define IS_ARMED false
#endif

Test(fault, is_armed_by_its_whole_name_and_only_in_debug_builds)
{
	setenv("SANDLOCK_FAULT", "one,two:5,three", 1);

	cr_expect_eq(fault_is_set("one"), IS_ARMED);
	cr_expect_eq(fault_is_set("two"), IS_ARMED);
	cr_expect_eq(fault_is_set("three"), IS_ARMED);
	cr_expect_not(fault_is_set("tw"));
	cr_expect_not(fault_is_set("one,two"));
	cr_expect_not(fault_is_set("four"));
}

Test(fault, gives_a_number_only_where_one_was_written)
{
	uint64_t value = 99;

	setenv("SANDLOCK_FAULT", "one,two:5,three:,four:x", 1);

	cr_expect_eq(fault_value("two", &value), IS_ARMED);
	cr_expect_eq(value, IS_ARMED ? 5 : 99);
	cr_expect_not(fault_value("one", &value));
	cr_expect_not(fault_value("three", &value));
	cr_expect_not(fault_value("four", &value));
	cr_expect_eq(value, IS_ARMED ? 5 : 99);
}

Test(fault, is_not_armed_without_the_variable)
{
	unsetenv("SANDLOCK_FAULT");

	cr_assert_not(fault_is_set("one"));
}
