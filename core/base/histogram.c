/* Durations in buckets whose width grows with the value: percentiles to within an eighth. */
// SPDX-License-Identifier: Apache-2.0

#include "core/base/histogram.h"

#define SUB_BITS 3 /* eight buckets for each power of two */

size_t histogram_bucket(uint64_t value)
{
	unsigned int exponent;

	if (value < (1u << SUB_BITS)) {
		return (size_t)value;
	}
	exponent = 63u - (unsigned int)__builtin_clzll(value);
	return ((size_t)(exponent - SUB_BITS) << SUB_BITS) +
	       (size_t)(value >> (exponent - SUB_BITS));
}

uint64_t histogram_bucket_start(size_t bucket)
{
	size_t octave = bucket >> SUB_BITS;

	if (octave == 0) {
		return bucket;
	}
	return (uint64_t)((bucket & ((1u << SUB_BITS) - 1)) | (1u << SUB_BITS)) << (octave - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	atomic_fetch_add_explicit(
		&histogram->counts[histogram_bucket(value)], 1, memory_order_relaxed);
}

static uint64_t count_at(const struct histogram *histogram, size_t bucket)
{
	return atomic_load_explicit(&histogram->counts[bucket], memory_order_relaxed);
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
	uint64_t total = 0, below = 0;
	size_t last = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		total += count_at(histogram, i);
	}
	for (size_t i = 0; i < HISTOGRAM_BUCKETS && total > 0; i++) {
		uint64_t here = count_at(histogram, i);

		below += here;
		last = here > 0 ? i : last;
		if ((double)below >= share * (double)total && here > 0) {
			break;
		}
	}
	if (last + 1 >= HISTOGRAM_BUCKETS) {
		return histogram_bucket_start(last);
	}
	return histogram_bucket_start(last) +
	       (histogram_bucket_start(last + 1) - histogram_bucket_start(last)) / 2;
}
