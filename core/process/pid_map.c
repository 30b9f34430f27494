/* A map from process ids to small numbers: open addressing, linear probing. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/process/pid_map.h"

#define CAPACITY_MINIMUM 64

struct pid_slot {
	pid_t pid; /* 0: free */
	uint32_t value;
};

/* The slot of `pid`, or the free one where it belongs.  At most half of the slots are in use, so
 * the search ends.  Ids are handed out in sequence: neighbours stay neighbours, which probing
 * likes. */
static struct pid_slot *slot_find(struct pid_slot *slots, size_t capacity, pid_t pid)
{
	size_t index = (size_t)pid & (capacity - 1);

	while (slots[index].pid != 0 && slots[index].pid != pid) {
		index = (index + 1) & (capacity - 1);
	}
	return &slots[index];
}

static int map_grow(struct pid_map *map)
{
	size_t capacity = map->capacity > 0 ? map->capacity * 2 : CAPACITY_MINIMUM;
	struct pid_slot *slots = calloc(capacity, sizeof(*slots));

	if (slots == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].pid != 0) {
			*slot_find(slots, capacity, map->slots[i].pid) = map->slots[i];
		}
	}
	free(map->slots);
	map->slots = slots;
	map->capacity = capacity;
	return 0;
}

void pid_map_finish(struct pid_map *map)
{
	free(map->slots);
	*map = (struct pid_map){ 0 };
}

void pid_map_clear(struct pid_map *map)
{
	if (map->count > 0) {
		memset(map->slots, 0, map->capacity * sizeof(map->slots[0]));
		map->count = 0;
	}
}

int pid_map_put(struct pid_map *map, pid_t pid, uint32_t value)
{
	struct pid_slot *slot;
	int r;

	if ((map->count + 1) * 2 > map->capacity) {
		r = map_grow(map);
		if (r < 0) {
			return r;
		}
	}
	slot = slot_find(map->slots, map->capacity, pid);
	if (slot->pid == 0) {
		slot->pid = pid;
		map->count++;
	}
	slot->value = value;
	return 0;
}

bool pid_map_get(const struct pid_map *map, pid_t pid, uint32_t *ret_value)
{
	const struct pid_slot *slot;

	if (map->count == 0) {
		return false;
	}
	slot = slot_find(map->slots, map->capacity, pid);
	if (slot->pid == 0) {
		return false;
	}
	*ret_value = slot->value;
	return true;
}

bool pid_map_has(const struct pid_map *map, pid_t pid)
{
	uint32_t ignored;

	return pid_map_get(map, pid, &ignored);
}
