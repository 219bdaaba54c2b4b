/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The field table as it lies in the file, so that a reader needs no module to find a field (doc/FORMAT):
 *
 *     header   magic 'MM3T', rows, structs, 0                                                          4 x u32
 *     structs  name offset, name size, first row, rows : 4 x u32; size, align : 2 x u64               32 bytes each
 *     rows     name, type text, kind : offset and size each; struct number, layout version : 8 x u32
 *              features, offset, size, align : 4 x u64                                                64 bytes each
 *     strings  not ended by zero bytes; offsets count from the table's start
 */
#include "schema.h"
#include "sys.h"

#include <errno.h>
#include <string.h>

enum { HEADER = 16, STRUCT_BYTES = 32, ROW_BYTES = 64 };
#define TABLE_MAGIC UINT32_C(0x54334d4d) /* "MM3T" */

struct table_struct {
  uint32_t name_offset, name_size, first_row, nrows;
  uint64_t size, align;
};

struct table_row {
  uint32_t name_offset, name_size, text_offset, text_size, kind_offset, kind_size, struct_number, layout_version;
  uint64_t features, offset, size, align;
};

_Static_assert(sizeof(struct table_struct) == STRUCT_BYTES, "file format");
_Static_assert(sizeof(struct table_row) == ROW_BYTES, "file format");

static uint32_t add_string(struct mm3i_text *out, const char *text) {
  uint32_t at = (uint32_t)out->count;
  mm3i_text_add(out, text, strlen(text));
  return at;
}

int mm3i_table_encode(const struct mm3i_schema *schema, void **table, size_t *table_size) {
  struct mm3i_text out = {0};
  const uint32_t header[4] = {TABLE_MAGIC, schema->nrows, schema->nstructs, 0};
  const size_t structs_at = HEADER, rows_at = HEADER + (size_t)schema->nstructs * STRUCT_BYTES;
  static const char zeros[ROW_BYTES];

  mm3i_text_add(&out, (const char *)header, sizeof header);
  for (uint32_t i = 0; i < schema->nstructs; i++) mm3i_text_add(&out, zeros, STRUCT_BYTES);
  for (uint32_t i = 0; i < schema->nrows; i++) mm3i_text_add(&out, zeros, ROW_BYTES);
  for (uint32_t i = 0; i < schema->nstructs; i++) {
    const struct mm3i_struct *s = &schema->structs[i];
    struct table_struct entry = {add_string(&out, s->name), (uint32_t)strlen(s->name), s->first_row, s->nrows,
                                 s->type->size, s->type->align};
    if (!out.failed) memcpy(out.bytes + structs_at + i * STRUCT_BYTES, &entry, sizeof entry);
  }
  for (uint32_t i = 0; i < schema->nrows; i++) {
    const struct mm3i_row *r = &schema->rows[i];
    struct table_row row = {.name_size = (uint32_t)strlen(r->name), .text_size = (uint32_t)strlen(r->text),
                            .kind_size = (uint32_t)strlen(r->kind), .struct_number = r->struct_number,
                            .layout_version = r->layout_version, .features = r->features, .offset = r->offset,
                            .size = r->size, .align = r->align};
    row.name_offset = add_string(&out, r->name);
    row.text_offset = add_string(&out, r->text);
    row.kind_offset = add_string(&out, r->kind);
    if (!out.failed) memcpy(out.bytes + rows_at + i * ROW_BYTES, &row, sizeof row);
  }
  if (out.failed) {
    mm3i_sys.free(out.bytes);
    return -ENOMEM;
  }
  *table = out.bytes;
  *table_size = out.count;
  return 0;
}

int mm3i_table_open(struct mm3i_table *table, const void *bytes, size_t size, struct mm3_error *error) {
  uint32_t header[4];
  if (size < HEADER) return mm3_error_set(error, -MM3_E_DAMAGED, "the field table has %zu bytes, wanted at least 16", size);
  memcpy(header, bytes, sizeof header);
  if (header[0] != TABLE_MAGIC)
    return mm3_error_set(error, -MM3_E_DAMAGED, "the field table starts with 0x%08x, wanted 0x%08x", header[0], TABLE_MAGIC);
  if (header[3] != 0) return mm3_error_set(error, -MM3_E_DAMAGED, "the field table's fourth word is %u, wanted 0", header[3]);
  if (header[1] > MM3I_MAX_FIELDS || header[2] > MM3I_MAX_FIELDS || header[2] == 0 ||
      HEADER + (uint64_t)header[2] * STRUCT_BYTES + (uint64_t)header[1] * ROW_BYTES > size)
    return mm3_error_set(error, -MM3_E_DAMAGED, "the field table names %u structs and %u fields, which its %zu bytes cannot hold",
                         header[2], header[1], size);
  *table = (struct mm3i_table){bytes, size, header[1], header[2]};
  return 0;
}

static const char *string_at(const struct mm3i_table *table, uint32_t offset, uint32_t size) {
  if (offset > table->size || size > table->size - offset) return NULL;
  return (const char *)table->bytes + offset;
}

int mm3i_table_struct(const struct mm3i_table *table, uint32_t number, struct mm3i_table_struct *entry) {
  struct table_struct stored;
  if (number >= table->nstructs) return -MM3_E_DAMAGED;
  memcpy(&stored, table->bytes + HEADER + (size_t)number * STRUCT_BYTES, sizeof stored);
  *entry = (struct mm3i_table_struct){string_at(table, stored.name_offset, stored.name_size), stored.name_size,
                                      stored.first_row, stored.nrows, stored.size, stored.align};
  return entry->name ? 0 : -MM3_E_DAMAGED;
}

int mm3i_table_row(const struct mm3i_table *table, uint32_t number, struct mm3i_table_row *row) {
  struct table_row stored;
  if (number >= table->nrows) return -MM3_E_DAMAGED;
  memcpy(&stored, table->bytes + HEADER + (size_t)table->nstructs * STRUCT_BYTES + (size_t)number * ROW_BYTES, sizeof stored);
  *row = (struct mm3i_table_row){string_at(table, stored.name_offset, stored.name_size),
                                 string_at(table, stored.text_offset, stored.text_size),
                                 string_at(table, stored.kind_offset, stored.kind_size),
                                 stored.name_size, stored.text_size, stored.kind_size, stored.struct_number,
                                 stored.layout_version, stored.features, stored.offset, stored.size, stored.align};
  return row->name && row->text && row->kind ? 0 : -MM3_E_DAMAGED;
}
