/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3show.h: for tests of kinds: a field by its path to text and from values, through the kind's table. */
#ifndef MM3_MM3SHOW_H
#define MM3_MM3SHOW_H

#include <inttypes.h>
#include <mm3/field.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct mm3_error show_error;

struct show {
  struct mm3_sink sink;
  char text[4096];
  size_t count;
  int first; /* no comma before the next item */
};

MM3_PRINTF(2, 3) MM3_UNUSED static int show_add(struct mm3_sink *sink, const char *format, ...) {
  struct show *show = (struct show *)(void *)sink;
  va_list arguments;
  if (!show->first) show->text[show->count++] = ',';
  show->first = 0;
  va_start(arguments, format);
  int count = vsnprintf(show->text + show->count, sizeof show->text - 1 - show->count, format, arguments);
  va_end(arguments);
  if (count > 0) show->count += (size_t)count;
  if (show->count > sizeof show->text - 2) show->count = sizeof show->text - 2;
  return 0;
}

static int show_hex(struct mm3_sink *sink, const char *name, const unsigned char *bytes, size_t count) {
  char hex[512];
  for (size_t i = 0; i < count && i < 255; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
  return show_add(sink, "%s:%.*s", name, (int)(2 * count), hex);
}

static int show_null(struct mm3_sink *s) { return show_add(s, "null"); }
static int show_boolean(struct mm3_sink *s, int value) { return show_add(s, "%s", value ? "true" : "false"); }
static int show_integer(struct mm3_sink *s, int64_t value) { return show_add(s, "%" PRId64, value); }
static int show_natural(struct mm3_sink *s, uint64_t value) { return show_add(s, "%" PRIu64, value); }
static int show_wide(struct mm3_sink *s, const char *text, size_t n) { return show_add(s, "%.*s", (int)n, text); }
static int show_real(struct mm3_sink *s, double value, int bits) { return show_add(s, "%.*g", bits / 4, value); }
static int show_text(struct mm3_sink *s, const char *text, size_t n) {
  if (memchr(text, 0, n)) return show_hex(s, "zeros", (const unsigned char *)text, n);
  return show_add(s, "\"%.*s\"", (int)n, text);
}
static int show_raw(struct mm3_sink *s, const void *bytes, size_t n) { return show_hex(s, "raw", bytes, n); }
static int show_damaged(struct mm3_sink *s, const void *bytes, size_t n) { return show_hex(s, "damaged", bytes, n); }
static int show_open(struct mm3_sink *s, const char *bracket) {
  show_add(s, "%s", bracket);
  ((struct show *)(void *)s)->first = 1;
  return 0;
}
static int show_close(struct mm3_sink *s, const char *bracket) {
  ((struct show *)(void *)s)->first = 1;
  return show_add(s, "%s", bracket);
}
static int show_list(struct mm3_sink *s, uint64_t count) { return (void)count, show_open(s, "["); }
static int show_list_end(struct mm3_sink *s) { return show_close(s, "]"); }
static int show_map(struct mm3_sink *s, uint64_t count) { return (void)count, show_open(s, "{"); }
static int show_map_end(struct mm3_sink *s) { return show_close(s, "}"); }
static int show_key(struct mm3_sink *s, const char *text, size_t n) {
  show_add(s, "%.*s=", (int)n, text);
  ((struct show *)(void *)s)->first = 1;
  return 0;
}

/* The value at `path` as text, or the code's name; the text lives until the next call. show_error has the sentence. */
MM3_UNUSED static const char *show(struct mm3_file *file, const char *path) {
  static struct show out;
  struct mm3_field field;
  out.sink = (struct mm3_sink){sizeof out.sink, show_null,    show_boolean, show_integer,  show_natural,
                               show_wide,       show_real,    show_text,    show_raw,      show_damaged,
                               show_list,       show_list_end, show_map,    show_key,      show_map_end};
  out.count = 0;
  out.first = 1;
  int result = mm3_field_find(file, path, &field, &show_error);
  if (result == 0) result = mm3_field_visit(&field, &out.sink, &show_error);
  if (result < 0) return mm3_error_name(result);
  out.text[out.count] = 0;
  return out.text;
}

/* put, add, check by path. */
MM3_UNUSED static int show_put(struct mm3_file *file, const char *path, struct mm3_value value) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &show_error);
  return result < 0 ? result : mm3_field_put(&field, &value, &show_error);
}

MM3_UNUSED static int show_sum(struct mm3_file *file, const char *path, struct mm3_value delta, char out[48]) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &show_error);
  return result < 0 ? result : mm3_field_add(&field, &delta, out, &show_error);
}

MM3_UNUSED static int show_check(struct mm3_file *file, const char *path) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &show_error);
  return result < 0 ? result : mm3_field_check(&field, &show_error);
}

/* Values to put. */
MM3_UNUSED static struct mm3_value an_int(int64_t i) { return (struct mm3_value){.is = MM3_INT, .as.integer = i}; }
MM3_UNUSED static struct mm3_value a_uint(uint64_t u) { return (struct mm3_value){.is = MM3_UINT, .as.natural = u}; }
MM3_UNUSED static struct mm3_value a_bool(int b) { return (struct mm3_value){.is = MM3_BOOL, .as.boolean = b}; }
MM3_UNUSED static struct mm3_value a_null(void) { return (struct mm3_value){.is = MM3_NULL}; }
MM3_UNUSED static struct mm3_value a_real(double r) { return (struct mm3_value){.is = MM3_REAL, .as.real = r}; }
MM3_UNUSED static struct mm3_value a_text_n(const char *text, size_t count) {
  return (struct mm3_value){.is = MM3_TEXT, .as.text = text, .count = count};
}
MM3_UNUSED static struct mm3_value a_text(const char *text) { return a_text_n(text, strlen(text)); }

#endif
