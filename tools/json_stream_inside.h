/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_stream_inside.h: what the two halves of json_stream.h share. */
#ifndef MM3_TOOLS_JSON_STREAM_INSIDE_H
#define MM3_TOOLS_JSON_STREAM_INSIDE_H

#include "json_stream.h"

#include <jansson.h>

/* A list or object of more than MM3J_PIECE bytes: from its bracket to behind its other bracket. */
struct long_value {
  struct mm3j_stream *stream;
  const struct long_value *in; /* NULL: the outermost; set when all are known */
  size_t begin, end;
  size_t item;                 /* where it begins as an item of `in`: at its key */
  uint64_t count;
};

struct piece_cursor;

struct mm3j_stream {
  const char *text;
  size_t size, dropped;
  struct mm3_map map;
  char *own;                   /* text that was read, not mapped */
  struct mm3j_between between;
  uint64_t done;
  unsigned passes;             /* over the outermost value */
  bool members_first;
  struct long_value *values;   /* by begin */
  size_t nvalues, room;
  json_t *whole;               /* of a short text */
  struct piece_cursor *cursors;
  struct mm3_error error;
};

extern const struct mm3_value_source mm3j_piece_source;

/* json_outline.c. What is wrong at an offset, with line and column. */
int mm3j_outline(struct mm3j_stream *s);
int mm3j_wrong_at(struct mm3j_stream *s, size_t offset, const char *what);

void mm3j_pieces_free(struct mm3j_stream *s);
/* The pages of a mapped text that were read are given back now and then. */
void mm3j_passed(struct mm3j_stream *s, size_t offset);

/* The end of what begins at `at`: the first comma outside brackets and texts, or `end`. */
size_t mm3j_item_end(const char *text, size_t at, size_t end);
size_t mm3j_skip_space(const char *text, size_t at, size_t end);

#endif
