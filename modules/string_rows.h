/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * string_rows.h: the rows of string(N)'s table, for mm3-string.c and for mm3-string_array.c, whose entries are strings.
 * See mm3/string.h for the bytes. layout keeps N in type->numbers[0].
 */
#ifndef MM3_STRING_ROWS_H
#define MM3_STRING_ROWS_H

#include <errno.h>
#include <mm3/module.h>
#include <mm3/string.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define STRING_SMALL 1024 /* longer values are copied through malloc */

static int is_field(const struct mm3_type *type) { return type->form == MM3_FORM_FIELD; }
static size_t capacity_of(const struct mm3_type *type) { return (size_t)type->numbers[0]; }
static uint64_t element_size(uint64_t n) { return (sizeof(uint32_t) + n + 3) / 4 * 4; }

static void string_sizes(struct mm3_type *type, uint64_t n) {
  type->numbers[0] = n;
  type->size = is_field(type) ? MM3_I_STRING_SIZE(n) : element_size(n);
  type->align = is_field(type) ? 8 : 4;
}

MM3_UNUSED static int string_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_NUMBER)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "string takes one number, as in string(32); found %s", type->text);
  uint64_t n = type->args[0].number;
  if (n < 1 || n > MM3_STRING_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted a number from 1 to %d", type->text, MM3_STRING_MAX);
  string_sizes(type, n);
  return 0;
}

static int all_zero(const char *at, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    if (mm3_copy_word(at + i)) return 0;
  for (; i < count; i++)
    if (mm3_copy_byte(at + i)) return 0;
  return 1;
}

/* Where the bytes stop being UTF-8. */
static size_t bad_byte(const char *text, size_t count) {
  size_t i = 0, step;
  uint32_t code;
  for (; i < count; i += step)
    if ((step = mm3_utf8_decode(text + i, count - i, &code)) == 0) break;
  return i;
}

/* What is wrong with a string, or NULL. */
static const char *field_fault(const char *bytes, size_t n, uint64_t size, uint64_t word) {
  size_t count = mm3_i_string_length(word);
  if (count > n) return "the length is above its capacity";
  const char *slot = mm3_i_string_slot(bytes, n, word), *end = bytes + 8 + 2 * (n + 1);
  if (!mm3_utf8_ok(slot, count)) return "the bytes are not UTF-8";
  if (!all_zero(slot + count, n + 1 - count)) return "bytes after the text are not zero";
  if (mm3_copy_byte(bytes + 8 + n) || mm3_copy_byte(end - 1)) return "a slot does not end with a zero byte";
  if (!all_zero(end, (size_t)size - (size_t)(end - bytes))) return "the padding is not zero";
  return NULL;
}

static const char *element_fault(const char *bytes, size_t n, uint64_t size) {
  uint32_t count = __atomic_load_n((const uint32_t *)(const void *)bytes, __ATOMIC_RELAXED);
  if (count > n) return "the length is above its capacity";
  if (!mm3_utf8_ok(bytes + 4, count)) return "the bytes are not UTF-8";
  if (!all_zero(bytes + 4 + count, (size_t)size - 4 - count)) return "bytes after the text are not zero";
  return NULL;
}

static int string_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  size_t n = capacity_of(type);
  const char *fault = NULL;
  uint64_t word = 0;
  int moving = is_field(type);
  if (!moving) fault = element_fault(bytes, n, type->size);
  for (int i = 0; moving && i < MM3_COPY_TRIES; i++) { /* somebody may be writing: a fault counts when nobody was */
    word = mm3_i_string_word(bytes);
    fault = field_fault(bytes, n, type->size, word);
    moving = fault && !mm3_i_string_still(bytes, word);
  }
  if (moving) return mm3_ctx_fail(ctx, -MM3_E_AGAIN, "it kept changing while it was checked");
  if (!fault) return 0;
  size_t found = is_field(type) ? mm3_i_string_length(word) : *(const uint32_t *)bytes;
  return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s (length %zu, %s)", fault, found, type->text);
}

/* A private copy of a value, in `small` or from malloc. 0; or a code, with the bytes as they lie for -MM3_E_DAMAGED. */
struct copy {
  char small[STRING_SMALL], *text;
  size_t count;
};

static int copy_take(const struct mm3_type *type, const void *bytes, struct copy *copy) {
  size_t n = capacity_of(type);
  copy->text = copy->small;
  copy->count = n + 1; /* never a length: said by nobody yet */
  if (n >= sizeof copy->small && !(copy->text = malloc(n + 1))) return -ENOMEM;
  int result = is_field(type) ? mm3_i_string_get(bytes, n, copy->text, n + 1, &copy->count)
                              : mm3_i_string_element_get(bytes, n, copy->text, n + 1, &copy->count);
  if (result == -MM3_E_DAMAGED && copy->count > n) { /* a length beyond the capacity: all that there is */
    copy->count = n;
    mm3_copy_out(copy->text, (const char *)bytes + (is_field(type) ? 8 : 4), n);
  }
  return result;
}

static void copy_drop(struct copy *copy) {
  if (copy->text != copy->small) free(copy->text);
}

static int copy_fail(const struct mm3_type *type, const void *bytes, int code, struct mm3_ctx *ctx) {
  if (code == -MM3_E_DAMAGED && string_check(type, bytes, ctx) == code) return code; /* with its reason */
  if (code == -MM3_E_DAMAGED) return mm3_ctx_fail(ctx, code, "it held no text of %s", type->text);
  if (code == -MM3_E_AGAIN) return mm3_ctx_fail(ctx, code, "it kept changing while it was read");
  return mm3_ctx_fail(ctx, code, "no memory for a copy of %s", type->text);
}

MM3_UNUSED static int string_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink,
                                   struct mm3_ctx *ctx) {
  struct copy copy;
  int result = copy_take(type, bytes, &copy);
  if (result == 0) result = sink->text(sink, copy.text, copy.count);
  else if (result == -MM3_E_DAMAGED && (ctx->flags & MM3_CTX_RAW)) result = sink->damaged(sink, copy.text, copy.count);
  else result = copy_fail(type, bytes, result, ctx);
  copy_drop(&copy);
  return result;
}

MM3_UNUSED static int string_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value,
                                 struct mm3_ctx *ctx) {
  size_t n = capacity_of(type);
  if (value->is != MM3_TEXT)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants a string, found %s", type->text, mm3_value_name(value));
  if (value->count > n)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%zu bytes do not fit %s, which takes %zu", value->count, type->text, n);
  if (!mm3_utf8_ok(value->as.text, value->count))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants UTF-8, found other bytes at %zu", type->text,
                        bad_byte(value->as.text, value->count));
  if (ctx->flags & MM3_CTX_DRY) return 0;
  return is_field(type) ? mm3_i_string_set_n(bytes, n, value->as.text, value->count)
                        : mm3_i_string_element_set_n(bytes, n, value->as.text, value->count);
}

MM3_UNUSED static int string_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct copy copy;
  int result = copy_take(type, from, &copy);
  if (result) result = copy_fail(type, from, result, ctx);
  else if (is_field(type)) mm3_i_string_write(to, capacity_of(type), NULL, 0, copy.text, copy.count);
  else result = mm3_i_string_element_set_n(to, capacity_of(type), copy.text, copy.count);
  copy_drop(&copy);
  return result;
}

MM3_UNUSED static int string_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  if (is_field(type)) mm3_i_string_clear(bytes, capacity_of(type));
  else mm3_i_string_element_set_n(bytes, capacity_of(type), NULL, 0);
  return 0;
}

/* The bytes in place, clamped: for rows that have nowhere to report to. A field's are as of its word. */
static const char *string_bytes(const struct mm3_type *type, const void *bytes, uint64_t *word, size_t *count) {
  size_t n = capacity_of(type);
  *word = 0;
  if (!is_field(type)) {
    *count = mm3_i_string_element_len(bytes, n);
    return (const char *)bytes + 4;
  }
  *word = mm3_i_string_word(bytes);
  *count = mm3_i_string_length(*word) < n ? mm3_i_string_length(*word) : n;
  return mm3_i_string_slot(bytes, n, *word);
}

/* Elements hash as the core's default does, over all bytes as they lie; fields over the value alone. */
MM3_UNUSED static uint64_t string_hash(const struct mm3_type *type, const void *bytes, uint64_t seed) {
  uint64_t word, hash = 0;
  size_t count;
  if (!is_field(type)) return XXH3_64bits_withSeed(bytes, (size_t)type->size, seed);
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    const char *text = string_bytes(type, bytes, &word, &count);
    hash = XXH3_64bits_withSeed(text, count, seed);
    if (mm3_i_string_still(bytes, word)) break;
  }
  return hash;
}

MM3_UNUSED static int string_equal(const struct mm3_type *type, const void *a, const void *b) {
  int same = 0;
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    uint64_t a_word, b_word;
    size_t a_count, b_count;
    const char *a_text = string_bytes(type, a, &a_word, &a_count), *b_text = string_bytes(type, b, &b_word, &b_count);
    same = a_count == b_count && mm3_copy_equal(a_text, b_text, a_count);
    if (!is_field(type) || (mm3_i_string_still(a, a_word) && mm3_i_string_still(b, b_word))) break;
  }
  return same;
}

MM3_UNUSED static int string_key_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes,
                                       struct mm3_ctx *ctx) {
  struct mm3_value value = {.is = MM3_TEXT, .as.text = text, .count = count};
  return string_put(type, bytes, &value, ctx);
}

MM3_UNUSED static int string_key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size,
                                       struct mm3_ctx *ctx) {
  struct copy copy;
  int result = copy_take(type, bytes, &copy);
  if (result) {
    result = copy_fail(type, bytes, result, ctx);
  } else {
    if (copy.count < size) memcpy(text, copy.text, copy.count + 1);
    result = (int)copy.count;
  }
  copy_drop(&copy);
  return result;
}

#define STRING_ROWS                                                                                                 \
  .size = sizeof(struct mm3_kind), .layout_version = 1, .name = "string",                                          \
   .signature = "string(N): at most N bytes of UTF-8", .layout = string_layout, .check = string_check,              \
   .visit = string_visit, .put = string_put, .assign = string_assign, .clear = string_clear, .hash = string_hash,   \
   .equal = string_equal, .key_parse = string_key_parse, .key_print = string_key_print

#endif
