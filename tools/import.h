/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* import.h: what the two forms of mm3 import share. */
#ifndef MM3_TOOLS_IMPORT_H
#define MM3_TOOLS_IMPORT_H

#include "tool.h"

/* Opens the file, or makes it when a schema was given; *made then, so that a failed import leaves nothing behind. */
struct mm3_file *import_open(struct call *call, bool *made);

int import_lines(struct call *call, const char *path); /* the exit code */

#endif
