/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* atomic(T): see mm3/atomic.h for the bytes. Everything here works by atomic loads and stores of T's width. */
#include "kind_tests.h"

#include <errno.h>
#include <inttypes.h>
#include <mm3/module.h>
#include <stdio.h>
#include <string.h>

/* What layout keeps in type->numbers[0]. */
enum sort { UNSIGNED, SIGNED, BOOL };

static const struct {
  const char *name;
  uint8_t bytes, sort;
} words[] = {
    {"u8", 1, UNSIGNED}, {"u16", 2, UNSIGNED}, {"u32", 4, UNSIGNED}, {"u64", 8, UNSIGNED}, {"usize", 8, UNSIGNED},
    {"i8", 1, SIGNED},   {"i16", 2, SIGNED},   {"i32", 4, SIGNED},   {"i64", 8, SIGNED},   {"isize", 8, SIGNED},
    {"bool", 1, BOOL},
};

static int atomic_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_TYPE)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "atomic takes one type, as in atomic(u64); found %s", type->text);
  const char *name = type->args[0].type->kind->name;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(name, words[i].name) != 0) continue;
    type->size = type->align = words[i].bytes;
    type->numbers[0] = words[i].sort;
    return 0;
  }
  return mm3_ctx_fail(ctx, -MM3_E_SCHEMA,
                      "atomic(%s): no such atomic; wanted u8 u16 u32 u64 i8 i16 i32 i64 usize isize or bool",
                      type->args[0].type->text);
}

static uint64_t load(const struct mm3_type *type, const void *bytes) {
  switch (type->size) {
    case 1: return __atomic_load_n((const uint8_t *)bytes, __ATOMIC_SEQ_CST);
    case 2: return __atomic_load_n((const uint16_t *)bytes, __ATOMIC_SEQ_CST);
    case 4: return __atomic_load_n((const uint32_t *)bytes, __ATOMIC_SEQ_CST);
    default: return __atomic_load_n((const uint64_t *)bytes, __ATOMIC_SEQ_CST);
  }
}

static void store(const struct mm3_type *type, void *bytes, uint64_t value) {
  switch (type->size) {
    case 1: __atomic_store_n((uint8_t *)bytes, (uint8_t)value, __ATOMIC_SEQ_CST); break;
    case 2: __atomic_store_n((uint16_t *)bytes, (uint16_t)value, __ATOMIC_SEQ_CST); break;
    case 4: __atomic_store_n((uint32_t *)bytes, (uint32_t)value, __ATOMIC_SEQ_CST); break;
    default: __atomic_store_n((uint64_t *)bytes, value, __ATOMIC_SEQ_CST); break;
  }
}

/* 1 when it was *now; else *now is what it is. */
static int swap(const struct mm3_type *type, void *bytes, uint64_t *now, uint64_t value) {
  int done;
#define SWAP(T)                                                                                                \
  {                                                                                                            \
    T was = (T)*now;                                                                                           \
    done = __atomic_compare_exchange_n((T *)bytes, &was, (T)value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
    *now = was;                                                                                                \
  }                                                                                                            \
  break
  switch (type->size) {
    case 1: SWAP(uint8_t);
    case 2: SWAP(uint16_t);
    case 4: SWAP(uint32_t);
    default: SWAP(uint64_t);
  }
#undef SWAP
  return done;
}

/* Bits of the width, as the number that they mean. */
static int64_t as_signed(const struct mm3_type *type, uint64_t bits) {
  unsigned unused = 64 - 8 * (unsigned)type->size;
  return (int64_t)(bits << unused) >> unused;
}

static uint64_t most(const struct mm3_type *type) {
  return UINT64_MAX >> (64 - 8 * (unsigned)type->size + (type->numbers[0] == SIGNED));
}

/* A number on its way in: sign and magnitude. */
struct number {
  uint64_t magnitude;
  int negative;
};

static int from_text(const char *text, size_t count, struct number *out) {
  size_t i = count > 0 && text[0] == '-';
  out->negative = (int)i;
  out->magnitude = 0;
  if (i == count) return -MM3_E_VALUE;
  for (; i < count; i++) {
    unsigned digit = (unsigned)text[i] - '0';
    if (digit > 9) return -MM3_E_VALUE;
    if (__builtin_mul_overflow(out->magnitude, 10u, &out->magnitude)) return -ERANGE;
    if (__builtin_add_overflow(out->magnitude, digit, &out->magnitude)) return -ERANGE;
  }
  return 0;
}

/* 0, -ERANGE for an integer above 64 bits, -MM3_E_VALUE for what is none. */
static int from_value(const struct mm3_value *value, struct number *out) {
  switch (value->is) {
    case MM3_INT:
      out->negative = value->as.integer < 0;
      out->magnitude = out->negative ? 0 - (uint64_t)value->as.integer : (uint64_t)value->as.integer;
      return 0;
    case MM3_UINT:
      out->negative = 0;
      out->magnitude = value->as.natural;
      return 0;
    case MM3_TEXT: return from_text(value->as.text, value->count, out);
    default: return -MM3_E_VALUE;
  }
}

static void print(const struct mm3_type *type, uint64_t bits, char out[48]) {
  if (type->numbers[0] == SIGNED) snprintf(out, 48, "%" PRId64, as_signed(type, bits));
  else snprintf(out, 48, "%" PRIu64, bits);
}

static void describe(const struct mm3_value *value, const struct number *number, int too_wide, char out[48]) {
  if (value->is == MM3_TEXT) snprintf(out, 48, "%.*s%s", (int)(value->count < 40 ? value->count : 40), value->as.text,
                                      value->count > 40 ? "..." : "");
  else if (too_wide) snprintf(out, 48, "the number");
  else snprintf(out, 48, "%s%" PRIu64, number->negative ? "-" : "", number->magnitude);
}

static int range_fail(const struct mm3_type *type, const char *found, struct mm3_ctx *ctx) {
  if (type->numbers[0] == SIGNED)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s does not fit %s, which takes %" PRId64 " to %" PRId64, found, type->text,
                        -(int64_t)most(type) - 1, (int64_t)most(type));
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s does not fit %s, which takes 0 to %" PRIu64, found, type->text,
                      most(type));
}

static int not_integer(const struct mm3_type *type, const struct mm3_value *value, struct mm3_ctx *ctx) {
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an integer, found %s", type->text, mm3_value_name(value));
}

static int atomic_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint64_t found = load(type, bytes);
  if (type->numbers[0] != BOOL || found <= 1) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s holds the byte %u, wanted 0 or 1", type->text, (unsigned)found);
}

static int atomic_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t bits = load(type, bytes);
  if (type->numbers[0] == BOOL) {
    uint8_t byte = (uint8_t)bits;
    if (byte <= 1) return sink->boolean(sink, byte);
    if (ctx->flags & MM3_CTX_RAW) return sink->damaged(sink, &byte, 1);
    return atomic_check(type, bytes, ctx);
  }
  if (type->numbers[0] == SIGNED) return sink->integer(sink, as_signed(type, bits));
  return bits <= INT64_MAX ? sink->integer(sink, (int64_t)bits) : sink->natural(sink, bits);
}

static int atomic_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct number number = {0, 0};
  if (type->numbers[0] == BOOL) {
    if (value->is != MM3_BOOL)
      return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants true or false, found %s", type->text, mm3_value_name(value));
    number.magnitude = value->as.boolean != 0;
  } else {
    int error = from_value(value, &number);
    if (error == -MM3_E_VALUE) return not_integer(type, value, ctx);
    uint64_t limit = most(type) + (number.negative && type->numbers[0] == SIGNED);
    if (error || number.magnitude > limit || (number.negative && number.magnitude && type->numbers[0] == UNSIGNED)) {
      char found[48];
      describe(value, &number, error != 0, found);
      return range_fail(type, found, ctx);
    }
  }
  if (!(ctx->flags & MM3_CTX_DRY)) store(type, bytes, number.negative ? 0 - number.magnitude : number.magnitude);
  return 0;
}

/* Old bits and a delta to new bits; 1 when the sum does not fit. */
static int sum_of(const struct mm3_type *type, uint64_t now, struct number delta, uint64_t *sum) {
  if (type->numbers[0] == UNSIGNED) {
    if (delta.negative ? __builtin_sub_overflow(now, delta.magnitude, sum)
                       : __builtin_add_overflow(now, delta.magnitude, sum)) return 1;
    return *sum > most(type);
  }
  int64_t from = as_signed(type, now), to;
  if (delta.negative ? __builtin_sub_overflow(from, delta.magnitude, &to)
                     : __builtin_add_overflow(from, delta.magnitude, &to)) return 1;
  *sum = (uint64_t)to;
  return to > (int64_t)most(type) || to < -(int64_t)most(type) - 1;
}

static int atomic_add(const struct mm3_type *type, void *bytes, const struct mm3_value *delta, char result[48],
                      struct mm3_ctx *ctx) {
  struct number number;
  if (type->numbers[0] == BOOL) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s is no number to add to", type->text);
  int error = from_value(delta, &number);
  if (error == -MM3_E_VALUE) return not_integer(type, delta, ctx);
  uint64_t now = load(type, bytes), sum = 0;
  do {
    if (error || sum_of(type, now, number, &sum)) {
      char before[48], by[48], found[128];
      print(type, now, before);
      describe(delta, &number, error != 0, by);
      snprintf(found, sizeof found, "%s plus %s", before, by);
      return range_fail(type, found, ctx);
    }
  } while (!(ctx->flags & MM3_CTX_DRY) && !swap(type, bytes, &now, sum));
  print(type, sum, result);
  return 0;
}

static const struct mm3_kind atomic_kind = {
    .size = sizeof(struct mm3_kind),
    .layout_version = 1,
    .name = "atomic",
    .signature = "atomic(T): an integer or bool that any number of processes may change at once",
    .layout = atomic_layout,
    .check = atomic_check,
    .visit = atomic_visit,
    .put = atomic_put,
    .add = atomic_add,
    .test_ops = mm3i_atomic_test_ops,
};

static const struct mm3_kind *const kinds[] = {&atomic_kind};
MM3_MODULE(atomic, "1.0", kinds);
