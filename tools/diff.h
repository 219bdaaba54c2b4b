/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * diff.h: the parts of mm3 diff.
 *
 *   cmd_diff.c      the types, then each field that both files have
 *   diff_places.c   a place in both files: bytes, structs member by member, lists a window at a time
 *   diff_maps.c     maps entry by entry: each key of one is looked up in the other
 *   diff_values.c   two values that were recorded, and the lines of what differs
 *
 * So what is held of the files is a window; of maps beyond it the keys of entries that differ.
 */
#ifndef MM3_TOOLS_DIFF_H
#define MM3_TOOLS_DIFF_H

#include "tape.h"
#include "tool.h"

enum { DIFF_ENOUGH = -10000 /* a result: a difference was found, and no second one is asked for */ };

struct diff {
  struct call *call;
  struct mm3_file *files[2];
  struct mm3j_writer writer;
  double tolerance;
  uint64_t differences;
  bool probing;      /* nothing is printed */
  char path[1024];
  int result;
};

/* A value of a tape, or of none: absent. */
struct diff_side {
  const struct tape *tape;
  size_t at;
};

void diff_differ(struct diff *d, struct diff_side a, struct diff_side b); /* a line */
void diff_values(struct diff *d, struct diff_side a, struct diff_side b); /* both there */
void diff_items(struct diff *d, struct diff_side a, struct diff_side b, uint64_t first); /* of two lists, from number `first` */
void diff_pairs(struct diff *d, struct diff_side a, struct diff_side b); /* of two maps that come as lists of [key, value] */
bool diff_probe(struct diff *d, struct diff_side a, struct diff_side b);  /* do they differ? */

/* A step more in the path, the length to go back to. A name is one where it looks so and `member`, else a key. */
size_t diff_step_index(struct diff *d, uint64_t index);
size_t diff_step_key(struct diff *d, const struct tape *tape, size_t at, bool member);
size_t diff_step_name(struct diff *d, const char *name);
void diff_step_back(struct diff *d, size_t length);

/* The values at d->path, where both files have a field. */
void diff_places(struct diff *d);
bool diff_keyed(const struct mm3_field *field);
void diff_maps(struct diff *d, struct mm3_field fields[2]);
int diff_visit(struct diff *d, const struct mm3_field *field, struct tape *tape); /* 0, or d->result */

#endif
