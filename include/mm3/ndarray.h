/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ndarray.h: ndarray(T, d1, ..., dk): a table of fixed shape, of rank 1 to 16 and any fixed-size element type.
 *
 *     #define BIT_INDEX(FIELD) FIELD(index, ndarray(u8, 256, 256, 256)) FIELD(users, ndarray(u64, 50, 100))
 *     MM3_STRUCT(bit_index, BIT_INDEX);
 *
 *     b->index.at[1][2][3] = 7;                                  plain C: nobody checks
 *     mm3_ndarray_ref(&b->index, x, y, z) |= 4;                  checked, an lvalue
 *     uint64_t *user = mm3_ndarray_at(&b->users, age, place);    checked: NULL beyond the shape
 *
 * BYTES. The elements in row-major order (the last index runs fastest), nothing before or between them: the bytes of
 * the C array T at[d1]...[dk]. Padded with zeros to at least 8 bytes and to a multiple of the alignment, which is T's
 * or 8, whichever is larger; so ndarray(u8, 256, 256, 256) is 16 MiB, and a row of it is uint8_t[256]. T is in its
 * element form. Field and element form of an ndarray are the same.
 *
 *   INVARIANTS. Each element is a valid T; the padding is zero. check refuses all else. There is no length and no
 *   count in the bytes: no byte of a hostile file is ever used as an index.
 *
 * PROMISES. Elements are the program's plain memory: narrow ones (1, 2, 4 or 8 bytes) are whole for every reader and
 * after a kill; wider ones by words, unless T has a promise of its own (a vec as element keeps that of vec; entries
 * that are texts belong into a string_array). One writer at a time for each element. mm3_ndarray_get and _set, fill,
 * copying and the bit operations read and write narrow elements whole; a killed one of many elements has done some of
 * them. DURABILITY: after mm3_sync; after a process's death at once.
 *
 * `a` is a pointer to an ndarray, evaluated once; so is each index. Another kind of field does not compile, nor do
 * more indices than the rank. An index is any integer; negative ones are beyond the shape. Cost: inline, no call, one
 * compare with a constant an index; get and set of wide elements may call memcpy.
 *
 *   T *mm3_ndarray_at(a, i, ...)                  NULL beyond the shape. Fewer indices than the rank: a pointer to
 *                                                 a row or plane, as in C
 *   T *mm3_ndarray_at_unchecked(a, i, ...)        the caller's promise
 *   mm3_ndarray_ref(a, i, ...)                    an lvalue: = += |= ++
 *         Beyond the shape it is one of this thread's own, zero each time: reads give zero, writes are lost, nothing is damaged, and nothing tells you. (It can neither
 *         fail nor stop the program; the last row in its place would be a wrong answer that looks right.) Where an
 *         index may be wrong and that matters, use at, get or set. Not at file scope.
 *   int mm3_ndarray_get(a, T *out, i, ...)        0, -MM3_E_ABSENT beyond the shape
 *   int mm3_ndarray_set(a, value, i, ...)         the same; mm3_ndarray_set_from(a, const T *, i, ...) for wide ones
 *   size_t mm3_ndarray_count(a)                   elements, a constant
 *   T *mm3_ndarray_data(a)                        the first element; all lie in memory order behind it
 *   MM3_NDARRAY_EACH(item, a) statement           for each element, in memory order; evaluates a twice
 *
 * VIEWS: parts of an array, as a value: where it starts, its shape and strides. A view keeps a pointer into the field.
 *   struct mm3_ndarray_view mm3_ndarray_view(a)          all of it
 *   int mm3_ndarray_fix(view *, axis, index)             that axis is gone, the rank one less
 *   int mm3_ndarray_range(view *, axis, first, last, step)       first <= index < last, every step-th
 *         Both: 0, or -MM3_E_ABSENT when axis, index, first > last, last or step (0) do not fit; the view is then as
 *         before.
 *   uint64_t mm3_ndarray_view_count(const view *)        elements
 *   void *mm3_ndarray_view_at(const view *, const uint64_t *index)     `rank` indices; NULL beyond the shape
 *   struct mm3_ndarray_walk, mm3_ndarray_walk_begin(view), mm3_ndarray_walk_next(walk *): in memory order, contiguous
 *         elements at a time: 1, and walk.at and walk.count tell a run of elements; 0 at the end. Any length of loop
 *         over a run is plain C.
 *
 * Operations on views, in the module (mm3-ndarray). Each: 0, or -MM3_E_MODULE when the module is not there, and
 * -EINVAL when shapes or element sizes differ. Source and target may be the same view; of views that overlap in part,
 * elements that are read after they were written have the new value.
 *   int mm3_ndarray_fill(const view *, const void *element)
 *   int mm3_ndarray_copy_out(const view *, void *elements, size_t bytes)      row-major; -ERANGE: too small
 *   int mm3_ndarray_copy_in(const view *, const void *elements, size_t bytes) -ERANGE: not exactly the view's bytes
 *   int mm3_ndarray_copy(const view *target, const view *source)
 *
 * Bit operations, for elements u8 u16 u32 u64: a table as an index of sets. Vector instructions do 16 bytes and more
 * at a time where the innermost axis has step 1.
 *   int mm3_ndarray_and(target, a, b)   _or  _xor  _andnot (a and not b)      three views of one shape
 *   int mm3_ndarray_popcount(const view *, uint64_t *bits)
 *   int mm3_ndarray_next_bit(const view *, uint64_t from, uint64_t *bit)
 *         the first set bit at or after `from`. Bits count in memory order: element e (of s bytes) has bits 8 s e to
 *         8 s e + 8 s - 1, lowest first. -MM3_E_ABSENT: none left
 */
#ifndef MM3_NDARRAY_H
#define MM3_NDARRAY_H

#include <mm3/error.h>
#include <mm3/item.h>
#include <mm3/module.h>
#include <mm3/ndarray_ranks.h>
#include <mm3/struct.h>
#include <mm3/words.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mm3_k_ndarray;

#define MM3_NDARRAY_RANKS 16

#define MM3_C1_ndarray(T, ...) MM3_I_ND_TYPE(MM3_C2_##T, __VA_ARGS__)
#define MM3_C2_ndarray(T, ...) MM3_I_ND_TYPE(MM3_C3_##T, __VA_ARGS__)
#define MM3_C3_ndarray(T, ...) MM3_I_ND_TYPE(MM3_C4_##T, __VA_ARGS__)
#define MM3_A1_ndarray(T, ...) MM3_ITEM_KIND(1), MM3_A2_##T, MM3_I_ND_RANKED(MM3_I_ND_ITEMS, __VA_ARGS__)
#define MM3_A2_ndarray(T, ...) MM3_ITEM_KIND(1), MM3_A3_##T, MM3_I_ND_RANKED(MM3_I_ND_ITEMS, __VA_ARGS__)
#define MM3_A3_ndarray(T, ...) MM3_ITEM_KIND(1), MM3_A4_##T, MM3_I_ND_RANKED(MM3_I_ND_ITEMS, __VA_ARGS__)
#define MM3_I_ND_TYPE(type, ...)                                                                                 \
  union {                                                                                                        \
    type at MM3_I_ND_RANKED(MM3_I_ND_DIMS, __VA_ARGS__);                                                         \
    uint64_t mm3_first __attribute__((aligned(8)));                                                              \
    struct mm3_k_ndarray *mm3_tag;                                                                               \
    type *mm3_element;                                                                                           \
    char (*mm3_rank)[MM3_I_COUNT(__VA_ARGS__)];                                                                  \
    char (*mm3_shape)MM3_I_ND_RANKED(MM3_I_ND_DIMS, __VA_ARGS__)                                                 \
        MM3_I_ND_PASTE(MM3_I_ND_ONES, MM3_I_COUNT(__VA_ARGS__));                                                 \
  }
#define MM3_I_ND_DIM(d) (d) + MM3_REQUIRE((d) >= 1)

/* MM3_I_ND_RANKED(macro, ...): macroN(...), N being how many there are. MM3_I_ND_RANKED_OF: with something in front. */
#define MM3_I_ND_RANKED(macro, ...) MM3_I_ND_PASTE(macro, MM3_I_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define MM3_I_ND_RANKED_OF(macro, a, ...) MM3_I_ND_PASTE(macro, MM3_I_COUNT(__VA_ARGS__))(a, __VA_ARGS__)
#define MM3_I_ND_PASTE(macro, rank) MM3_I_ND_PASTE_(macro, rank)
#define MM3_I_ND_PASTE_(macro, rank) macro##rank
#define MM3_I_ND_PART(a, ...) MM3_I_ND_PASTE(MM3_I_ND_PART, MM3_I_COUNT(__VA_ARGS__))(a)
#define MM3_I_ND_COUNT(a, outer, inner) (sizeof(MM3_I_ND_PART##outer(a)) / sizeof(MM3_I_ND_PART##inner(a)))

/* ---- elements ---- */

#define MM3_I_ND_OFFSET(a, ...) MM3_I_ND_RANKED_OF(MM3_I_ND_AT, a, __VA_ARGS__)
#define MM3_I_ND_BAD UINT64_MAX
#define mm3_ndarray_at(a, ...) \
  ((__typeof__(&MM3_I_ND_PART(a, __VA_ARGS__)))mm3_i_nd_at(MM3_TAGGED(ndarray, a), MM3_I_ND_OFFSET(a, __VA_ARGS__)))
#define mm3_ndarray_at_unchecked(a, ...) (&MM3_TAGGED(ndarray, a)->at MM3_I_ND_RANKED(MM3_I_ND_STEPS, __VA_ARGS__))
#define MM3_I_ND_SPOT(a, ...) \
  MM3_TAGGED(ndarray, a), MM3_I_ND_OFFSET(a, __VA_ARGS__), sizeof(MM3_I_ND_PART(a, __VA_ARGS__))
#define mm3_ndarray_get(a, out, ...) \
  mm3_i_nd_get(MM3_I_ND_SPOT(a, __VA_ARGS__), MM3_I_ITEM_POINTER(__typeof__(MM3_I_ND_PART(a, __VA_ARGS__)), out))
#define mm3_ndarray_set(a, value, ...) \
  mm3_i_nd_set(MM3_I_ND_SPOT(a, __VA_ARGS__), MM3_I_ITEM_VALUE(__typeof__(MM3_I_ND_PART(a, __VA_ARGS__)), value))
#define mm3_ndarray_set_from(a, item, ...) \
  mm3_i_nd_set(MM3_I_ND_SPOT(a, __VA_ARGS__), MM3_I_ITEM_POINTER(__typeof__(MM3_I_ND_PART(a, __VA_ARGS__)), item))
#ifdef __cplusplus
extern "C++" {
template <class T>
MM3_COLD T *mm3_i_nd_nowhere() {
  static thread_local typename std::remove_cv<T>::type nowhere;
  memset((void *)&nowhere, 0, sizeof nowhere);
  return &nowhere;
}
template <class T, class A>
MM3_INLINE T &mm3_i_nd_ref(A *a, uint64_t offset) {
  if (__builtin_expect(offset == MM3_I_ND_BAD, 0)) return *mm3_i_nd_nowhere<T>();
  return *(T *)((unsigned char *)(uintptr_t)a + offset);
}
}
#define mm3_ndarray_ref(a, ...)                                                                                  \
  (mm3_i_nd_ref<__typeof__(MM3_I_ND_PART(a, __VA_ARGS__))>(MM3_TAGGED(ndarray, a), MM3_I_ND_OFFSET(a, __VA_ARGS__)))
#else
#define mm3_ndarray_ref(a, ...) MM3_I_ND_REF(a, MM3_I_ND_PASTE(mm3_nowhere, __COUNTER__), __VA_ARGS__)
#define MM3_I_ND_REF(a, nowhere, ...)                                                                          \
  (*__extension__({                                                                                            \
    static _Thread_local unsigned char nowhere[sizeof(MM3_I_ND_PART(a, __VA_ARGS__))]                          \
        __attribute__((aligned(__alignof__(MM3_I_ND_PART(a, __VA_ARGS__)))));                                  \
    (__typeof__(&MM3_I_ND_PART(a, __VA_ARGS__)))mm3_i_nd_or(                                                   \
        MM3_TAGGED(ndarray, a), MM3_I_ND_OFFSET(a, __VA_ARGS__), nowhere, sizeof nowhere);                     \
  }))
#endif

/* ---- the whole ---- */

#define mm3_ndarray_count(a) sizeof(*(a)->mm3_shape)
#define mm3_ndarray_data(a) ((__typeof__(&*(a)->mm3_element))(uintptr_t)MM3_TAGGED(ndarray, a))
#define MM3_NDARRAY_EACH(item, a)                                                                                \
  for (__typeof__(&*(a)->mm3_element) item = mm3_ndarray_data(a), item##_end = item + mm3_ndarray_count(a);        \
       item != item##_end; item++)

struct mm3_ndarray_view {
  unsigned char *base;
  uint64_t item;               /* bytes of an element */
  uint32_t rank, reserved;
  uint64_t shape[MM3_NDARRAY_RANKS], stride[MM3_NDARRAY_RANKS]; /* strides in bytes */
};

struct mm3_ndarray_walk {
  struct mm3_ndarray_view view; /* its outer axes */
  uint64_t index[MM3_NDARRAY_RANKS];
  unsigned char *at;            /* a run: */
  uint64_t count;               /* elements of it */
  int started;
};

enum mm3_ndarray_op { MM3_NDARRAY_AND, MM3_NDARRAY_OR, MM3_NDARRAY_XOR, MM3_NDARRAY_ANDNOT };

/* What the module offers (struct mm3_kind: ops). Grows at its end. */
struct mm3_ndarray_ops {
  uint32_t size, version;
  int (*fill)(const struct mm3_ndarray_view *view, const void *element);
  int (*copy_out)(const struct mm3_ndarray_view *view, void *elements, size_t bytes);
  int (*copy_in)(const struct mm3_ndarray_view *view, const void *elements, size_t bytes);
  int (*copy)(const struct mm3_ndarray_view *target, const struct mm3_ndarray_view *source);
  int (*combine)(enum mm3_ndarray_op op, const struct mm3_ndarray_view *target, const struct mm3_ndarray_view *a,
                 const struct mm3_ndarray_view *b);
  int (*popcount)(const struct mm3_ndarray_view *view, uint64_t *bits);
  int (*next_bit)(const struct mm3_ndarray_view *view, uint64_t from, uint64_t *bit);
};

#define mm3_ndarray_view(a)                                                                                      \
  mm3_i_nd_view(MM3_TAGGED(ndarray, a), sizeof((a)->at) / mm3_ndarray_count(a), (uint32_t)sizeof(*(a)->mm3_rank), \
                MM3_I_ND_EXTENTS((a)->mm3_shape))
#define mm3_ndarray_fill(view, element) MM3_I_ND_CALL(fill, (view, element))
#define mm3_ndarray_copy_out(view, elements, bytes) MM3_I_ND_CALL(copy_out, (view, elements, bytes))
#define mm3_ndarray_copy_in(view, elements, bytes) MM3_I_ND_CALL(copy_in, (view, elements, bytes))
#define mm3_ndarray_copy(target, source) MM3_I_ND_CALL(copy, (target, source))
#define mm3_ndarray_and(target, a, b) MM3_I_ND_CALL(combine, (MM3_NDARRAY_AND, target, a, b))
#define mm3_ndarray_or(target, a, b) MM3_I_ND_CALL(combine, (MM3_NDARRAY_OR, target, a, b))
#define mm3_ndarray_xor(target, a, b) MM3_I_ND_CALL(combine, (MM3_NDARRAY_XOR, target, a, b))
#define mm3_ndarray_andnot(target, a, b) MM3_I_ND_CALL(combine, (MM3_NDARRAY_ANDNOT, target, a, b))
#define mm3_ndarray_popcount(view, bits) MM3_I_ND_CALL(popcount, (view, bits))
#define mm3_ndarray_next_bit(view, from, bit) MM3_I_ND_CALL(next_bit, (view, from, bit))
#define MM3_I_ND_CALL(name, args)                                                                                \
  (mm3_i_nd_ops(offsetof(struct mm3_ndarray_ops, name) + sizeof(void *)) ? mm3_i_nd_ops(0)->name args : -MM3_E_MODULE)

#include <mm3/ndarray_inline.h>

#endif
