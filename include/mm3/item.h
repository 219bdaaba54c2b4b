/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * item.h: one item of a container between private memory and the file, and a macro's argument as an item: for authors
 * of kinds whose operations take an item of any C type.
 *
 * Items of 1, 2, 4 or 8 bytes are narrow: they are read and written by one instruction, and so are never torn. They
 * must be aligned to their size in the file, which a container sees to by starting them at a multiple of 8. Wider
 * ones go through mm3/copy.h. `item` is the size in bytes, a constant.
 *
 * MM3_I_ITEM_VALUE(type, value): a `const void *` to a temporary of that type that holds the value, which may also be
 * an initialiser in braces. MM3_I_ITEM_POINTER(type, p): p, which does not compile unless it points to that type.
 */
#ifndef MM3_ITEM_H
#define MM3_ITEM_H

#include <mm3/copy.h>
#include <mm3/struct.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t __attribute__((may_alias)) mm3_i_word16;
typedef uint32_t __attribute__((may_alias)) mm3_i_word32;
typedef uint64_t __attribute__((may_alias)) mm3_i_word64;

MM3_INLINE int mm3_i_item_narrow(size_t item) { return item == 1 || item == 2 || item == 4 || item == 8; }

/* A narrow item, in one instruction. */
MM3_INLINE uint64_t mm3_i_item_word(const void *slot, size_t item) {
  switch (item) {
    case 1: return __atomic_load_n((const unsigned char *)slot, __ATOMIC_RELAXED);
    case 2: return __atomic_load_n((const mm3_i_word16 *)slot, __ATOMIC_RELAXED);
    case 4: return __atomic_load_n((const mm3_i_word32 *)slot, __ATOMIC_RELAXED);
    default: return __atomic_load_n((const mm3_i_word64 *)slot, __ATOMIC_RELAXED);
  }
}

MM3_INLINE void mm3_i_item_put_word(void *slot, uint64_t value, size_t item) {
  switch (item) {
    case 1: __atomic_store_n((unsigned char *)slot, (unsigned char)value, __ATOMIC_RELAXED); break;
    case 2: __atomic_store_n((mm3_i_word16 *)slot, (uint16_t)value, __ATOMIC_RELAXED); break;
    case 4: __atomic_store_n((mm3_i_word32 *)slot, (uint32_t)value, __ATOMIC_RELAXED); break;
    default: __atomic_store_n((mm3_i_word64 *)slot, value, __ATOMIC_RELAXED);
  }
}

/* One item between private memory (any alignment) and a slot. Little-endian: a word's first bytes are the item. */
MM3_INLINE void mm3_i_item_load(void *to, const void *slot, size_t item) {
  if (mm3_i_item_narrow(item)) {
    uint64_t value = mm3_i_item_word(slot, item);
    memcpy(to, &value, item < 8 ? item : 8); /* else the compiler warns of items that never come here */
  } else {
    mm3_copy_out(to, slot, item);
  }
}

MM3_INLINE void mm3_i_item_store(void *slot, const void *from, size_t item) {
  if (mm3_i_item_narrow(item)) {
    uint64_t value = 0;
    memcpy(&value, from, item < 8 ? item : 8);
    mm3_i_item_put_word(slot, value, item);
  } else {
    mm3_copy_in(slot, from, item);
  }
}

#ifdef __cplusplus
extern "C++" {
template <class T>
struct mm3_i_item_value {
  typename std::remove_cv<T>::type item;
  mm3_i_item_value(const T &value) : item(value) {}
  template <class V>
  mm3_i_item_value(const V &value) : item(static_cast<T>(value)) {}
  operator const void *() const { return &item; }
};
template <class T, class P>
MM3_INLINE P *mm3_i_item_pointer(P *p) {
  static_assert(std::is_same<typename std::remove_cv<T>::type, typename std::remove_cv<P>::type>::value,
                "this is not a pointer to the item's type");
  return p;
}
}
#define MM3_I_ITEM_VALUE(type, ...) (mm3_i_item_value<type>(__VA_ARGS__))
#define MM3_I_ITEM_POINTER(type, p) (mm3_i_item_pointer<type>(p))
#else
#define MM3_I_ITEM_VALUE(type, ...) ((const void *)(const type[1]){__VA_ARGS__})
#define MM3_I_ITEM_POINTER(type, p) ((p) + MM3_REQUIRE(__builtin_types_compatible_p(__typeof__(*(p)), type)))
#endif

#endif
