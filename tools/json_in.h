/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_in.h: JSON text to a struct mm3_value, by jansson: strict JSON, no duplicate keys, zero bytes in texts as \u0000,
 * integers within int64 (wider ones are decimal strings everywhere in mm3), at most 2048 levels.
 */
#ifndef MM3_TOOLS_JSON_IN_H
#define MM3_TOOLS_JSON_IN_H

#include <mm3/module.h>
#include <stdbool.h>

struct mm3j_doc;

/* mm3j_parse: the value lives in *doc (free it with mm3j_free; the text is not needed any more). Returns 0, -ENOMEM, or
 * -MM3_E_VALUE with line, column and what is the matter. */
int mm3j_parse(const char *text, size_t count, struct mm3j_doc **doc, struct mm3_error *error);

/* mm3j_value: the whole value; valid as long as doc. */
const struct mm3_value *mm3j_value(const struct mm3j_doc *doc);

void mm3j_free(struct mm3j_doc *doc);

/* mm3j_send: a value to a sink. 0, or what the sink said. */
int mm3j_send(struct mm3_sink *sink, const struct mm3_value *value);

/* mm3j_capture: what `visit` sends to a sink, as a value. 0, what `visit` returned, or as mm3j_parse. */
int mm3j_capture(int (*visit)(void *arg, struct mm3_sink *sink), void *arg, struct mm3j_doc **doc,
                 struct mm3_error *error);

/* mm3j_same: the same value; members in any order, 5 and 5.0 are one number, and b's lists may go on after a's items. */
bool mm3j_same(const struct mm3j_doc *a, const struct mm3j_doc *b);

/* mm3j_text: a text as it is, as a value. */
struct mm3_value mm3j_text(const char *text, size_t count);

#endif
