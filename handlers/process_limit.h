/* Process limit: no more than N processes at once. */
// SPDX-License-Identifier: Apache-2.0
#ifndef HANDLERS_PROCESS_LIMIT_H
#define HANDLERS_PROCESS_LIMIT_H

#include "core/handler/handler.h"

extern const struct feature process_limit_feature;

#endif
