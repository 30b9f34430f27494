/* A message for a human, made once, where user and program meet. */
// SPDX-License-Identifier: Apache-2.0

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"

void cleanup_free_pointer(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

/* Names and values in a message come from users and files: a terminal must not obey them.  Control
 * characters, those of U+0080 to U+009F too, and bytes that are not UTF-8 become '?'. */
static void make_printable(char *text)
{
	for (char *c = text; *c != '\0';) {
		size_t length = utf8_sequence_length(c);
		unsigned char first = (unsigned char)c[0];
		bool is_control = first < 0x20 || first == 0x7f ||
				  (first == 0xc2 && (unsigned char)c[1] < 0xa0);

		if (length == 0 || is_control) {
			length = length > 0 ? length : 1;
			memset(c, '?', length);
		}
		c += length;
	}
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (error == NULL) {
		return -code;
	}
	error->code = code;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, arguments); /* cut is intended */
	va_end(arguments);
	make_printable(error->text);
	return -code;
}

void error_prefix(struct error *error, const char *format, ...)
{
	char prefix[128];
	char text[sizeof(error->text)];
	va_list arguments;

	if (error == NULL) {
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(prefix, sizeof(prefix), format, arguments); /* cut is intended */
	va_end(arguments);
	memcpy(text, error->text, sizeof(text));
	(void)error_set(error, error->code, "%s: %.380s", prefix, text); /* only rewrites */
}
