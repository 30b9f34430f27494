/* Relays the output streams of a command that may write only so much. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_RELAY_H
#define CORE_RUN_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_STREAMS 2
#define RELAY_BUFFER  65536

/* One direction: from a pipe that the command writes to a descriptor of the caller. */
struct relay_stream {
	int source;   /* owned: non-blocking reading end, -1 at its end */
	int sink;     /* borrowed; its flags are shared with others, so they are never changed */
	size_t start; /* what is read and not yet written: bytes[start, end) */
	size_t end;
	bool sink_lost; /* nobody reads it any more */
	char *bytes;	/* owned */
};

struct relay {
	struct relay_stream streams[RELAY_STREAMS];
	uint64_t limit;	 /* bytes of both streams together */
	uint64_t passed; /* read so far, never above the limit */
	bool cut;	 /* the command wrote more */
	int error; /* errno value: output was lost for a reason that is not the reader's; 0: none */
};

/* Makes a pipe for each stream: ret_write_ends become the command's 1 and 2 (owned by the caller).
 * 0 or -errno. */
int relay_init(struct relay *relay, uint64_t limit, const int sinks[RELAY_STREAMS],
	int ret_write_ends[RELAY_STREAMS]);
void relay_finish(struct relay *relay);

/* What to poll for: always RELAY_STREAMS entries, unused ones with fd -1. */
void relay_prepare(const struct relay *relay, struct pollfd sources[RELAY_STREAMS]);
/* Moves what is ready without blocking.  A slow reader of the sink slows the command. */
void relay_step(struct relay *relay, const struct pollfd sources[RELAY_STREAMS]);
/* True while bytes are held or a writing end is open. */
bool relay_is_active(const struct relay *relay);

#endif
