/* The first line of a script, "#!INTERPRETER ARGUMENT", cut as the kernel cuts it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_TRACEE_SCRIPT_LINE_H
#define CORE_TRACEE_SCRIPT_LINE_H

#include <stdbool.h>

#include "core/base/attributes.h"

/* What the kernel reads of a file before it decides what to do with it (BINPRM_BUF_SIZE). */
#define SCRIPT_LINE_BYTES 256

/* Both point into the bytes that were parsed. */
struct script_line {
	const char *interpreter; /* may be empty, which is the working directory */
	const char *argument;	 /* NULL: none.  May be empty, and may hold blanks */
};

/* `bytes` are the first of the file; behind the end of a shorter file they are zero.  Writes NULs
 * into them.  False when the kernel's handler for scripts would leave the file to others
 * (fs/binfmt_script.c): no "#!", no name, or a name that may go on behind the bytes.  An argument
 * may be cut, a name never. */
bool script_line_parse(char bytes[SCRIPT_LINE_BYTES], struct script_line *ret_line) nodiscard;

#endif
