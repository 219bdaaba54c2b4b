/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vec: operations for the conformance kit (mm3/testing.h), on narrow and on wide items. */
#include "vec_inside.h"

enum { ITEM_BYTES = 16 }; /* of the largest item below */

struct items {
  _Alignas(8) unsigned char bytes[2 * ITEM_BYTES];
};

static struct items sevens(void) {
  struct items items;
  memset(items.bytes, 7, sizeof items.bytes);
  return items;
}

static int test_push(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct items items = sevens();
  (void)ctx;
  return mm3_i_vec_push(V(ref_of(type, bytes)), items.bytes);
}

static int test_pop(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct items items;
  (void)ctx;
  return mm3_i_vec_pop(V(ref_of(type, bytes)), items.bytes);
}

static int test_set(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct items items = sevens();
  (void)ctx;
  return mm3i_vec_set(ref_of(type, bytes), 1, items.bytes);
}

static int test_insert(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct items items = sevens();
  return mm3i_vec_ops.insert(ctx->file, ref_of(type, bytes), 1, items.bytes, 1, 0);
}

static int test_insert_two(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct items items = sevens();
  return mm3i_vec_ops.insert(ctx->file, ref_of(type, bytes), 1, items.bytes, 2, 0);
}

static int test_remove(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return mm3i_vec_ops.remove(ctx->file, ref_of(type, bytes), 0, 1, NULL, 0);
}

static int test_swap_remove(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return mm3i_vec_ops.swap_remove(ctx->file, ref_of(type, bytes), 0, NULL, 0);
}

static int test_resize(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct items items = sevens();
  return mm3i_vec_ops.resize(ctx->file, ref_of(type, bytes), 6, items.bytes, 0);
}

static int compare_bytes(const void *a, const void *b, void *context) { return memcmp(a, b, *(uint64_t *)context); }

static int test_sort(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  return mm3i_vec_ops.sort(ctx->file, v, compare_bytes, &v.item, 0);
}

/* By path: an item that one store holds, of several parts. */
static int test_put(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const struct mm3_step step = {.is = MM3_STEP_INDEX, .index = 1};
  const struct mm3_value text = {.is = MM3_TEXT, .as.text = "a\u00e9", .count = 3};
  return mm3i_vec_put_at(type, bytes, &step, &text, ctx);
}

/* The same characters in any order: no item is there twice, and none is torn. */
static int is_permutation(const char *before, const char *after, const char *now) {
  int count[256] = {0};
  (void)after;
  if (strlen(before) != strlen(now)) return 0;
  for (size_t i = 0; before[i]; i++) count[(unsigned char)before[i]]++, count[(unsigned char)now[i]]--;
  for (int i = 0; i < 256; i++)
    if (count[i]) return 0;
  return 1;
}

#define NARROW "vec(u64, 6)", "[3, 1, 4, 2]"
#define WIDE "vec(raw(12), 6)",                                                                                  \
  "[\"333333333333333333333333\", \"111111111111111111111111\", \"444444444444444444444444\", \"222222222222222222222222\"]"
#define BOTH(name, run, model) {name, NARROW, run, model}, {name ", wide items", WIDE, run, model}

const struct mm3_test_op mm3i_vec_test_ops[] = {
    BOTH("push", test_push, NULL),
    BOTH("pop", test_pop, NULL),
    BOTH("set", test_set, NULL),
    {"put, a text in one word", "vec(string(4), 3)", "[\"x\", \"\u00e9\u00e9\"]", test_put, NULL},
    BOTH("insert", test_insert, NULL),
    BOTH("insert two", test_insert_two, NULL),
    BOTH("remove", test_remove, NULL),
    BOTH("swap_remove", test_swap_remove, NULL),
    BOTH("resize", test_resize, NULL),
    BOTH("sort", test_sort, is_permutation),
    {NULL, NULL, NULL, NULL, NULL},
};
