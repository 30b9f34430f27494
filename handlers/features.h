/* The list of all features. */
// SPDX-License-Identifier: Apache-2.0
#ifndef HANDLERS_FEATURES_H
#define HANDLERS_FEATURES_H

#include "core/handler/handler.h"

/* In the order of asking, ended by NULL. */
extern const struct feature *const features[];

#endif
