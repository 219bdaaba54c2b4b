/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * From a schema's nodes to types that are laid out: kinds are found, arguments resolved, sizes and offsets computed.
 * Layout follows from the text alone: every member at the next multiple of its alignment, structs aligned to their
 * largest member. Where a file's field table is given, each row must say the same.
 */
#include "schema.h"
#include "prim.h"
#include "sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct builder {
  struct mm3i_schema *schema;
  const struct mm3i_table *table; /* NULL for a new file */
  unsigned flags;
  struct mm3_error *error;
  struct mm3_error missing;       /* why a bare word was no kind: the better reason when its kind then refuses */
  uint32_t deepest;               /* struct that the fields of this one hold */
};

static int out_of_memory(struct builder *b) { return mm3_error_set(b->error, -ENOMEM, "out of memory"); }

/* Puts the place in the schema in front of a sentence that a kind gave. */
static int at_line(struct builder *b, const struct mm3i_node *node, int code) {
  char sentence[768];
  if (!b->error || code == -ENOMEM) return code;
  snprintf(sentence, sizeof sentence, "%.760s", b->error->text);
  return mm3_error_set(b->error, code, "schema, line %u, column %u: %s", node->line, node->column, sentence);
}

static const struct mm3i_struct *find_struct(const struct mm3i_schema *schema, const char *name) {
  for (uint32_t i = 0; i < schema->nstructs; i++)
    if (strcmp(schema->structs[i].name, name) == 0) return &schema->structs[i];
  return NULL;
}

static const char *print_type(struct builder *b, const struct mm3i_node *node) {
  struct mm3i_text text = {0};
  mm3i_node_print(&text, node);
  char *copy = text.failed ? NULL : mm3i_arena_dup(b->schema->arena, text.bytes, text.count);
  mm3i_sys.free(text.bytes);
  return copy;
}

static int resolve(struct builder *b, const struct mm3i_node *node, enum mm3_form form, const struct mm3_type **out);

static int resolve_arg(struct builder *b, const struct mm3_kind *kind, const struct mm3i_node *node, bool first,
                       struct mm3_arg *arg) {
  struct mm3_error why = {0};
  if (!node->name) {
    *arg = (struct mm3_arg){.is = MM3_ARG_NUMBER, .number = node->number, .has_number = 1};
    return 0;
  }
  *arg = (struct mm3_arg){.is = MM3_ARG_WORD, .word = node->name, .number = node->number, .has_number = node->has_number};
  if (node->has_number || (kind == &mm3i_enum_kind && !first)) return 0;
  bool load = !(b->flags & MM3I_SCHEMA_NO_LOAD);
  if (!node->has_args && !find_struct(b->schema, node->name) && !mm3_kind_find(node->name, load, &why)) {
    b->missing = why;
    return 0; /* a word, then; unless the kind wanted a type */
  }
  arg->is = MM3_ARG_TYPE;
  return resolve(b, node, MM3_FORM_ELEMENT, &arg->type);
}

void *mm3_ctx_alloc(struct mm3_ctx *ctx, size_t size) { return ctx->arena ? mm3i_arena_alloc(ctx->arena, size) : NULL; }

static int check_layout(struct builder *b, const struct mm3_type *type) {
  uint64_t align = type->align;
  if (type->size > 0 && type->size <= MM3I_MAX_SIZE && align > 0 && align <= MM3I_MAX_ALIGN && (align & (align - 1)) == 0 &&
      type->size % align == 0)
    return 0;
  return mm3_error_set(b->error, type->size > MM3I_MAX_SIZE ? -MM3_E_SCHEMA : -MM3_E_MODULE,
                       "%s is laid out as %llu bytes aligned to %llu; wanted: 1 to 2^40 bytes, a multiple of an alignment "
                       "that is a power of two up to 4096",
                       type->text, (unsigned long long)type->size, (unsigned long long)align);
}

static int resolve_args(struct builder *b, const struct mm3i_node *node, struct mm3_type *type) {
  uint32_t count = 0;
  for (const struct mm3i_node *arg = node->args; arg; arg = arg->next) count++;
  struct mm3_arg *args = mm3i_arena_alloc(b->schema->arena, (count + 1) * sizeof *args);
  if (!args) return out_of_memory(b);
  type->args = args;
  type->nargs = count;
  count = 0;
  for (const struct mm3i_node *arg = node->args; arg; arg = arg->next, count++) {
    int result = resolve_arg(b, type->kind, arg, count == 0, &args[count]);
    if (result < 0) return result;
    if (args[count].is == MM3_ARG_TYPE) {
      if (!type->element) type->element = args[count].type;
      type->flags |= args[count].type->flags & MM3_TYPE_HEAP;
    }
  }
  return 0;
}

static int resolve(struct builder *b, const struct mm3i_node *node, enum mm3_form form, const struct mm3_type **out) {
  const struct mm3i_struct *named = node->has_args ? NULL : find_struct(b->schema, node->name);
  if (named) {
    if (named->depth > b->deepest) b->deepest = named->depth;
    *out = named->type;
    return 0;
  }
  struct mm3_type *type = mm3i_arena_alloc(b->schema->arena, sizeof *type);
  if (!type) return out_of_memory(b);
  type->kind = mm3_kind_find(node->name, !(b->flags & MM3I_SCHEMA_NO_LOAD), b->error);
  if (!type->kind) return at_line(b, node, -MM3_E_MODULE);
  type->form = form;
  type->text = print_type(b, node);
  if (!type->text) return out_of_memory(b);
  const struct mm3_error around = b->missing; /* of the type that has this one as an argument */
  b->missing.code = 0;
  int result = resolve_args(b, node, type);
  if (result < 0) return result;
  struct mm3_ctx ctx = {.size = sizeof ctx, .error = b->error, .arena = b->schema->arena};
  const struct mm3_type given = *type;
  result = given.kind->layout(type, &ctx);
  type->kind = given.kind, type->text = given.text, type->form = given.form; /* not a module's to change */
  type->nargs = given.nargs, type->args = given.args;
  type->nmembers = given.nmembers, type->members = given.members;
  if (result < 0 && b->missing.code) {
    if (b->error) *b->error = b->missing;
    result = -MM3_E_MODULE;
  }
  if (result == 0) result = check_layout(b, type);
  if (result < 0) return at_line(b, node, result);
  b->missing = around;
  *out = type;
  return 0;
}

/* ---- structs ---- */

static int differs(struct builder *b, const struct mm3i_row *row, const char *what, uint64_t file, uint64_t modules) {
  if (b->error) snprintf(b->error->field, sizeof b->error->field, "%s", row->name);
  return mm3_error_set(b->error, -MM3_E_LAYOUT, "field '%s' (%s): the file's table says %s %llu, the module of '%s' says %llu",
                       row->name, row->text, what, (unsigned long long)file, row->kind, (unsigned long long)modules);
}

static bool same(const char *text, const char *stored, uint32_t size) {
  return strlen(text) == size && memcmp(text, stored, size) == 0;
}

static int compare_row(struct builder *b, uint32_t number, struct mm3i_row *row) {
  struct mm3i_table_row stored;
  if (mm3i_table_row(b->table, number, &stored) < 0 || !same(row->name, stored.name, stored.name_size) ||
      !same(row->text, stored.text, stored.text_size) || !same(row->kind, stored.kind, stored.kind_size) ||
      stored.struct_number != row->struct_number)
    return mm3_error_set(b->error, -MM3_E_DAMAGED, "field '%s: %s' of the schema is not what row %u of the field table says",
                         row->name, row->text, number);
  if (!row->type) { /* its module is missing: the table is all that is known */
    *row = (struct mm3i_row){row->name, row->text, row->kind, row->struct_number, stored.layout_version, stored.features,
                             stored.offset, stored.size, stored.align, NULL};
    return 0;
  }
  if (stored.layout_version != row->layout_version)
    return differs(b, row, "layout version", stored.layout_version, row->layout_version);
  if (stored.features != row->features) return differs(b, row, "features", stored.features, row->features);
  if (stored.size != row->size) return differs(b, row, "size", stored.size, row->size);
  if (stored.align != row->align) return differs(b, row, "alignment", stored.align, row->align);
  if (stored.offset != row->offset) return differs(b, row, "offset", stored.offset, row->offset);
  return 0;
}

/* The row of one field, at the next free place of its struct. */
static int add_row(struct builder *b, const struct mm3i_node_field *field, struct mm3_type *parent, struct mm3i_row *row) {
  struct mm3i_schema *schema = b->schema;
  uint32_t number = schema->nrows;
  const struct mm3_type *type = NULL;
  int result = resolve(b, field->type, MM3_FORM_FIELD, &type);
  if (result == -MM3_E_MODULE && b->table && (b->flags & MM3I_SCHEMA_ALLOW_MISSING)) schema->missing++;
  else if (result < 0) {
    if (b->error) snprintf(b->error->field, sizeof b->error->field, "%s", field->name);
    return result;
  }
  *row = (struct mm3i_row){.name = field->name, .text = print_type(b, field->type), .kind = field->type->name,
                           .struct_number = schema->nstructs, .type = type};
  if (!row->text) return out_of_memory(b);
  if (type) {
    row->kind = type->kind->name;
    row->layout_version = type->kind->layout_version;
    row->features = type->kind->features;
    row->size = type->size, row->align = type->align;
    row->offset = (parent->size + type->align - 1) & ~(type->align - 1);
    parent->flags |= type->flags;
    schema->grows |= (type->flags & MM3_TYPE_HEAP) != 0;
  }
  if (b->table) result = compare_row(b, number, row);
  if (result < 0) return result == -MM3_E_MODULE ? -MM3_E_DAMAGED : result;
  return 0;
}

/* A row that came from the table alone must still lie behind its predecessor and inside the bounds. */
static int place_row(struct builder *b, struct mm3_type *parent, const struct mm3i_row *row) {
  bool sane = row->size > 0 && row->size <= MM3I_MAX_SIZE && row->align > 0 && row->align <= MM3I_MAX_ALIGN &&
              (row->align & (row->align - 1)) == 0 && row->offset % row->align == 0 && row->offset >= parent->size &&
              row->offset - parent->size < row->align && row->size <= MM3I_MAX_SIZE - row->offset;
  if (!sane && row->type)
    return mm3_error_set(b->error, -MM3_E_SCHEMA, "field '%s' makes its struct larger than 2^40 bytes", row->name);
  if (!sane) return mm3_error_set(b->error, -MM3_E_DAMAGED, "field '%s' of the field table lies outside its struct", row->name);
  parent->size = row->offset + row->size;
  if (row->align > parent->align) parent->align = row->align;
  return 0;
}

static bool compare_struct(const struct mm3i_table *table, uint32_t number, const struct mm3i_struct *s) {
  struct mm3i_table_struct stored;
  return mm3i_table_struct(table, number, &stored) == 0 && same(s->name, stored.name, stored.name_size) &&
         stored.first_row == s->first_row && stored.nrows == s->nrows && stored.size == s->type->size &&
         stored.align == s->type->align;
}

static int add_struct(struct builder *b, const struct mm3i_node_struct *block) {
  struct mm3i_schema *schema = b->schema;
  struct mm3_type *type = mm3i_arena_alloc(schema->arena, sizeof *type);
  struct mm3_member *members = mm3i_arena_alloc(schema->arena, block->nfields * sizeof *members);
  if (!type || !members) return out_of_memory(b);
  if (find_struct(schema, block->name) || mm3i_prim_find(block->name))
    return mm3_error_set(b->error, -MM3_E_SCHEMA, "schema, line %u, column %u: the name '%s' is taken", block->line,
                         block->column, block->name);
  *type = (struct mm3_type){.kind = &mm3i_struct_kind, .text = block->name, .align = 1, .members = members};
  uint32_t first = schema->nrows;
  b->deepest = 0;
  for (const struct mm3i_node_field *field = block->fields; field; field = field->next) {
    struct mm3i_row *row = &schema->rows[schema->nrows];
    for (uint32_t i = first; i < schema->nrows; i++)
      if (strcmp(schema->rows[i].name, field->name) == 0)
        return mm3_error_set(b->error, -MM3_E_SCHEMA, "schema, line %u, column %u: '%s' has a field '%s' already",
                             field->line, field->column, block->name, field->name);
    int result = add_row(b, field, type, row);
    if (result == 0) result = place_row(b, type, row);
    if (result < 0) return result;
    members[type->nmembers++] = (struct mm3_member){row->name, row->type, row->offset};
    schema->nrows++;
  }
  type->size = (type->size + type->align - 1) & ~(type->align - 1);
  struct mm3i_struct entry = {block->name, type, first, block->nfields, b->deepest + 1};
  if (entry.depth > MM3I_MAX_DEPTH)
    return mm3_error_set(b->error, -MM3_E_SCHEMA, "struct '%s' nests structs deeper than 16", block->name);
  if (b->table && !compare_struct(b->table, schema->nstructs, &entry))
    return mm3_error_set(b->error, -MM3_E_DAMAGED, "struct '%s' of the schema is not what entry %u of the field table says",
                         block->name, schema->nstructs);
  schema->structs[schema->nstructs++] = entry;
  return 0;
}

/* What a field's type may not name: the struct itself or one that comes later. The sentence says which. */
static int build(struct builder *b, const struct mm3i_node_struct *blocks) {
  struct mm3i_schema *schema = b->schema;
  uint64_t nstructs = 0, nrows = 0;
  for (const struct mm3i_node_struct *s = blocks; s; s = s->next) nstructs++, nrows += s->nfields;
  if (nrows > MM3I_MAX_FIELDS)
    return mm3_error_set(b->error, -MM3_E_SCHEMA, "schema: %llu fields; at most 4096 are taken", (unsigned long long)nrows);
  if (b->table && (b->table->nrows != nrows || b->table->nstructs != nstructs))
    return mm3_error_set(b->error, -MM3_E_DAMAGED, "the schema has %llu fields in %llu structs, the field table %u in %u",
                         (unsigned long long)nrows, (unsigned long long)nstructs, b->table->nrows, b->table->nstructs);
  schema->structs = mm3i_arena_alloc(schema->arena, (size_t)nstructs * sizeof *schema->structs);
  schema->rows = mm3i_arena_alloc(schema->arena, (size_t)nrows * sizeof *schema->rows);
  if (!schema->structs || !schema->rows) return out_of_memory(b);
  for (const struct mm3i_node_struct *s = blocks; s; s = s->next) {
    int result = add_struct(b, s);
    if (result == -MM3_E_MODULE && b->error)
      for (const struct mm3i_node_struct *other = s; other; other = other->next) {
        char named[MM3I_MAX_NAME + 16];
        snprintf(named, sizeof named, "'%s'", other->name);
        if (strstr(b->error->text, named))
          return mm3_error_set(b->error, -MM3_E_SCHEMA, "struct '%s': field '%s' names struct '%s'%s; a struct may nest only earlier ones",
                               s->name, b->error->field, other->name, other == s ? ", itself" : ", a later one");
      }
    if (result < 0) return result;
  }
  const struct mm3i_struct *root = &schema->structs[nstructs - 1];
  schema->root = root->type;
  schema->root_size = root->type->size;
  schema->root_align = root->type->align;
  return 0;
}

static int canonical_text(struct builder *b, const struct mm3i_node_struct *blocks) {
  struct mm3i_text text = {0};
  for (const struct mm3i_node_struct *s = blocks; s; s = s->next) {
    mm3i_text_print(&text, "struct %s {\n", s->name);
    for (const struct mm3i_node_field *f = s->fields; f; f = f->next) {
      mm3i_text_print(&text, "  %s: ", f->name);
      mm3i_node_print(&text, f->type);
      mm3i_text_add(&text, "\n", 1);
    }
    mm3i_text_add(&text, "}\n", 2);
  }
  if (!text.failed) b->schema->text = mm3i_arena_dup(b->schema->arena, text.bytes, text.count);
  b->schema->text_size = text.count;
  mm3i_sys.free(text.bytes);
  return b->schema->text ? 0 : out_of_memory(b);
}

int mm3i_schema_parse(const char *text, size_t text_size, const void *table, size_t table_size, unsigned flags,
                      struct mm3i_schema **out, struct mm3_error *error) {
  struct mm3i_table opened;
  struct mm3i_node_struct *blocks = NULL;
  struct mm3i_arena *arena = mm3i_arena_new();
  struct mm3i_schema *schema = arena ? mm3i_arena_alloc(arena, sizeof *schema) : NULL;
  struct builder b = {.schema = schema, .flags = flags, .error = error};
  int result = schema ? 0 : out_of_memory(&b);
  if (result == 0) {
    schema->arena = arena;
    result = mm3i_parse(arena, text, text_size, &blocks, error);
  }
  if (result == 0 && table) {
    result = mm3i_table_open(&opened, table, table_size, error);
    b.table = &opened;
  }
  if (result == 0) result = canonical_text(&b, blocks);
  if (result == 0) result = build(&b, blocks);
  if (result < 0) mm3i_arena_free(arena);
  else *out = schema;
  return result;
}

void mm3i_schema_free(struct mm3i_schema *schema) {
  if (schema) mm3i_arena_free(schema->arena);
}
