/* What became of the notifications of one system call, and how long the answers took. */
// SPDX-License-Identifier: Apache-2.0

#include "core/supervisor/counters.h"

void counters_receive(struct call_counters *counters)
{
	atomic_fetch_add_explicit(&counters->received, 1, memory_order_relaxed);
}

void counters_answer(
	struct call_counters *counters, enum reply_result result, uint64_t round_trip_ns)
{
	atomic_fetch_add_explicit(&counters->replies[result], 1, memory_order_relaxed);
	histogram_add(&counters->round_trip, round_trip_ns);
}

void counters_summarize(
	const struct call_counters *counters, int nr, struct call_summary *ret_summary)
{
	*ret_summary = (struct call_summary){
		.nr = nr,
		.received = atomic_load(&counters->received),
		.done = atomic_load(&counters->replies[REPLY_DONE]),
		.continued = atomic_load(&counters->replies[REPLY_CONTINUED]),
		.lost = atomic_load(&counters->replies[REPLY_LOST]),
		.p50_ns = histogram_percentile(&counters->round_trip, 0.5),
		.p99_ns = histogram_percentile(&counters->round_trip, 0.99),
	};
}

bool call_summary_is_balanced(const struct call_summary *summary)
{
	return summary->received == summary->done + summary->continued + summary->lost;
}
