/* A map from process ids to small numbers, for lists that are indexed by pid. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PID_MAP_H
#define CORE_PROCESS_PID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pid_slot;

/* Zero-initialised is empty.  Not thread-safe.  Nothing is removed one by one: its users rebuild it
 * at every look, and pid_map_clear() keeps the memory for the next. */
struct pid_map {
	struct pid_slot *slots; /* owned; a power of two of them, at most half in use */
	size_t capacity;
	size_t count;
};

void pid_map_finish(struct pid_map *map);
void pid_map_clear(struct pid_map *map);

/* Adds `pid` (above 0), or replaces the value that it has.  0 or -ENOMEM; the map is unchanged
 * then. */
int pid_map_put(struct pid_map *map, pid_t pid, uint32_t value);

bool pid_map_get(const struct pid_map *map, pid_t pid, uint32_t *ret_value);
bool pid_map_has(const struct pid_map *map, pid_t pid);

#endif
