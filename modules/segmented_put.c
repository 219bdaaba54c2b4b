/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented(T): values that come in, and whole arrays. */
#include "segmented_inside.h"

#include <errno.h>
#include <stdlib.h>

int mm3i_seg_room_open(struct room *room, const struct mm3_type *item, struct mm3_ctx *ctx) {
  room->item = room->small;
  if (item->size > sizeof room->small || item->align > 64) {
    if (item->size > SIZE_MAX / 2 ||
        posix_memalign(&room->item, item->align > 64 ? (size_t)item->align : 64, (size_t)item->size) != 0)
      return mm3_ctx_fail(ctx, -ENOMEM, "out of memory for one item of %llu bytes", (unsigned long long)item->size);
  }
  memset(room->item, 0, (size_t)item->size);
  return 0;
}

int mm3i_seg_room_close(struct room *room, int result) {
  if (room->item != room->small) free(room->item);
  return result;
}

int mm3i_seg_find(const struct mm3_type *type, const void *bytes, const struct mm3_step *step, uint64_t *index,
                  struct mm3_ctx *ctx) {
  uint64_t length = SEG_LEN(ref_of(type, bytes));
  if (step->is != MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has items, reached by an index as in [0]; found '%.*s'", type->text,
                        step->count > 80 ? 80 : (int)step->count, step->text);
  *index = step->index < 0 ? length + (uint64_t)step->index : (uint64_t)step->index;
  if (step->index < 0 && *index > length) *index = length; /* before the first */
  if (*index < length) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "index %lld is beyond the end: there are %llu items", (long long)step->index,
                      (unsigned long long)length);
}

/* What the heap said, in words. */
static int no_room(const struct mm3_type *type, int code, struct mm3_ctx *ctx) {
  return mm3_ctx_fail(ctx, code, "no room for more items of %s: %s", type->text, mm3_strerror(code));
}

/* ---- one item ---- */

static int try_item(const struct mm3_type *item, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct room room;
  uint32_t flags = ctx->flags;
  int result = mm3i_seg_room_open(&room, item, ctx);
  if (result < 0) return result;
  ctx->flags |= MM3_CTX_DRY;
  result = mm3_type_init(item, room.item, ctx);
  if (result == 0) result = mm3_type_put(item, room.item, value, ctx);
  ctx->flags = flags;
  return mm3i_seg_room_close(&room, result);
}

/* Item `i`, which nobody sees yet, in a segment that is there. */
static int put_new(const struct mm3_type *type, struct mm3_segmented_ref r, uint64_t i, const struct mm3_value *value,
                   const void *from, struct mm3_ctx *ctx) {
  void *place = SEG_PLACE(ctx->file, r, i);
  if (!place) return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the segment of a new item is not inside the file");
  mm3_copy_zero(place, (size_t)r.item);
  int result = mm3_type_init(item_type(type), place, ctx);
  if (result == 0 && from) result = mm3_type_assign(item_type(type), place, from, ctx);
  else if (result == 0) result = mm3_type_put(item_type(type), place, value, ctx);
  if (result == 0 || !has_heap(type)) return result;
  struct mm3_error *error = ctx->error; /* what some of its members took of the heap; the first error counts */
  ctx->error = NULL;
  mm3_type_clear(item_type(type), place, ctx);
  ctx->error = error;
  return result;
}

int mm3i_seg_push(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  uint64_t length = SEG_LEN(r);
  int result = try_item(item_type(type), value, ctx);
  if (result < 0 || (ctx->flags & MM3_CTX_DRY)) return result;
  result = mm3i_seg_reserve(ctx->file, r, length + 1);
  if (result < 0) return no_room(type, result, ctx);
  result = put_new(type, r, length, value, NULL, ctx);
  if (result == 0) __atomic_store_n(&r.s->length, length + 1, __ATOMIC_RELEASE);
  return result;
}

/* An item that one store holds is made aside, from the old value, and stored: a text or a struct would take several. Wider
 * ones have no place aside that a reader knows of: they are put where they lie, as those that own blocks are. */
int mm3i_seg_put_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, const struct mm3_value *value,
                    struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  uint64_t index;
  int result = mm3i_seg_find(type, bytes, step, &index, ctx);
  if (result < 0) return result;
  void *place = SEG_PLACE(ctx->file, r, index);
  if (!place)
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the segment of item %llu is not inside the file", (unsigned long long)index);
  if (!mm3_i_item_narrow((size_t)r.item) || has_heap(type)) return mm3_type_put(item_type(type), place, value, ctx);
  uint64_t item = mm3_i_item_word(place, (size_t)r.item);
  result = mm3_type_put(item_type(type), &item, value, ctx);
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) mm3_i_item_store(place, &item, (size_t)r.item);
  return result;
}

int mm3i_seg_erase(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  uint64_t index;
  int result = mm3i_seg_find(type, bytes, step, &index, ctx);
  if (result < 0) return result;
  if (index != SEG_LEN(r) - 1)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "only the last item of %s can be removed: items never move; found %lld",
                        type->text, (long long)step->index);
  if (ctx->flags & MM3_CTX_DRY) return 0;
  void *place = has_heap(type) ? SEG_PLACE(ctx->file, r, index) : NULL;
  if (place) result = mm3_type_clear(item_type(type), place, ctx);
  return result < 0 ? result : mm3i_seg_cut(ctx->file, r, index);
}

int mm3i_seg_grow(const struct mm3_type *type, void *bytes, uint64_t count, struct mm3_ctx *ctx) {
  int result = mm3i_seg_reserve(ctx->file, ref_of(type, bytes), count);
  return result < 0 ? no_room(type, result, ctx) : 0;
}

/* ---- whole arrays ---- */

static int item_clear(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_clear(item, bytes, ctx);
}

/* An array that only we know of, or that was taken out of the field: back to the heap. */
static int drop(const struct mm3_type *type, struct mm3_segmented_ref r, struct mm3_ctx *ctx) {
  int result = has_heap(type) ? mm3i_seg_each(type, r, 0, item_clear, NULL, ctx) : 0;
  int cut = mm3i_seg_cut(ctx->file, r, 0);
  return result < 0 ? result : cut;
}

/* The private array becomes the field's. Killed on the way the field is the old array, empty, or the new one. */
static int replace(const struct mm3_type *type, void *bytes, const struct mm3_i_segmented *fresh, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  struct mm3_i_segmented old = *r.s;
  __atomic_store_n(&r.s->length, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&r.s->sequence, old.sequence + 1, __ATOMIC_RELEASE);
  for (unsigned k = 0; k < MM3_SEGMENTS; k++) __atomic_store_n(&r.s->segment[k], fresh->segment[k], __ATOMIC_RELEASE);
  __atomic_store_n(&r.s->length, fresh->length, __ATOMIC_RELEASE);
  return drop(type, ref_of(type, &old), ctx);
}

static int fill(const struct mm3_type *type, struct mm3_segmented_ref r, const struct mm3_value *list,
                struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  struct mm3_value key, value;
  void *cursor = NULL;
  int result = 0, more;
  ctx->trail = &trail;
  while (result >= 0 && (more = list->source->next(list, &cursor, &key, &value)) > 0) {
    if (ctx->flags & MM3_CTX_DRY) {
      result = try_item(item_type(type), &value, ctx);
    } else {
      result = mm3i_seg_reserve(ctx->file, r, trail.index + 1);
      result = result < 0 ? no_room(type, result, ctx) : put_new(type, r, trail.index, &value, NULL, ctx);
      if (result == 0) r.s->length = trail.index + 1;
    }
    trail.index++;
  }
  ctx->trail = trail.up;
  return result < 0 ? result : more;
}

int mm3i_seg_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_i_segmented fresh = {0};
  uint32_t flags = ctx->flags;
  if (value->is != MM3_LIST)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array, found %s", type->text, mm3_value_name(value));
  int result = 0;
  if (!(flags & MM3_CTX_TRIED)) {
    ctx->flags |= MM3_CTX_DRY;
    result = fill(type, ref_of(type, &fresh), value, ctx);
    ctx->flags = flags;
  }
  if (result < 0 || (flags & MM3_CTX_DRY)) return result;
  result = fill(type, ref_of(type, &fresh), value, ctx);
  if (result == 0) return replace(type, bytes, &fresh, ctx);
  struct mm3_error *error = ctx->error; /* the first error counts */
  ctx->error = NULL;
  drop(type, ref_of(type, &fresh), ctx);
  ctx->error = error;
  return result;
}

struct copying {
  const struct mm3_type *type;
  struct mm3_segmented_ref to;
};

static int item_copy(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  struct copying *c = arg;
  uint64_t length = SEG_LEN(c->to);
  (void)item;
  int result = put_new(c->type, c->to, length, NULL, bytes, ctx);
  if (result == 0) c->to.s->length = length + 1;
  return result;
}

int mm3i_seg_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct mm3_i_segmented fresh = {0};
  struct mm3_segmented_ref source = ref_of(type, from);
  struct copying copying = {type, ref_of(type, &fresh)};
  int result = mm3i_seg_reserve(ctx->file, copying.to, SEG_LEN(source));
  if (result < 0) result = no_room(type, result, ctx);
  else result = mm3i_seg_each(type, source, 0, item_copy, &copying, ctx);
  if (result == 0) return replace(type, to, &fresh, ctx);
  struct mm3_error *error = ctx->error;
  ctx->error = NULL;
  drop(type, copying.to, ctx);
  ctx->error = error;
  return result;
}

int mm3i_seg_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return drop(type, ref_of(type, bytes), ctx);
}
