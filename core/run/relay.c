/* Relays the output streams of a command that may write only so much. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/text.h"
#include "core/run/relay.h"

int relay_init(struct relay *relay, uint64_t limit, const int sinks[RELAY_STREAMS],
	int ret_write_ends[RELAY_STREAMS])
{
	int writers[RELAY_STREAMS] = { -1, -1 };
	int error = 0;

	*relay = (struct relay){ .limit = limit };
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		relay->streams[i].source = -1;
		relay->streams[i].sink = sinks[i];
	}
	for (size_t i = 0; i < RELAY_STREAMS && error == 0; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0) {
			error = -errno;
			break;
		}
		relay->streams[i].source = ends[0];
		writers[i] = ends[1];
		/* Only the reading end: the command must see an ordinary, blocking pipe. */
		if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
			error = -errno;
		}
		relay->streams[i].bytes = must_allocate(RELAY_BUFFER);
	}
	if (error < 0) {
		for (size_t i = 0; i < RELAY_STREAMS; i++) {
			fd_close(&writers[i]);
		}
		relay_finish(relay);
		return error;
	}
	ret_write_ends[0] = writers[0];
	ret_write_ends[1] = writers[1];
	return 0;
}

void relay_finish(struct relay *relay)
{
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		fd_close(&relay->streams[i].source);
		free(relay->streams[i].bytes);
		relay->streams[i].bytes = NULL;
	}
}

static bool stream_holds_bytes(const struct relay_stream *stream)
{
	return stream->start < stream->end;
}

void relay_prepare(const struct relay *relay, struct pollfd sources[RELAY_STREAMS])
{
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		const struct relay_stream *stream = &relay->streams[i];

		sources[i] = stream_holds_bytes(stream)
				     ? (struct pollfd){ .fd = stream->sink, .events = POLLOUT }
				     : (struct pollfd){ .fd = stream->source, .events = POLLIN };
	}
}

static void read_source(struct relay *relay, struct relay_stream *stream)
{
	uint64_t left = relay->limit - relay->passed;
	/* At the limit one byte more is asked for: it decides whether anything was cut. */
	size_t wanted = left == 0 ? 1 : left < RELAY_BUFFER ? (size_t)left : RELAY_BUFFER;
	ssize_t length = read(stream->source, stream->bytes, wanted);

	if (length < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			relay->error = errno; /* what the command wrote would be lost */
			fd_close(&stream->source);
		}
	} else if (length == 0) {
		fd_close(&stream->source);
	} else if (left == 0) {
		relay->cut = true;
		fd_close(&stream->source);
	} else {
		relay->passed += (uint64_t)length;
		stream->start = 0;
		stream->end = stream->sink_lost ? 0 : (size_t)length;
	}
}

/* A writable pipe takes PIPE_BUF bytes without blocking (pipe(7)); more could block the loop. */
static void write_sink(struct relay *relay, struct relay_stream *stream)
{
	size_t held = stream->end - stream->start;
	ssize_t length = write(
		stream->sink, stream->bytes + stream->start, held < PIPE_BUF ? held : PIPE_BUF);

	if (length > 0) {
		stream->start += (size_t)length;
	} else if (errno != EAGAIN && errno != EINTR) {
		/* As without a relay, the command learns by SIGPIPE that nobody reads. */
		if (errno != EPIPE && errno != ECONNRESET && errno != EIO) {
			relay->error = errno;
		}
		stream->sink_lost = true;
		stream->start = stream->end;
		fd_close(&stream->source);
	}
}

void relay_step(struct relay *relay, const struct pollfd sources[RELAY_STREAMS])
{
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		struct relay_stream *stream = &relay->streams[i];

		if (sources[i].revents == 0) {
			continue;
		}
		if (stream_holds_bytes(stream)) {
			write_sink(relay, stream);
		} else {
			read_source(relay, stream);
		}
	}
}

bool relay_is_active(const struct relay *relay)
{
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		if (stream_holds_bytes(&relay->streams[i]) || relay->streams[i].source >= 0) {
			return true;
		}
	}
	return false;
}
