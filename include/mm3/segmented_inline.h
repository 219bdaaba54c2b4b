/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented_inline.h: the machinery of segmented.h, which is the manual; include that one. The module uses it too. */
#ifndef MM3_SEGMENTED_INLINE_H
#define MM3_SEGMENTED_INLINE_H

#include <mm3/segmented.h>

#define MM3_I_SEG_ARGS struct mm3_file *file, const struct mm3_i_segmented *s, size_t item, size_t align
#define MM3_I_SEG_ARGS_W struct mm3_file *file, struct mm3_i_segmented *s, size_t item, size_t align

/* log2 of F, the items of segment 0; a constant for a constant. Items of no bytes do not exist. */
MM3_INLINE unsigned mm3_i_seg_shift(uint64_t item) {
  uint64_t least = item >= 4096 ? 1 : (4096 + item - 1) / item;
  return least == 1 ? 0 : 64 - (unsigned)__builtin_clzll(least - 1);
}

MM3_INLINE uint64_t mm3_i_seg_len(const struct mm3_i_segmented *s) {
  return __atomic_load_n(&s->length, __ATOMIC_ACQUIRE);
}

/* Where item i lies: segment k (MM3_SEGMENTS: beyond all), number *within of it. */
MM3_INLINE unsigned mm3_i_seg_find(uint64_t i, unsigned shift, uint64_t *within) {
  uint64_t number = i + (UINT64_C(1) << shift);
  if (__builtin_expect(number >> 62 != 0 || number < i, 0)) return MM3_SEGMENTS;
  unsigned top = 63 - (unsigned)__builtin_clzll(number), k = top - shift;
  *within = number ^ UINT64_C(1) << top;
  return k < MM3_SEGMENTS ? k : MM3_SEGMENTS;
}

/* `count` items from i on, which lie in one segment; NULL: not there. */
MM3_INLINE void *mm3_i_seg_place(MM3_I_SEG_ARGS, uint64_t i, uint64_t count) {
  uint64_t within = 0, offset, bytes;
  unsigned k = mm3_i_seg_find(i, mm3_i_seg_shift(item), &within);
  (void)align;
  if (__builtin_expect(k == MM3_SEGMENTS, 0)) return 0;
  offset = __atomic_load_n(&s->segment[k], __ATOMIC_RELAXED);
  if (__builtin_expect(offset == 0 || __builtin_mul_overflow(within, item, &bytes) ||
                           __builtin_add_overflow(offset, bytes, &offset),
                       0))
    return 0;
  return mm3_at(file, offset, count * item);
}

/* ---- reading ---- */

/* Why there is no place for an item below the length: 0 (look again), or a code. */
MM3_UNUSED MM3_COLD static int mm3_i_seg_lost(MM3_I_SEG_ARGS, uint64_t i, uint64_t sequence) {
  uint64_t within = 0, offset;
  unsigned k = mm3_i_seg_find(i, mm3_i_seg_shift(item), &within);
  (void)align;
  if (__atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE) != sequence) return 0;
  if (k == MM3_SEGMENTS) return -MM3_E_DAMAGED;
  offset = __atomic_load_n(&s->segment[k], __ATOMIC_RELAXED);
  if (offset == 0 || within > (UINT64_MAX - offset) / item - 1) return -MM3_E_DAMAGED;
  return mm3_at_code(file, offset + within * item, item);
}

/* The same for the lock's holder, under whom no segment goes: -MM3_E_RESERVE, or -MM3_E_DAMAGED. */
MM3_UNUSED MM3_COLD static int mm3_i_seg_outside(MM3_I_SEG_ARGS, uint64_t i) {
  int code = mm3_i_seg_lost(file, s, item, align, i, __atomic_load_n(&s->sequence, __ATOMIC_RELAXED));
  return code < 0 ? code : -MM3_E_DAMAGED;
}

MM3_INLINE int mm3_i_seg_get(MM3_I_SEG_ARGS, uint64_t i, void *out) {
  for (unsigned tries = 0; tries < MM3_COPY_TRIES; tries++) {
    uint64_t sequence = __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE);
    if (i >= mm3_i_seg_len(s)) return -MM3_E_ABSENT;
    const void *place = mm3_i_seg_place(file, s, item, align, i, 1);
    if (__builtin_expect(!place, 0)) {
      int code = mm3_i_seg_lost(file, s, item, align, i, sequence);
      if (code < 0) return code;
      continue;
    }
    mm3_i_item_load(out, place, item);
    mm3_copy_end_read();
    if (__builtin_expect(__atomic_load_n(&s->sequence, __ATOMIC_RELAXED) == sequence, 1)) return 0;
  }
  return -MM3_E_AGAIN;
}

MM3_UNUSED static inline int mm3_i_seg_last(MM3_I_SEG_ARGS, void *out) {
  for (unsigned tries = 0; tries < MM3_COPY_TRIES; tries++) {
    uint64_t length = mm3_i_seg_len(s);
    if (length == 0) return -MM3_E_ABSENT;
    int result = mm3_i_seg_get(file, s, item, align, length - 1, out); /* absent: it was taken away meanwhile */
    if (result != -MM3_E_ABSENT) return result;
  }
  return -MM3_E_AGAIN;
}

MM3_INLINE void *mm3_i_seg_at(MM3_I_SEG_ARGS, uint64_t i) {
  return i < mm3_i_seg_len(s) ? mm3_i_seg_place(file, s, item, align, i, 1) : 0;
}

MM3_UNUSED static inline void *mm3_i_seg_run(MM3_I_SEG_ARGS, uint64_t i, uint64_t *count) {
  uint64_t length = mm3_i_seg_len(s), within = 0, left;
  unsigned shift = mm3_i_seg_shift(item), k = mm3_i_seg_find(i, shift, &within);
  *count = 0;
  if (i >= length || k == MM3_SEGMENTS) return 0;
  left = (UINT64_C(1) << (k + shift)) - within;
  if (left > length - i) left = length - i;
  if (left > UINT64_MAX / item) return 0;
  void *place = mm3_i_seg_place(file, s, item, align, i, left);
  if (place) *count = left;
  return place;
}

/* Where MM3_SEGMENTED_EACH is: `count` items from `index` on, side by side; `whole` when all of them were seen, not when
 * the statement broke out. */
struct mm3_i_seg_walk {
  void *at;
  uint64_t index, count;
  int whole;
};

MM3_INLINE int mm3_i_seg_walk_on(MM3_I_SEG_ARGS, struct mm3_i_seg_walk *walk) {
  if (!walk->whole) return 0;
  walk->whole = 0;
  walk->index += walk->count;
  walk->at = mm3_i_seg_run(file, s, item, align, walk->index, &walk->count);
  return walk->at != 0;
}

/* ---- the way to the module ---- */

/* The module's operations, when they reach to byte `least` at least; looked for once a source file. */
MM3_UNUSED MM3_COLD static const struct mm3_segmented_ops *mm3_i_seg_ops(size_t least) {
  static const struct mm3_segmented_ops *found;
  const struct mm3_segmented_ops *ops = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
  if (!ops) {
    ops = (const struct mm3_segmented_ops *)mm3_kind_ops("segmented");
    __atomic_store_n(&found, ops, __ATOMIC_RELEASE);
  }
  return ops && ops->size >= least ? ops : 0;
}

MM3_INLINE struct mm3_segmented_ref mm3_i_seg_ref(struct mm3_i_segmented *s, size_t item, size_t align) {
  struct mm3_segmented_ref ref = {s, item, align};
  return ref;
}

MM3_UNUSED MM3_COLD static int mm3_i_seg_append_cold(MM3_I_SEG_ARGS_W, const void *value) {
  return MM3_I_SEG_CALL(append, (file, mm3_i_seg_ref(s, item, align), value, 1, MM3_SEGMENTED_HELD));
}

MM3_UNUSED MM3_COLD static int mm3_i_seg_reserve_cold(MM3_I_SEG_ARGS_W, uint64_t count) {
  return MM3_I_SEG_CALL(reserve, (file, mm3_i_seg_ref(s, item, align), count, MM3_SEGMENTED_HELD));
}

/* ---- writing ---- */

MM3_INLINE int mm3_i_seg_append_held(MM3_I_SEG_ARGS_W, const void *value) {
  uint64_t length = __atomic_load_n(&s->length, __ATOMIC_RELAXED);
  void *place = mm3_i_seg_place(file, s, item, align, length, 1);
  if (__builtin_expect(!place, 0)) return mm3_i_seg_append_cold(file, s, item, align, value);
  mm3_i_item_store(place, value, item);
  __atomic_store_n(&s->length, length + 1, __ATOMIC_RELEASE);
  return 0;
}

MM3_INLINE int mm3_i_seg_append(MM3_I_SEG_ARGS_W, const void *value) {
  int result = mm3_lock(file);
  if (result < 0) return result;
  result = mm3_i_seg_append_held(file, s, item, align, value);
  mm3_unlock(file);
  return result;
}

MM3_INLINE int mm3_i_seg_set_held(struct mm3_file *file, struct mm3_i_segmented *s, size_t item, uint64_t i,
                                  const void *value) {
  if (i >= mm3_i_seg_len(s)) return -MM3_E_ABSENT;
  void *place = mm3_i_seg_place(file, s, item, item, i, 1);
  if (__builtin_expect(!place, 0)) return mm3_i_seg_outside(file, s, item, item, i);
  mm3_i_item_store(place, value, item);
  return 0;
}

MM3_INLINE int mm3_i_seg_set(struct mm3_file *file, struct mm3_i_segmented *s, size_t item, uint64_t i,
                             const void *value) {
  int result = mm3_lock(file);
  if (result < 0) return result;
  result = mm3_i_seg_set_held(file, s, item, i, value);
  mm3_unlock(file);
  return result;
}

/* `items` is the address of the caller's pointer, of whatever type. */
MM3_UNUSED static inline int mm3_i_seg_begin_held(MM3_I_SEG_ARGS_W, uint64_t want, void *items, uint64_t *room) {
  uint64_t length = __atomic_load_n(&s->length, __ATOMIC_RELAXED), within = 0, left;
  unsigned shift = mm3_i_seg_shift(item), k = mm3_i_seg_find(length, shift, &within);
  void *place;
  *room = 0;
  memset(items, 0, sizeof place);
  if (want == 0 || k == MM3_SEGMENTS) return want ? -EFBIG : -EINVAL;
  left = (UINT64_C(1) << (k + shift)) - within;
  if (left > want) left = want;
  place = mm3_i_seg_place(file, s, item, align, length, left);
  if (!place) {
    int result = mm3_i_seg_reserve_cold(file, s, item, align, length + 1);
    if (result < 0) return result;
    place = mm3_i_seg_place(file, s, item, align, length, left);
  }
  if (!place) return mm3_i_seg_outside(file, s, item, align, length + left - 1);
  memcpy(items, &place, sizeof place);
  *room = left;
  return 0;
}

MM3_UNUSED static inline int mm3_i_seg_commit_held(MM3_I_SEG_ARGS_W, uint64_t count) {
  uint64_t length = __atomic_load_n(&s->length, __ATOMIC_RELAXED);
  if (count == 0) return 0;
  if (count > UINT64_MAX - length || !mm3_i_seg_place(file, s, item, align, length + count - 1, 1)) return -EINVAL;
  __atomic_store_n(&s->length, length + count, __ATOMIC_RELEASE);
  return 0;
}

MM3_UNUSED static inline int mm3_i_seg_begin(MM3_I_SEG_ARGS_W, uint64_t want, void *items, uint64_t *room) {
  int result = mm3_lock(file);
  *room = 0;
  memset(items, 0, sizeof(void *));
  if (result < 0) return result;
  result = mm3_i_seg_begin_held(file, s, item, align, want, items, room);
  if (result < 0) mm3_unlock(file);
  return result;
}

MM3_UNUSED static inline int mm3_i_seg_commit(MM3_I_SEG_ARGS_W, uint64_t count) {
  int result = mm3_locked(file) ? mm3_i_seg_commit_held(file, s, item, align, count) : -EPERM;
  int unlocked = mm3_unlock(file);
  return result < 0 ? result : unlocked;
}

#endif
