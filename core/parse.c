/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The text of a schema, read into nodes:
 *
 *     schema := { "struct" NAME "{" { NAME ":" type [ "," | ";" ] } "}" }
 *     type   := NAME [ "(" arg { "," arg } ")" ]
 *     arg    := type | INTEGER | NAME "=" INTEGER
 *
 * A comment runs from # or // to the end of its line.
 */
#include "schema.h"
#include "sys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reader {
  struct mm3i_arena *arena;
  const char *at, *end, *line_start;
  uint32_t line;
  struct mm3_error *error;
};

static void skip_blank(struct reader *r) {
  while (r->at < r->end) {
    char c = *r->at;
    bool comment = c == '#' || (c == '/' && r->end - r->at > 1 && r->at[1] == '/');
    if (comment) {
      while (r->at < r->end && *r->at != '\n') r->at++;
    } else if (c == '\n') {
      r->at++, r->line++, r->line_start = r->at;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      r->at++;
    } else {
      return;
    }
  }
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static uint32_t column(const struct reader *r) { return (uint32_t)(r->at - r->line_start) + 1; }

static int expected(struct reader *r, const char *what) {
  char found[32] = "the end";
  size_t length = 0, rest = (size_t)(r->end - r->at);
  if (rest > 0 && (is_letter(*r->at) || is_digit(*r->at))) {
    while (length < rest && (is_letter(r->at[length]) || is_digit(r->at[length]))) length++;
    snprintf(found, sizeof found, "'%.*s'", length > 24 ? 24 : (int)length, r->at);
  } else if (rest > 0) {
    bool printable = *r->at > ' ' && *r->at < 127;
    snprintf(found, sizeof found, printable ? "'%c'" : "the byte 0x%02x", printable ? *r->at : (unsigned char)*r->at);
  }
  return mm3_error_set(r->error, -MM3_E_SCHEMA, "schema, line %u, column %u: expected %s, found %s", r->line, column(r),
                       what, found);
}

static bool accept(struct reader *r, char c) {
  skip_blank(r);
  if (r->at == r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static int read_name(struct reader *r, const char **name, const char *what) {
  const char *start;
  skip_blank(r);
  start = r->at;
  if (r->at == r->end || !is_letter(*r->at)) return expected(r, what);
  while (r->at < r->end && (is_letter(*r->at) || is_digit(*r->at))) r->at++;
  size_t length = (size_t)(r->at - start);
  if (length > MM3I_MAX_NAME) {
    r->at = start;
    return expected(r, "a name of at most 63 bytes");
  }
  *name = mm3i_arena_dup(r->arena, start, length);
  return *name ? 0 : mm3_error_set(r->error, -ENOMEM, "out of memory");
}

static int read_number(struct reader *r, uint64_t *number) {
  const char *start;
  uint64_t value = 0;
  skip_blank(r);
  start = r->at;
  for (; r->at < r->end && is_digit(*r->at); r->at++) {
    uint64_t digit = (uint64_t)(*r->at - '0');
    if (value > (UINT64_MAX - digit) / 10) {
      r->at = start;
      return expected(r, "a number of at most 64 bits");
    }
    value = value * 10 + digit;
  }
  if (r->at == start || (r->at < r->end && is_letter(*r->at))) {
    r->at = start;
    return expected(r, "a number");
  }
  *number = value;
  return 0;
}

static int read_type(struct reader *r, struct mm3i_node **out, unsigned depth, const char *what);

static int read_arg(struct reader *r, struct mm3i_node **out, unsigned depth) {
  skip_blank(r);
  if (r->at == r->end || !is_digit(*r->at)) return read_type(r, out, depth, "a type, a number or a word");
  struct mm3i_node *node = mm3i_arena_alloc(r->arena, sizeof *node);
  if (!node) return mm3_error_set(r->error, -ENOMEM, "out of memory");
  node->line = r->line, node->column = column(r);
  *out = node;
  return read_number(r, &node->number);
}

static int read_type(struct reader *r, struct mm3i_node **out, unsigned depth, const char *what) {
  struct mm3i_node *node = mm3i_arena_alloc(r->arena, sizeof *node);
  if (!node) return mm3_error_set(r->error, -ENOMEM, "out of memory");
  if (depth > MM3I_MAX_DEPTH) return expected(r, "types nested at most 16 deep");
  skip_blank(r);
  node->line = r->line, node->column = column(r);
  int result = read_name(r, &node->name, what);
  if (result < 0) return result;
  *out = node;
  if (accept(r, '=')) {
    node->has_number = true;
    return read_number(r, &node->number);
  }
  if (!accept(r, '(')) return 0;
  node->has_args = true;
  struct mm3i_node **last = &node->args;
  do {
    result = read_arg(r, last, depth + 1);
    if (result < 0) return result;
    last = &(*last)->next;
  } while (accept(r, ','));
  return accept(r, ')') ? 0 : expected(r, "',' or ')'");
}

static int read_field(struct reader *r, struct mm3i_node_field **out) {
  struct mm3i_node_field *field = mm3i_arena_alloc(r->arena, sizeof *field);
  if (!field) return mm3_error_set(r->error, -ENOMEM, "out of memory");
  *out = field;
  skip_blank(r);
  field->line = r->line, field->column = column(r);
  int result = read_name(r, &field->name, "a field's name or '}'");
  if (result < 0) return result;
  if (!accept(r, ':')) return expected(r, "':' and a type");
  const char *type_start = r->at;
  result = read_type(r, &field->type, 1, "a type");
  if (result < 0) return result;
  if (field->type->has_number) return expected(r, "a type without '='");
  if (r->at - type_start > MM3I_MAX_TYPE_TEXT) return expected(r, "a type of at most 4096 bytes");
  if (!accept(r, ',')) accept(r, ';');
  return 0;
}

static int read_struct(struct reader *r, struct mm3i_node_struct **out) {
  const char *word;
  struct mm3i_node_struct *block = mm3i_arena_alloc(r->arena, sizeof *block);
  if (!block) return mm3_error_set(r->error, -ENOMEM, "out of memory");
  skip_blank(r);
  block->line = r->line, block->column = column(r);
  const char *start = r->at;
  int result = read_name(r, &word, "'struct'");
  if (result < 0) return result;
  if (strcmp(word, "struct") != 0) {
    r->at = start;
    return expected(r, "'struct'");
  }
  result = read_name(r, &block->name, "the struct's name");
  if (result < 0) return result;
  if (!accept(r, '{')) return expected(r, "'{'");
  struct mm3i_node_field **last = &block->fields;
  while (!accept(r, '}')) {
    result = read_field(r, last);
    if (result < 0) return result;
    last = &(*last)->next;
    if (++block->nfields > MM3I_MAX_FIELDS) return expected(r, "at most 4096 fields");
  }
  if (block->nfields == 0) return r->at--, expected(r, "at least one field");
  *out = block;
  return 0;
}

int mm3i_parse(struct mm3i_arena *arena, const char *text, size_t size, struct mm3i_node_struct **structs,
               struct mm3_error *error) {
  struct reader r = {arena, text, text + size, text, 1, error};
  struct mm3i_node_struct **last = structs;
  uint32_t count = 0;
  if (size > MM3I_MAX_SCHEMA) return mm3_error_set(error, -MM3_E_SCHEMA, "schema: %zu bytes; at most 1 MiB is taken", size);
  do {
    int result = read_struct(&r, last);
    if (result < 0) return result;
    last = &(*last)->next;
    skip_blank(&r);
    if (++count > MM3I_MAX_FIELDS) return expected(&r, "at most 4096 structs");
  } while (r.at < r.end);
  return 0;
}

void mm3i_text_add(struct mm3i_text *text, const char *bytes, size_t count) {
  if (text->failed) return;
  if (text->room - text->count <= count) {
    size_t room = 2 * (text->count + count + 64);
    char *more = mm3i_sys.realloc(text->bytes, room);
    if (!more) {
      text->failed = true;
      return;
    }
    text->bytes = more;
    text->room = room;
  }
  memcpy(text->bytes + text->count, bytes, count);
  text->count += count;
  text->bytes[text->count] = 0;
}

void mm3i_text_print(struct mm3i_text *text, const char *format, ...) {
  char piece[256];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(piece, sizeof piece, format, args);
  va_end(args);
  if (length > 0) mm3i_text_add(text, piece, (size_t)length < sizeof piece ? (size_t)length : sizeof piece - 1);
}

void mm3i_node_print(struct mm3i_text *text, const struct mm3i_node *node) {
  if (node->name) mm3i_text_add(text, node->name, strlen(node->name));
  if (node->has_number) mm3i_text_add(text, "=", 1);
  if (node->has_number || !node->name) mm3i_text_print(text, "%llu", (unsigned long long)node->number);
  if (!node->has_args) return;
  mm3i_text_add(text, "(", 1);
  for (const struct mm3i_node *arg = node->args; arg; arg = arg->next) {
    mm3i_node_print(text, arg);
    if (arg->next) mm3i_text_add(text, ", ", 2);
  }
  mm3i_text_add(text, ")", 1);
}
