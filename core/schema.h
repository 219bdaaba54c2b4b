/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* schema.h: between the reader of a schema's text (parse.c), its layout (schema.c) and the field table (table.c). */
#ifndef MM3_CORE_SCHEMA_H
#define MM3_CORE_SCHEMA_H

#include "internal.h"

/* A type as written: a name with arguments. Bare words and numbers are nodes too. */
struct mm3i_node {
  struct mm3i_node *next;      /* the next argument */
  struct mm3i_node *args;
  const char *name;            /* NULL: a number */
  uint64_t number;
  bool has_number, has_args;   /* name=5; name(...) */
  uint32_t line, column;
};

struct mm3i_node_field {
  struct mm3i_node_field *next;
  const char *name;
  struct mm3i_node *type;
  uint32_t line, column;
};

struct mm3i_node_struct {
  struct mm3i_node_struct *next;
  const char *name;
  struct mm3i_node_field *fields;
  uint32_t nfields, line, column;
};

/* Reads a schema's text into nodes that live in the arena. -MM3_E_SCHEMA with line, column and what was expected. */
int mm3i_parse(struct mm3i_arena *arena, const char *text, size_t size, struct mm3i_node_struct **structs,
               struct mm3_error *error);

/* A string that grows; `failed` when memory ran out. */
struct mm3i_text {
  char *bytes;
  size_t count, room;
  bool failed;
};
void mm3i_text_add(struct mm3i_text *, const char *bytes, size_t count);
void mm3i_text_print(struct mm3i_text *, const char *format, ...) MM3_PRINTF(2, 3);

/* The canonical spelling of a type. */
void mm3i_node_print(struct mm3i_text *, const struct mm3i_node *node);

/* Rows of a file's field table by number, from hostile bytes. */
struct mm3i_table {
  const unsigned char *bytes;
  size_t size;
  uint32_t nrows, nstructs;
};
struct mm3i_table_row {
  const char *name, *text, *kind;  /* not ended by a zero byte */
  uint32_t name_size, text_size, kind_size, struct_number, layout_version;
  uint64_t features, offset, size, align;
};
struct mm3i_table_struct {
  const char *name;
  uint32_t name_size, first_row, nrows;
  uint64_t size, align;
};
int mm3i_table_open(struct mm3i_table *table, const void *bytes, size_t size, struct mm3_error *error);
int mm3i_table_row(const struct mm3i_table *table, uint32_t number, struct mm3i_table_row *row);
int mm3i_table_struct(const struct mm3i_table *table, uint32_t number, struct mm3i_table_struct *entry);

#endif
