/* Named bundles of grants, as data. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <string.h>

#include "core/policy/presets.h"

/* The system as packages install it.  Nothing of /proc and /sys: make, gcc, Python, Go and Java
 * work without (what they look for there is advice: processor lists, huge pages, control groups).
 * A rule for all of /proc would show the other processes of the user, one for /proc/self holds for
 * a single process, and one for a file of /proc is lost when the kernel drops the file's dentry. */
static const char *const build_read[] = {
	"/usr",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/bin",
	"/sbin",
	"/etc",
	"/opt",
	NULL,
};

static const char *const build_devices[] = {
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/random",
	"/dev/urandom",
	"/dev/tty",
	NULL,
};

const struct preset presets[] = {
	{ .name = "build",
		.optional_read = build_read,
		.devices = build_devices,
		.private_tmp = true },
};

const size_t preset_count = ARRAY_LEN(presets);

static void add_all(struct string_list *list, const char *const *items)
{
	for (; *items != NULL; items++) {
		if (!string_list_contains(list, *items)) {
			string_list_add(list, *items);
		}
	}
}

int preset_apply(const char *name, struct sandbox_policy *policy, struct error *error)
{
	cleanup_text struct text names = { 0 };

	for (size_t i = 0; i < preset_count; i++) {
		const struct preset *preset = &presets[i];

		if (strcmp(name, preset->name) == 0) {
			add_all(&policy->filesystem.optional_read, preset->optional_read);
			add_all(&policy->filesystem.devices, preset->devices);
			policy->filesystem.private_tmp |= preset->private_tmp;
			if (!string_list_contains(&policy->filesystem.presets, name)) {
				string_list_add(&policy->filesystem.presets, name);
			}
			return 0;
		}
		text_add(&names, "%s%s", i > 0 ? ", " : "", preset->name);
	}
	return error_set(error, EINVAL, "unknown preset \"%s\" (there is: %s)", name, names.bytes);
}
