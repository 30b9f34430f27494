/* The list of all features: where each stands says who is asked first. */
// SPDX-License-Identifier: Apache-2.0

#include <stddef.h>

#include "handlers/cpu_count.h"
#include "handlers/features.h"
#include "handlers/host_identity.h"
#include "handlers/process_limit.h"

const struct feature *const features[] = {
	/* Each is alone with its call: their order says nothing. */
	&host_identity_feature,
	&cpu_count_feature,
	&process_limit_feature,
	NULL,
};
