/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Integers of 8 to 128 bits, in one piece of code for all widths. */
#include "prim.h"

#include <mm3/error.h>
#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "mm3 files are little-endian, and so is this code");

enum { SIGNED = 1 };

struct mm3i_int mm3i_int_load(const void *bytes, uint64_t size, int is_signed) {
  mm3_u128 word = 0;
  switch (size) { /* one aligned load for each width, so that a value is never torn */
    case 1: word = *(const uint8_t *)bytes; break;
    case 2: word = __atomic_load_n((const uint16_t *)bytes, __ATOMIC_RELAXED); break;
    case 4: word = __atomic_load_n((const uint32_t *)bytes, __ATOMIC_RELAXED); break;
    case 8: word = __atomic_load_n((const uint64_t *)bytes, __ATOMIC_RELAXED); break;
    default: memcpy(&word, bytes, sizeof word); break;
  }
  unsigned shift = 128 - 8 * (unsigned)size;
  if (is_signed && word << shift >> 127) {
    mm3_u128 extended = shift ? word | ~(mm3_u128)0 << (8 * (unsigned)size) : word;
    return (struct mm3i_int){-extended, 1};
  }
  return (struct mm3i_int){word, 0};
}

void mm3i_int_store(struct mm3i_int value, void *bytes, uint64_t size) {
  mm3_u128 word = value.negative ? -value.magnitude : value.magnitude;
  switch (size) {
    case 1: *(uint8_t *)bytes = (uint8_t)word; break;
    case 2: __atomic_store_n((uint16_t *)bytes, (uint16_t)word, __ATOMIC_RELAXED); break;
    case 4: __atomic_store_n((uint32_t *)bytes, (uint32_t)word, __ATOMIC_RELAXED); break;
    case 8: __atomic_store_n((uint64_t *)bytes, (uint64_t)word, __ATOMIC_RELAXED); break;
    default: memcpy(bytes, &word, sizeof word); break;
  }
}

static mm3_u128 largest(uint64_t size, int is_signed) {
  return ~(mm3_u128)0 >> (128 - 8 * (unsigned)size + (is_signed ? 1U : 0U));
}

int mm3i_int_fits(struct mm3i_int value, uint64_t size, int is_signed) {
  mm3_u128 top = largest(size, is_signed);
  if (!value.negative) return value.magnitude <= top;
  return is_signed ? value.magnitude <= top + 1 : value.magnitude == 0;
}

size_t mm3i_int_print(struct mm3i_int value, char out[48]) {
  char digits[48];
  size_t count = 0, length = 0;
  mm3_u128 rest = value.magnitude;
  do {
    digits[count++] = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest);
  if (value.negative && value.magnitude) out[length++] = '-';
  while (count) out[length++] = digits[--count];
  out[length] = 0;
  return length;
}

int mm3i_int_from_text(const char *text, size_t count, struct mm3i_int *out) {
  struct mm3i_int value = {0, 0};
  size_t i = 0;
  if (count > 0 && text[0] == '-') value.negative = 1, i = 1;
  if (i == count || count > 47) return -MM3_E_VALUE;
  for (; i < count; i++) {
    unsigned digit = (unsigned)(text[i] - '0');
    mm3_u128 most = ~(mm3_u128)0;
    if (digit > 9 || value.magnitude > most / 10 || value.magnitude * 10 > most - digit) return -MM3_E_VALUE;
    value.magnitude = value.magnitude * 10 + digit;
  }
  *out = value;
  return 0;
}

int mm3i_int_from_value(const struct mm3_value *value, struct mm3i_int *out) {
  switch (value->is) {
    case MM3_INT:
      *out = value->as.integer < 0 ? (struct mm3i_int){-(mm3_u128)value->as.integer, 1}
                                   : (struct mm3i_int){(mm3_u128)value->as.integer, 0};
      return 0;
    case MM3_UINT: *out = (struct mm3i_int){value->as.natural, 0}; return 0;
    case MM3_TEXT: return mm3i_int_from_text(value->as.text, value->count, out);
    default: return -MM3_E_VALUE;
  }
}

int mm3i_int_sum(struct mm3i_int a, struct mm3i_int b, struct mm3i_int *sum) {
  if (a.negative == b.negative) *sum = (struct mm3i_int){a.magnitude + b.magnitude, a.negative};
  else if (a.magnitude >= b.magnitude) *sum = (struct mm3i_int){a.magnitude - b.magnitude, a.negative};
  else *sum = (struct mm3i_int){b.magnitude - a.magnitude, b.negative};
  return a.negative == b.negative && sum->magnitude < b.magnitude ? -MM3_E_VALUE : 0;
}

int mm3i_int_sink(struct mm3i_int value, struct mm3_sink *sink) {
  char decimal[48];
  if (value.negative && value.magnitude <= (mm3_u128)1 << 63) return sink->integer(sink, (int64_t)-value.magnitude);
  if (!value.negative && value.magnitude <= INT64_MAX) return sink->integer(sink, (int64_t)value.magnitude);
  if (!value.negative && value.magnitude <= UINT64_MAX) return sink->natural(sink, (uint64_t)value.magnitude);
  size_t length = mm3i_int_print(value, decimal);
  return sink->wide(sink, decimal, length);
}

static int limit_fail(const char *found, const char *type, uint64_t size, int is_signed, struct mm3_ctx *ctx) {
  char low[48], high[48];
  mm3_u128 top = largest(size, is_signed);
  mm3i_int_print((struct mm3i_int){is_signed ? top + 1 : 0, is_signed}, low);
  mm3i_int_print((struct mm3i_int){top, 0}, high);
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s does not fit %s, which takes %s to %s", found, type, low, high);
}

int mm3i_int_limit_fail(struct mm3i_int value, const char *type, uint64_t size, int is_signed, struct mm3_ctx *ctx) {
  char found[48];
  mm3i_int_print(value, found);
  return limit_fail(found, type, size, is_signed, ctx);
}

static int is_signed_type(const struct mm3_type *type) { return type->kind->name[0] == 'i'; }

static uint64_t width(const char *name) {
  switch (name[1]) {
    case '8': return 1;
    case '1': return name[2] == '6' ? 2 : 16;
    case '3': return 4;
    default: return 8; /* u64, i64, usize, isize */
  }
}

static int int_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs) return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s takes no arguments", type->kind->name);
  type->size = type->align = width(type->kind->name);
  return 0;
}

static int int_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return 0; /* every bit pattern is a value */
}

static int int_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)ctx;
  return mm3i_int_sink(mm3i_int_load(bytes, type->size, is_signed_type(type)), sink);
}

/* A text of digits is a number, if one that no type holds. */
static int no_int_fail(const struct mm3_type *type, const struct mm3_value *value, struct mm3_ctx *ctx) {
  char found[64];
  const char *name = type->kind->name, *text = value->as.text;
  size_t sign = value->is == MM3_TEXT && value->count > 0 && text[0] == '-', i = sign;
  while (value->is == MM3_TEXT && i < value->count && text[i] >= '0' && text[i] <= '9') i++;
  if (value->is != MM3_TEXT || i == sign || i < value->count)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an integer, found %s", name, mm3_value_name(value));
  snprintf(found, sizeof found, "%.*s%s", i > 48 ? 45 : (int)i, text, i > 48 ? "..." : "");
  return limit_fail(found, name, type->size, is_signed_type(type), ctx);
}

static int int_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3i_int number;
  if (mm3i_int_from_value(value, &number) < 0) return no_int_fail(type, value, ctx);
  if (!mm3i_int_fits(number, type->size, is_signed_type(type)))
    return mm3i_int_limit_fail(number, type->kind->name, type->size, is_signed_type(type), ctx);
  if (!(ctx->flags & MM3_CTX_DRY)) mm3i_int_store(number, bytes, type->size);
  return 0;
}

static int int_add(const struct mm3_type *type, void *bytes, const struct mm3_value *delta, char result[48],
                   struct mm3_ctx *ctx) {
  struct mm3i_int by, sum, now = mm3i_int_load(bytes, type->size, is_signed_type(type));
  if (mm3i_int_from_value(delta, &by) < 0)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an integer to add, found %s", type->kind->name, mm3_value_name(delta));
  if (mm3i_int_sum(now, by, &sum) < 0)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the sum does not fit %s", type->kind->name);
  if (!mm3i_int_fits(sum, type->size, is_signed_type(type)))
    return mm3i_int_limit_fail(sum, type->kind->name, type->size, is_signed_type(type), ctx);
  if (!(ctx->flags & MM3_CTX_DRY)) mm3i_int_store(sum, bytes, type->size);
  mm3i_int_print(sum, result);
  return 0;
}

static int int_key_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes, struct mm3_ctx *ctx) {
  struct mm3_value value = {.is = MM3_TEXT, .as.text = text, .count = count};
  return int_put(type, bytes, &value, ctx);
}

static int int_key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size, struct mm3_ctx *ctx) {
  char decimal[48];
  size_t length = mm3i_int_print(mm3i_int_load(bytes, type->size, is_signed_type(type)), decimal);
  (void)ctx;
  if (length < size) memcpy(text, decimal, length + 1);
  return (int)length;
}

#define INTEGER(kind_name)                                                                       \
  {.size = sizeof(struct mm3_kind), .layout_version = 1, .name = kind_name, .signature = kind_name, \
   .layout = int_layout, .check = int_check, .visit = int_visit, .put = int_put, .add = int_add,  \
   .key_parse = int_key_parse, .key_print = int_key_print}

const struct mm3_kind mm3i_integer_kinds[12] = {
    INTEGER("u8"),  INTEGER("u16"), INTEGER("u32"),  INTEGER("u64"),   INTEGER("u128"),  INTEGER("i8"),
    INTEGER("i16"), INTEGER("i32"), INTEGER("i64"),  INTEGER("i128"),  INTEGER("usize"), INTEGER("isize"),
};
