/* Durations in buckets whose width grows with the value: percentiles to within an eighth. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_HISTOGRAM_H
#define CORE_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Eight buckets for each power of two. */
#define HISTOGRAM_BUCKETS 496

/* Zero-initialised is empty. */
struct histogram {
	_Atomic uint64_t counts[HISTOGRAM_BUCKETS];
};

/* From any number of threads at once. */
void histogram_add(struct histogram *histogram, uint64_t value);

/* The middle of the bucket in which that share (0 to 1) of the values ends; 0 when empty.  Values
 * of 7 and less are exact.  Exact counts need the writers to be at rest. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

/* The bucket of a value, and the first value of a bucket: for tests. */
size_t histogram_bucket(uint64_t value);
uint64_t histogram_bucket_start(size_t bucket);

#endif
