/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vec(T, N): one item at a time, and values that come in. */
#include "vec_inside.h"

#include <errno.h>
#include <stdlib.h>

/* ---- one item at a time ---- */

/* A private, aligned item, zeroed. `small` serves where it can. */
struct room {
  void *item;
  _Alignas(64) unsigned char small[512];
};

static int room_open(struct room *room, const struct mm3_type *item, struct mm3_ctx *ctx) {
  room->item = room->small;
  if (item->size > sizeof room->small || item->align > 64) {
    if (item->size > SIZE_MAX / 2 ||
        posix_memalign(&room->item, item->align > 64 ? (size_t)item->align : 64, (size_t)item->size) != 0)
      return mm3_ctx_fail(ctx, -ENOMEM, "out of memory for one item of %llu bytes", (unsigned long long)item->size);
  }
  memset(room->item, 0, (size_t)item->size);
  return 0;
}

static int room_close(struct room *room, int result) {
  if (room->item != room->small) free(room->item);
  return result;
}

/* Items that own blocks are looked at where they lie, because they look after themselves: in a copy of a text's word
 * nothing tells that its block went to another text meanwhile. */
static int item_seen(struct mm3_vec_ref v, uint64_t i, int in_place, struct room *room, void **item) {
  if (!in_place) return mm3i_vec_get(v, i, *item = room->item);
  *item = mm3_i_vec_at(V(v), i);
  return *item ? 0 : -MM3_E_ABSENT;
}

int mm3i_vec_each_copy(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last, mm3i_vec_item_fn *fn,
                       void *arg, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  struct room room;
  void *item;
  int result = room_open(&room, item_type(type), ctx);
  if (result < 0) return result;
  ctx->trail = &trail;
  for (uint64_t i = first; i < last && result >= 0; i++) {
    trail.index = i;
    int got = item_seen(v, i, (item_type(type)->flags & MM3_TYPE_HEAP) != 0, &room, &item);
    if (got == -MM3_E_ABSENT) break;
    result = got == 0 ? fn(item_type(type), item, arg, ctx)
                      : mm3_ctx_fail(ctx, got, "the item changed at each of %d tries to read it", MM3_COPY_TRIES);
  }
  ctx->trail = trail.up;
  return room_close(&room, result < 0 ? result : 0);
}

int mm3i_vec_each_item(const struct mm3_type *type, const void *bytes, uint64_t first, mm3i_vec_item_fn *fn,
                       void *arg, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  int result = 0;
  ctx->trail = &trail;
  for (uint64_t i = first, length = mm3i_vec_len(v); i < length && result >= 0; i++) {
    trail.index = i;
    result = fn(item_type(type), mm3i_vec_slot(v, i), arg, ctx);
  }
  ctx->trail = trail.up;
  return result < 0 ? result : 0;
}

int mm3i_vec_find(const struct mm3_type *type, const void *bytes, const struct mm3_step *step, uint64_t *index,
                  struct mm3_ctx *ctx) {
  uint64_t length = mm3i_vec_len(ref_of(type, bytes));
  if (step->is != MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has items, reached by an index as in [0]; found '%.*s'", type->text,
                        step->count > 80 ? 80 : (int)step->count, step->text);
  *index = step->index < 0 ? length + (uint64_t)step->index : (uint64_t)step->index;
  if (*index < length) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "index %lld is beyond the end: there are %llu items", (long long)step->index,
                      (unsigned long long)length);
}

/* ---- values coming in ---- */

/* A value for an item that is not there yet: would it do? */
static int try_item(const struct mm3_type *item, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct room room;
  uint32_t flags = ctx->flags;
  int result = room_open(&room, item, ctx);
  if (result < 0) return result;
  ctx->flags |= MM3_CTX_DRY;
  result = mm3_type_init(item, room.item, ctx);
  if (result == 0) result = mm3_type_put(item, room.item, value, ctx);
  ctx->flags = flags;
  return room_close(&room, result);
}

/* An item that is there. Those with blocks in the heap have a way of their own; others are made aside, from the old value
 * or from nothing, and set: a narrow one may be a text or a struct, which its own kind would not put by one store. */
static int put_item(const struct mm3_type *type, void *bytes, uint64_t index, const struct mm3_value *value, int keep,
                    struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  const struct mm3_type *item = item_type(type);
  struct room room;
  if (item->flags & MM3_TYPE_HEAP) return mm3_type_put(item, mm3i_vec_slot(v, index), value, ctx);
  int result = room_open(&room, item, ctx);
  if (result < 0) return result;
  result = keep ? mm3i_vec_get(v, index, room.item) : mm3_type_init(item, room.item, ctx);
  if (result == 0) result = mm3_type_put(item, room.item, value, ctx);
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) result = mm3i_vec_set(v, index, room.item);
  return room_close(&room, result);
}

/* Into slot `index`, which holds no item yet and is not published here. */
static int put_new(const struct mm3_type *type, void *bytes, uint64_t index, const struct mm3_value *value,
                   struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  void *slot = mm3i_vec_place(v, index);
  mm3_i_vec_begin(bytes);
  mm3_copy_zero(slot, (size_t)v.item);
  int result = mm3_type_init(item_type(type), slot, ctx);
  return result < 0 ? result : mm3_type_put(item_type(type), slot, value, ctx);
}

/* New items that nobody sees, because one of them failed: what they took of the heap. The first error counts. */
static int forget(const struct mm3_type *type, void *bytes, uint64_t first, uint64_t last, int result, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  struct mm3_error *error = ctx->error;
  if (!(item_type(type)->flags & MM3_TYPE_HEAP)) return result;
  ctx->error = NULL;
  for (; first < last; first++) mm3_type_clear(item_type(type), mm3i_vec_place(v, first), ctx);
  ctx->error = error;
  return result;
}

static int full(const struct mm3_type *type, struct mm3_ctx *ctx) {
  return mm3_ctx_fail(ctx, -MM3_E_FULL, "%s is full: %llu items are there", type->text,
                      (unsigned long long)type->args[1].number);
}

/* Calls for each value of a list. */
static int each_value(const struct mm3_type *type, void *bytes, const struct mm3_value *list, uint64_t length,
                      struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  struct mm3_value key, value;
  void *cursor = NULL;
  uint64_t made = length;
  int result = 0, more = 0;
  ctx->trail = &trail;
  while (result >= 0 && (more = list->source->next(list, &cursor, &key, &value)) > 0) {
    if (trail.index >= type->args[1].number)
      result = mm3_ctx_fail(ctx, -MM3_E_VALUE, "more items than the %llu that %s takes",
                            (unsigned long long)type->args[1].number, type->text);
    else if (ctx->flags & MM3_CTX_DRY) result = try_item(item_type(type), &value, ctx);
    else if (trail.index < length) result = put_item(type, bytes, trail.index, &value, 0, ctx);
    else made = trail.index + 1, result = put_new(type, bytes, trail.index, &value, ctx);
    trail.index++;
  }
  ctx->trail = trail.up;
  if (result >= 0) result = more;
  return result < 0 ? forget(type, bytes, length, made, result, ctx) : result;
}

static int item_clear(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_clear(item, bytes, ctx);
}

static int shorten(const struct mm3_type *type, void *bytes, uint64_t count, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  int result = item_type(type)->flags & MM3_TYPE_HEAP ? mm3i_vec_each_item(type, bytes, count, item_clear, NULL, ctx) : 0;
  mm3_i_vec_truncate(V(v), count);
  return result;
}

int mm3i_vec_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  uint32_t flags = ctx->flags;
  if (value->is != MM3_LIST)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array, found %s", type->text, mm3_value_name(value));
  if (value->count > v.capacity)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s takes %llu items, found %zu", type->text, (unsigned long long)v.capacity,
                        value->count);
  int result = 0;
  if (!(flags & MM3_CTX_TRIED)) {
    ctx->flags |= MM3_CTX_DRY;
    result = each_value(type, bytes, value, 0, ctx);
    ctx->flags = flags;
  }
  if (result < 0 || (flags & MM3_CTX_DRY)) return result;
  uint64_t length = mm3i_vec_settle(v);
  result = each_value(type, bytes, value, length, ctx);
  if (result < 0) return result;
  if (value->count > length) mm3_i_vec_publish(bytes, value->count);
  return value->count < length ? shorten(type, bytes, value->count, ctx) : 0;
}

int mm3i_vec_push(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  uint64_t length = mm3i_vec_len(v);
  if (length == v.capacity) return full(type, ctx);
  int result = try_item(item_type(type), value, ctx);
  if (result < 0 || (ctx->flags & MM3_CTX_DRY)) return result;
  mm3i_vec_settle(v);
  result = put_new(type, bytes, length, value, ctx);
  if (result < 0) return forget(type, bytes, length, length + 1, result, ctx);
  mm3_i_vec_publish(bytes, length + 1);
  return 0;
}

int mm3i_vec_put_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step,
                      const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint64_t index;
  int result = mm3i_vec_find(type, bytes, step, &index, ctx);
  return result < 0 ? result : put_item(type, bytes, index, value, 1, ctx);
}

int mm3i_vec_erase(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  uint64_t index;
  int result = mm3i_vec_find(type, bytes, step, &index, ctx);
  if (result < 0 || (ctx->flags & MM3_CTX_DRY)) return result;
  if (item_type(type)->flags & MM3_TYPE_HEAP) result = mm3_type_clear(item_type(type), mm3i_vec_slot(v, index), ctx);
  if (result == 0) mm3i_vec_cut(ctx->file, ctx->field, v, index, 1);
  return result;
}

/* ---- whole values ---- */

int mm3i_vec_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) { return shorten(type, bytes, 0, ctx); }

static int assign_item(const struct mm3_type *type, void *to, uint64_t i, const void *from, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, to);
  const struct mm3_type *item = item_type(type);
  if (!(item->flags & MM3_TYPE_HEAP) && i < mm3i_vec_len(v)) return mm3i_vec_set(v, i, from);
  void *slot = mm3i_vec_place(v, i);
  mm3_i_vec_begin(to);
  mm3_copy_zero(slot, (size_t)v.item);
  int result = mm3_type_init(item, slot, ctx);
  return result < 0 ? result : mm3_type_assign(item, slot, from, ctx);
}

int mm3i_vec_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct mm3_vec_ref source = ref_of(type, from);
  uint64_t count = mm3i_vec_len(source);
  int heap = (item_type(type)->flags & MM3_TYPE_HEAP) != 0;
  int result = shorten(type, to, heap ? 0 : count, ctx);
  mm3i_vec_settle(ref_of(type, to));
  for (uint64_t i = 0; i < count && result == 0; i++) {
    result = assign_item(type, to, i, mm3i_vec_slot(source, i), ctx);
    if (result < 0) return forget(type, to, 0, i + 1, result, ctx);
  }
  if (result == 0) mm3_i_vec_publish(to, count);
  return result;
}
