/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_out.c: values to JSON text. */
#include "json_out.h"
#include <errno.h>
#include <math.h>
#include <string.h>

#define WRITER(sink) ((struct mm3j_writer *)(void *)(sink)) /* the sink is the writer's first member */

int mm3j_emit_file(void *arg, const char *bytes, size_t count) {
  errno = 0;
  if (fwrite(bytes, 1, count, arg) == count) return 0;
  return errno ? -errno : -EIO;
}

int mm3j_writer_flush(struct mm3j_writer *w) {
  size_t used = w->used;
  w->used = 0;
  return used ? w->emit(w->arg, w->buffer, used) : 0;
}

/* Space for `count` bytes, at most 256. */
static inline int need(struct mm3j_writer *w, size_t count) {
  return w->size - w->used >= count ? 0 : mm3j_writer_flush(w);
}

static inline void put(struct mm3j_writer *w, const char *bytes, size_t count) {
  memcpy(w->buffer + w->used, bytes, count);
  w->used += count;
  w->written += count;
}

int mm3j_write(struct mm3j_writer *w, const char *bytes, size_t count) {
  while (count > w->size - w->used) {
    size_t part = w->size - w->used;
    put(w, bytes, part);
    bytes += part;
    count -= part;
    int result = mm3j_writer_flush(w);
    if (result) return result;
  }
  put(w, bytes, count);
  return 0;
}

static int new_line(struct mm3j_writer *w) {
  static const char spaces[] = "                                ";
  int result = mm3j_write(w, "\n", 1);
  for (size_t count = (size_t)w->indent * w->depth, part; !result && count; count -= part) {
    part = count < sizeof spaces - 1 ? count : sizeof spaces - 1;
    result = mm3j_write(w, spaces, part);
  }
  return result;
}

/* What stands before an item; leaves space for a number after it. */
static inline int begin(struct mm3j_writer *w) {
  int result = 0;
  if (w->after_key) w->after_key = false;
  else if (w->indent && w->depth) {
    if (w->comma) result = mm3j_write(w, ",", 1);
    if (!result) result = new_line(w);
  } else if (w->comma) {
    result = w->flat && w->depth == 1 ? mm3j_write(w, "\n", 1) : mm3j_write(w, ", ", 2);
  }
  return result ? result : need(w, 128);
}

static inline int end(struct mm3j_writer *w) {
  w->comma = true;
  return w->flat == '{' && w->depth == 1 && w->style == MM3J_LINES ? mm3j_write(w, "}", 1) : 0;
}

static inline int word(struct mm3j_writer *w, const char *text, size_t count) {
  int result = begin(w);
  if (!result) result = mm3j_write(w, text, count);
  return result ? result : end(w);
}

/* Whether a number's text goes without quotes where JSON would want them. */
static bool bare_number(const struct mm3j_writer *w) { return w->style >= MM3J_HUMAN && w->depth <= 1; }

static int quoted(struct mm3j_writer *w, const char *text, size_t count) {
  int result = begin(w);
  bool bare = bare_number(w);
  if (!result && !bare) result = mm3j_write(w, "\"", 1);
  if (!result) result = mm3j_write(w, text, count);
  if (!result && !bare) result = mm3j_write(w, "\"", 1);
  return result ? result : end(w);
}

static int out_null(struct mm3_sink *sink) { return word(WRITER(sink), "null", 4); }

static int out_boolean(struct mm3_sink *sink, int value) {
  return value ? word(WRITER(sink), "true", 4) : word(WRITER(sink), "false", 5);
}

/* Decimal digits, written backwards; returns where they begin. */
static char *decimal(uint64_t value, char *end_of_text) {
  static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                              "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                              "8081828384858687888990919293949596979899";
  char *at = end_of_text;
  for (; value >= 100; value /= 100) memcpy(at -= 2, pairs + value % 100 * 2, 2);
  if (value >= 10) memcpy(at -= 2, pairs + value * 2, 2);
  else *--at = (char)('0' + value);
  return at;
}

static int out_integer(struct mm3_sink *sink, int64_t value) {
  char text[24], *end_of_text = text + sizeof text;
  char *at = decimal(value < 0 ? -(uint64_t)value : (uint64_t)value, end_of_text);
  if (value < 0) *--at = '-';
  return word(WRITER(sink), at, (size_t)(end_of_text - at));
}

static int out_natural(struct mm3_sink *sink, uint64_t value) {
  char text[24], *end_of_text = text + sizeof text;
  char *at = decimal(value, end_of_text);
  return quoted(WRITER(sink), at, (size_t)(end_of_text - at));
}

static int out_wide(struct mm3_sink *sink, const char *text, size_t count) { return quoted(WRITER(sink), text, count); }

static int out_real(struct mm3_sink *sink, double value, int bits) {
  char text[MM3J_NUMBER];
  size_t count = mm3j_real(value, bits, text);
  return isfinite(value) ? word(WRITER(sink), text, count) : quoted(WRITER(sink), text, count);
}

static const char hex_digits[] = "0123456789abcdef";

/* Bytes that JSON wants escaped: 'u' as \u00XX, others by that letter; 0 stands as it is. */
static const char json_escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    ['"'] = '"', ['\\'] = '\\'};

/* In tab-separated lines, and bare on a terminal, where only the control characters other than a line's end matter. */
static char escape_of(unsigned char c, bool json, bool plain) {
  if (json) return json_escapes[c];
  if (c == '\\') return plain ? '\\' : 0;
  if (c == '\n' && !plain) return 0;
  return c == 0 ? '0' : c == '\t' ? plain ? 't' : 0 : c == '\n' ? 'n' : c == '\r' ? 'r' : c < 0x20 || c == 0x7f ? 'x' : 0;
}

/* Eight bytes at once: none of them wants an escape in JSON. May say no where there is none. */
static inline bool all_clean(const char *text) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  uint64_t word, quote, slash;
  memcpy(&word, text, sizeof word);
  quote = word ^ ones * '"';
  slash = word ^ ones * '\\';
  return !(((word - ones * 0x20) & ~word & tops) | ((quote - ones) & ~quote & tops) | ((slash - ones) & ~slash & tops));
}

static int escaped(struct mm3j_writer *w, const char *text, size_t count, bool json) {
  bool plain = w->style == MM3J_PLAIN;
  size_t begun = 0;
  int result = 0;
  for (size_t i = 0; i < count && !result; i++) {
    while (json && count - i >= 8 && all_clean(text + i)) i += 8;
    if (i == count) break;
    unsigned char c = (unsigned char)text[i];
    char letter = json ? json_escapes[c] : escape_of(c, false, plain);
    if (!letter) continue;
    char escape[8];
    size_t length = (size_t)snprintf(escape, sizeof escape,
                                     letter == 'u' ? "\\u%04X" : letter == 'x' ? "\\x%02x" : "\\%c",
                                     letter == 'u' || letter == 'x' ? c : letter);
    result = mm3j_write(w, text + begun, i - begun);
    if (!result) result = mm3j_write(w, escape, length);
    begun = i + 1;
  }
  return result ? result : mm3j_write(w, text + begun, count - begun);
}

static int json_text(struct mm3j_writer *w, const char *text, size_t count) {
  int result = mm3j_write(w, "\"", 1);
  if (!result) result = escaped(w, text, count, true);
  return result ? result : mm3j_write(w, "\"", 1);
}

static int out_text(struct mm3_sink *sink, const char *text, size_t count) {
  struct mm3j_writer *w = WRITER(sink);
  int result = begin(w);
  if (result) return result;
  if (w->style == MM3J_PLAIN && w->depth <= 1) result = escaped(w, text, count, false);
  else if (w->style == MM3J_HUMAN && w->depth == 0)
    result = w->tame ? escaped(w, text, count, false) : mm3j_write(w, text, count);
  else result = json_text(w, text, count);
  return result ? result : end(w);
}

static int hex(struct mm3j_writer *w, const unsigned char *bytes, size_t count) {
  int result = 0;
  for (size_t i = 0; i < count && !result; i++) {
    char pair[2] = {hex_digits[bytes[i] >> 4], hex_digits[bytes[i] & 15]};
    result = mm3j_write(w, pair, 2);
  }
  return result;
}

static int out_raw(struct mm3_sink *sink, const void *bytes, size_t count) {
  struct mm3j_writer *w = WRITER(sink);
  int result = begin(w);
  bool bare = bare_number(w);
  if (!result && !bare) result = mm3j_write(w, "\"", 1);
  if (!result) result = hex(w, bytes, count);
  if (!result && !bare) result = mm3j_write(w, "\"", 1);
  return result ? result : end(w);
}

static int out_damaged(struct mm3_sink *sink, const void *bytes, size_t count) {
  struct mm3j_writer *w = WRITER(sink);
  int result = begin(w);
  if (!result) result = mm3j_write(w, "{\"$raw\": \"", 10);
  if (!result) result = hex(w, bytes, count);
  if (!result) result = mm3j_write(w, "\"}", 2);
  return result ? result : end(w);
}

static int open_bracket(struct mm3j_writer *w, char bracket) {
  int result = begin(w);
  if (result) return result;
  if (w->depth++ == 0 && w->style != MM3J_JSON) w->flat = bracket;
  else put(w, &bracket, 1);
  w->comma = false;
  return 0;
}

static int close_bracket(struct mm3j_writer *w, char bracket) {
  int result = 0;
  w->depth--;
  if (w->depth == 0 && w->flat) w->flat = 0;
  else {
    if (w->indent && w->comma) result = new_line(w);
    if (!result) result = mm3j_write(w, &bracket, 1);
  }
  return result ? result : end(w);
}

static int out_begin_list(struct mm3_sink *sink, uint64_t count) {
  (void)count;
  return open_bracket(WRITER(sink), '[');
}

static int out_end_list(struct mm3_sink *sink) { return close_bracket(WRITER(sink), ']'); }

static int out_begin_map(struct mm3_sink *sink, uint64_t count) {
  (void)count;
  return open_bracket(WRITER(sink), '{');
}

static int out_end_map(struct mm3_sink *sink) { return close_bracket(WRITER(sink), '}'); }

bool mm3j_is_name(const char *text, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9'))) return false;
  }
  return count > 0;
}

static int out_key(struct mm3_sink *sink, const char *text, size_t count) {
  struct mm3j_writer *w = WRITER(sink);
  int result = begin(w);
  bool bare = w->flat && w->depth == 1 && w->style != MM3J_LINES;
  if (!result && w->flat && w->depth == 1 && !bare) result = mm3j_write(w, "{", 1);
  if (!result && bare && w->style == MM3J_PLAIN) result = escaped(w, text, count, false);
  else if (!result && bare && (w->paths || mm3j_is_name(text, count))) result = escaped(w, text, count, false);
  else if (!result) result = json_text(w, text, count);
  if (!result) result = bare && w->style == MM3J_PLAIN ? mm3j_write(w, "\t", 1) : mm3j_write(w, ": ", 2);
  w->after_key = true;
  return result;
}

void mm3j_writer_init(struct mm3j_writer *w, enum mm3j_style style, char *buffer, size_t size,
                      int (*emit)(void *arg, const char *bytes, size_t count), void *arg) {
  *w = (struct mm3j_writer){.emit = emit, .arg = arg, .buffer = buffer, .size = size, .style = style};
  w->sink = (struct mm3_sink){sizeof w->sink, out_null, out_boolean, out_integer, out_natural, out_wide, out_real,
                              out_text, out_raw, out_damaged, out_begin_list, out_end_list, out_begin_map, out_key,
                              out_end_map};
}
