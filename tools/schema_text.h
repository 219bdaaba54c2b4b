/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* schema_text.h: walks through a canonical schema's text: `struct NAME {`, `  FIELD: TYPE`, `}`, each on a line. */
#ifndef MM3_TOOLS_SCHEMA_TEXT_H
#define MM3_TOOLS_SCHEMA_TEXT_H

#include "tool.h"

struct schema_line {
  enum { LINE_STRUCT, LINE_FIELD, LINE_END, LINE_DONE } is;
  const char *name, *type; /* within the text: */
  int name_length, type_length;
};

/* Takes the next line; *at starts at the text's beginning. */
struct schema_line schema_next(const char **at);

int schema_to_c(const char *schema, const char *origin, FILE *out); /* a header; exit code */
int schema_to_json(struct call *call, const char *schema);

#endif
