/* The relay of the output streams. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/run/relay.h"

struct fixture {
	struct relay relay;
	int writers[RELAY_STREAMS];
	int readers[RELAY_STREAMS]; /* of what the relay delivers */
	int sinks[RELAY_STREAMS];
};

static void fixture_init(struct fixture *fixture, uint64_t limit)
{
	for (int i = 0; i < RELAY_STREAMS; i++) {
		int ends[2];

		cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
		fixture->readers[i] = ends[0];
		fixture->sinks[i] = ends[1];
	}
	cr_assert_eq(relay_init(&fixture->relay, limit, fixture->sinks, fixture->writers), 0);
}

static void fixture_finish(struct fixture *fixture)
{
	relay_finish(&fixture->relay);
	for (int i = 0; i < RELAY_STREAMS; i++) {
		fd_close(&fixture->writers[i]);
		fd_close(&fixture->readers[i]);
		fd_close(&fixture->sinks[i]);
	}
}

/* Steps until nothing is ready any more. */
static void pump(struct fixture *fixture)
{
	struct pollfd sources[RELAY_STREAMS];

	for (;;) {
		relay_prepare(&fixture->relay, sources);
		if (poll(sources, RELAY_STREAMS, 0) <= 0) {
			return;
		}
		relay_step(&fixture->relay, sources);
	}
}

static ssize_t read_text(int fd, char *text, size_t size)
{
	ssize_t length = read(fd, text, size - 1);

	text[length > 0 ? length : 0] = '\0';
	return length;
}

Test(relay, delivers_each_stream_to_its_own_sink)
{
	struct fixture fixture;
	char out[64], err[64];

	fixture_init(&fixture, 1000);
	cr_assert_eq(write(fixture.writers[0], "out", 3), 3);
	cr_assert_eq(write(fixture.writers[1], "error", 5), 5);

	pump(&fixture);

	cr_assert_eq(read_text(fixture.readers[0], out, sizeof(out)), 3);
	cr_assert_eq(read_text(fixture.readers[1], err, sizeof(err)), 5);
	cr_assert_str_eq(out, "out");
	cr_assert_str_eq(err, "error");
	cr_assert_not(fixture.relay.cut);
	fixture_finish(&fixture);
}

Test(relay, passes_exactly_the_limit_and_says_that_it_cut)
{
	struct fixture fixture;
	char out[64];

	fixture_init(&fixture, 4);
	cr_assert_eq(write(fixture.writers[0], "0123456789", 10), 10);

	pump(&fixture);

	cr_assert_eq(read_text(fixture.readers[0], out, sizeof(out)), 4);
	cr_assert_str_eq(out, "0123");
	cr_assert(fixture.relay.cut);
	cr_assert_eq(fixture.relay.passed, 4);
	fixture_finish(&fixture);
}

Test(relay, does_not_call_output_of_exactly_the_limit_cut)
{
	struct fixture fixture;

	fixture_init(&fixture, 4);
	cr_assert_eq(write(fixture.writers[0], "0123", 4), 4);
	fd_close(&fixture.writers[0]);
	fd_close(&fixture.writers[1]);

	pump(&fixture);

	cr_assert_not(fixture.relay.cut);
	cr_assert_not(relay_is_active(&fixture.relay));
	fixture_finish(&fixture);
}

Test(relay, does_not_block_when_nobody_reads_the_sink)
{
	struct fixture fixture;
	static char bytes[1 << 20];
	ssize_t total = 0;

	fixture_init(&fixture, UINT64_MAX);
	cr_assert_eq(fcntl(fixture.writers[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 64; i++) {
		ssize_t length = write(fixture.writers[0], bytes, sizeof(bytes));

		pump(&fixture);
		total += length > 0 ? length : 0;
	}

	cr_assert_lt(total, (ssize_t)(64 * sizeof(bytes)), "a slow reader slows the command");
	cr_assert(relay_is_active(&fixture.relay));
	fixture_finish(&fixture);
}

Test(relay, closes_the_source_when_the_sink_is_gone)
{
	struct fixture fixture;

	fixture_init(&fixture, 1000);
	cr_assert_neq(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	fd_close(&fixture.readers[0]);
	cr_assert_eq(write(fixture.writers[0], "lost", 4), 4);

	pump(&fixture);

	cr_assert_lt(
		write(fixture.writers[0], "x", 1), 0, "the command learns it at its next write");
	fixture_finish(&fixture);
}
