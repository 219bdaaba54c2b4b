/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented_inside.h: what the files of mm3-segmented share. The bytes are drawn in mm3/segmented.h. */
#ifndef MM3_SEGMENTED_INSIDE_H
#define MM3_SEGMENTED_INSIDE_H

#include <mm3/heap.h>
#include <mm3/module.h>
#include <mm3/segmented.h>
#include <mm3/testing.h>

static inline const struct mm3_type *item_type(const struct mm3_type *type) { return type->args[0].type; }
static inline int has_heap(const struct mm3_type *type) { return (item_type(type)->flags & MM3_TYPE_HEAP) != 0; }

static inline struct mm3_segmented_ref ref_of(const struct mm3_type *type, const void *bytes) {
  struct mm3_segmented_ref ref = {(struct mm3_i_segmented *)(uintptr_t)bytes, item_type(type)->size,
                                  item_type(type)->align};
  return ref;
}

/* A field's length, place of one item, copy of one item. */
#define SEG_LEN(r) mm3_i_seg_len((r).s)
#define SEG_PLACE(file, r, i) mm3_i_seg_place(file, (r).s, (size_t)(r).item, (size_t)(r).align, i, 1)
#define SEG_GET(file, r, i, out) mm3_i_seg_get(file, (r).s, (size_t)(r).item, (size_t)(r).align, i, out)

/* The first item of segment k, and its items. */
static inline uint64_t seg_first(struct mm3_segmented_ref r, unsigned k) {
  return ((UINT64_C(1) << k) - 1) << mm3_i_seg_shift(r.item);
}
static inline uint64_t seg_items(struct mm3_segmented_ref r, unsigned k) {
  return UINT64_C(1) << (k + mm3_i_seg_shift(r.item));
}
/* Bytes of segment k; UINT64_MAX: beyond all files. */
static inline uint64_t seg_bytes(struct mm3_segmented_ref r, unsigned k) {
  uint64_t bytes;
  if (k + mm3_i_seg_shift(r.item) > 62 || __builtin_mul_overflow(seg_items(r, k), r.item, &bytes)) return UINT64_MAX;
  return bytes > INT64_MAX ? UINT64_MAX : bytes;
}

/* Under the lock. reserve: segments for `count` items in all. cut: shortens and frees segments that are empty then. */
int mm3i_seg_reserve(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t count);
int mm3i_seg_cut(struct mm3_file *file, struct mm3_segmented_ref r, uint64_t count);

extern const struct mm3_segmented_ops mm3i_segmented_ops;
extern const struct mm3_test_op mm3i_segmented_test_ops[];

/* A private, aligned item, zeroed. `small` serves where it can. */
struct room {
  void *item;
  _Alignas(64) unsigned char small[512];
};
int mm3i_seg_room_open(struct room *room, const struct mm3_type *item, struct mm3_ctx *ctx);
int mm3i_seg_room_close(struct room *room, int result); /* returns result */

/* Calls for each item from `first` on, in place, for the holder of the lock. */
int mm3i_seg_each(const struct mm3_type *type, struct mm3_segmented_ref r, uint64_t first,
                  int (*each)(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx), void *arg,
                  struct mm3_ctx *ctx);

/* Rows. */
int mm3i_seg_find(const struct mm3_type *type, const void *bytes, const struct mm3_step *step, uint64_t *index,
                  struct mm3_ctx *ctx);
int mm3i_seg_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);
int mm3i_seg_push(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);
int mm3i_seg_put_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, const struct mm3_value *value,
                    struct mm3_ctx *ctx);
int mm3i_seg_erase(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_ctx *ctx);
int mm3i_seg_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx);
int mm3i_seg_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);
int mm3i_seg_describe(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx);
int mm3i_seg_grow(const struct mm3_type *type, void *bytes, uint64_t count, struct mm3_ctx *ctx);

#endif
