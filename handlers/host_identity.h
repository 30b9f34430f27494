/* Host identity: the name that uname reports inside the sandbox. */
// SPDX-License-Identifier: Apache-2.0
#ifndef HANDLERS_HOST_IDENTITY_H
#define HANDLERS_HOST_IDENTITY_H

#include <sys/utsname.h>

#include "core/handler/handler.h"

extern const struct feature host_identity_feature;

/* The kernel's own answer with the node name replaced, and cut to what fits.  Every byte of the
 * answer is set.  Pure. */
void host_identity_answer(
	const struct utsname *kernel, const char *name, struct utsname *ret_answer);

#endif
