/* A message for a human, made once, where user and program meet. */
// SPDX-License-Identifier: Apache-2.0

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

void cleanup_free_pointer(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

/* Names and values in a message come from users and files: a terminal must not obey them. */
static void make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			*c = '?';
		}
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
