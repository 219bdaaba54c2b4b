/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_in.h: JSON text to a struct mm3_value.
 *
 * Strict JSON (RFC 8259): nothing before or after the value but blanks, no comments, no trailing commas, no duplicate
 * keys, well-formed UTF-8, \u0000 allowed, nesting up to 512. Numbers without `.` and `e`: MM3_INT within int64, MM3_UINT
 * within uint64, within 39 digits a decimal MM3_TEXT (which is how wider integers are spelt), else MM3_REAL. A number
 * beyond the range of a double is refused.
 */
#ifndef MM3_TOOLS_JSON_IN_H
#define MM3_TOOLS_JSON_IN_H

#include <mm3/module.h>

struct mm3j_doc;

/* mm3j_parse: the value lives in *doc (free it with mm3j_free; the text is not needed any more). Returns 0, -ENOMEM, or
 * -MM3_E_VALUE with line, column and what was expected. */
int mm3j_parse(const char *text, size_t count, struct mm3j_doc **doc, struct mm3_error *error);

/* mm3j_value: the whole value; valid as long as doc. */
const struct mm3_value *mm3j_value(const struct mm3j_doc *doc);

void mm3j_free(struct mm3j_doc *doc);

/* mm3j_text: a text as it is, as a value. */
struct mm3_value mm3j_text(const char *text, size_t count);

#endif
