/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented(T): its rows. The bytes are drawn in mm3/segmented.h; segmented_put.c takes values in, segmented_ops.c makes
 * and frees segments. */
#include "segmented_inside.h"

#define N(x) ((unsigned long long)(x))

static int segmented_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_TYPE)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "segmented wants a type, as in segmented(u64); found %s", type->text);
  const struct mm3_type *item = item_type(type);
  if (item->size == 0 || item->size > UINT64_C(1) << 40)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: items of %llu bytes; 1 to 2^40 were wanted", type->text,
                        N(item->size));
  type->size = sizeof(struct mm3_i_segmented);
  type->align = 8;
  type->flags |= MM3_TYPE_HEAP | (item->flags & MM3_TYPE_RECOVER);
  return 0;
}

/* ---- items in place ---- */

int mm3i_seg_each(const struct mm3_type *type, struct mm3_segmented_ref r, uint64_t first,
                  int (*each)(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx), void *arg,
                  struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  uint64_t left = 0;
  unsigned char *at = NULL;
  int result = 0;
  ctx->trail = &trail;
  for (uint64_t i = first, length = SEG_LEN(r); i < length && result >= 0; i++, left--, at += r.item) {
    trail.index = i;
    if (left == 0) at = mm3_i_seg_run(ctx->file, r.s, (size_t)r.item, (size_t)r.align, i, &left);
    result = at ? each(item_type(type), at, arg, ctx)
                : mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the segment of this item is not inside the file");
    if (!at) break;
  }
  ctx->trail = trail.up;
  return result < 0 ? result : 0;
}

/* ---- check, recover, blocks ---- */

static int directory_check(const struct mm3_type *type, struct mm3_segmented_ref r, uint64_t length,
                           struct mm3_ctx *ctx) {
  uint64_t within = 0;
  if (length && mm3_i_seg_find(length - 1, mm3_i_seg_shift(r.item), &within) == MM3_SEGMENTS)
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the length is %llu, beyond all segments", N(length));
  for (unsigned k = 0; k < MM3_SEGMENTS; k++) {
    uint64_t offset = __atomic_load_n(&r.s->segment[k], __ATOMIC_RELAXED), bytes = seg_bytes(r, k);
    if (offset == 0 && seg_first(r, k) >= length) continue;
    if (offset == 0)
      return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "segment %u is not there, but there are %llu items", k, N(length));
    uint64_t usable = mm3_heap_usable(ctx->file, offset), align = r.align > 16 ? r.align : 16;
    if (usable < bytes || offset % align || !mm3_at(ctx->file, offset, bytes))
      return mm3_ctx_fail(ctx, -MM3_E_DAMAGED,
                          "segment %u is said to lie at %llu, where a block of %llu bytes is in use; %s wants %llu", k,
                          N(offset), N(usable), type->text, N(bytes));
  }
  return 0;
}

static int item_check(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_check(item, bytes, ctx);
}

static int segmented_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  if (!ctx->file) return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s lies outside a file", type->text);
  for (int tries = 0;; tries++) { /* without the lock somebody may be appending or cutting: then once more */
    uint64_t sequence = __atomic_load_n(&r.s->sequence, __ATOMIC_ACQUIRE);
    int result = directory_check(type, r, SEG_LEN(r), ctx);
    if (result == 0) result = mm3i_seg_each(type, r, 0, item_check, NULL, ctx);
    if (result == 0 || tries == 10 || __atomic_load_n(&r.s->sequence, __ATOMIC_ACQUIRE) == sequence) return result;
  }
}

static int item_recover(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  return mm3_type_recover(item, bytes, *(uint64_t *)arg, ctx);
}

static int segmented_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  if (!(item_type(type)->flags & MM3_TYPE_RECOVER)) return 0;
  return mm3i_seg_each(type, ref_of(type, bytes), 0, item_recover, &certificate, ctx);
}

struct owner {
  int (*own)(void *arg, uint64_t offset);
  void *arg;
};

static int item_blocks(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  struct owner *owner = arg;
  return mm3_type_blocks(item, bytes, owner->own, owner->arg, ctx);
}

static int segmented_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset),
                            void *arg, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  struct owner owner = {own, arg};
  for (unsigned k = 0; k < MM3_SEGMENTS; k++) {
    uint64_t offset = __atomic_load_n(&r.s->segment[k], __ATOMIC_RELAXED);
    int result = offset ? own(arg, offset) : 0;
    if (result < 0) return result;
  }
  return has_heap(type) ? mm3i_seg_each(type, r, 0, item_blocks, &owner, ctx) : 0;
}

/* ---- visit, count, at ---- */

/* A copy of the item, whole; items that own blocks are visited where they lie, because they look after themselves. */
static int visit_item(const struct mm3_type *type, struct mm3_segmented_ref r, uint64_t i, struct room *room,
                      struct mm3_sink *sink, struct mm3_ctx *ctx) {
  void *item = room->item;
  int result;
  if (has_heap(type)) {
    item = mm3_i_seg_at(ctx->file, r.s, (size_t)r.item, (size_t)r.align, i);
    result = item ? 0 : i < SEG_LEN(r) ? -MM3_E_DAMAGED : -MM3_E_ABSENT;
  } else {
    result = SEG_GET(ctx->file, r, i, item);
  }
  if (result == 0) return mm3_type_visit(item_type(type), item, sink, ctx);
  if (result == -MM3_E_ABSENT) return result; /* it was taken away meanwhile */
  return mm3_ctx_fail(ctx, result, "the item cannot be read: %s", mm3_strerror(result));
}

static int segmented_visit_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                                 struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  struct room room;
  int result = mm3i_seg_room_open(&room, item_type(type), ctx);
  if (result < 0) return result;
  result = sink->begin_list(sink, last > first ? last - first : 0);
  ctx->trail = &trail;
  for (uint64_t i = first; i < last && result >= 0; i++) {
    trail.index = i;
    result = visit_item(type, r, i, &room, sink, ctx);
  }
  ctx->trail = trail.up;
  if (result >= 0 || result == -MM3_E_ABSENT) result = sink->end_list(sink);
  return mm3i_seg_room_close(&room, result);
}

static int segmented_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  return segmented_visit_range(type, bytes, 0, SEG_LEN(ref_of(type, bytes)), sink, ctx);
}

static int segmented_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                           struct mm3_ctx *ctx) {
  (void)ctx;
  *count = SEG_LEN(ref_of(type, bytes));
  *capacity = UINT64_MAX;
  return 0;
}

static int segmented_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                        struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  uint64_t index;
  int result = mm3i_seg_find(type, bytes, step, &index, ctx);
  if (result < 0) return result;
  *place = (struct mm3_place){item_type(type), SEG_PLACE(ctx->file, r, index)};
  if (place->bytes) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the segment of item %llu is not inside the file", N(index));
}

/* ---- the module ---- */

static const struct mm3_kind segmented_kind = {
    .size = sizeof segmented_kind,
    .layout_version = 1,
    .name = "segmented",
    .signature = "segmented(T): items of T that are appended for ever and never move",
    .layout = segmented_layout,
    .check = segmented_check,
    .recover = segmented_recover,
    .visit = segmented_visit,
    .visit_range = segmented_visit_range,
    .count = segmented_count,
    .at = segmented_at,
    .put = mm3i_seg_put,
    .push = mm3i_seg_push,
    .put_at = mm3i_seg_put_at,
    .erase = mm3i_seg_erase,
    .assign = mm3i_seg_assign,
    .clear = mm3i_seg_clear,
    .blocks = segmented_blocks,
    .grow = mm3i_seg_grow,
    .describe = mm3i_seg_describe,
    .ops = &mm3i_segmented_ops,
    .test_ops = mm3i_segmented_test_ops,
};

static const struct mm3_kind *const kinds[] = {&segmented_kind};
MM3_MODULE(segmented, "1.0", kinds);
