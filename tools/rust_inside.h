/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rust_inside.h: what the reader of Rust declarations (rust_parse.c) leaves for the writer of the schema (rust.c). */
#ifndef MM3_TOOLS_RUST_INSIDE_H
#define MM3_TOOLS_RUST_INSIDE_H

#include "rust.h"
#include <stdint.h>

enum { RUST_NAME = 64, RUST_ARGS = 3, RUST_TYPES = 20000, RUST_FIELDS = 4096, RUST_ITEMS = 512, RUST_DEPTH = 16 };

struct rust_type {
  enum { RUST_NAMED, RUST_ARRAY, RUST_NUMBER } is;
  char name[RUST_NAME];
  uint64_t number;                          /* of an array, or the number itself */
  const struct rust_type *args[RUST_ARGS];  /* an array has one */
  int nargs;
};

struct rust_field {
  char name[RUST_NAME], attribute[RUST_NAME];
  unsigned line;
  const struct rust_type *type;
};

struct rust_item {
  enum { RUST_STRUCT, RUST_ENUM, RUST_CONST } is;
  char name[RUST_NAME];
  bool mapped;                /* #[mmap_struct] */
  unsigned state;             /* of writing: 0 not yet, 1 at it, 2 done */
  uint32_t first, count;      /* fields */
  char *words;                /* of an enum: "u32, A, B=5"; NULL: it has variants with contents */
  uint64_t number;            /* of a const */
};

struct rust {
  const char *at;
  unsigned line;
  struct mm3_error *error;
  struct rust_type *types;
  struct rust_field *fields;
  struct rust_item items[RUST_ITEMS];
  uint32_t ntypes, nfields, nitems;
};

int rust_parse(struct rust *rust);
const struct rust_item *rust_find(const struct rust *rust, const char *name);
int rust_fail(struct rust *rust, unsigned line, const char *format, ...) MM3_PRINTF(3, 4);

#endif
