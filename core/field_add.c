/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Adding to an integer that has no bytes of its own: a map's entry, a document's member. */
#include "internal.h"
#include "prim.h"

/* Takes one integer; whatever else comes, it was none. */
struct part {
  struct mm3_sink sink;
  struct mm3i_int now;
  unsigned calls;
  bool integer;
};

static int came(struct mm3_sink *sink, bool integer, struct mm3i_int now) {
  struct part *part = (struct part *)(void *)sink;
  part->integer = integer && part->calls == 0;
  part->now = now;
  part->calls = 1;
  return 0;
}

static const struct mm3i_int none = {0, 0};

static int on_integer(struct mm3_sink *s, int64_t value) {
  struct mm3i_int now = {value < 0 ? -(mm3_u128)value : (mm3_u128)value, value < 0};
  return came(s, true, now);
}
static int on_natural(struct mm3_sink *s, uint64_t value) { return came(s, true, (struct mm3i_int){value, 0}); }
static int on_wide(struct mm3_sink *s, const char *decimal, size_t count) {
  struct mm3i_int now = none;
  return came(s, mm3i_int_from_text(decimal, count, &now) == 0, now);
}
static int on_nothing(struct mm3_sink *s) { return came(s, false, none); }
static int on_boolean(struct mm3_sink *s, int value) { return (void)value, came(s, false, none); }
static int on_real(struct mm3_sink *s, double value, int bits) { return (void)value, (void)bits, came(s, false, none); }
static int on_text(struct mm3_sink *s, const char *text, size_t n) { return (void)text, (void)n, came(s, false, none); }
static int on_bytes(struct mm3_sink *s, const void *bytes, size_t n) { return (void)bytes, (void)n, came(s, false, none); }
static int on_items(struct mm3_sink *s, uint64_t count) { return (void)count, came(s, false, none); }

static const struct mm3_sink part_sink = {
    sizeof part_sink, on_nothing, on_boolean, on_integer, on_natural, on_wide,    on_real, on_text,
    on_bytes,         on_bytes,   on_items,   on_nothing, on_items,   on_text, on_nothing,
};

/* A document would keep the digits of a large number as a text. */
static bool takes_words(struct mm3_field *field, struct mm3_ctx *ctx) {
  const struct mm3_value word = {.is = MM3_TEXT, .as.text = "x", .count = 1};
  struct mm3_ctx dry = *ctx;
  dry.flags |= MM3_CTX_DRY;
  dry.error = NULL;
  return field->type->kind->put_deep(field->type, field->bytes, field->deep, field->ndeep, &word, &dry) >= 0;
}

/* The lock is held: what was read is still there when the sum is put. */
int mm3i_field_add_deep(struct mm3_field *field, const struct mm3_value *delta, char result[48], struct mm3_ctx *ctx) {
  const struct mm3_kind *kind = field->type->kind;
  struct part part = {.sink = part_sink};
  struct mm3i_int by, sum;
  if (!kind->put_deep) return mm3_ctx_fail(ctx, -MM3_E_PATH, "parts of %s can be read, not changed", field->type->text);
  int code = kind->visit_deep(field->type, field->bytes, field->deep, field->ndeep, &part.sink, ctx);
  if (code < 0) return code;
  if (!part.integer) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "what lies there in %s is no integer to add to", field->type->text);
  if (mm3i_int_from_value(delta, &by) < 0)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "wanted an integer to add, found %s", mm3_value_name(delta));
  if (mm3i_int_sum(part.now, by, &sum) < 0) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the sum has more than 128 bits");
  size_t length = mm3i_int_print(sum, result);
  struct mm3_value value = {.is = MM3_TEXT, .as.text = result, .count = length}; /* as integers of 128 bits are spelt */
  if (mm3i_int_fits(sum, 8, 1))
    value = (struct mm3_value){.is = MM3_INT, .as.integer = sum.negative ? (int64_t)-sum.magnitude : (int64_t)sum.magnitude};
  else if (mm3i_int_fits(sum, 8, 0))
    value = (struct mm3_value){.is = MM3_UINT, .as.natural = (uint64_t)sum.magnitude};
  else if (takes_words(field, ctx))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s does not fit %s as a number", result, field->type->text);
  return kind->put_deep(field->type, field->bytes, field->deep, field->ndeep, &value, ctx);
}
