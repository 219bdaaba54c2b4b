/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rust.c: Rust declarations to a schema's text. */
#include "rust_inside.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct writer {
  struct rust *rust;
  struct mm3j_memory *out;
  char *note;
  unsigned line;
};

static void put(struct writer *w, const char *format, ...) MM3_PRINTF(2, 3);
static void put(struct writer *w, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  mm3j_emit_memory(w->out, text, strlen(text));
}

/* MyData to my_data, HTTPServer to http_server. */
static void snake(const char *name, char to[2 * RUST_NAME]) {
  for (size_t i = 0; name[i]; i++) {
    bool upper = isupper((unsigned char)name[i]);
    bool after_lower = i && (islower((unsigned char)name[i - 1]) || isdigit((unsigned char)name[i - 1]));
    bool before_lower = i && isupper((unsigned char)name[i - 1]) && islower((unsigned char)name[i + 1]);
    if (upper && (after_lower || before_lower)) *to++ = '_';
    *to++ = (char)tolower((unsigned char)name[i]);
  }
  *to = 0;
}

/* The schema's name of a struct: other than that of any before it. */
static unsigned name_of(const struct writer *w, const struct rust_item *item, char to[2 * RUST_NAME]) {
  unsigned number = 1;
  char other[2 * RUST_NAME];
  snake(item->name, to);
  for (const struct rust_item *at = w->rust->items; at < item; at++) {
    if (at->is != RUST_STRUCT || at->mapped != item->mapped) continue;
    snake(at->name, other);
    number += strcmp(other, to) == 0;
  }
  size_t length = strlen(to);
  if (number > 1) snprintf(to + length, 2 * RUST_NAME - length, "_%u", number);
  return number;
}

static bool is_named(const struct rust_type *type, const char *name) {
  return type->is == RUST_NAMED && strcmp(type->name, name) == 0;
}

static bool is_bytes(const struct rust_type *type) { return type->is == RUST_ARRAY && is_named(type->args[0], "u8"); }

static int put_type(struct writer *w, const struct rust_type *type);

static int put_number(struct writer *w, const struct rust_type *type) {
  if (type->is != RUST_NUMBER) return rust_fail(w->rust, w->line, "a number was expected");
  put(w, "%llu", (unsigned long long)type->number);
  return 0;
}

/* kind(argument, ...): each a type or a number. */
static int put_kind(struct writer *w, const char *kind, const struct rust_type *type, int nargs) {
  int result = 0;
  if (type->nargs != nargs)
    return rust_fail(w->rust, w->line, "'%s' has %d arguments here, %d were expected", type->name, type->nargs, nargs);
  put(w, "%s(", kind);
  for (int i = 0; i < nargs && !result; i++) {
    if (i) put(w, ", ");
    result = type->args[i]->is == RUST_NUMBER ? put_number(w, type->args[i]) : put_type(w, type->args[i]);
  }
  put(w, ")");
  return result;
}

/* [[[T; X]; Y]; Z]: index[z][y][x] in both. */
static int put_array(struct writer *w, const struct rust_type *type) {
  const struct rust_type *inner = type;
  while (inner->is == RUST_ARRAY) inner = inner->args[0];
  put(w, "ndarray(");
  int result = put_type(w, inner);
  for (; type->is == RUST_ARRAY; type = type->args[0]) put(w, ", %llu", (unsigned long long)type->number);
  put(w, ")");
  return result;
}

static const char *const scalars[] = {"u8",  "u16",  "u32", "u64", "u128", "i8",   "i16",   "i32",
                                      "i64", "i128", "f32", "f64", "bool", "char", "usize", "isize"};

static const struct {
  const char *rust, *kind;
  int nargs;
} generics[] = {{"MmapString", "string", 1}, {"MmapVec", "vec", 2}, {"MmapStringArray", "string_array", 2},
                {"MmapSegmented", "segmented", 1}, {"MmapHashMap", "hashmap", 2}, {"HashMap", "hashmap", 2},
                {"Segmented", "segmented", 1}};

static int put_named(struct writer *w, const struct rust_type *type) {
  char name[2 * RUST_NAME];
  for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++)
    if (strcmp(type->name, scalars[i]) == 0) return put(w, "%s", type->name), 0;
  for (size_t i = 0; i < sizeof generics / sizeof generics[0]; i++)
    if (strcmp(type->name, generics[i].rust) == 0) return put_kind(w, generics[i].kind, type, generics[i].nargs);
  if (strcmp(type->name, "str") == 0 || strcmp(type->name, "String") == 0) return put(w, "text"), 0;
  if (strncmp(type->name, "MmapAtomic", 10) == 0) {
    snake(type->name + 10, name);
    return put(w, "atomic(%s)", name), 0;
  }
  const struct rust_item *item = rust_find(w->rust, type->name);
  if (item && item->is == RUST_ENUM && item->words) {
    put(w, "enum(");
    mm3j_emit_memory(w->out, item->words, strlen(item->words));
    return put(w, ")"), 0;
  }
  if (!item || item->is != RUST_STRUCT)
    return rust_fail(w->rust, w->line, "the type '%s' has no counterpart here", type->name);
  name_of(w, item, name);
  return put(w, "%s", name), 0;
}

static int put_type(struct writer *w, const struct rust_type *type) {
  if (is_bytes(type)) return put(w, "string(%llu)", (unsigned long long)type->number), 0;
  if (type->is == RUST_ARRAY) return put_array(w, type);
  if (type->is == RUST_NUMBER) return rust_fail(w->rust, w->line, "a type was expected, found a number");
  return put_named(w, type);
}

static int put_field_type(struct writer *w, const struct rust_field *field) {
  const struct rust_type *type = field->type;
  const char *as = field->attribute;
  bool array = type->is == RUST_ARRAY;
  int result = 0;
  if (!as[0] || (strcmp(as, "string") == 0 && is_bytes(type))) return put_type(w, type);
  if (strcmp(as, "raw") == 0 && is_bytes(type)) return put(w, "raw(%llu)", (unsigned long long)type->number), 0;
  if (strcmp(as, "string_array") == 0 && array && is_bytes(type->args[0]))
    return put(w, "string_array(%llu, %llu)", (unsigned long long)type->number,
               (unsigned long long)type->args[0]->number), 0;
  if (strcmp(as, "atomic") == 0 && !array) put(w, "atomic("), result = put_type(w, type), put(w, ")");
  else if (strcmp(as, "vec") == 0 && array)
    put(w, "vec("), result = put_type(w, type->args[0]), put(w, ", %llu)", (unsigned long long)type->number);
  else if (strcmp(as, "segmented") == 0 && array) put(w, "segmented("), result = put_type(w, type->args[0]), put(w, ")");
  else return rust_fail(w->rust, field->line, "field '%s': #[mmap(%s)] does not go with its type", field->name, as);
  return result;
}

static int put_struct(struct writer *w, struct rust_item *item);

/* Structs that this type names come first. */
static int put_needed(struct writer *w, const struct rust_type *type) {
  int result = 0;
  for (int i = 0; i < type->nargs && !result; i++) result = put_needed(w, type->args[i]);
  if (result || type->is != RUST_NAMED) return result;
  for (uint32_t i = 0; i < w->rust->nitems; i++) {
    struct rust_item *item = &w->rust->items[i];
    if (item == rust_find(w->rust, type->name) && item->is == RUST_STRUCT) return put_struct(w, item);
  }
  return 0;
}

static int put_struct(struct writer *w, struct rust_item *item) {
  char name[2 * RUST_NAME];
  int result = 0;
  if (item->state == 2) return 0;
  if (item->state == 1) return rust_fail(w->rust, w->line, "struct '%s' contains itself", item->name);
  item->state = 1;
  const struct rust_field *fields = w->rust->fields + item->first;
  for (uint32_t i = 0; i < item->count && !result; i++) {
    w->line = fields[i].line;
    result = put_needed(w, fields[i].type);
  }
  unsigned number = name_of(w, item, name);
  if (number > 1) snprintf(w->note, RUST_NOTE, "there are %u structs '%s'; the last of them is %s here", number, item->name, name);
  put(w, "struct %s {\n", name);
  for (uint32_t i = 0; i < item->count && !result; i++) {
    w->line = fields[i].line;
    put(w, "  %s: ", fields[i].name);
    result = put_field_type(w, &fields[i]);
    put(w, "\n");
  }
  put(w, "}\n");
  item->state = 2;
  return result;
}

static int put_all(struct writer *w, const char *only) {
  int result = 0, count = 0;
  for (uint32_t i = 0; i < w->rust->nitems && !result; i++) {
    struct rust_item *item = &w->rust->items[i];
    char name[2 * RUST_NAME];
    if (item->is != RUST_STRUCT) continue;
    unsigned number = name_of(w, item, name);
    bool wanted = only ? strcmp(name, only) == 0 || (strcmp(item->name, only) == 0 && number == 1) : item->mapped;
    if (!wanted) continue;
    count++;
    result = put_struct(w, item);
  }
  if (result || count) return result;
  return only ? mm3_error_set(w->rust->error, -MM3_E_SCHEMA, "there is no struct '%s' with named fields", only)
              : mm3_error_set(w->rust->error, -MM3_E_SCHEMA, "there is no struct with #[mmap_struct]");
}

int rust_schema(const char *text, const char *only, struct mm3j_memory *out, char note[RUST_NOTE], struct mm3_error *error) {
  struct rust *r = calloc(1, sizeof *r);
  if (r) r->types = calloc(RUST_TYPES, sizeof *r->types);
  if (r) r->fields = calloc(RUST_FIELDS, sizeof *r->fields);
  int result = r && r->types && r->fields ? 0 : mm3_error_set(error, -ENOMEM, "not enough memory");
  if (!result) {
    r->at = text;
    r->error = error;
    result = rust_parse(r);
    struct writer w = {.rust = r, .out = out, .note = note};
    if (!result) result = put_all(&w, only);
    for (uint32_t i = 0; i < r->nitems; i++) free(r->items[i].words);
  }
  if (r) free(r->types), free(r->fields);
  free(r);
  return result;
}
