/* What became of the notifications of one system call, and how long the answers took. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_COUNTERS_H
#define CORE_SUPERVISOR_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/histogram.h"
#include "core/notif/reply.h"

/* Zero-initialised is empty.  All members are atomics that any thread adds to. */
struct call_counters {
	_Atomic uint64_t received;
	_Atomic uint64_t replies[REPLY_LOST + 1]; /* by enum reply_result */
	struct histogram round_trip; /* nanoseconds from RECV to the end of the answer */
};

/* Exact once the threads have ended. */
struct call_summary {
	int nr; /* system call number */
	uint64_t received;
	uint64_t done;
	uint64_t continued;
	uint64_t lost; /* the task was gone: ENOENT, and nothing else */
	uint64_t p50_ns;
	uint64_t p99_ns;
};

void counters_receive(struct call_counters *counters);
void counters_answer(
	struct call_counters *counters, enum reply_result result, uint64_t round_trip_ns);
void counters_summarize(
	const struct call_counters *counters, int nr, struct call_summary *ret_summary);

/* Whether each received notification has had exactly one answer. */
bool call_summary_is_balanced(const struct call_summary *summary);

#endif
