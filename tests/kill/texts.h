/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* texts.h: what a file holds, each field as JSON, to compare states with. */
#ifndef MM3_KILL_TEXTS_H
#define MM3_KILL_TEXTS_H

#include "../../tools/json_out.h"

#include <jansson.h>
#include <mm3/field.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KILL_MEMBERS = 16 };

struct kill_texts {
  char *at[KILL_MEMBERS];
};

MM3_UNUSED static void kill_forget(struct kill_texts *t) {
  for (unsigned i = 0; i < KILL_MEMBERS; i++) free(t->at[i]), t->at[i] = NULL;
}

MM3_UNUSED static int kill_show(struct mm3_file *file, struct kill_texts *t) {
  static char buffer[MM3J_BUFFER];
  struct mm3_member_info member;
  struct mm3_error error = {0};
  memset(t, 0, sizeof *t);
  for (uint32_t i = 0; i < KILL_MEMBERS && mm3_file_member(file, i, &member) == 0; i++) {
    struct mm3j_writer writer;
    struct mm3j_memory memory = {0};
    struct mm3_field field;
    mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, mm3j_emit_memory, &memory);
    int result = mm3_field_find(file, member.name, &field, &error);
    if (result == 0) result = mm3_field_visit(&field, &writer.sink, &error);
    if (result == 0) result = mm3j_writer_flush(&writer);
    t->at[i] = memory.text;
    if (result < 0) return result;
  }
  return 0;
}

/* A map's pairs come in any order. */
MM3_UNUSED static int kill_same(const char *a, const char *b) {
  if (!a || !b) return a == b;
  if (strcmp(a, b) == 0) return 1;
  json_t *x = json_loads(a, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *y = json_loads(b, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  int equal = x && y && json_is_object(x) && json_equal(x, y);
  json_decref(x), json_decref(y);
  return equal;
}

#endif
