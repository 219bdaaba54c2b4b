/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* text: a string of any length in the heap: its rows and ops. The bytes are drawn in mm3/text.h. */
#include "text.h"

#include <errno.h>
#include <mm3/heap.h>
#include <mm3/testing.h>
#include <mm3/text.h>
#include <stdbool.h>
#include <stdlib.h>

#define N(x) ((unsigned long long)(x))

static int text_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 0)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "text takes no argument (a bounded string is string(N)); found %s", type->text);
  type->size = type->align = 8;
  type->flags |= MM3_TYPE_HEAP;
  return 0;
}

/* ---- writing, under the lock ---------------------------------------------------------------------------------------- */

/* A block with head and text, zero byte and all; nobody knows of it yet. */
static int write_block(struct mm3_file *file, const void *head, size_t nhead, const void *text, size_t count,
                       uint64_t *offset) {
  if (count > (size_t)INT64_MAX - 9 - nhead) return -EFBIG;
  *offset = 0;
  if (nhead + count == 0) return 0;
  int result = mm3_heap_alloc(file, 9 + nhead + count, 16, offset);
  if (result < 0) return result;
  unsigned char *block = mm3_at(file, *offset, 9 + nhead + count);
  if (!block) return -MM3_E_DAMAGED;
  mm3_copy_begin_write();
  __atomic_store_n((uint64_t *)(void *)block, nhead + count, __ATOMIC_RELAXED);
  mm3_copy_in(block + 8, head, nhead);
  mm3_copy_in(block + 8 + nhead, text, count);
  mm3_copy_zero(block + 8 + nhead + count, 1);
  return 0;
}

/* The sequence of a new text starts where the file's count of changes stands: an item of a container may lie where another
 * was removed, and its block may be that one's, so that its word must not be. */
static uint64_t sequence_of(const struct mm3_file *file, uint64_t word) {
  return word ? word : (uint64_t)mm3_changes(file) << MM3_I_TEXT_OFFSET_BITS;
}

static int replace(struct mm3_file *file, struct mm3_text *t, const void *head, size_t nhead, const void *text,
                   size_t count) {
  uint64_t old = mm3_i_text_word(t), offset;
  int result = write_block(file, head, nhead, text, count, &offset);
  if (result < 0) return result;
  __atomic_store_n(&t->word, mm3_i_text_next(sequence_of(file, old), offset), __ATOMIC_RELEASE);
  return mm3_i_text_offset(old) ? mm3_heap_free(file, mm3_i_text_offset(old)) : 0;
}

static int begin(struct mm3_file *file, int flags) {
  if (!(flags & MM3_TEXT_HELD)) return mm3_lock(file);
  return mm3_locked(file) ? 0 : -EPERM;
}

static int end(struct mm3_file *file, int flags, int result) {
  if (!(flags & MM3_TEXT_HELD)) mm3_unlock(file);
  return result;
}

static int ops_set(struct mm3_file *file, struct mm3_text *t, const void *text, size_t count, int flags) {
  if (!mm3_utf8_ok(text, count)) return -MM3_E_VALUE;
  int result = begin(file, flags);
  return result < 0 ? result : end(file, flags, replace(file, t, NULL, 0, text, count));
}

static int ops_append(struct mm3_file *file, struct mm3_text *t, const void *text, size_t count, int flags) {
  struct mm3_text_view view;
  if (!mm3_utf8_ok(text, count)) return -MM3_E_VALUE;
  int result = begin(file, flags);
  if (result < 0) return result;
  result = mm3_i_text_find(file, mm3_i_text_word(t), &view);
  if (result == 0 && !mm3_utf8_ok(view.ptr, view.len)) result = -MM3_E_DAMAGED;
  if (result == 0 && count) result = replace(file, t, view.ptr, view.len, text, count);
  return end(file, flags, result);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

/* A copy of the value as it lies, UTF-8 or not, with a zero byte: malloc'd. */
static int copy_out(struct mm3_file *file, const struct mm3_text *t, char **copy, size_t *length) {
  size_t size = 0, found = 0;
  char *buf = NULL;
  int result = -ERANGE;
  *copy = NULL, *length = 0;
  for (int tries = 0; result == -ERANGE && tries < 100; tries++) {
    char *more = realloc(buf, size = found + 256);
    if (!more) result = -ENOMEM;
    else buf = more, found = 0, result = mm3_i_text_get(file, t, buf, size, &found);
  }
  bool bytes = result == 0 || (result == -MM3_E_DAMAGED && found > 0); /* found, but no UTF-8 */
  if (bytes) *copy = buf, *length = found;
  else free(buf);
  return result == -ERANGE ? -MM3_E_AGAIN : result;
}

static char *ops_dup(struct mm3_file *file, const struct mm3_text *t, size_t *length) {
  size_t ignored;
  char *copy;
  if (!length) length = &ignored;
  int result = copy_out(file, t, &copy, length);
  if (result == 0) return copy;
  free(copy);
  *length = 0;
  return NULL;
}

static const struct mm3_text_ops text_ops = {sizeof text_ops, 1, ops_set, ops_append, ops_dup};

static int unreadable(int code, struct mm3_ctx *ctx) {
  if (code == -MM3_E_DAMAGED) return mm3_ctx_fail(ctx, code, "the text's block is not inside the file, or not UTF-8");
  return mm3_ctx_fail(ctx, code, "the text cannot be read: %s", mm3_strerror(code));
}

static int text_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  char *copy;
  size_t length;
  (void)type;
  int code = copy_out(ctx->file, bytes, &copy, &length), result;
  if (code == 0) result = sink->text(sink, copy, length);
  else if (copy && ctx->flags & MM3_CTX_RAW) result = sink->damaged(sink, copy, length);
  else result = unreadable(code, ctx);
  free(copy);
  return result;
}

/* What is wrong with the text that a word leads to, or NULL. */
static const char *fault_of(struct mm3_file *file, uint64_t word) {
  struct mm3_text_view view;
  uint64_t offset = mm3_i_text_offset(word);
  if (offset == 0) return NULL;
  if (mm3_i_text_find(file, word, &view) < 0) return "its block is not inside the file";
  if (mm3_heap_usable(file, offset) < 9 + (uint64_t)view.len) return "its block is not in use, or too small for it";
  if (mm3_copy_byte(view.ptr + view.len)) return "no zero byte follows it";
  return mm3_utf8_ok(view.ptr, view.len) ? NULL : "it is not UTF-8";
}

static int text_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  const struct mm3_text *t = bytes;
  (void)type;
  if (!ctx->file) return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "a text lies outside a file");
  for (int i = 0; i < MM3_COPY_TRIES; i++) { /* somebody may be writing: a fault counts when nobody was */
    uint64_t word = mm3_i_text_word(t);
    const char *fault = fault_of(ctx->file, word);
    if (!fault) return 0;
    if (!mm3_i_text_still(t, word)) continue;
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "a text at offset %llu: %s", N(mm3_i_text_offset(word)), fault);
  }
  return mm3_ctx_fail(ctx, -MM3_E_AGAIN, "it kept changing while it was checked");
}

static int text_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                       struct mm3_ctx *ctx) {
  uint64_t offset = mm3_i_text_offset(mm3_i_text_word(bytes));
  (void)type, (void)ctx;
  return offset ? own(arg, offset) : 0;
}

/* ---- values coming in ----------------------------------------------------------------------------------------------- */

static int set_to(void *bytes, const void *text, size_t count, struct mm3_ctx *ctx) {
  int result = replace(ctx->file, bytes, NULL, 0, text, count);
  if (result == 0) return 0;
  return mm3_ctx_fail(ctx, result, "no room for a text of %zu bytes: %s", count, mm3_strerror(result));
}

static int text_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)type;
  if (value->is != MM3_TEXT)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "text wants a string, found %s", mm3_value_name(value));
  if (!mm3_utf8_ok(value->as.text, value->count)) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the string is not UTF-8");
  if (ctx->flags & MM3_CTX_DRY) return 0;
  return set_to(bytes, value->as.text, value->count, ctx);
}

static int text_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct mm3_text_view view;
  (void)type;
  int result = mm3_i_text_find(ctx->file, mm3_i_text_word(from), &view);
  return result < 0 ? unreadable(result, ctx) : set_to(to, view.ptr, view.len, ctx);
}

static int text_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type;
  return set_to(bytes, NULL, 0, ctx);
}

static int text_key_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes, struct mm3_ctx *ctx) {
  struct mm3_value value = {.is = MM3_TEXT, .as.text = text, .count = count};
  return text_put(type, bytes, &value, ctx);
}

static int text_key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size, struct mm3_ctx *ctx) {
  size_t length = 0;
  (void)type;
  int result = mm3_i_text_get(ctx->file, bytes, text, size, &length);
  if (result < 0 && result != -ERANGE) return unreadable(result, ctx);
  return length > INT32_MAX ? mm3_ctx_fail(ctx, -MM3_E_VALUE, "a text of %zu bytes is no key", length) : (int)length;
}

/* ---- killed at every store by mm3 modules check --------------------------------------------------------------------- */

static int test_set(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type;
  return ops_set(ctx->file, bytes, "another text, which is longer", 29, 0);
}

static int test_append(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type;
  return ops_append(ctx->file, bytes, " and more", 9, 0);
}

static int test_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type;
  return ops_set(ctx->file, bytes, "", 0, 0);
}

static const struct mm3_test_op text_test_ops[] = {
    {"set, the first", "text", NULL, test_set, NULL}, {"set", "text", "\"old\"", test_set, NULL},
    {"append", "text", "\"old\"", test_append, NULL},  {"clear", "text", "\"old\"", test_clear, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct mm3_kind mm3i_text_kind = {
    .size = sizeof mm3i_text_kind,
    .layout_version = 1,
    .name = "text",
    .signature = "text: a string of any length, in the file's heap",
    .layout = text_layout,
    .check = text_check,
    .visit = text_visit,
    .put = text_put,
    .assign = text_assign,
    .clear = text_clear,
    .key_parse = text_key_parse,
    .key_print = text_key_print,
    .blocks = text_blocks,
    .ops = &text_ops,
    .test_ops = text_test_ops,
};
