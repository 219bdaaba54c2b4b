/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <mm3/error.h>
#include <mm3/module.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
  int code, exit_code;
  const char *name, *sentence;
} table[] = {
#define ROW(name, number, exit_code, sentence) {number, exit_code, "MM3_E_" #name, sentence},
    MM3_ERRORS(ROW)
#undef ROW
};

static size_t find(int code) {
  size_t i = 0;
  while (i < sizeof table / sizeof table[0] && table[i].code != code) i++;
  return i;
}

static int magnitude(int code) { return code < 0 && code != INT_MIN ? -code : code; }

const char *mm3_strerror(int code) {
  size_t i = find(magnitude(code));
  if (i < sizeof table / sizeof table[0]) return table[i].sentence;
  if (code == 0) return "done";
  const char *known = strerrordesc_np(magnitude(code)); /* constant strings, unlike strerror's */
  return known ? known : "unknown error";
}

const char *mm3_error_name(int code) {
  size_t i = find(magnitude(code));
  if (i < sizeof table / sizeof table[0]) return table[i].name;
  const char *known = code ? strerrorname_np(magnitude(code)) : NULL;
  return known ? known : "?";
}

int mm3_exit_code(int code) {
  size_t i = find(magnitude(code));
  if (code == 0) return 0;
  if (i < sizeof table / sizeof table[0]) return table[i].exit_code;
  switch (magnitude(code)) {
    case EINVAL: return 2;
    case EBUSY: return 6;
    default: return 7;
  }
}

/* vsnprintf, cut at a character when it does not fit */
static void print_cut(char *out, size_t size, const char *format, va_list args) {
  int length = vsnprintf(out, size, format, args);
  if (length < 0) out[0] = 0;
  else if ((size_t)length >= size) out[mm3_utf8_cut(out, size - 1, size - 2)] = 0;
}

int mm3_error_set(struct mm3_error *error, int code, const char *format, ...) {
  if (error) {
    va_list args;
    va_start(args, format);
    print_cut(error->text, sizeof error->text, format, args);
    va_end(args);
    error->code = code;
  }
  return code;
}

/* The path `a.b[3]["k"].c` of a trail, whose innermost step comes first: recursion writes the outermost first. */
static size_t print_trail(const struct mm3_trail *trail, char *out, size_t size, size_t at, int depth) {
  if (!trail || depth > 64) return at;
  at = print_trail(trail->up, out, size, at, depth + 1);
  int length = trail->name ? snprintf(out + at, size - at, at && trail->name[0] != '[' ? ".%s" : "%s", trail->name)
                           : snprintf(out + at, size - at, "[%llu]", (unsigned long long)trail->index);
  if (length < 0) return at;
  return at + (size_t)length < size ? at + (size_t)length : size - 1;
}

int mm3_ctx_fail(const struct mm3_ctx *ctx, int code, const char *format, ...) {
  struct mm3_error *error = ctx ? ctx->error : NULL;
  if (error) {
    va_list args;
    va_start(args, format);
    print_cut(error->text, sizeof error->text, format, args);
    va_end(args);
    error->code = code;
    error->field[0] = 0;
    print_trail(ctx->trail, error->field, sizeof error->field, 0, 0);
  }
  return code;
}
