/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* modules.h: what mm3 modules does for authors of kinds, one file each. Each returns the exit code. */
#ifndef MM3_TOOLS_MODULES_H
#define MM3_TOOLS_MODULES_H

#include "tool.h"

/* modules_new.c: writes a folder NAME with a kind that works and passes its test. */
int modules_new(struct call *call, const char *name);

/* conform.c: does the module keep the contract? `types` are examples of its kinds, "ring(u64, 8)"; without any they are
 * made up from the signatures. Findings go to stderr, a line for each type to stdout. */
int modules_check(struct call *call, const char *path, char **types, int ntypes);

#endif
