/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented(T): segments come and go; what C programs reach through `ops`. */
#include "segmented_inside.h"

#include <errno.h>

/* Segments that nobody waits for any more: they hold no item. */
static int give_back(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t made, int result) {
  for (unsigned k = 0; k < MM3_SEGMENTS; k++) {
    uint64_t offset = r.s->segment[k];
    if (!(made >> k & 1)) continue;
    __atomic_store_n(&r.s->segment[k], 0, __ATOMIC_RELEASE);
    mm3_heap_free(file, offset);
  }
  return result;
}

int mm3i_seg_reserve(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t count) {
  uint64_t within = 0, offset, made = 0;
  unsigned last = count ? mm3_i_seg_find(count - 1, mm3_i_seg_shift(r.item), &within) : 0;
  if (count == 0) return 0;
  if (last == MM3_SEGMENTS) return -EFBIG;
  for (unsigned k = 0; k <= last; k++) {
    uint64_t bytes = seg_bytes(r, k);
    if (__atomic_load_n(&r.s->segment[k], __ATOMIC_RELAXED)) continue;
    if (seg_first(r, k) < SEG_LEN(r)) return give_back(file, r, made, -MM3_E_DAMAGED); /* its items are lost */
    if (bytes == UINT64_MAX) return give_back(file, r, made, -EFBIG);
    int result = mm3_heap_alloc(file, bytes, r.align > 16 ? r.align : 16, &offset);
    if (result < 0) return give_back(file, r, made, result);
    __atomic_store_n(&r.s->segment[k], offset, __ATOMIC_RELEASE);
    made |= UINT64_C(1) << k;
  }
  return 0;
}

/* First the length, then the sequence: whoever sees bytes of later items under an old length sees that it moved. */
static void shorten(struct mm3_segmented_ref r, uint64_t count) {
  __atomic_store_n(&r.s->length, count, __ATOMIC_RELEASE);
  __atomic_store_n(&r.s->sequence, __atomic_load_n(&r.s->sequence, __ATOMIC_RELAXED) + 1, __ATOMIC_RELEASE);
  mm3_copy_begin_write();
}

int mm3i_seg_cut(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t count) {
  int result = 0;
  if (count < SEG_LEN(r)) shorten(r, count);
  for (unsigned k = MM3_SEGMENTS; k-- > 0;) {
    uint64_t offset = __atomic_load_n(&r.s->segment[k], __ATOMIC_RELAXED);
    if (offset == 0) continue;
    if (seg_bytes(r, k) != UINT64_MAX && seg_first(r, k) < SEG_LEN(r)) break;
    __atomic_store_n(&r.s->segment[k], 0, __ATOMIC_RELEASE);
    int freed = mm3_heap_free(file, offset);
    if (result == 0) result = freed;
  }
  return result;
}

/* ---- ops ---- */

static int append_held(struct mm3_file *file, struct mm3_segmented_ref r, const void *items, uint64_t count) {
  uint64_t length = SEG_LEN(r), done = 0;
  if (count > UINT64_MAX - length) return -EFBIG;
  int result = mm3i_seg_reserve(file, r, length + count);
  while (result == 0 && done < count) {
    uint64_t within = 0;
    unsigned k = mm3_i_seg_find(length + done, mm3_i_seg_shift(r.item), &within);
    uint64_t left = seg_items(r, k) - within;
    if (left > count - done) left = count - done;
    void *place = mm3_i_seg_place(file, r.s, (size_t)r.item, (size_t)r.align, length + done, left);
    if (!place) return mm3_at_code(file, r.s->segment[k], seg_bytes(r, k)) == -MM3_E_RESERVE ? -MM3_E_RESERVE
                                                                                              : -MM3_E_DAMAGED;
    mm3_copy_in(place, (const unsigned char *)items + done * r.item, (size_t)(left * r.item));
    done += left;
  }
  if (result == 0) __atomic_store_n(&r.s->length, length + count, __ATOMIC_RELEASE);
  return result;
}

static int begin(struct mm3_file *file, int flags) {
  if (!(flags & MM3_SEGMENTED_HELD)) return mm3_lock(file);
  return mm3_locked(file) ? 0 : -EPERM;
}

static int end(struct mm3_file *file, int flags, int result) {
  if (!(flags & MM3_SEGMENTED_HELD)) mm3_unlock(file);
  return result;
}

static int ops_append(struct mm3_file *file, struct mm3_segmented_ref r, const void *items, uint64_t count, int flags) {
  int result = begin(file, flags);
  return result < 0 ? result : end(file, flags, append_held(file, r, items, count));
}

static int ops_reserve(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t count, int flags) {
  int result = begin(file, flags);
  return result < 0 ? result : end(file, flags, mm3i_seg_reserve(file, r, count));
}

static int ops_truncate(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t count, int flags) {
  int result = begin(file, flags);
  if (result < 0) return result;
  return end(file, flags, count < SEG_LEN(r) || count == 0 ? mm3i_seg_cut(file, r, count) : 0);
}

const struct mm3_segmented_ops mm3i_segmented_ops = {sizeof mm3i_segmented_ops, 1, ops_append, ops_reserve,
                                                     ops_truncate};

/* ---- killed at every store by mm3 modules check ---- */

static int test_append(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const uint64_t item = 7;
  return ops_append(ctx->file, ref_of(type, bytes), &item, 1, 0);
}

static int test_append_many(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const uint64_t items[] = {7, 8, 9};
  return ops_append(ctx->file, ref_of(type, bytes), items, 3, 0);
}

static int test_truncate(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return ops_truncate(ctx->file, ref_of(type, bytes), 1, 0);
}

static int test_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return ops_truncate(ctx->file, ref_of(type, bytes), 0, 0);
}

/* By path: an item that one store holds, of several parts. */
static int test_put(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const struct mm3_step step = {.is = MM3_STEP_INDEX, .index = 1};
  const struct mm3_value text = {.is = MM3_TEXT, .as.text = "a\u00e9", .count = 3};
  return mm3i_seg_put_at(type, bytes, &step, &text, ctx);
}

const struct mm3_test_op mm3i_segmented_test_ops[] = {
    {"put, a text in one word", "segmented(string(4))", "[\"x\", \"\u00e9\u00e9\"]", test_put, NULL},
    {"append, the first", "segmented(u64)", NULL, test_append, NULL},
    {"append", "segmented(u64)", "[1, 2]", test_append, NULL},
    {"append many", "segmented(u64)", "[1, 2]", test_append_many, NULL},
    {"truncate", "segmented(u64)", "[1, 2, 3]", test_truncate, NULL},
    {"clear", "segmented(u64)", "[1, 2, 3]", test_clear, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
