/* When to look at the memory of a tree again: early enough to be in time, seldom enough to be
 * cheap. */
// SPDX-License-Identifier: Apache-2.0

#include <stdbool.h>

#include "core/supervisor/sampler_pace.h"

#define NS_PER_SECOND 1000000000ull

/* The fastest that one processor fills memory: page faults on huge pages, 11 GB/s measured (4 KiB
 * pages 2.5).  Any process may ask for huge pages, so the fast figure holds for all.  Beyond nine
 * processors the memory bus is the bound. */
#define BYTES_PER_SECOND_PROCESSOR 11000000000ull
#define BYTES_PER_SECOND_MACHINE   100000000000ull

/* Below this the timer and the switch to us cost more than the answer is worth. */
#define DELAY_MINIMUM_NS 2000000ull

/* Looks may take 1/COST_SHARE of one processor.  What is not used is saved, up to
 * CREDIT_MAXIMUM_NS, so that a tree that comes near its limit is watched closely for a while.  When
 * the savings are gone and the limit is near or comes nearer at the pace last seen, a look that
 * took t still waits for URGENT_SHARE * t only: a tree that grows all the time reaches its limit
 * soon, and one that swings below it costs 10 % at worst. */
#define COST_SHARE	  100
#define URGENT_SHARE	  9
#define CREDIT_MAXIMUM_NS 20000000ll
#define NEAR_SHARE	  8

/* The timer, the switch to us and back: spent beside the look itself. */
#define WAKE_UP_NS 10000

void sampler_pace_init(
	struct sampler_pace *pace, uint64_t limit, uint64_t memory, unsigned int processors)
{
	uint64_t rate = processors * BYTES_PER_SECOND_PROCESSOR;

	*pace = (struct sampler_pace){
		.limit = limit < memory ? limit : UINT64_MAX,
		.bytes_per_second =
			rate < BYTES_PER_SECOND_MACHINE ? rate : BYTES_PER_SECOND_MACHINE,
		.credit_ns = CREDIT_MAXIMUM_NS,
	};
}

/* bytes / rate, as time; a century at most. */
static uint64_t time_to_fill(uint64_t bytes, uint64_t bytes_per_second)
{
	uint64_t seconds;

	if (bytes_per_second == 0) {
		return UINT64_MAX;
	}
	seconds = bytes / bytes_per_second;
	if (seconds > UINT32_MAX) {
		return UINT32_MAX * NS_PER_SECOND;
	}
	/* The remainder is below the rate of the machine, 10^11: times 10^9 it needs 128 bits. */
	return seconds * NS_PER_SECOND + (uint64_t)((__uint128_t)(bytes % bytes_per_second) *
						    NS_PER_SECOND / bytes_per_second);
}

static uint64_t not_below_minimum(uint64_t delay_ns)
{
	return delay_ns > DELAY_MINIMUM_NS ? delay_ns : DELAY_MINIMUM_NS;
}

uint64_t sampler_pace_minimum(void)
{
	return DELAY_MINIMUM_NS;
}

uint64_t sampler_pace_first(const struct sampler_pace *pace)
{
	if (pace->limit == UINT64_MAX) {
		return SAMPLER_PACE_NEVER;
	}
	return not_below_minimum(time_to_fill(pace->limit, pace->bytes_per_second));
}

static bool limit_is_urgent(const struct sampler_pace *pace, uint64_t headroom, uint64_t grown,
	uint64_t elapsed_ns, uint64_t wait_ns)
{
	uint64_t growth_per_second;

	if (headroom <= pace->limit / NEAR_SHARE) {
		return true;
	}
	if (grown == 0 || elapsed_ns == 0) {
		return false;
	}
	growth_per_second = (uint64_t)((__uint128_t)grown * NS_PER_SECOND / elapsed_ns);
	return time_to_fill(headroom, growth_per_second) < wait_ns;
}

uint64_t sampler_pace_next(
	struct sampler_pace *pace, uint64_t now_ns, uint64_t spent_ns, uint64_t total)
{
	uint64_t headroom = total < pace->limit ? pace->limit - total : 0;
	uint64_t elapsed_ns = pace->looked_ns != 0 ? now_ns - pace->looked_ns : 0;
	uint64_t grown = total > pace->total ? total - pace->total : 0;
	uint64_t cost_ns = spent_ns + WAKE_UP_NS;
	uint64_t earned_ns = elapsed_ns / COST_SHARE;
	uint64_t delay_ns, wait_ns = 0;

	if (pace->limit == UINT64_MAX) {
		return SAMPLER_PACE_NEVER;
	}
	pace->credit_ns += (int64_t)earned_ns;
	if (pace->credit_ns > CREDIT_MAXIMUM_NS) {
		pace->credit_ns = CREDIT_MAXIMUM_NS;
	}
	pace->credit_ns -= (int64_t)cost_ns;
	if (pace->credit_ns < 0) {
		wait_ns = (uint64_t)-pace->credit_ns * COST_SHARE;
		if (limit_is_urgent(pace, headroom, grown, elapsed_ns, wait_ns)) {
			/* The debt of an emergency is not paid back later, when it would only make
			 * the next one worse. */
			pace->credit_ns = 0;
			wait_ns = cost_ns * URGENT_SHARE;
		}
	}
	pace->looked_ns = now_ns;
	pace->total = total;

	delay_ns = time_to_fill(headroom, pace->bytes_per_second);
	return not_below_minimum(delay_ns > wait_ns ? delay_ns : wait_ns);
}
