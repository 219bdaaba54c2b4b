/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * vec_inline.h: the machinery of vec.h, which is the manual; include that one. The module works through it too.
 *
 * Every function takes the vec, the bytes of an item, where slot 0 starts and N, all but the first constants. Slots
 * start at a multiple of 8, so that narrow items are aligned to their size.
 */
#ifndef MM3_VEC_INLINE_H
#define MM3_VEC_INLINE_H

#include <mm3/vec.h>

#define MM3_I_VEC_ARGS const void *v, size_t item, size_t offset, uint64_t n
#define MM3_I_VEC_ARGS_W void *v, size_t item, size_t offset, uint64_t n
#define MM3_I_VEC_WIDTH UINT64_C(0x7FFFFFFF)
#define MM3_I_VEC_PARKED (UINT64_C(1) << 63) /* in the word: an item lies in slot N */

MM3_INLINE uint64_t mm3_i_vec_word(const void *v) { return __atomic_load_n((const uint64_t *)v, __ATOMIC_ACQUIRE); }

MM3_INLINE uint64_t *mm3_i_vec_sequence(const void *v) { return (uint64_t *)(uintptr_t)v + 1; }

MM3_INLINE uint64_t mm3_i_vec_length(uint64_t word, uint64_t n) {
  uint64_t length = (uint32_t)word;
  return length < n ? length : n;
}

/* Makes `word` the vec's value. Only a change of the first word is ever seen as a change of the items. */
MM3_INLINE void mm3_i_vec_publish(void *v, uint64_t word) { __atomic_store_n((uint64_t *)v, word, __ATOMIC_RELEASE); }

/* Before any slot is overwritten that a reader may still be copying. */
MM3_INLINE void mm3_i_vec_begin(void *v) {
  uint64_t *at = mm3_i_vec_sequence(v);
  __atomic_store_n(at, __atomic_load_n(at, __ATOMIC_RELAXED) + (MM3_I_VEC_WIDTH + 1), __ATOMIC_RELAXED);
  mm3_copy_begin_write();
}

/* The slot of item i < n: hostile words lead to a wrong slot, never outside. */
MM3_INLINE uint64_t mm3_i_vec_slot(const void *v, uint64_t word, uint64_t n, uint64_t i) {
  uint64_t state = word >> 32, slot;
  if (__builtin_expect(state == 0, 1)) return i;
  if (word & MM3_I_VEC_PARKED) return i == (state & MM3_I_VEC_WIDTH) ? n : i;
  if (i < state - 1) return i;
  slot = i + (__atomic_load_n(mm3_i_vec_sequence(v), __ATOMIC_RELAXED) & MM3_I_VEC_WIDTH);
  return slot <= n ? slot : n;
}

MM3_INLINE void *mm3_i_vec_address(MM3_I_VEC_ARGS, uint64_t slot) {
  (void)n;
  return (unsigned char *)(uintptr_t)v + offset + slot * item;
}

/* `count` items from slot to slot: the ranges do not overlap. */
MM3_INLINE void mm3_i_vec_copy(MM3_I_VEC_ARGS_W, uint64_t to, uint64_t from, uint64_t count) {
  if (mm3_i_item_narrow(item)) {
    for (uint64_t i = 0; i < count; i++)
      mm3_i_item_put_word(mm3_i_vec_address(v, item, offset, n, to + i),
                         mm3_i_item_word(mm3_i_vec_address(v, item, offset, n, from + i), item), item);
    return;
  }
  mm3_copy_in(mm3_i_vec_address(v, item, offset, n, to), mm3_i_vec_address(v, item, offset, n, from),
              (size_t)(count * item));
}

/* Ends what a killed writer left: the items lie side by side again. Every step publishes the value that was. */
MM3_INLINE uint64_t mm3_i_vec_settle(MM3_I_VEC_ARGS_W) {
  uint64_t word = mm3_i_vec_word(v), length = mm3_i_vec_length(word, n), at, width;
  if (__builtin_expect(word >> 32 == 0, 1)) return length;
  if (word & MM3_I_VEC_PARKED) {
    at = word >> 32 & MM3_I_VEC_WIDTH;
    mm3_i_vec_begin(v);
    if (at < length) mm3_i_vec_copy(v, item, offset, n, at, n, 1);
  } else {
    at = (word >> 32) - 1;
    width = __atomic_load_n(mm3_i_vec_sequence(v), __ATOMIC_RELAXED) & MM3_I_VEC_WIDTH;
    if (width > n + 1 - length) width = n + 1 - length;
    while (width > 0 && at < length) {
      uint64_t count = length - at < width ? length - at : width;
      mm3_i_vec_begin(v);
      mm3_i_vec_copy(v, item, offset, n, at, at + width, count);
      at += count;
      if (at < length) mm3_i_vec_publish(v, (at + 1) << 32 | length);
    }
  }
  mm3_i_vec_publish(v, length);
  return length;
}

/* ---- reading ---- */

MM3_INLINE size_t mm3_i_vec_len(MM3_I_VEC_ARGS) {
  (void)item, (void)offset;
  return (size_t)mm3_i_vec_length(mm3_i_vec_word(v), n);
}

MM3_INLINE size_t mm3_i_vec_capacity(MM3_I_VEC_ARGS) {
  (void)v, (void)item, (void)offset;
  return (size_t)n;
}

MM3_INLINE int mm3_i_vec_get(MM3_I_VEC_ARGS, uint64_t i, void *out) {
  uint64_t word, sequence;
  if (mm3_i_item_narrow(item)) {
    word = mm3_i_vec_word(v);
    if (__builtin_expect(i < word && word <= n, 1)) { /* no state: the word is the length */
      mm3_i_item_load(out, mm3_i_vec_address(v, item, offset, n, i), item);
      return 0;
    }
  }
  for (unsigned tries = 0; tries < MM3_COPY_TRIES; tries++) {
    sequence = __atomic_load_n(mm3_i_vec_sequence(v), __ATOMIC_ACQUIRE);
    word = mm3_i_vec_word(v);
    if (i >= mm3_i_vec_length(word, n)) return -MM3_E_ABSENT;
    mm3_i_item_load(out, mm3_i_vec_address(v, item, offset, n, mm3_i_vec_slot(v, word, n, i)), item);
    mm3_copy_end_read();
    if (__atomic_load_n(mm3_i_vec_sequence(v), __ATOMIC_RELAXED) == sequence) return 0;
  }
  return -MM3_E_AGAIN;
}

MM3_INLINE int mm3_i_vec_back(MM3_I_VEC_ARGS, void *out) {
  for (unsigned tries = 0; tries < MM3_COPY_TRIES; tries++) {
    uint64_t length = mm3_i_vec_length(mm3_i_vec_word(v), n);
    if (length == 0) return -MM3_E_ABSENT;
    int result = mm3_i_vec_get(v, item, offset, n, length - 1, out); /* absent: it was popped meanwhile */
    if (result != -MM3_E_ABSENT) return result;
  }
  return -MM3_E_AGAIN;
}

MM3_UNUSED static inline int mm3_i_vec_read(MM3_I_VEC_ARGS, uint64_t first, void *out, uint64_t count, size_t *copied) {
  int result = 0;
  uint64_t i = 0;
  for (; i < count && result == 0; i++)
    result = mm3_i_vec_get(v, item, offset, n, first + i, (unsigned char *)out + i * item);
  *copied = (size_t)(result == 0 ? i : i - 1);
  return result == -MM3_E_ABSENT ? 0 : result;
}

MM3_INLINE void *mm3_i_vec_at(MM3_I_VEC_ARGS, uint64_t i) {
  uint64_t word = mm3_i_vec_word(v);
  if (i >= mm3_i_vec_length(word, n)) return 0;
  return mm3_i_vec_address(v, item, offset, n, mm3_i_vec_slot(v, word, n, i));
}

/* ---- writing ---- */

MM3_INLINE int mm3_i_vec_set(MM3_I_VEC_ARGS_W, uint64_t i, const void *value) {
  uint64_t word = mm3_i_vec_word(v), length = mm3_i_vec_length(word, n);
  if (mm3_i_item_narrow(item) && __builtin_expect(i < word && word <= n, 1)) {
    mm3_i_item_store(mm3_i_vec_address(v, item, offset, n, i), value, item);
    return 0;
  }
  if (i >= length) return -MM3_E_ABSENT;
  if (mm3_i_item_narrow(item)) {
    mm3_i_item_store(mm3_i_vec_address(v, item, offset, n, mm3_i_vec_slot(v, word, n, i)), value, item);
    return 0;
  }
  mm3_i_vec_settle(v, item, offset, n);
  mm3_i_vec_begin(v);
  mm3_copy_in(mm3_i_vec_address(v, item, offset, n, n), value, item);
  mm3_i_vec_publish(v, MM3_I_VEC_PARKED | i << 32 | length);
  mm3_i_vec_begin(v);
  mm3_copy_in(mm3_i_vec_address(v, item, offset, n, i), value, item);
  mm3_i_vec_publish(v, length);
  return 0;
}

MM3_INLINE int mm3_i_vec_push(MM3_I_VEC_ARGS_W, const void *value) {
  uint64_t length = mm3_i_vec_word(v);
  if (__builtin_expect(length >= n, 0)) {
    length = mm3_i_vec_settle(v, item, offset, n);
    if (length >= n) return -MM3_E_FULL;
  }
  if (!mm3_i_item_narrow(item)) mm3_i_vec_begin(v);
  mm3_i_item_store(mm3_i_vec_address(v, item, offset, n, length), value, item);
  mm3_i_vec_publish(v, length + 1);
  return 0;
}

/* The word of a vec that loses its last items: a state that concerns none of those that stay goes with them. */
MM3_INLINE uint64_t mm3_i_vec_shorter(uint64_t word, uint64_t length) {
  uint64_t at = (word >> 32 & MM3_I_VEC_WIDTH) - !(word & MM3_I_VEC_PARKED);
  return at < length ? (word >> 32 << 32 | length) : length;
}

MM3_INLINE int mm3_i_vec_pop(MM3_I_VEC_ARGS_W, void *out) {
  uint64_t word = mm3_i_vec_word(v), length = mm3_i_vec_length(word, n);
  if (length == 0) return -MM3_E_ABSENT;
  mm3_i_item_load(out, mm3_i_vec_address(v, item, offset, n, mm3_i_vec_slot(v, word, n, length - 1)), item);
  mm3_i_vec_publish(v, mm3_i_vec_shorter(word, length - 1));
  return 0;
}

MM3_INLINE void mm3_i_vec_truncate(MM3_I_VEC_ARGS_W, uint64_t count) {
  uint64_t word = mm3_i_vec_word(v);
  (void)item, (void)offset;
  if (count < mm3_i_vec_length(word, n)) mm3_i_vec_publish(v, mm3_i_vec_shorter(word, count));
}

/* ---- the way to the module ---- */

/* The module's operations, when they reach to byte `least` at least; looked for once a source file. */
MM3_UNUSED static const struct mm3_vec_ops *mm3_i_vec_ops(size_t least) {
  static const struct mm3_vec_ops *found;
  const struct mm3_vec_ops *ops = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
  if (!ops) {
    const struct mm3_kind *kind = mm3_kind_find("vec", 1, 0);
    ops = kind ? (const struct mm3_vec_ops *)kind->ops : 0;
    __atomic_store_n(&found, ops, __ATOMIC_RELEASE);
  }
  return ops && ops->size >= least ? ops : 0;
}

MM3_INLINE struct mm3_vec_ref mm3_i_vec_ref(MM3_I_VEC_ARGS_W) {
  struct mm3_vec_ref ref = {v, item, offset, n};
  return ref;
}

MM3_UNUSED static int mm3_i_vec_search(MM3_I_VEC_ARGS, const void *key, mm3_compare_fn *compare, void *context,
                                       size_t *index) {
  struct mm3_vec_ref ref = {(void *)(uintptr_t)v, item, offset, n};
  return MM3_I_VEC_CALL(search, (ref, key, compare, context, index));
}

#endif
