/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_lines.h: JSON lines, a batch at a time. Empty lines are skipped. */
#ifndef MM3_TOOLS_JSON_LINES_H
#define MM3_TOOLS_JSON_LINES_H

#include <mm3/module.h>

struct mm3j_lines;

struct mm3j_batch {
  struct mm3_value list;   /* a value a line */
  const uint64_t *numbers; /* their lines, from 1 */
};

int mm3j_lines_open(int fd, struct mm3j_lines **lines); /* 0, -ENOMEM */

/* 1 and some lines, valid until the next call; 0 at the end; -errno (after -EINTR one may go on); -MM3_E_VALUE for a line that is not one JSON value:
 * after the batch with all lines before it. */
int mm3j_lines_next(struct mm3j_lines *lines, struct mm3j_batch *batch, struct mm3_error *error);

uint64_t mm3j_lines_number(const struct mm3j_lines *lines); /* of the line that was refused */
uint64_t mm3j_lines_done(const struct mm3j_lines *lines);   /* bytes */
void mm3j_lines_close(struct mm3j_lines *lines);

#endif
