/* Fault points of debug builds: a test makes one named thing go wrong through the environment. */
// SPDX-License-Identifier: Apache-2.0

#include "core/base/fault.h"

#ifdef SANDLOCK_FAULTS

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The text behind "name" up to the next comma: "" or ":value".  NULL if the point is not armed. */
static const char *find_fault(const char *name, size_t *ret_length)
{
	const char *item = getenv("SANDLOCK_FAULT");
	size_t name_length = strlen(name);

	while (item != NULL && *item != '\0') {
		size_t length = strcspn(item, ",");

		if (length >= name_length && strncmp(item, name, name_length) == 0 &&
			(length == name_length || item[name_length] == ':')) {
			*ret_length = length - name_length;
			return item + name_length;
		}
		item += length;
		item += *item == ',' ? 1 : 0;
	}
	return NULL;
}

bool fault_is_set(const char *name)
{
	size_t length;

	return find_fault(name, &length) != NULL;
}

bool fault_value(const char *name, uint64_t *ret_value)
{
	size_t length;
	uint64_t value = 0;
	const char *rest = find_fault(name, &length);

	if (rest == NULL || length < 2) {
		return false;
	}
	for (size_t i = 1; i < length; i++) {
		if (rest[i] < '0' || rest[i] > '9') {
			return false;
		}
		value = value * 10 + (uint64_t)(rest[i] - '0');
	}
	*ret_value = value;
	return true;
}

#endif
