/* The master table of options: what a user can ask for, how it is written, and where it applies. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_POLICY_OPTIONS_H
#define CORE_POLICY_POLICY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/policy.h"

enum option_section {
	SECTION_FILESYSTEM,
	SECTION_NETWORK,
	SECTION_HTTP,
	SECTION_LIMITS,
	SECTION_PROGRAM,
	SECTION_DETERMINISM,
	SECTION_SYSCALLS,
	SECTION_PROTECTIONS,
	SECTION_RUN,
	SECTION_COMMAND_LINE, /* not part of a policy */
	SECTION_COUNT
};

/* How a value is read and written.  Lists append; everything else is replaced by a later value. */
enum option_type {
	OPTION_SWITCH,	     /* bool; can only be switched on */
	OPTION_SIZE,	     /* uint64_t, bytes */
	OPTION_NUMBER,	     /* uint32_t */
	OPTION_WORD,	     /* uint32_t: which of the words in `value`, "one|other" */
	OPTION_SECONDS,	     /* uint64_t, nanoseconds */
	OPTION_STRING,	     /* char * */
	OPTION_PATH,	     /* char * */
	OPTION_STRINGS,	     /* struct string_list, one item per use */
	OPTION_PATHS,	     /* struct string_list, one item per use */
	OPTION_NUMBERS,	     /* struct number_list, "0,2-3" */
	OPTION_FD,	     /* int */
	OPTION_FDS,	     /* struct number_list, one item per use */
	OPTION_BIND_PORTS,   /* struct port_set */
	OPTION_CONNECT_RULE, /* struct port_set */
	OPTION_ENV,	     /* struct string_list of KEY=VALUE */
	OPTION_USER,	     /* program.has_user, uid, gid */
	OPTION_GPU,	     /* limits.gpu and gpu_devices */
	OPTION_PROTECTION,   /* protections[]: `mode` is given to the one named */
	OPTION_CAPABILITY,   /* uint64_t, a bit per number */
	OPTION_PRESET,	     /* several fields, and filesystem.presets */
	OPTION_IGNORED,	     /* accepted for old callers, without effect */
	OPTION_ACTION,	     /* carried out by the command line: see `action` */
	OPTION_UNAVAILABLE,  /* known, and refused */
	OPTION_TYPE_COUNT
};

enum option_action { ACTION_NONE, ACTION_ARGS, ACTION_EXPLAIN, ACTION_HELP, ACTION_VERSION };

/* One row.  All strings are constants. */
struct policy_option {
	enum option_section section;
	enum option_type type;
	const char *key;	 /* name inside its section of a profile; NULL: none */
	const char *flag;	 /* long name without dashes; never NULL */
	char letter;		 /* 0: none */
	const char *value;	 /* placeholder of the value; NULL: takes none */
	bool value_is_optional;	 /* --flag[=VALUE] */
	bool without_supervisor; /* has its full effect with --no-supervisor */
	size_t offset; /* of the field in struct sandbox_policy, for types with one field */
	uint64_t minimum, maximum; /* of numbers, sizes (bytes), seconds (ns) and descriptors */
	const char *bounds;	   /* what to say of a value outside; "got N" follows */
	enum protection_mode mode; /* OPTION_PROTECTION */
	enum option_action action; /* OPTION_ACTION */
	const char *text;	   /* help: full sentences; NULL only for OPTION_UNAVAILABLE */
	const char *details;	   /* more for the man page; NULL: none */
};

extern const struct policy_option policy_options[];
extern const size_t policy_option_count;

/* Heading of a section in help and man page ("Files"). */
const char *option_section_title(enum option_section section);
/* Name of a section in a profile ("filesystem"). */
const char *option_section_name(enum option_section section);

/* The row of a long name that is `length` bytes of `name`, or of a letter; NULL if there is none.
 */
const struct policy_option *option_find(const char *name, size_t length);
const struct policy_option *option_find_letter(char letter);
/* The row whose name is nearest to a misspelt one; NULL if nothing is near. */
const struct policy_option *option_find_nearest(const char *name, size_t length);

/* Whether a value must follow. */
static inline bool option_takes_value(const struct policy_option *option)
{
	return option->value != NULL && !option->value_is_optional;
}

/* Reads `value` (NULL for an option without one) into the policy.  0, or -errno and a message that
 * starts with the flag and quotes the value; the policy is then unchanged.  Not for OPTION_ACTION.
 */
int option_set(const struct policy_option *option, struct sandbox_policy *policy, const char *value,
	struct error *error);
/* Appends the values that option_set() would have to be given, one after the other, to make a
 * default policy's field equal to this one's; for an option without a value, "" if it is on.
 * Nothing is appended for a default. */
void option_list_values(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values);
/* Whether the field differs from the default. */
bool option_is_given(const struct policy_option *option, const struct sandbox_policy *policy);

/* The policy as words of a command line: the options that are not default in the order of the
 * table, then "--" and the command if there is one.  option_set() on each gives an equal policy. */
void policy_list_flags(const struct sandbox_policy *policy, struct string_list *words);
/* The same as one line that a POSIX shell reads back as those words. */
void policy_print_flags(const struct sandbox_policy *policy, struct text *text);

#endif
