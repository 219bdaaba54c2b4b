/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A program's descriptor (MM3_STRUCT) against a schema. The descriptor holds each type as the program wrote it, and a list
 * of items that the preprocessor could compute where text could not: the values of numbers, the descriptors of named
 * structs, the layout version of each kind's header. Walking both together gives the canonical text.
 */
#include "schema.h"
#include "sys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct mm3_desc *mm3_item_kind(void) { return NULL; }
const struct mm3_desc *mm3_item_number(void) { return NULL; }
const struct mm3_desc *mm3_item_rest(void) { return NULL; }
const struct mm3_desc *mm3_item_end(void) { return NULL; }

struct walk {
  const char *at;               /* in the text as written */
  mm3_desc_fn *const *item;
  struct mm3i_text *out;        /* the canonical text */
  const struct mm3_desc **seen; /* structs in the order in which they are needed */
  uint32_t nseen;
  unsigned depth;
  struct mm3_error *error;
};

static int misread(struct walk *w, const char *text) {
  return mm3_error_set(w->error, -MM3_E_SCHEMA, "the type '%.200s' is not written as a schema wants it (near '%.40s')", text,
                       w->at);
}

static void skip_blank(struct walk *w) {
  while (*w->at == ' ' || *w->at == '\t' || *w->at == '\n') w->at++;
}

static size_t word_length(const char *at) {
  size_t length = 0;
  while (isalnum((unsigned char)at[length]) || at[length] == '_') length++;
  return length;
}

/* An expression that stands for a number: up to the ',' or ')' that ends it. */
static void skip_expression(struct walk *w) {
  int depth = 0;
  for (; *w->at && (depth > 0 || (*w->at != ',' && *w->at != ')')); w->at++) depth += (*w->at == '(') - (*w->at == ')');
}

static int copy_rest(struct walk *w, const char *text) {
  while (*w->at && *w->at != ')') {
    skip_blank(w);
    size_t length = word_length(w->at);
    mm3i_text_add(w->out, w->at, length);
    w->at += length;
    skip_blank(w);
    if (*w->at == '=') {
      w->at++;
      skip_blank(w);
      length = word_length(w->at);
      if (length == 0 || !isdigit((unsigned char)*w->at))
        return mm3_error_set(w->error, -MM3_E_SCHEMA, "'%.200s': the value of a word must be written as a decimal number", text);
      mm3i_text_print(w->out, "=%.*s", (int)length, w->at);
      w->at += length;
      skip_blank(w);
    }
    if (*w->at == ',') mm3i_text_add(w->out, ", ", 2), w->at++;
    else if (*w->at != ')') return misread(w, text);
  }
  return 0;
}

static int walk_type(struct walk *w, const char *text);

static int walk_kind(struct walk *w, const char *text) {
  size_t length = word_length(w->at);
  char name[MM3I_MAX_NAME + 1];
  uint32_t version = (uint32_t)(uintptr_t)w->item[1];
  if (length == 0 || length > MM3I_MAX_NAME) return misread(w, text);
  memcpy(name, w->at, length);
  name[length] = 0;
  const struct mm3_kind *kind = mm3_kind_find(name, 0, NULL);
  if (kind && kind->layout_version != version)
    return mm3_error_set(w->error, -MM3_E_LAYOUT,
                         "'%.200s': the program was compiled with layout version %u of kind '%s', the module has version %u",
                         text, version, name, kind->layout_version);
  mm3i_text_add(w->out, name, length);
  w->at += length;
  w->item += 2;
  skip_blank(w);
  if (*w->at != '(') return 0;
  w->at++;
  mm3i_text_add(w->out, "(", 1);
  for (;;) {
    skip_blank(w);
    int result = *w->item == mm3_item_rest ? copy_rest(w, text) : walk_type(w, text);
    if (result < 0) return result;
    skip_blank(w);
    if (*w->item == mm3_item_rest && *w->at == ')') w->item++;
    if (*w->at == ')') break;
    if (*w->at++ != ',') return w->at--, misread(w, text);
    mm3i_text_add(w->out, ", ", 2);
  }
  w->at++;
  mm3i_text_add(w->out, ")", 1);
  return 0;
}

static int need_struct(struct walk *w, const struct mm3_desc *desc);

/* A struct, or a name that MM3_TYPEDEF gave to a type: then the type itself. */
static int walk_named(struct walk *w, const struct mm3_desc *desc) {
  w->at += word_length(w->at);
  w->item++;
  if (desc->name) {
    mm3i_text_add(w->out, desc->name, strlen(desc->name));
    return need_struct(w, desc);
  }
  struct walk inner = *w;
  inner.at = desc->fields[0].text;
  inner.item = desc->fields[0].items;
  inner.depth++;
  int result = walk_type(&inner, desc->fields[0].text);
  w->nseen = inner.nseen;
  return result;
}

static int walk_type(struct walk *w, const char *text) {
  if (w->depth > MM3I_MAX_DEPTH)
    return mm3_error_set(w->error, -MM3_E_SCHEMA, "'%.200s' nests types deeper than 16", text);
  skip_blank(w);
  if (*w->item == mm3_item_end) return misread(w, text);
  if (*w->item == mm3_item_number) {
    skip_expression(w);
    mm3i_text_print(w->out, "%llu", (unsigned long long)(uintptr_t)w->item[1]);
    w->item += 2;
    return 0;
  }
  if (*w->item == mm3_item_kind) {
    w->depth++;
    int result = walk_kind(w, text);
    w->depth--;
    return result;
  }
  if (*w->item) return walk_named(w, (*w->item)());
  size_t length = word_length(w->at); /* a scalar, or a bare word */
  if (length == 0) return misread(w, text);
  mm3i_text_add(w->out, w->at, length);
  w->at += length;
  w->item++;
  return 0;
}

/* Puts a struct, after those that it nests, into the list. */
static int need_struct(struct walk *w, const struct mm3_desc *desc) {
  struct mm3i_text nothing = {0};
  if (w->depth > MM3I_MAX_DEPTH)
    return mm3_error_set(w->error, -MM3_E_SCHEMA, "struct '%s' nests structs deeper than 16", desc->name);
  for (uint32_t i = 0; i < w->nseen; i++) {
    if (w->seen[i] == desc) return 0;
    if (strcmp(w->seen[i]->name, desc->name) == 0)
      return w->seen[i]->bytes == desc->bytes && w->seen[i]->nfields == desc->nfields
                 ? 0
                 : mm3_error_set(w->error, -MM3_E_SCHEMA, "two different structs are called '%s'", desc->name);
  }
  int result = 0;
  for (uint32_t i = 0; i < desc->nfields && result == 0; i++) {
    struct walk inner = {desc->fields[i].text, desc->fields[i].items, &nothing, w->seen, w->nseen, w->depth + 1, w->error};
    result = walk_type(&inner, desc->fields[i].text);
    w->nseen = inner.nseen;
  }
  mm3i_sys.free(nothing.bytes);
  if (result < 0) return result;
  if (w->nseen == MM3I_MAX_FIELDS) return mm3_error_set(w->error, -MM3_E_SCHEMA, "more than 4096 structs");
  w->seen[w->nseen++] = desc;
  return 0;
}

/* The schema's name of a field: what stands after its type as `, "name"`, or else the C name. */
static int field_name(struct walk *w, const struct mm3_desc_field *field, char name[MM3I_MAX_NAME + 1]) {
  const char *from = field->name;
  size_t length = strlen(field->name);
  skip_blank(w);
  if (*w->at == ',') {
    w->at++;
    skip_blank(w);
    length = *w->at == '"' ? word_length(w->at + 1) : 0;
    from = w->at + 1;
    if (length == 0 || from[length] != '"')
      return mm3_error_set(w->error, -MM3_E_SCHEMA, "field '%s': after its type comes nothing or a name in quotes", field->name);
  } else if (*w->at) {
    return misread(w, field->text);
  }
  if (length > MM3I_MAX_NAME) return mm3_error_set(w->error, -MM3_E_SCHEMA, "field '%s': its name is longer than 63 bytes", field->name);
  memcpy(name, from, length);
  name[length] = 0;
  return 0;
}

static int print_field(struct walk *outer, const struct mm3_desc_field *field, char name[MM3I_MAX_NAME + 1],
                       struct mm3i_text *type) {
  struct walk w = {field->text, field->items, type, outer->seen, outer->nseen, 0, outer->error};
  type->count = 0;
  int result = walk_type(&w, field->text);
  if (result == 0) result = field_name(&w, field, name);
  if (result < 0 && outer->error) snprintf(outer->error->field, sizeof outer->error->field, "%s", field->name);
  return type->failed ? mm3_error_set(outer->error, -ENOMEM, "out of memory") : result;
}

static int collect(struct walk *w, const struct mm3_desc *desc) {
  if (!desc || !desc->name) return mm3_error_set(w->error, -EINVAL, "the descriptor is not one of MM3_STRUCT");
  w->seen = mm3i_sys.calloc(MM3I_MAX_FIELDS, sizeof *w->seen);
  return w->seen ? need_struct(w, desc) : mm3_error_set(w->error, -ENOMEM, "out of memory");
}

int mm3i_desc_text(const struct mm3_desc *desc, char **text, struct mm3_error *error) {
  struct mm3i_text out = {0}, type = {0};
  struct walk w = {.error = error};
  char name[MM3I_MAX_NAME + 1];
  int result = collect(&w, desc);
  for (uint32_t s = 0; s < w.nseen && result == 0; s++) {
    mm3i_text_print(&out, "struct %s {\n", w.seen[s]->name);
    for (uint32_t i = 0; i < w.seen[s]->nfields && result == 0; i++) {
      result = print_field(&w, &w.seen[s]->fields[i], name, &type);
      if (result < 0) break;
      mm3i_text_print(&out, "  %s: ", name);
      mm3i_text_add(&out, type.bytes, type.count);
      mm3i_text_add(&out, "\n", 1);
    }
    mm3i_text_add(&out, "}\n", 2);
  }
  mm3i_sys.free(w.seen);
  mm3i_sys.free(type.bytes);
  if (result == 0 && out.failed) result = mm3_error_set(error, -ENOMEM, "out of memory");
  if (result < 0) mm3i_sys.free(out.bytes);
  else *text = out.bytes;
  return result;
}

static int say(struct walk *w, const char *field, const char *sentence) {
  if (w->error) snprintf(w->error->field, sizeof w->error->field, "%s", field);
  return mm3_error_set(w->error, -MM3_E_LAYOUT, "%s", sentence);
}

/* The schemas differ: that can be helped. */
static int say_other(struct walk *w, const char *field, const char *sentence) {
  if (w->error) snprintf(w->error->field, sizeof w->error->field, "%s", field);
  return mm3_error_set(w->error, -MM3_E_LAYOUT, "%s; mm3 migrate changes a file's schema", sentence);
}

static int agree_field(struct walk *w, const struct mm3_desc_field *field, const struct mm3i_row *row, struct mm3i_text *type) {
  char name[MM3I_MAX_NAME + 1], sentence[900];
  int result = print_field(w, field, name, type);
  if (result < 0) return result;
  if (strcmp(name, row->name) != 0)
    snprintf(sentence, sizeof sentence, "the program declares '%s: %.300s' where the file has '%s: %.300s'", name, type->bytes,
             row->name, row->text);
  else if (strcmp(type->bytes, row->text) != 0)
    snprintf(sentence, sizeof sentence, "field '%s': the program declares %.380s, the file has %.380s", name, type->bytes,
             row->text);
  else if (field->offset == row->offset && field->size == row->size) return 0;
  else {
    snprintf(sentence, sizeof sentence,
             "field '%s' (%.300s): the program's compiler put %llu bytes at offset %llu, its module wants %llu at %llu", name,
             row->text, (unsigned long long)field->size, (unsigned long long)field->offset, (unsigned long long)row->size,
             (unsigned long long)row->offset);
    return say(w, name, sentence);
  }
  return say_other(w, name, sentence);
}

static int agree_struct(struct walk *w, const struct mm3_desc *desc, const struct mm3i_schema *schema,
                        const struct mm3i_struct *s, struct mm3i_text *type) {
  char sentence[400], name[MM3I_MAX_NAME + 1];
  if (strcmp(desc->name, s->name) != 0) {
    snprintf(sentence, sizeof sentence, "the program declares struct '%s' where the file has struct '%s'", desc->name, s->name);
    return say_other(w, "", sentence);
  }
  for (uint32_t i = 0; i < desc->nfields && i < s->nrows; i++) {
    int result = agree_field(w, &desc->fields[i], &schema->rows[s->first_row + i], type);
    if (result < 0) return result;
  }
  if (desc->nfields > s->nrows) {
    int result = print_field(w, &desc->fields[s->nrows], name, type);
    if (result < 0) return result;
    snprintf(sentence, sizeof sentence, "the program declares '%s: %.200s', which the file does not have", name, type->bytes);
    return say_other(w, name, sentence);
  }
  if (desc->nfields < s->nrows) {
    const struct mm3i_row *row = &schema->rows[s->first_row + desc->nfields];
    snprintf(sentence, sizeof sentence, "the file has '%s: %.200s', which the program does not declare", row->name, row->text);
    return say_other(w, row->name, sentence);
  }
  if (desc->bytes == s->type->size) return 0;
  snprintf(sentence, sizeof sentence, "struct '%s' has %llu bytes in the program and %llu in the file", s->name,
           (unsigned long long)desc->bytes, (unsigned long long)s->type->size);
  return say(w, "", sentence);
}

int mm3i_desc_agree(const struct mm3_desc *desc, const struct mm3i_schema *schema, struct mm3_error *error) {
  struct walk w = {.error = error};
  struct mm3i_text type = {0};
  int result = collect(&w, desc);
  /* the root first: what differs in it explains more than a nested struct that differs */
  if (result == 0 && strcmp(desc->name, schema->structs[schema->nstructs - 1].name) != 0)
    result = agree_struct(&w, desc, schema, &schema->structs[schema->nstructs - 1], &type);
  for (uint32_t s = 0; s < w.nseen && result == 0; s++) {
    const struct mm3i_struct *stored = w.nseen == schema->nstructs ? &schema->structs[s] : NULL;
    for (uint32_t i = 0; i < schema->nstructs && w.nseen != schema->nstructs; i++)
      if (strcmp(schema->structs[i].name, w.seen[s]->name) == 0) stored = &schema->structs[i];
    if (stored) result = agree_struct(&w, w.seen[s], schema, stored, &type);
  }
  if (result == 0 && w.nseen != schema->nstructs)
    result = mm3_error_set(error, -MM3_E_LAYOUT, "the program declares %u structs, the file has %u; mm3 migrate changes a file's schema",
                           w.nseen, schema->nstructs);
  mm3i_sys.free(w.seen);
  mm3i_sys.free(type.bytes);
  return result;
}
