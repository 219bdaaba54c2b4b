/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* internal.h: what the parts of the core share. Nothing here is exported. */
#ifndef MM3_CORE_INTERNAL_H
#define MM3_CORE_INTERNAL_H

#include <mm3/error.h>
#include <mm3/field.h>
#include <mm3/file.h>
#include <mm3/module.h>
#include <mm3/repair.h>
#include <mm3/struct.h>
#include <stdbool.h>
#include <stdint.h>

#define MM3_RELAXED __ATOMIC_RELAXED

/* Bounds of a schema; beyond them it is refused. */
enum {
  MM3I_MAX_FIELDS = 4096,
  MM3I_MAX_DEPTH = 16,
  MM3I_MAX_NAME = 63,
  MM3I_MAX_TYPE_TEXT = 4096,
  MM3I_MAX_SCHEMA = 1 << 20,
  MM3I_MAX_ALIGN = 4096,
};
#define MM3I_MAX_SIZE (UINT64_C(1) << 40)

/* Memory that is freed all at once: everything of a schema lives in one. */
struct mm3i_arena;
struct mm3i_arena *mm3i_arena_new(void);                       /* NULL: out of memory */
void *mm3i_arena_alloc(struct mm3i_arena *, size_t size);      /* zeroed; NULL: out of memory */
char *mm3i_arena_dup(struct mm3i_arena *, const char *text, size_t count);
void mm3i_arena_free(struct mm3i_arena *);

/* One struct block. The last one of a schema is the root. */
struct mm3i_struct {
  const char *name;
  struct mm3_type *type;            /* kind "struct", field form == element form */
  uint32_t first_row, nrows;        /* its fields in the field table */
  uint32_t depth;                   /* 1, or one more than the deepest struct in it */
};

/* One row of the field table, in memory: a field of a struct block. Offsets are from that struct's start. */
struct mm3i_row {
  const char *name, *text, *kind;
  uint32_t struct_number;
  uint32_t layout_version;
  uint64_t features, offset, size, align;
  const struct mm3_type *type;      /* NULL: its module is missing */
};

struct mm3i_schema {
  struct mm3i_arena *arena;
  const char *text;                 /* canonical */
  size_t text_size;
  uint32_t nstructs, nrows;
  struct mm3i_struct *structs;
  struct mm3i_row *rows;
  const struct mm3_type *root;
  uint64_t root_size, root_align;
  uint32_t missing;                 /* rows of any block without a module */
  bool grows;                       /* some type has MM3_TYPE_HEAP: the file needs a reserve */
};

#define MM3I_SCHEMA_NO_LOAD 1u       /* do not dlopen */
#define MM3I_SCHEMA_ALLOW_MISSING 2u /* a missing module leaves the row's type NULL; sizes come from the table */

/* Parses a text and lays it out through the kinds. `table` (with its size) is a file's field table: given, every row is
 * compared with what the modules say (-MM3_E_LAYOUT), and rows of missing modules take their sizes from it; NULL for a
 * new file. The bytes of both are hostile. -MM3_E_SCHEMA, _MODULE, _LAYOUT, _DAMAGED, -ENOMEM. */
int mm3i_schema_parse(const char *text, size_t text_size, const void *table, size_t table_size, unsigned flags,
                      struct mm3i_schema **schema, struct mm3_error *error);

/* The canonical text of a program's descriptor, in a malloc'd string. */
int mm3i_desc_text(const struct mm3_desc *desc, char **text, struct mm3_error *error);

/* Program against schema (text, names, offsets, sizes, layout versions): -MM3_E_LAYOUT names the first field that differs,
 * with both types. `whose` is "the file" or "the modules". */
int mm3i_desc_agree(const struct mm3_desc *desc, const struct mm3i_schema *schema, struct mm3_error *error);

/* The field table as it lies in the file (doc/FORMAT); malloc'd. */
int mm3i_table_encode(const struct mm3i_schema *schema, void **table, size_t *table_size);

void mm3i_schema_free(struct mm3i_schema *);

/* Runs over the root: init of a new file's root (bytes are zeroed), recover of the field that a certificate names (or of all
 * fields when field == UINT32_MAX). */
/* mm3_field_add of a part that has no bytes of its own; the lock is held. */
int mm3i_field_add_deep(struct mm3_field *field, const struct mm3_value *delta, char result[48], struct mm3_ctx *ctx);
int mm3i_root_init(const struct mm3i_schema *, void *root, struct mm3_file *file, struct mm3_error *error);
int mm3i_root_recover(const struct mm3i_schema *, void *root, struct mm3_file *file, uint64_t certificate,
                      struct mm3_error *error);

/* What the file part offers to the field part. */
const struct mm3i_schema *mm3i_file_schema(const struct mm3_file *file);
void *mm3i_file_root(const struct mm3_file *file);
bool mm3i_file_writable(const struct mm3_file *file);

/* fn(arg), under a guard when the program installed one; -MM3_E_TRUNCATED fills the error. */
int mm3i_file_guarded(struct mm3_file *file, struct mm3_error *error, int (*fn)(void *arg), void *arg);

/* The file's own structures: superblock and lock (super_check), the heap's end (end_check), the heap. member_check: a field
 * of the root, which is not opaque. They call found for each finding and return their number. */
int mm3i_end_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg);
int mm3i_super_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg);
int mm3i_member_check(struct mm3_file *file, const struct mm3_member *member, uint32_t number, struct mm3_error *error);
int mm3i_file_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg);

/* The heap's own structures; the blocks that fields own (each in use, each once; ask after the fields passed their
 * checks). Both return the number of findings. repair, under the lock: lists anew, blocks without an owner taken back. */
int mm3i_heap_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg);
int mm3i_heap_check_owners(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg);
int mm3i_heap_repair(struct mm3_file *file, uint64_t *leaked, struct mm3_error *error);

/* heap_mend.c: what repair believes, made believable: an end that is lost is moved to where any heap would end, parts of the
 * page map that are not needed and lie nowhere are forgotten. Under the lock. */
void mm3i_heap_mend(struct mm3_file *file);

/* backup.c: a copy of the file beside it, on the disk when it returns; `name` receives the copy's. */
int mm3i_backup(struct mm3_file *file, char *name, size_t size, struct mm3_error *error);

#endif
