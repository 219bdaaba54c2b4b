/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* migrate.h: values of one file into another one of another schema, by name. */
#ifndef MM3_TOOLS_MIGRATE_H
#define MM3_TOOLS_MIGRATE_H

#include "progress.h"

/* What becomes of a field. From MIGRATE_DROPPED on something is lost. */
enum migrate_action { MIGRATE_KEPT, MIGRATE_CHANGED, MIGRATE_NEW, MIGRATE_DROPPED, MIGRATE_LOST };

struct migrate_row {
  enum migrate_action action;
  char path[200], from[160], to[160], note[400]; /* types; why */
};

struct migrate {
  struct mm3_file *from, *to;
  bool drop;                  /* go on where something is lost: as much of it as fits */
  struct migrate_row *rows;
  size_t count, room;
  struct progress progress;   /* of the new file's length against the old one's */
  uint64_t lost;              /* rows from MIGRATE_DROPPED on */
};

/* Copies every field that both have. 0, or negative when it could not be done at all; free the rows. */
int migrate_values(struct migrate *m, struct mm3_error *error);

/* ---- shape.c: a sink that leaves out what the other side's structs do not have ------------------------------------ */

enum { SHAPE_LEVELS = 64 };

struct shape_pair {
  const struct mm3_type *mine, *other;
};

struct shape {
  struct mm3_sink sink;
  struct mm3_sink *to;
  struct shape_pair next, stack[SHAPE_LEVELS];
  bool is_list[SHAPE_LEVELS];
  unsigned depth, nested;
  bool ignoring;
  char *left_out;             /* of `size` bytes: the names, once each; NULL: not wanted */
  size_t size;
};

void shape_init(struct shape *shape, const struct mm3_type *mine, const struct mm3_type *other, struct mm3_sink *to);

#endif
