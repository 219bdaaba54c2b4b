/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* manual.h: what help makes out of the tables besides help. */
#ifndef MM3_TOOLS_MANUAL_H
#define MM3_TOOLS_MANUAL_H

#include "tool.h"

/* manual.c: a page of the manual, as mdoc, in section 1. `command` NULL: mm3(1). */
void manual_page(const struct command *command, FILE *out);

/* complete.c: what the last of the words after `mm3` may become, a candidate a line; nothing where a file's name is
 * wanted. Never fails: a shell does not want to hear. */
int complete_words(struct call *call, int argc, char **argv);

#endif
