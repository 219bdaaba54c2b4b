/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rust_parse.c: finds structs, enums and constants in Rust text. No more of the language than declarations need. */
#include "rust_inside.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum token { END, WORD, NUMBER, TEXT, MARK };

struct reader {
  struct rust *rust;
  enum token token;
  char text[256]; /* of a word or mark, cut */
  uint64_t number;
};

int rust_fail(struct rust *rust, unsigned line, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return mm3_error_set(rust->error, -MM3_E_SCHEMA, "line %u: %s", line, text);
}

const struct rust_item *rust_find(const struct rust *rust, const char *name) {
  for (uint32_t i = rust->nitems; i-- > 0;)
    if (strcmp(rust->items[i].name, name) == 0) return &rust->items[i];
  return NULL;
}

static void skip_block_comment(struct rust *r) {
  unsigned depth = 0;
  do {
    if (r->at[0] == '/' && r->at[1] == '*') depth++, r->at += 2;
    else if (r->at[0] == '*' && r->at[1] == '/') depth--, r->at += 2;
    else r->line += *r->at++ == '\n';
  } while (depth && *r->at);
}

static void skip_blanks(struct rust *r) {
  for (;;) {
    if (isspace((unsigned char)*r->at)) r->line += *r->at++ == '\n';
    else if (r->at[0] == '/' && r->at[1] == '/') r->at += strcspn(r->at, "\n");
    else if (r->at[0] == '/' && r->at[1] == '*') skip_block_comment(r);
    else return;
  }
}

static void skip_quoted(struct rust *r) {
  for (r->at++; *r->at && *r->at != '"'; r->at++) {
    if (*r->at == '\\' && r->at[1]) r->at++;
    r->line += *r->at == '\n';
  }
  r->at += *r->at == '"';
}

/* 'x' or '\n', which is no lifetime. */
static bool skip_character(struct rust *r) {
  size_t length = r->at[1] == '\\' ? 2 + strcspn(r->at + 2, "'\n") : r->at[1] && r->at[2] == '\'' ? 2 : 0;
  if (!length || r->at[length] != '\'') return false;
  r->at += length + 1;
  return true;
}

/* A number such as 1_000usize or 0xff. */
static uint64_t read_number(struct rust *r) {
  bool hex = r->at[0] == '0' && r->at[1] == 'x';
  uint64_t number = 0;
  if (hex) r->at += 2;
  for (;; r->at++) {
    char c = *r->at;
    if (c >= '0' && c <= '9') number = number * (hex ? 16 : 10) + (uint64_t)(c - '0');
    else if (hex && isxdigit((unsigned char)c)) number = number * 16 + (uint64_t)(tolower((unsigned char)c) - 'a' + 10);
    else if (c != '_') break;
  }
  r->at += strspn(r->at, "iusze0123456789"); /* its type */
  return number;
}

static void next(struct reader *in) {
  struct rust *r = in->rust;
  skip_blanks(r);
  in->text[0] = in->text[1] = 0;
  if (!*r->at) in->token = END;
  else if (isdigit((unsigned char)*r->at)) {
    in->token = NUMBER;
    in->number = read_number(r);
  } else if (isalpha((unsigned char)*r->at) || *r->at == '_') {
    size_t length = strspn(r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    in->token = WORD;
    snprintf(in->text, sizeof in->text, "%.*s", (int)(length < 250 ? length : 250), r->at);
    r->at += length;
  } else if (*r->at == '"') {
    in->token = TEXT;
    skip_quoted(r);
  } else if (*r->at == '\'' && skip_character(r)) {
    in->token = TEXT;
  } else {
    in->token = MARK;
    in->text[0] = *r->at++;
  }
}

static bool is(const struct reader *in, const char *text) { return in->token != TEXT && strcmp(in->text, text) == 0; }

static int want(struct reader *in, const char *text) {
  if (!is(in, text)) return rust_fail(in->rust, in->rust->line, "expected '%s', found '%s'", text, in->text);
  next(in);
  return 0;
}

static int take_name(struct reader *in, char name[RUST_NAME]) {
  if (in->token != WORD || strlen(in->text) >= RUST_NAME)
    return rust_fail(in->rust, in->rust->line, "expected a name, found '%s'", in->text);
  strcpy(name, in->text);
  next(in);
  return 0;
}

/* From an opening mark, past the one that closes it. */
static void skip_group(struct reader *in) {
  int depth = 0;
  do {
    if (is(in, "(") || is(in, "[") || is(in, "{")) depth++;
    if (is(in, ")") || is(in, "]") || is(in, "}")) depth--;
    next(in);
  } while (depth && in->token != END);
}

static int take_number(struct reader *in, uint64_t *number) {
  if (in->token == NUMBER) {
    *number = in->number;
    next(in);
    return 0;
  }
  const struct rust_item *item = in->token == WORD ? rust_find(in->rust, in->text) : NULL;
  if (!item || item->is != RUST_CONST)
    return rust_fail(in->rust, in->rust->line, "expected a number or a constant declared before, found '%s'", in->text);
  *number = item->number;
  next(in);
  return 0;
}

static int take_type(struct reader *in, const struct rust_type **type, int depth);

static int take_arguments(struct reader *in, struct rust_type *type, int depth) {
  int result = 0;
  while (!result && !is(in, ">")) {
    if (type->nargs == RUST_ARGS) return rust_fail(in->rust, in->rust->line, "'%s' has too many arguments", type->name);
    result = take_type(in, &type->args[type->nargs++], depth + 1);
    if (!result && is(in, ",")) next(in);
    else if (!result && !is(in, ">")) return want(in, ">");
  }
  next(in);
  return result;
}

static int take_array(struct reader *in, struct rust_type *type, int depth) {
  type->is = RUST_ARRAY;
  type->nargs = 1;
  next(in);
  int result = take_type(in, &type->args[0], depth + 1);
  if (!result) result = want(in, ";");
  if (!result) result = take_number(in, &type->number);
  return result ? result : want(in, "]");
}

static int take_type(struct reader *in, const struct rust_type **to, int depth) {
  struct rust *r = in->rust;
  if (r->ntypes == RUST_TYPES || depth > RUST_DEPTH) return rust_fail(r, r->line, "too many types");
  struct rust_type *type = &r->types[r->ntypes++];
  *to = type;
  if (is(in, "[")) return take_array(in, type, depth);
  const struct rust_item *constant = in->token == WORD ? rust_find(r, in->text) : NULL;
  if (in->token == NUMBER || (constant && constant->is == RUST_CONST)) {
    type->is = RUST_NUMBER;
    return take_number(in, &type->number);
  }
  while (is(in, "&") || is(in, "'")) { /* a reference, a lifetime */
    bool lifetime = is(in, "'");
    next(in);
    if (lifetime) next(in);
  }
  int result = take_name(in, type->name);
  while (!result && is(in, ":")) { /* a path: the last name counts */
    next(in);
    if (!result) result = want(in, ":");
    if (!result && !is(in, "<")) result = take_name(in, type->name);
  }
  if (!result && is(in, "<")) {
    next(in);
    result = take_arguments(in, type, depth);
  }
  return result;
}

/* #[name(argument)]: whichever of the two strings are wanted. in is at '#'. */
static int take_attribute(struct reader *in, char name[RUST_NAME], char argument[RUST_NAME]) {
  next(in);
  if (is(in, "!")) next(in);
  if (!is(in, "[")) return 0;
  name[0] = argument[0] = 0;
  const char *mark = in->rust->at;
  unsigned line = in->rust->line;
  next(in);
  if (in->token == WORD) snprintf(name, RUST_NAME, "%.63s", in->text);
  next(in);
  if (is(in, "(")) next(in);
  if (in->token == WORD) snprintf(argument, RUST_NAME, "%.63s", in->text);
  in->rust->at = mark; /* once more, as a whole */
  in->rust->line = line;
  in->token = MARK;
  strcpy(in->text, "[");
  skip_group(in);
  return 0;
}

static void take_visibility(struct reader *in) {
  if (!is(in, "pub")) return;
  next(in);
  if (is(in, "(")) skip_group(in);
}

static int take_field(struct reader *in) {
  struct rust *r = in->rust;
  char attribute[RUST_NAME], argument[RUST_NAME];
  if (r->nfields == RUST_FIELDS) return rust_fail(r, r->line, "more than %d fields", RUST_FIELDS);
  struct rust_field *field = &r->fields[r->nfields++];
  *field = (struct rust_field){0};
  while (is(in, "#")) {
    take_attribute(in, attribute, argument);
    if (strcmp(attribute, "mmap") == 0) strcpy(field->attribute, argument);
  }
  take_visibility(in);
  field->line = r->line;
  int result = take_name(in, field->name);
  if (!result) result = want(in, ":");
  if (!result) result = take_type(in, &field->type, 0);
  if (!result && !is(in, "}")) result = want(in, ",");
  return result;
}

static struct rust_item *add_item(struct rust *r) {
  return r->nitems < RUST_ITEMS ? &r->items[r->nitems++] : NULL;
}

/* in is after `struct`. */
static int take_struct(struct reader *in, bool mapped) {
  struct rust *r = in->rust;
  struct rust_item item = {.is = RUST_STRUCT, .mapped = mapped, .first = r->nfields};
  int result = take_name(in, item.name);
  if (result || !is(in, "{")) return mapped ? rust_fail(r, r->line, "struct '%s' has no named fields", item.name) : 0;
  if (!mapped) { /* of others only those that could be nested matter: errors in them are none of ours */
    struct rust before = *r;
    struct mm3_error *error = r->error;
    r->error = NULL;
    next(in);
    while (!result && !is(in, "}") && in->token != END) result = take_field(in);
    r->error = error;
    if (result) {
      r->nfields = before.nfields;
      return 0;
    }
  } else {
    next(in);
    while (!result && !is(in, "}")) result = in->token == END ? want(in, "}") : take_field(in);
    if (result) return result;
  }
  item.count = r->nfields - item.first;
  struct rust_item *to = add_item(r);
  if (!to) return rust_fail(r, r->line, "too many items");
  *to = item;
  return 0;
}

/* in is after `enum`. */
static int take_enum(struct reader *in, const char *repr) {
  struct rust *r = in->rust;
  struct rust_item item = {.is = RUST_ENUM};
  struct mm3j_memory words = {0};
  char name[RUST_NAME], part[128];
  bool plain = true;
  if (take_name(in, item.name) || !is(in, "{")) return 0;
  next(in);
  const char *base = repr[0] == 'u' || repr[0] == 'i' ? repr : "u32";
  mm3j_emit_memory(&words, base, strlen(base));
  while (in->token != END && !is(in, "}")) {
    while (is(in, "#")) take_attribute(in, name, part);
    if (take_name(in, name)) break;
    uint64_t value = 0;
    bool valued = is(in, "=");
    if (valued) {
      next(in);
      plain = plain && take_number(in, &value) == 0;
    }
    if (is(in, "(") || is(in, "{")) plain = false, skip_group(in);
    if (valued) snprintf(part, sizeof part, ", %s=%llu", name, (unsigned long long)value);
    else snprintf(part, sizeof part, ", %s", name);
    mm3j_emit_memory(&words, part, strlen(part));
    if (is(in, ",")) next(in);
  }
  if (plain) item.words = words.text;
  else free(words.text);
  struct rust_item *to = add_item(r);
  if (to) *to = item;
  else free(item.words);
  return to ? 0 : rust_fail(r, r->line, "too many items");
}

/* in is after `const`: NAME: type = number; */
static int take_const(struct reader *in) {
  struct rust_item item = {.is = RUST_CONST};
  if (in->token != WORD || strlen(in->text) >= RUST_NAME) return 0;
  take_name(in, item.name);
  while (in->token != END && !is(in, "=") && !is(in, ";") && !is(in, "{")) next(in);
  if (!is(in, "=")) return 0;
  next(in);
  if (in->token != NUMBER) return 0;
  item.number = in->number;
  struct rust_item *to = add_item(in->rust);
  if (to) *to = item;
  return 0;
}

int rust_parse(struct rust *r) {
  struct reader in = {.rust = r};
  char name[RUST_NAME], argument[RUST_NAME], repr[RUST_NAME] = "";
  bool mapped = false;
  int result = 0;
  r->line = 1;
  next(&in);
  while (!result && in.token != END) {
    if (is(&in, "#")) {
      take_attribute(&in, name, argument);
      if (strcmp(name, "mmap_struct") == 0) mapped = true;
      if (strcmp(name, "repr") == 0) strcpy(repr, argument);
      continue;
    }
    if (is(&in, "pub")) {
      take_visibility(&in);
      continue;
    }
    bool is_struct = is(&in, "struct"), is_enum = is(&in, "enum"), is_const = is(&in, "const");
    next(&in);
    if (is_struct) result = take_struct(&in, mapped);
    else if (is_enum) result = take_enum(&in, repr);
    else if (is_const) result = take_const(&in);
    mapped = false;
    repr[0] = 0;
  }
  return result;
}
