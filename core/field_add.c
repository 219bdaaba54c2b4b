/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* field_add.c: adding to a number that has no bytes of its own, such as an entry's value: it is read, and set to the sum. */
#include "field_add.h"

#include <mm3/error.h>
#include <stdbool.h>

/* A sink that wants one integer. */
struct catch {
  struct mm3_sink sink;
  struct mm3i_int value;
  const char *found; /* what it was instead */
};

static struct catch *catch_of(struct mm3_sink *sink) { return (struct catch *)(void *)sink; }

static int other(struct mm3_sink *sink, const char *found) {
  catch_of(sink)->found = found;
  return -MM3_E_VALUE;
}

static int on_integer(struct mm3_sink *sink, int64_t value) {
  return mm3i_int_from_value(&(struct mm3_value){.is = MM3_INT, .as.integer = value}, &catch_of(sink)->value);
}
static int on_natural(struct mm3_sink *sink, uint64_t value) {
  return mm3i_int_from_value(&(struct mm3_value){.is = MM3_UINT, .as.natural = value}, &catch_of(sink)->value);
}
static int on_wide(struct mm3_sink *sink, const char *decimal, size_t count) {
  return mm3i_int_from_text(decimal, count, &catch_of(sink)->value);
}
static int on_null(struct mm3_sink *sink) { return other(sink, "null"); }
static int on_boolean(struct mm3_sink *sink, int value) { return other(sink, value ? "true" : "false"); }
static int on_real(struct mm3_sink *sink, double value, int bits) {
  (void)value, (void)bits;
  return other(sink, "a number with a fraction");
}
static int on_text(struct mm3_sink *sink, const char *utf8, size_t count) {
  (void)utf8, (void)count;
  return other(sink, "a string");
}
static int on_bytes(struct mm3_sink *sink, const void *bytes, size_t count) {
  (void)bytes, (void)count;
  return other(sink, "bytes");
}
static int on_list(struct mm3_sink *sink, uint64_t count) {
  (void)count;
  return other(sink, "an array");
}
static int on_map(struct mm3_sink *sink, uint64_t count) {
  (void)count;
  return other(sink, "an object");
}
static int on_key(struct mm3_sink *sink, const char *utf8, size_t count) { return on_text(sink, utf8, count); }

static const struct mm3_sink catching = {
    .size = sizeof catching, .null = on_null, .boolean = on_boolean, .integer = on_integer, .natural = on_natural,
    .wide = on_wide, .real = on_real, .text = on_text, .raw = on_bytes, .damaged = on_bytes, .begin_list = on_list,
    .end_list = on_null, .begin_map = on_map, .key = on_key, .end_map = on_null};

/* What is there; an entry that is not there counts as 0, as it does for the kinds' own additions. */
static int read_part(const struct mm3_field *field, struct catch *now, struct mm3_ctx *ctx) {
  struct mm3_error *error = ctx->error, first = {0};
  const struct mm3_kind *kind = field->type->kind;
  ctx->error = &first; /* not there is no error here */
  int result = kind->visit_deep(field->type, field->bytes, field->deep, field->ndeep, &now->sink, ctx);
  ctx->error = error;
  if (result == -MM3_E_ABSENT) return 0;
  if (result >= 0 && !now->found) return 0;
  if (now->found) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "wanted an integer to add to, found %s", now->found);
  if (error) *error = first;
  return result;
}

/* Beyond 64 bits a number is given as its decimal text: where any text is taken, a text is what it would become. */
static bool takes_any_text(struct mm3_field *field, struct mm3_ctx *ctx) {
  struct mm3_error *error = ctx->error;
  struct mm3_value text = {.is = MM3_TEXT, .as.text = "x", .count = 1};
  uint32_t flags = ctx->flags;
  ctx->error = NULL, ctx->flags |= MM3_CTX_DRY;
  int result = field->type->kind->put_deep(field->type, field->bytes, field->deep, field->ndeep, &text, ctx);
  ctx->error = error, ctx->flags = flags;
  return result >= 0;
}

int mm3i_field_add_deep(struct mm3_field *field, const struct mm3_value *delta, char result[48], struct mm3_ctx *ctx) {
  struct catch now = {.sink = catching};
  struct mm3i_int by, sum;
  const struct mm3_kind *kind = field->type->kind;
  if (!kind->put_deep) return mm3_ctx_fail(ctx, -MM3_E_PATH, "parts of %s can be read, not changed", field->type->text);
  if (mm3i_int_from_value(delta, &by) < 0)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "wanted an integer to add, found %s", mm3_value_name(delta));
  int code = read_part(field, &now, ctx);
  if (code < 0) return code;
  if (mm3i_int_sum(now.value, by, &sum) < 0) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the sum does not fit");
  struct mm3_value value = {.is = MM3_TEXT, .as.text = result, .count = mm3i_int_print(sum, result)};
  if (mm3i_int_fits(sum, 8, 1))
    value = (struct mm3_value){.is = MM3_INT, .as.integer = (int64_t)(sum.negative ? -sum.magnitude : sum.magnitude)};
  else if (mm3i_int_fits(sum, 8, 0))
    value = (struct mm3_value){.is = MM3_UINT, .as.natural = (uint64_t)sum.magnitude};
  else if (takes_any_text(field, ctx))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the sum, %s, does not fit", result);
  return kind->put_deep(field->type, field->bytes, field->deep, field->ndeep, &value, ctx);
}
