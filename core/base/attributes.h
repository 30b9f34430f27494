/* Compiler attributes and the few idioms that every file shares. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_ATTRIBUTES_H
#define CORE_BASE_ATTRIBUTES_H

#include <stddef.h>

#define printf_like(format_index, first_argument)                                                  \
	__attribute__((format(printf, format_index, first_argument)))
#define nodiscard	  __attribute__((warn_unused_result))
#define cleanup(function) __attribute__((cleanup(function)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Takes a pointer out of a variable that a cleanup guards: the caller owns it from here. */
#define steal_pointer(variable)                                                                    \
	({                                                                                         \
		__typeof__(variable) *stolen_from_ = &(variable);                                  \
		__typeof__(variable) stolen_ = *stolen_from_;                                      \
		*stolen_from_ = NULL;                                                              \
		stolen_;                                                                           \
	})

/* free() for cleanup: `cleanup_free char *text = …`. */
void cleanup_free_pointer(void *pointer_to_pointer);
#define cleanup_free cleanup(cleanup_free_pointer)

#endif
