/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * vec.h: vec(T, N): up to N items of a fixed-size type T, 1 <= N <= 2^31 - 2, read by any process while one writes.
 *
 *     #define SCORES(FIELD) FIELD(best, vec(u32, 10)) FIELD(path, vec(point, 100))
 *     MM3_STRUCT(scores, SCORES);
 *
 *     if (mm3_vec_push(&s->best, 42) == -MM3_E_FULL) ...
 *     uint32_t score;
 *     for (size_t i = 0; mm3_vec_get(&s->best, i, &score) == 0; i++) printf("%u\n", score);
 *
 * BYTES. Field and element form are the same. N + 1 slots, because one is always free: the hole.
 *
 *     word      sequence    slot 0   slot 1       ...      slot N-1    slot N
 *     [8 bytes] [8 bytes]   [  T  ]  [  T  ]               [  T  ]     [ hole ]
 *
 *     word     = state << 32 | length        state 0: item i lies in slot i; the hole is slot N
 *     sequence = count << 31 | width         state g + 1 (g < 2^31 - 1): a gap: items from g on lie `width` higher
 *                                            state 2^31 + p: item p lies in slot N, the hole is slot p
 *
 * Slots start at 16, rounded up to T's alignment; the vec is aligned to T, at least 8, and padded to that with zeros.
 * T is in its element form. Zeroed bytes are the empty vec.
 *
 *   INVARIANTS. length <= N. A gap starts below the length; width <= N, and in a gap 1 <= width <= N + 1 - length.
 *   p < length. Padding is zero. Each item below the length is a valid T. check refuses all else. Slots that hold no
 *   item have any bytes: a removed item's bytes stay until something overwrites them.
 *
 * WHAT A KILL LEAVES. Nothing is moved in place: an item is first copied into a free slot, and then one store of
 * `word` makes the copy the item. So at each single store the vec is its old value or its new one, whole: push, pop,
 * set, insert, remove, swap_remove, for items of any size. A killed sort leaves a permutation; a killed assign leaves
 * each item old or new; insert, append and resize of many items are all or nothing. What is left of a killed writer
 * is a state that is not 0: reads and writes understand it; the next push or wide set, the next operation that takes
 * the file, and the recovery of the file's lock end it. Only then do data and the pointers of at see the items side
 * by side again.
 *
 * WHAT A READER SEES. mm3_vec_get copies. Items of 1, 2, 4 or 8 bytes ("narrow") are read and written by one
 * instruction; wider ones are copied and the sequence is compared, which moves before any slot is overwritten: whole,
 * from any process, at any time, of the item's old or new value. While others insert, remove or sort, an index may
 * show a neighbour's item. Items of a vec within a vec are covered by their own vec's sequence, not by the outer
 * one's.
 *
 * ONE WRITER AT A TIME. Operations without a file argument take no lock; the program sees to it that nobody else
 * writes this vec meanwhile. Operations with one lock the file, and have a _held form for a caller that holds the
 * lock. With NULL in place of the file they work on a vec in the program's own memory.
 *
 * WHAT CAN GO WRONG. -MM3_E_ABSENT: index beyond the length, or nothing to pop. -MM3_E_FULL: N items are there;
 * nothing was changed. -MM3_E_AGAIN: a wide item changed at each of 10,000 tries. Whatever the bytes are, no
 * operation touches memory outside the vec. An index is any integer; negative ones are beyond the length.
 *
 * COST. Without a file: inline, no call but memcpy. u64: push, get, set about 1 ns. Wide sets copy the item twice.
 * With a file: O(items moved), 1 to 4 ns each, and the lock. DURABILITY: after mm3_sync; after a process's death at
 * once.
 *
 * `v` below is a pointer to a vec, evaluated once; another kind of field does not compile. T *: a pointer to exactly
 * the item's C type. Values may be written as in an assignment, or as `{1, 2}`. For T an array (raw(N)) or a value of
 * which there is a pointer, the _from forms take `const T *`; it must not point into this vec.
 *
 * Reading:
 *   size_t mm3_vec_len(v)                        at most N
 *   size_t mm3_vec_capacity(v)                   N
 *   int mm3_vec_get(v, i, T *out)                0, -MM3_E_ABSENT, -MM3_E_AGAIN
 *   int mm3_vec_front(v, T *out)  mm3_vec_back(v, T *out)     the first, the last
 *   int mm3_vec_read(v, first, T *out, size_t count, size_t *copied)
 *         copies up to `count` items, each whole; *copied is how many there were. 0, -MM3_E_AGAIN
 *   int mm3_vec_search(v, const T *key, compare, context, size_t *index)
 *         binary search in a sorted vec. 0: *index is the first item that equals the key. -MM3_E_ABSENT: it is where
 *         the key belongs. -MM3_E_AGAIN, -MM3_E_MODULE (the module is not there), -ENOMEM (items above 1 KiB)
 *
 * In place, for the writer and for programs that know when nobody writes. Pointers are good until items move:
 *   T *mm3_vec_at(v, i)                          NULL beyond the length
 *   T *mm3_vec_at_unchecked(v, i)                slot i; i < N is the caller's promise
 *   T *mm3_vec_data(v)                           slot 0: mm3_vec_len(v) items side by side
 *   MM3_VEC_EACH(item, v) statement              for each item, `item` being a T *; evaluates v twice
 *
 * Writing, one store publishes:
 *   int mm3_vec_set(v, i, value)                 mm3_vec_set_from(v, i, const T *)      0, -MM3_E_ABSENT
 *   int mm3_vec_push(v, value)                   mm3_vec_push_from(v, const T *)        0, -MM3_E_FULL
 *   int mm3_vec_pop(v, T *out)                   0, -MM3_E_ABSENT
 *   void mm3_vec_truncate(v, count)              nothing when it has no more than that
 *   void mm3_vec_clear(v)
 *
 * Writing under the file's lock; each has a mm3_vec_..._held form. Besides what is said: what mm3_lock returns, and
 * -MM3_E_MODULE when the module of vec is not there or older than this header's operation.
 *   int mm3_vec_insert(file, v, i, value)        mm3_vec_insert_from(file, v, i, const T *)
 *         before item i; i == length appends. 0, -MM3_E_FULL, -MM3_E_ABSENT
 *   int mm3_vec_insert_many(file, v, i, const T *items, count)      all or nothing
 *   int mm3_vec_append(file, v, const T *items, count)              all or nothing
 *   int mm3_vec_assign(file, v, i, const T *items, count)           sets items i to i + count - 1, which must be there
 *   int mm3_vec_remove(file, v, i)               mm3_vec_take(file, v, i, T *out)             0, -MM3_E_ABSENT
 *   int mm3_vec_remove_many(file, v, i, count)   all or nothing; -MM3_E_ABSENT when they are not all there
 *   int mm3_vec_swap_remove(file, v, i)          mm3_vec_swap_take(file, v, i, T *out)        the last item moves to i
 *   int mm3_vec_resize(file, v, count, value)    mm3_vec_resize_from(file, v, count, const T *)
 *         new items get the value. 0, -MM3_E_FULL
 *   int mm3_vec_sort(file, v, compare, context)  stable. 0, -ENOMEM (nothing changed). Comparisons look at a copy in
 *         memory; then each item is moved once, by way of the hole. O(n log n)
 *
 * compare is `int (*)(const void *a, const void *b, void *context)`, negative, 0 or positive; it must not use the vec
 * or the lock. Items that own blocks of the heap (text) own them until they are cleared: clear an item before it is
 * removed, popped, truncated or overwritten, or its blocks leak (mm3 check --repair takes them back).
 */
#ifndef MM3_VEC_H
#define MM3_VEC_H

#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/item.h>
#include <mm3/module.h>
#include <mm3/struct.h>
#include <stddef.h>
#include <stdint.h>

struct mm3_k_vec;

#define MM3_VEC_MAX 0x7FFFFFFE /* the largest N */

#define MM3_C1_vec(T, N) MM3_I_VEC_TYPE(MM3_C2_##T, N)
#define MM3_C2_vec(T, N) MM3_I_VEC_TYPE(MM3_C3_##T, N)
#define MM3_C3_vec(T, N) MM3_I_VEC_TYPE(MM3_C4_##T, N)
#define MM3_A1_vec(T, N) MM3_ITEM_KIND(1), MM3_A2_##T, MM3_ITEM_NUMBER(N)
#define MM3_A2_vec(T, N) MM3_ITEM_KIND(1), MM3_A3_##T, MM3_ITEM_NUMBER(N)
#define MM3_A3_vec(T, N) MM3_ITEM_KIND(1), MM3_A4_##T, MM3_ITEM_NUMBER(N)
#define MM3_I_VEC_TYPE(type, N)                                                                          \
  struct {                                                                                               \
    __extension__ union {                                                                                \
      uint64_t word __attribute__((aligned(8)));                                                         \
      struct mm3_k_vec *mm3_tag;                                                                         \
    };                                                                                                   \
    uint64_t sequence __attribute__((aligned(8)));                                                       \
    type at[(N) + 1 + MM3_REQUIRE((N) >= 1 && (N) <= MM3_VEC_MAX)];                                      \
  }

typedef int mm3_compare_fn(const void *a, const void *b, void *context);

/* A vec, as functions take it that do not know its type. */
struct mm3_vec_ref {
  void *vec;
  uint64_t item, offset, capacity; /* bytes of an item; where slot 0 starts; N */
};

#define MM3_VEC_HELD 1 /* the caller holds the file's lock */
#define MM3_VEC_END 2  /* insert: after the last item, whatever the index */

/* What the module offers to the macros below (struct mm3_kind: ops). Grows at its end. */
struct mm3_vec_ops {
  uint32_t size, version;
  int (*insert)(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, const void *items, uint64_t count,
                int flags);
  int (*assign)(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, const void *items, uint64_t count,
                int flags);
  int (*remove)(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, uint64_t count, void *out, int flags);
  int (*swap_remove)(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, void *out, int flags);
  int (*resize)(struct mm3_file *file, struct mm3_vec_ref v, uint64_t count, const void *fill, int flags);
  int (*sort)(struct mm3_file *file, struct mm3_vec_ref v, mm3_compare_fn *compare, void *context, int flags);
  int (*search)(struct mm3_vec_ref v, const void *key, mm3_compare_fn *compare, void *context, size_t *index);
};

/* ---- the operations ---- */

#define mm3_vec_len(v) mm3_i_vec_len(MM3_I_VEC(v))
#define mm3_vec_capacity(v) mm3_i_vec_capacity(MM3_I_VEC(v))
#define mm3_vec_get(v, i, out) mm3_i_vec_get(MM3_I_VEC(v), (uint64_t)(i), MM3_I_VEC_OUT(v, out))
#define mm3_vec_front(v, out) mm3_vec_get(v, 0, out)
#define mm3_vec_back(v, out) mm3_i_vec_back(MM3_I_VEC(v), MM3_I_VEC_OUT(v, out))
#define mm3_vec_read(v, first, out, count, copied) \
  mm3_i_vec_read(MM3_I_VEC(v), (uint64_t)(first), MM3_I_VEC_OUT(v, out), (uint64_t)(count), copied)
#define mm3_vec_search(v, key, compare, context, index) \
  mm3_i_vec_search(MM3_I_VEC(v), MM3_I_VEC_IN(v, key), compare, context, index)
#define mm3_vec_at(v, i) ((__typeof__(&(v)->at[0]))mm3_i_vec_at(MM3_I_VEC(v), (uint64_t)(i)))
#define mm3_vec_at_unchecked(v, i) (&MM3_TAGGED(vec, v)->at[i])
#define mm3_vec_data(v) (&MM3_TAGGED(vec, v)->at[0])
#define MM3_VEC_EACH(item, v) \
  for (__typeof__(&(v)->at[0]) item = mm3_vec_data(v), item##_end = item + mm3_vec_len(v); item != item##_end; item++)

#define mm3_vec_set(v, i, ...) mm3_i_vec_set(MM3_I_VEC(v), (uint64_t)(i), MM3_I_VEC_VALUE(v, __VA_ARGS__))
#define mm3_vec_set_from(v, i, item) mm3_i_vec_set(MM3_I_VEC(v), (uint64_t)(i), MM3_I_VEC_IN(v, item))
#define mm3_vec_push(v, ...) mm3_i_vec_push(MM3_I_VEC(v), MM3_I_VEC_VALUE(v, __VA_ARGS__))
#define mm3_vec_push_from(v, item) mm3_i_vec_push(MM3_I_VEC(v), MM3_I_VEC_IN(v, item))
#define mm3_vec_pop(v, out) mm3_i_vec_pop(MM3_I_VEC(v), MM3_I_VEC_OUT(v, out))
#define mm3_vec_truncate(v, count) mm3_i_vec_truncate(MM3_I_VEC(v), (uint64_t)(count))
#define mm3_vec_clear(v) mm3_vec_truncate(v, 0)

#define mm3_vec_insert(file, v, i, ...) MM3_I_VEC_INSERT(file, v, i, MM3_I_VEC_VALUE(v, __VA_ARGS__), 1, 0)
#define mm3_vec_insert_held(file, v, i, ...) \
  MM3_I_VEC_INSERT(file, v, i, MM3_I_VEC_VALUE(v, __VA_ARGS__), 1, MM3_VEC_HELD)
#define mm3_vec_insert_from(file, v, i, item) MM3_I_VEC_INSERT(file, v, i, MM3_I_VEC_IN(v, item), 1, 0)
#define mm3_vec_insert_from_held(file, v, i, item) MM3_I_VEC_INSERT(file, v, i, MM3_I_VEC_IN(v, item), 1, MM3_VEC_HELD)
#define mm3_vec_insert_many(file, v, i, items, count) MM3_I_VEC_INSERT(file, v, i, MM3_I_VEC_IN(v, items), count, 0)
#define mm3_vec_insert_many_held(file, v, i, items, count) \
  MM3_I_VEC_INSERT(file, v, i, MM3_I_VEC_IN(v, items), count, MM3_VEC_HELD)
#define mm3_vec_append(file, v, items, count) MM3_I_VEC_INSERT(file, v, 0, MM3_I_VEC_IN(v, items), count, MM3_VEC_END)
#define mm3_vec_append_held(file, v, items, count) \
  MM3_I_VEC_INSERT(file, v, 0, MM3_I_VEC_IN(v, items), count, MM3_VEC_END | MM3_VEC_HELD)
#define MM3_I_VEC_INSERT(file, v, i, items, count, flags) \
  MM3_I_VEC_CALL(insert, (file, mm3_i_vec_ref(MM3_I_VEC(v)), (uint64_t)(i), items, (uint64_t)(count), flags))
#define mm3_vec_assign(file, v, i, items, count) MM3_I_VEC_ASSIGN(file, v, i, items, count, 0)
#define mm3_vec_assign_held(file, v, i, items, count) MM3_I_VEC_ASSIGN(file, v, i, items, count, MM3_VEC_HELD)
#define MM3_I_VEC_ASSIGN(file, v, i, items, count, flags) \
  MM3_I_VEC_CALL(assign, (file, mm3_i_vec_ref(MM3_I_VEC(v)), (uint64_t)(i), MM3_I_VEC_IN(v, items),       \
                          (uint64_t)(count), flags))
#define mm3_vec_remove(file, v, i) MM3_I_VEC_REMOVE(file, v, i, 1, 0, 0)
#define mm3_vec_remove_held(file, v, i) MM3_I_VEC_REMOVE(file, v, i, 1, 0, MM3_VEC_HELD)
#define mm3_vec_take(file, v, i, out) MM3_I_VEC_REMOVE(file, v, i, 1, MM3_I_VEC_OUT(v, out), 0)
#define mm3_vec_take_held(file, v, i, out) MM3_I_VEC_REMOVE(file, v, i, 1, MM3_I_VEC_OUT(v, out), MM3_VEC_HELD)
#define mm3_vec_remove_many(file, v, i, count) MM3_I_VEC_REMOVE(file, v, i, count, 0, 0)
#define mm3_vec_remove_many_held(file, v, i, count) MM3_I_VEC_REMOVE(file, v, i, count, 0, MM3_VEC_HELD)
#define MM3_I_VEC_REMOVE(file, v, i, count, out, flags) \
  MM3_I_VEC_CALL(remove, (file, mm3_i_vec_ref(MM3_I_VEC(v)), (uint64_t)(i), (uint64_t)(count), out, flags))
#define mm3_vec_swap_remove(file, v, i) MM3_I_VEC_SWAP(file, v, i, 0, 0)
#define mm3_vec_swap_remove_held(file, v, i) MM3_I_VEC_SWAP(file, v, i, 0, MM3_VEC_HELD)
#define mm3_vec_swap_take(file, v, i, out) MM3_I_VEC_SWAP(file, v, i, MM3_I_VEC_OUT(v, out), 0)
#define mm3_vec_swap_take_held(file, v, i, out) MM3_I_VEC_SWAP(file, v, i, MM3_I_VEC_OUT(v, out), MM3_VEC_HELD)
#define MM3_I_VEC_SWAP(file, v, i, out, flags) \
  MM3_I_VEC_CALL(swap_remove, (file, mm3_i_vec_ref(MM3_I_VEC(v)), (uint64_t)(i), out, flags))
#define mm3_vec_resize(file, v, count, ...) MM3_I_VEC_RESIZE(file, v, count, MM3_I_VEC_VALUE(v, __VA_ARGS__), 0)
#define mm3_vec_resize_held(file, v, count, ...) \
  MM3_I_VEC_RESIZE(file, v, count, MM3_I_VEC_VALUE(v, __VA_ARGS__), MM3_VEC_HELD)
#define mm3_vec_resize_from(file, v, count, item) MM3_I_VEC_RESIZE(file, v, count, MM3_I_VEC_IN(v, item), 0)
#define mm3_vec_resize_from_held(file, v, count, item) \
  MM3_I_VEC_RESIZE(file, v, count, MM3_I_VEC_IN(v, item), MM3_VEC_HELD)
#define MM3_I_VEC_RESIZE(file, v, count, fill, flags) \
  MM3_I_VEC_CALL(resize, (file, mm3_i_vec_ref(MM3_I_VEC(v)), (uint64_t)(count), fill, flags))
#define mm3_vec_sort(file, v, compare, context) \
  MM3_I_VEC_CALL(sort, (file, mm3_i_vec_ref(MM3_I_VEC(v)), compare, context, 0))
#define mm3_vec_sort_held(file, v, compare, context) \
  MM3_I_VEC_CALL(sort, (file, mm3_i_vec_ref(MM3_I_VEC(v)), compare, context, MM3_VEC_HELD))

/* ---- what a macro's arguments become ---- */

#define MM3_I_VEC(v)                                                                              \
  MM3_TAGGED(vec, v), sizeof((v)->at[0]), __builtin_offsetof(__typeof__(*(v)), at),               \
      sizeof((v)->at) / sizeof((v)->at[0]) - 1
#define MM3_I_VEC_CALL(name, args)                                                                \
  (mm3_i_vec_ops(offsetof(struct mm3_vec_ops, name) + sizeof(void *)) ? mm3_i_vec_ops(0)->name args : -MM3_E_MODULE)
#define MM3_I_VEC_VALUE(v, ...) MM3_I_ITEM_VALUE(__typeof__((v)->at[0]), __VA_ARGS__)
#define MM3_I_VEC_OUT(v, p) MM3_I_ITEM_POINTER(__typeof__((v)->at[0]), p)
#define MM3_I_VEC_IN(v, p) MM3_I_VEC_OUT(v, p)

#include <mm3/vec_inline.h>

#endif
