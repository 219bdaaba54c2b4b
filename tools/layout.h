/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* layout.h: where each field lies, nested structs opened up, and what that means for cache lines. */
#ifndef MM3_TOOLS_LAYOUT_H
#define MM3_TOOLS_LAYOUT_H

#include "tool.h"

enum { CACHE_LINE = 64 };

struct leaf {
  char path[200];
  const char *text;   /* its type */
  uint64_t offset, size, align;
  bool shared;        /* made for many writers at once: should not share its cache line */
};

struct layout {
  struct leaf *leaves;
  size_t count, room;
  uint64_t size, align, padding;
};

/* A stretch of cache lines that look alike: one line, or several that lie within one leaf (or within padding). */
struct stretch {
  uint64_t first, lines;
};

int layout_of(struct mm3_file *file, struct layout *layout); /* 0 or negative; free the leaves */

/* The leaf at a byte, or NULL for padding. */
const struct leaf *layout_at(const struct layout *layout, uint64_t offset);

/* Steps through the lines; *next starts as 0. false at the end. */
bool layout_stretch(const struct layout *layout, uint64_t *next, struct stretch *stretch);

/* The leaf after `previous` (NULL: the first) in this line that many write at once. */
const struct leaf *layout_shared(const struct layout *layout, uint64_t line, const struct leaf *previous);
bool layout_contended(const struct layout *layout, uint64_t line); /* two of them, or more */

void layout_svg(const struct layout *layout, const char *title, FILE *out);
void print_xml(FILE *out, const char *text);

#endif
