/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sorted.h: a visit that sends the entries of maps in the order of their keys. */
#ifndef MM3_TOOLS_SORTED_H
#define MM3_TOOLS_SORTED_H

#include "tool.h"

/* mm3_field_visit, of a field or of all of the file; but maps that grow are held, one at a time, and their entries sent by
 * their keys: by value where all are whole numbers, else texts by their bytes. 0, or as mm3_field_visit. */
int sorted_visit(struct call *call, struct mm3_file *file, const struct mm3_field *field, struct mm3_sink *sink);

#endif
