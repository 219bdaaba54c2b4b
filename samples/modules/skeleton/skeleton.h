/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * skeleton.h: skeleton(T, N): up to N items of a fixed-size type T, 1 <= N <= 2^20, pushed one after the other.
 * A start: replace what it keeps by what yours keeps, here and in mm3-skeleton.c.
 *
 *     #define DATA(FIELD) FIELD(samples, skeleton(u32, 100))
 *     MM3_STRUCT(data, DATA);
 *
 *     uint32_t sample = 42;
 *     if (skeleton_push(&d->samples, &sample) == -MM3_E_FULL) ...
 *
 * BYTES
 *     count      item 0   item 1       item N-1
 *     [8 bytes]  [  T  ]  [  T  ] ...  [  T  ]       aligned to T, at least 8; items start at 8, rounded up to T
 *
 *   INVARIANTS. count <= N; items below it are valid; padding is zero. Slots that hold no item have any bytes. Zeroed
 *   bytes are the empty skeleton.
 *
 * WHAT A KILL LEAVES. The old value or the new one: an item is written first, then counted by one store. (While `set`
 * replaces the whole value: the first items of the new one.)
 * WHAT A READER SEES. Each item below the count is complete. One writer at a time.
 *
 * Whatever the bytes are, no operation touches memory outside the field: the count is clamped each time it is read.
 *
 *   int skeleton_push(s, const T *item)              0, or -MM3_E_FULL
 *   int skeleton_get(s, size_t index, T *out)        0, or -MM3_E_ABSENT beyond the count
 *   size_t skeleton_len(s)  size_t skeleton_capacity(s)
 */
#ifndef SKELETON_H
#define SKELETON_H

#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/struct.h>

struct mm3_k_skeleton;

#define SKELETON_MAX (1 << 20) /* the largest N */

/* The C type, and how MM3_STRUCT finds the arguments: C1 is a field, C2 and C3 are within another kind, one level each.
 * The 1 in MM3_ITEM_KIND is the layout version, as in the module's table: raise both when the bytes change. */
#define MM3_C1_skeleton(T, N) SKELETON_I_TYPE(MM3_C2_##T, N)
#define MM3_C2_skeleton(T, N) SKELETON_I_TYPE(MM3_C3_##T, N)
#define MM3_C3_skeleton(T, N) SKELETON_I_TYPE(MM3_C4_##T, N)
#define MM3_A1_skeleton(T, N) MM3_ITEM_KIND(1), MM3_A2_##T, MM3_ITEM_NUMBER(N)
#define MM3_A2_skeleton(T, N) MM3_ITEM_KIND(1), MM3_A3_##T, MM3_ITEM_NUMBER(N)
#define MM3_A3_skeleton(T, N) MM3_ITEM_KIND(1), MM3_A4_##T, MM3_ITEM_NUMBER(N)
#define SKELETON_I_TYPE(type, N)                                                     \
  struct {                                                                           \
    __extension__ union {                                                            \
      uint64_t count __attribute__((aligned(8)));                                    \
      struct mm3_k_skeleton *mm3_tag; /* a field of another kind does not compile */ \
    };                                                                               \
    type item[(N) + MM3_REQUIRE((N) >= 1 && (N) <= SKELETON_MAX)];                   \
  }

/* A field as the functions below take it: its address, and what its type says, as constants. */
#define SKELETON_I(s)                                                                                             \
  MM3_TAGGED(skeleton, s), __builtin_offsetof(__typeof__(*(s)), item), sizeof((s)->item[0]), skeleton_capacity(s)
/* A pointer; a warning when it points to anything but an item (the comparison is not executed). */
#define SKELETON_I_ITEM(s, pointer) ((void)sizeof((pointer) == &(s)->item[0]), pointer)

#define skeleton_push(s, from) skeleton_i_push(SKELETON_I(s), SKELETON_I_ITEM(s, from))
#define skeleton_get(s, index, out) skeleton_i_get(SKELETON_I(s), index, SKELETON_I_ITEM(s, out))
#define skeleton_len(s) skeleton_i_len(MM3_TAGGED(skeleton, s), skeleton_capacity(s))
#define skeleton_capacity(s) (sizeof((s)->item) / sizeof((s)->item[0]))

/* ---- the machinery: on bytes and sizes, so that the module's table works through it too ---- */

MM3_INLINE size_t skeleton_i_len(const void *bytes, size_t n) {
  uint64_t count = __atomic_load_n((const uint64_t *)bytes, __ATOMIC_ACQUIRE); /* once, then clamped */
  return count < n ? (size_t)count : n;
}

MM3_INLINE void skeleton_i_set_len(void *bytes, size_t count) {
  __atomic_store_n((uint64_t *)bytes, count, __ATOMIC_RELEASE);
}

MM3_INLINE int skeleton_i_get(const void *bytes, size_t offset, size_t size, size_t n, size_t index, void *out) {
  if (index >= skeleton_i_len(bytes, n)) return -MM3_E_ABSENT;
  mm3_copy_out(out, (const unsigned char *)bytes + offset + index * size, size);
  return 0;
}

MM3_INLINE int skeleton_i_push(void *bytes, size_t offset, size_t size, size_t n, const void *item) {
  size_t count = skeleton_i_len(bytes, n);
  if (count == n) return -MM3_E_FULL;
  mm3_copy_in((unsigned char *)bytes + offset + count * size, item, size);
  skeleton_i_set_len(bytes, count + 1); /* published last */
  return 0;
}

#endif
