/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_in.c: JSON text to values. Texts are unescaped in place in a copy of the input, which never grows by that; items
 * gather on a stack and move to their own array when their list or map ends. */
#include "json_in.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 512, WIDEST_INTEGER = 39 };

struct chunk {
  struct chunk *next;
  struct mm3_value values[];
};

struct mm3j_doc {
  struct mm3_value value;
  char *text;
  struct chunk *chunks;
  size_t chunk_used, chunk_size;
};

struct parser {
  struct mm3j_doc *doc;
  const char *original; /* the text as it came, for lines and columns */
  char *start, *at, *end;
  struct mm3_value *stack;
  size_t used, size;
  unsigned depth;
  struct mm3_error *error;
};

struct mm3_value mm3j_text(const char *text, size_t count) {
  return (struct mm3_value){.is = MM3_TEXT, .as.text = text, .count = count};
}

const struct mm3_value *mm3j_value(const struct mm3j_doc *doc) { return &doc->value; }

void mm3j_free(struct mm3j_doc *doc) {
  if (!doc) return;
  for (struct chunk *next, *chunk = doc->chunks; chunk; chunk = next) {
    next = chunk->next;
    free(chunk);
  }
  free(doc->text);
  free(doc);
}

static int next_item(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  size_t step = of->is == MM3_MAP ? 2 : 1;
  const struct mm3_value *items = of->node, *at = *cursor ? *cursor : items;
  if (of->count == 0 || at == items + of->count * step) return 0;
  if (step == 2) *key = at[0];
  *item = at[step - 1];
  union {
    const struct mm3_value *here;
    void *cursor;
  } after = {at + step};
  *cursor = after.cursor;
  return 1;
}

static const struct mm3_value_source json_source = {next_item};

static int no_memory(struct parser *p) { return mm3_error_set(p->error, -ENOMEM, "not enough memory for the JSON text"); }

/* Line and column (in characters, from 1) of a place, then what is the matter there. */
static int refuse(struct parser *p, const char *at, const char *what) {
  size_t line = 1, column = 1;
  for (const char *c = p->original, *stop = c + (at - p->start); c < stop; c++) {
    if (*c == '\n') line++, column = 1;
    else if (((unsigned char)*c & 0xC0) != 0x80) column++;
  }
  return mm3_error_set(p->error, -MM3_E_VALUE, "JSON, line %zu, column %zu: %s", line, column, what);
}

static int expected(struct parser *p, const char *what) {
  char text[160];
  unsigned char c = p->at < p->end ? (unsigned char)*p->at : 0;
  if (p->at == p->end) snprintf(text, sizeof text, "expected %s, but the text ends here", what);
  else if (c < 0x20 || c > 0x7e) snprintf(text, sizeof text, "expected %s, found the byte 0x%02x", what, c);
  else snprintf(text, sizeof text, "expected %s, found '%c'", what, c);
  return refuse(p, p->at, text);
}

static void blanks(struct parser *p) {
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')) p->at++;
}

static int push(struct parser *p, const struct mm3_value *value) {
  if (p->used == p->size) {
    size_t size = p->size ? p->size * 2 : 64;
    struct mm3_value *stack = realloc(p->stack, size * sizeof *stack);
    if (!stack) return no_memory(p);
    p->stack = stack;
    p->size = size;
  }
  p->stack[p->used++] = *value;
  return 0;
}

/* Moves the stack's last `count` values to an array that lives as long as the document. */
static int settle(struct parser *p, size_t count, const struct mm3_value **array) {
  struct mm3j_doc *doc = p->doc;
  *array = NULL;
  if (!count) return 0;
  if (doc->chunk_size - doc->chunk_used < count) {
    size_t size = doc->chunk_size < 1024 ? doc->chunk_size * 2 + 16 : 2048;
    if (size < count) size = count;
    struct chunk *chunk = malloc(sizeof *chunk + size * sizeof chunk->values[0]);
    if (!chunk) return no_memory(p);
    chunk->next = doc->chunks;
    doc->chunks = chunk;
    doc->chunk_size = size;
    doc->chunk_used = 0;
  }
  struct mm3_value *values = doc->chunks->values + doc->chunk_used;
  memcpy(values, p->stack + p->used - count, count * sizeof *values);
  doc->chunk_used += count;
  p->used -= count;
  *array = values;
  return 0;
}

static int hex4(struct parser *p, uint32_t *code) {
  *code = 0;
  for (int i = 0; i < 4; i++, p->at++) {
    char c = p->at < p->end ? *p->at : 0;
    uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
    if (digit == 16) return expected(p, "four hex digits after \\u");
    *code = *code << 4 | digit;
  }
  return 0;
}

static int unicode_escape(struct parser *p, char **out) {
  const char *begin = p->at - 2;
  uint32_t code, low;
  int result = hex4(p, &code);
  if (result) return result;
  if (code >= 0xD800 && code < 0xDC00 && p->end - p->at >= 2 && p->at[0] == '\\' && p->at[1] == 'u') {
    p->at += 2;
    if ((result = hex4(p, &low))) return result;
    if (low < 0xDC00 || low > 0xDFFF) return refuse(p, begin, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (code >= 0xD800 && code < 0xE000) return refuse(p, begin, "half of a surrogate pair");
  char bytes[4];
  size_t count = mm3_utf8_encode(code, bytes);
  memcpy(*out, bytes, count);
  *out += count;
  return 0;
}

/* p->at is after the opening quote. */
static int parse_text(struct parser *p, struct mm3_value *value) {
  char *begin = p->at, *out = begin;
  for (;;) {
    char *run = p->at;
    while (p->at < p->end && *p->at != '"' && *p->at != '\\' && (unsigned char)*p->at >= 0x20) p->at++;
    size_t length = (size_t)(p->at - run);
    if (!mm3_utf8_valid(run, length)) return refuse(p, run, "the text is not well-formed UTF-8");
    if (out != run) memmove(out, run, length);
    out += length;
    if (p->at == p->end || (unsigned char)*p->at < 0x20) return expected(p, "the text's closing quote");
    if (*p->at++ == '"') break;
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = p->at < p->end ? *p->at : 0;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
      *out++ = meanings[letter - letters];
      p->at++;
    } else if (c == 'u') {
      p->at++;
      int result = unicode_escape(p, &out);
      if (result) return result;
    } else {
      return expected(p, "one of \" \\ / b f n r t u after a backslash");
    }
  }
  *out = 0;
  *value = mm3j_text(begin, (size_t)(out - begin));
  return 0;
}

static size_t digits(struct parser *p) {
  char *begin = p->at;
  while (p->at < p->end && *p->at >= '0' && *p->at <= '9') p->at++;
  return (size_t)(p->at - begin);
}

static void integer_value(const char *begin, size_t count, bool negative, struct mm3_value *value) {
  uint64_t number = 0;
  for (size_t i = negative; i < count; i++) {
    uint64_t digit = (uint64_t)(begin[i] - '0');
    if (number > (UINT64_MAX - digit) / 10) {
      *value = mm3j_text(begin, count);
      return;
    }
    number = number * 10 + digit;
  }
  if (negative && number > (uint64_t)INT64_MAX + 1) *value = mm3j_text(begin, count);
  else if (negative) *value = (struct mm3_value){.is = MM3_INT, .as.integer = (int64_t)-number};
  else if (number <= INT64_MAX) *value = (struct mm3_value){.is = MM3_INT, .as.integer = (int64_t)number};
  else *value = (struct mm3_value){.is = MM3_UINT, .as.natural = number};
}

static int parse_number(struct parser *p, struct mm3_value *value) {
  char *begin = p->at;
  bool negative = *begin == '-', real = false;
  p->at += negative;
  if (p->at < p->end && *p->at == '0') p->at++;
  else if (!digits(p)) return expected(p, "a digit");
  size_t count = (size_t)(p->at - begin);
  if (p->at < p->end && *p->at == '.') {
    real = true;
    p->at++;
    if (!digits(p)) return expected(p, "a digit after the decimal point");
  }
  if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
    real = true;
    p->at++;
    if (p->at < p->end && (*p->at == '+' || *p->at == '-')) p->at++;
    if (!digits(p)) return expected(p, "a digit in the exponent");
  }
  if (!real && count - negative <= WIDEST_INTEGER) {
    integer_value(begin, count, negative, value);
    return 0;
  }
  /* strtod stops by itself: what follows a number is none of its characters, and the copy ends with a zero byte. */
  *value = (struct mm3_value){.is = MM3_REAL, .as.real = strtod(begin, NULL)};
  return isfinite(value->as.real) ? 0 : refuse(p, begin, "the number is beyond the range of a double");
}

static int parse_value(struct parser *p, struct mm3_value *value);

static int compare_keys(const void *a, const void *b) {
  const struct mm3_value *x = *(const struct mm3_value *const *)a, *y = *(const struct mm3_value *const *)b;
  int order = memcmp(x->as.text, y->as.text, x->count < y->count ? x->count : y->count);
  return order ? order : (x->count > y->count) - (x->count < y->count);
}

static int refuse_twins(struct parser *p, const struct mm3_value *pairs, size_t count) {
  if (count < 2) return 0;
  const struct mm3_value **keys = malloc(count * sizeof(*keys)), *twin = NULL;
  if (!keys) return no_memory(p);
  for (size_t i = 0; i < count; i++) keys[i] = &pairs[2 * i];
  qsort(keys, count, sizeof(*keys), compare_keys);
  for (size_t i = 1; i < count && !twin; i++)
    if (compare_keys(&keys[i - 1], &keys[i]) == 0) twin = keys[i - 1] > keys[i] ? keys[i - 1] : keys[i];
  free(keys);
  if (!twin) return 0;
  char text[128];
  int shown = (int)mm3_utf8_cut(twin->as.text, twin->count, 60);
  snprintf(text, sizeof text, "the key \"%.*s\" is there twice", shown, twin->as.text);
  return refuse(p, twin->as.text, text);
}

static int parse_key(struct parser *p) {
  struct mm3_value key;
  blanks(p);
  if (p->at == p->end || *p->at != '"') return expected(p, "a key in quotes");
  p->at++;
  int result = parse_text(p, &key);
  if (!result) result = push(p, &key);
  blanks(p);
  if (!result && (p->at == p->end || *p->at != ':')) return expected(p, "':'");
  p->at++;
  return result;
}

/* p->at is after the opening bracket. */
static int parse_items(struct parser *p, bool map, struct mm3_value *value) {
  const char closing = map ? '}' : ']';
  struct mm3_value item;
  size_t count = 0;
  int result = 0;
  blanks(p);
  bool more = p->at == p->end || *p->at != closing;
  if (!more) p->at++;
  while (more) {
    if (map && (result = parse_key(p))) return result;
    if ((result = parse_value(p, &item)) || (result = push(p, &item))) return result;
    count++;
    blanks(p);
    more = p->at < p->end && *p->at == ',';
    if (!more && (p->at == p->end || *p->at != closing)) return expected(p, map ? "',' or '}'" : "',' or ']'");
    p->at++;
  }
  *value = (struct mm3_value){.is = map ? MM3_MAP : MM3_LIST, .count = count, .source = &json_source};
  const struct mm3_value *array;
  result = settle(p, map ? count * 2 : count, &array);
  value->node = array;
  return result || !map ? result : refuse_twins(p, array, count);
}

static int parse_word(struct parser *p, struct mm3_value *value) {
  size_t left = (size_t)(p->end - p->at);
  if (left >= 4 && memcmp(p->at, "true", 4) == 0) *value = (struct mm3_value){.is = MM3_BOOL, .as.boolean = 1};
  else if (left >= 5 && memcmp(p->at, "false", 5) == 0) *value = (struct mm3_value){.is = MM3_BOOL};
  else if (left >= 4 && memcmp(p->at, "null", 4) == 0) *value = (struct mm3_value){.is = MM3_NULL};
  else return expected(p, "a value");
  p->at += *p->at == 'f' ? 5 : 4;
  return 0;
}

static int parse_value(struct parser *p, struct mm3_value *value) {
  blanks(p);
  char c = p->at < p->end ? *p->at : 0;
  if (c == '"') {
    p->at++;
    return parse_text(p, value);
  }
  if (c == '-' || (c >= '0' && c <= '9')) return parse_number(p, value);
  if (c != '[' && c != '{') return parse_word(p, value);
  if (p->depth == MAX_DEPTH) return refuse(p, p->at, "nested deeper than 512");
  p->at++;
  p->depth++;
  int result = parse_items(p, c == '{', value);
  p->depth--;
  return result;
}

int mm3j_parse(const char *text, size_t count, struct mm3j_doc **doc, struct mm3_error *error) {
  struct parser p = {.error = error, .original = text, .doc = calloc(1, sizeof *p.doc)};
  *doc = NULL;
  if (p.doc) p.doc->text = malloc(count + 1);
  if (!p.doc || !p.doc->text) {
    mm3j_free(p.doc);
    return no_memory(&p);
  }
  memcpy(p.doc->text, text, count);
  p.doc->text[count] = 0;
  p.start = p.at = p.doc->text;
  p.end = p.at + count;
  int result = parse_value(&p, &p.doc->value);
  blanks(&p);
  if (!result && p.at != p.end) result = expected(&p, "nothing more");
  free(p.stack);
  if (result) mm3j_free(p.doc);
  else *doc = p.doc;
  return result;
}
