/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* f32, f64, bool, char; raw(N); and the list of all primitive kinds. */
#include "internal.h"
#include "prim.h"

#include <math.h>
#include <string.h>

static int scalar_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  const char *name = type->kind->name;
  if (type->nargs) return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s takes no arguments", name);
  type->size = type->align = name[0] == 'b' ? 1 : name[1] == '6' ? 8 : 4; /* bool; f64; f32, char */
  return 0;
}

static int any_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return 0;
}

/* ---- f32, f64 ---- */

static int real_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)ctx;
  if (type->size == 8) {
    double value;
    uint64_t word = __atomic_load_n((const uint64_t *)bytes, __ATOMIC_RELAXED);
    memcpy(&value, &word, sizeof value);
    return sink->real(sink, value, 64);
  }
  float value;
  uint32_t word = __atomic_load_n((const uint32_t *)bytes, __ATOMIC_RELAXED);
  memcpy(&value, &word, sizeof value);
  return sink->real(sink, (double)value, 32);
}

static bool text_is(const struct mm3_value *value, const char *word) {
  return value->count == strlen(word) && memcmp(value->as.text, word, value->count) == 0;
}

static bool real_from_value(const struct mm3_value *value, double *out) {
  switch (value->is) {
    case MM3_REAL: *out = value->as.real; return true;
    case MM3_INT: *out = (double)value->as.integer; return true;
    case MM3_UINT: *out = (double)value->as.natural; return true;
    case MM3_TEXT:
      if (text_is(value, "NaN")) *out = (double)NAN;
      else if (text_is(value, "Infinity")) *out = (double)INFINITY;
      else if (text_is(value, "-Infinity")) *out = (double)-INFINITY;
      else return false;
      return true;
    default: return false;
  }
}

static int real_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  double number;
  if (!real_from_value(value, &number))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants a number, \"NaN\", \"Infinity\" or \"-Infinity\", found %s",
                        type->kind->name, mm3_value_name(value));
  float narrow = type->size == 4 ? (float)number : 0.0F;
  if (type->size == 4 && isinf(narrow) && !isinf(number))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%g does not fit f32, which takes up to 3.4028235e38", number);
  if (ctx->flags & MM3_CTX_DRY) return 0;
  if (type->size == 8) {
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    __atomic_store_n((uint64_t *)bytes, word, __ATOMIC_RELAXED);
  } else {
    uint32_t word;
    memcpy(&word, &narrow, sizeof word);
    __atomic_store_n((uint32_t *)bytes, word, __ATOMIC_RELAXED);
  }
  return 0;
}

/* ---- bool ---- */

static int bool_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint8_t byte = *(const uint8_t *)bytes;
  (void)type;
  return byte <= 1 ? 0 : mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "a bool holds the byte %u; wanted 0 or 1", byte);
}

static int bool_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint8_t byte = *(const uint8_t *)bytes;
  if (byte <= 1) return sink->boolean(sink, byte);
  if (ctx->flags & MM3_CTX_RAW) return sink->damaged(sink, &byte, 1);
  return bool_check(type, &byte, ctx);
}

static int bool_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)type;
  if (value->is != MM3_BOOL)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "bool wants true or false, found %s", mm3_value_name(value));
  if (!(ctx->flags & MM3_CTX_DRY)) *(uint8_t *)bytes = value->as.boolean ? 1 : 0;
  return 0;
}

/* ---- char ---- */

static int char_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint32_t code = __atomic_load_n((const uint32_t *)bytes, __ATOMIC_RELAXED);
  (void)type;
  return mm3_char_valid(code) ? 0
                              : mm3_ctx_fail(ctx, -MM3_E_DAMAGED,
                                             "a char holds 0x%x; wanted a Unicode scalar value (below 0x110000, no surrogate)",
                                             code);
}

static int char_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint32_t code = __atomic_load_n((const uint32_t *)bytes, __ATOMIC_RELAXED);
  char utf8[4];
  if (mm3_char_valid(code)) return sink->text(sink, utf8, mm3_utf8_encode(code, utf8));
  if (ctx->flags & MM3_CTX_RAW) return sink->damaged(sink, &code, sizeof code);
  return char_check(type, &code, ctx);
}

static int char_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint32_t code;
  (void)type;
  if (value->is != MM3_TEXT)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "char wants a string of one character, found %s", mm3_value_name(value));
  size_t length = mm3_utf8_decode(value->as.text, value->count, &code);
  if (length == 0 || length != value->count)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "char wants a string of exactly one character, found %zu bytes%s", value->count,
                        mm3_utf8_valid(value->as.text, value->count) ? "" : " that are not valid UTF-8");
  if (!(ctx->flags & MM3_CTX_DRY)) __atomic_store_n((uint32_t *)bytes, code, __ATOMIC_RELAXED);
  return 0;
}

/* ---- raw(N) ---- */

static int raw_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_NUMBER || type->args[0].number == 0 ||
      type->args[0].number > MM3I_MAX_SIZE)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "raw wants one number of bytes from 1 to 2^40, as in raw(32)");
  type->size = type->args[0].number;
  type->align = 1;
  return 0;
}

static int raw_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)ctx;
  return sink->raw(sink, bytes, (size_t)type->size);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static int raw_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes, struct mm3_ctx *ctx) {
  if (count != 2 * type->size)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants %llu hex digits, found %zu characters", type->text,
                        (unsigned long long)(2 * type->size), count);
  for (size_t i = 0; i < count; i++)
    if (hex_digit(text[i]) < 0)
      return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants hex digits, found '%c' at character %zu", type->text, text[i], i + 1);
  if (ctx->flags & MM3_CTX_DRY) return 0;
  for (size_t i = 0; i < count; i += 2)
    ((uint8_t *)bytes)[i / 2] = (uint8_t)(hex_digit(text[i]) << 4 | hex_digit(text[i + 1]));
  return 0;
}

static int raw_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (value->is != MM3_TEXT)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants a string of hex digits, found %s", type->text, mm3_value_name(value));
  return raw_parse(type, value->as.text, value->count, bytes, ctx);
}

static int raw_key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size, struct mm3_ctx *ctx) {
  (void)ctx;
  if (type->size > INT32_MAX / 2) return -MM3_E_VALUE;
  if (2 * type->size < size) {
    for (size_t i = 0; i < type->size; i++) {
      text[2 * i] = "0123456789abcdef"[((const uint8_t *)bytes)[i] >> 4];
      text[2 * i + 1] = "0123456789abcdef"[((const uint8_t *)bytes)[i] & 15];
    }
    text[2 * type->size] = 0;
  }
  return (int)(2 * type->size);
}

const struct mm3_kind mm3i_raw_kind = {
    .size = sizeof(struct mm3_kind), .layout_version = 1, .name = "raw", .signature = "raw(N): N bytes",
    .layout = raw_layout, .check = any_check, .visit = raw_visit, .put = raw_put, .key_parse = raw_parse,
    .key_print = raw_key_print,
};

#define SCALAR(kind_name, check_row, visit_row, put_row)                                              \
  {.size = sizeof(struct mm3_kind), .layout_version = 1, .name = kind_name, .signature = kind_name,   \
   .layout = scalar_layout, .check = check_row, .visit = visit_row, .put = put_row}

const struct mm3_kind mm3i_other_kinds[4] = {
    SCALAR("f32", any_check, real_visit, real_put),
    SCALAR("f64", any_check, real_visit, real_put),
    SCALAR("bool", bool_check, bool_visit, bool_put),
    SCALAR("char", char_check, char_visit, char_put),
};

/* ---- the list ---- */

static const struct mm3_kind *prim_at(unsigned i) {
  if (i < 12) return &mm3i_integer_kinds[i];
  if (i < 16) return &mm3i_other_kinds[i - 12];
  return i == 16 ? &mm3i_raw_kind : i == 17 ? &mm3i_enum_kind : i == 18 ? &mm3i_struct_kind : NULL;
}

const struct mm3_kind *mm3i_prim_find(const char *name) {
  const struct mm3_kind *kind;
  for (unsigned i = 0; (kind = prim_at(i)) != NULL; i++)
    if (strcmp(kind->name, name) == 0) return kind;
  return NULL;
}

const struct mm3_kind *mm3i_prim_next(const struct mm3_kind *previous) {
  if (!previous) return prim_at(0);
  for (unsigned i = 0; prim_at(i); i++)
    if (prim_at(i) == previous) return prim_at(i + 1);
  return NULL;
}
