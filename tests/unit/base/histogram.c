/* The histogram: buckets without gaps, percentiles to within an eighth. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>

#include "core/base/histogram.h"

Test(histogram, has_a_bucket_for_every_value_and_no_gap_between_them)
{
	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		uint64_t start = histogram_bucket_start(bucket);

		cr_assert_eq(histogram_bucket(start), bucket, "%zu", bucket);
		if (bucket > 0) {
			cr_assert_eq(histogram_bucket(start - 1), bucket - 1, "%zu", bucket);
		}
	}
	cr_assert_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

Test(histogram, finds_percentiles_to_within_an_eighth)
{
	static struct histogram histogram;

	for (uint64_t value = 1; value <= 100000; value++) {
		histogram_add(&histogram, value);
	}

	cr_assert_float_eq((double)histogram_percentile(&histogram, 0.5), 50000.0, 50000.0 / 8);
	cr_assert_float_eq((double)histogram_percentile(&histogram, 0.99), 99000.0, 99000.0 / 8);
}

Test(histogram, answers_0_when_it_is_empty_and_the_only_value_for_every_share)
{
	static struct histogram histogram;

	cr_assert_eq(histogram_percentile(&histogram, 0.5), 0);
	histogram_add(&histogram, 5);
	cr_assert_eq(histogram_percentile(&histogram, 0.0), 5);
	cr_assert_eq(histogram_percentile(&histogram, 1.0), 5);
}
