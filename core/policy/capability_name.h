/* The names of capabilities, by number. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_CAPABILITY_NAME_H
#define CORE_POLICY_CAPABILITY_NAME_H

#include "core/base/attributes.h"

/* Those of capabilities(7) up to CAP_CHECKPOINT_RESTORE (Linux 5.9). */
#define CAPABILITY_COUNT 41

/* "CAP_NET_RAW"; NULL for a number that has no name here. */
const char *capability_name(unsigned int number);
/* Either case, with or without "CAP_"; 0 or -EINVAL. */
int capability_parse(const char *name, unsigned int *ret_number) nodiscard;

#endif
