/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * atomic.h: atomic(T): an integer or bool that any number of threads and processes may change at once.
 *
 *     #define COUNTER(FIELD) FIELD(value, atomic(u64)) FIELD(on, atomic(bool))
 *     MM3_STRUCT(counter, COUNTER);
 *
 *     uint64_t before = mm3_atomic_fetch_add(&c->value, 1);
 *     mm3_atomic_store_explicit(&c->on, 1, __ATOMIC_RELEASE);
 *
 * T is one of u8 u16 u32 u64 i8 i16 i32 i64 usize isize bool; usize and isize are 64 bits. u128, i128, f32, f64 and
 * all else are refused, by the schema in words and by the C compiler.
 *
 *     atomic(u32)     0      1      2      3
 *                     [ low    ...    high ]      aligned to its size; field and element form are the same
 *
 * The C type is `struct mm3_atomic_u32` (mm3_atomic_bool, ...): a struct of one member that nothing but these
 * operations should name, so that `c->value = 5` and `c->value++` do not compile.
 *
 * INVARIANTS. Integers: none, every bit pattern is a value. bool: the byte is 0 or 1; what is stored becomes 0 or 1. A
 * load of a damaged byte (above 1) gives true; check says -MM3_E_DAMAGED.
 *
 * EVERY OPERATION
 *   takes a pointer to the field, evaluated once; one to a field of another kind does not compile. It cannot fail.
 *   Cost: the instructions of C11 atomics on the same type, no call, no handle. (Without optimisation explicit orders
 *   may become sequentially consistent.)
 *   Threads and processes: any number, lock-free: a killed process leaves nothing behind.
 *   Durability: a killed process's completed operations stay; on the disk after mm3_sync.
 *   Arithmetic wraps around, signed too, without undefined behaviour. On bool only load, store, exchange,
 *   compare_exchange, and, or, xor, get and set compile.
 *
 * Names without _explicit are sequentially consistent. The _explicit forms take memory orders as in C11, as constants
 * (memory_order_relaxed or __ATOMIC_RELAXED ...): an order that the operation cannot have does not compile.
 *
 *   T    mm3_atomic_load(p)                             _explicit(p, order): relaxed consume acquire seq_cst
 *   void mm3_atomic_store(p, value)                     _explicit(p, value, order): relaxed release seq_cst
 *   T    mm3_atomic_exchange(p, value)                  _explicit(p, value, order): any, here and below
 *   T    mm3_atomic_fetch_add(p, value)  fetch_sub      return the value before
 *   T    mm3_atomic_fetch_and(p, value)  fetch_or  fetch_xor
 *   T    mm3_atomic_fetch_min(p, value)  fetch_max      store nothing when that changes nothing (then the order is
 *                                                       that of a load)
 *   int  mm3_atomic_compare_exchange(p, T *expected, desired)  _explicit(p, expected, desired, success, failure)
 *   int  mm3_atomic_compare_exchange_weak(p, expected, desired)
 *          1: it was *expected and is now `desired`. 0: it was not (weak: or perhaps it was), *expected is what it was.
 *          For bool, expected is a `bool *`. The failure order: relaxed consume acquire seq_cst.
 *
 * Short forms, all sequentially consistent:
 *   mm3_atomic_get(p)  mm3_atomic_set(p, value)                load, store
 *   mm3_atomic_add(p, value)  mm3_atomic_sub(p, value)         return the value before, as
 *   mm3_atomic_inc(p)  mm3_atomic_dec(p)                       these do: by one
 *
 * T above is the plain C type: uint32_t for u32, bool for bool, uint64_t for usize.
 */
#ifndef MM3_ATOMIC_H
#define MM3_ATOMIC_H

#include <mm3/error.h>
#include <mm3/struct.h>
#include <stdint.h>

/* X(word of the schema, C type of the member, bytes): char stands for bool, because it is a type of its own. */
#define MM3_I_ATOMIC_FIELDS(X)                                                                                         \
  X(u8, uint8_t, 1) X(u16, uint16_t, 2) X(u32, uint32_t, 4) X(u64, uint64_t, 8) X(usize, uint64_t, 8)                  \
  X(i8, int8_t, 1) X(i16, int16_t, 2) X(i32, int32_t, 4) X(i64, int64_t, 8) X(isize, int64_t, 8) X(bool, char, 1)

#define MM3_I_ATOMIC_STRUCT(word, type, bytes) \
  struct mm3_atomic_##word {                   \
    type mm3_v __attribute__((aligned(bytes))); \
  };
MM3_I_ATOMIC_FIELDS(MM3_I_ATOMIC_STRUCT)
#undef MM3_I_ATOMIC_STRUCT
#undef MM3_I_ATOMIC_FIELDS

#define MM3_C1_atomic(T) struct mm3_atomic_##T
#define MM3_C2_atomic(T) struct mm3_atomic_##T
#define MM3_C3_atomic(T) struct mm3_atomic_##T
#define MM3_C4_atomic(T) struct mm3_atomic_##T
#define MM3_A1_atomic(T) MM3_ITEM_KIND(1), MM3_A2_##T
#define MM3_A2_atomic(T) MM3_ITEM_KIND(1), MM3_A2_##T
#define MM3_A3_atomic(T) MM3_ITEM_KIND(1), MM3_A2_##T
#define MM3_A4_atomic(T) MM3_ITEM_KIND(1), MM3_A2_##T

/* ---- the operations ---- */

#define MM3_I_SC __ATOMIC_SEQ_CST

#define mm3_atomic_load(p) mm3_atomic_load_explicit(p, MM3_I_SC)
#define mm3_atomic_load_explicit(p, order) \
  MM3_I_ATOMIC_CALL(mm3_i_atomic_load, p)(&(p)->mm3_v, (int)(order) + MM3_REQUIRE(MM3_I_ORDER_LOADS((int)(order))))
#define mm3_atomic_store(p, value) mm3_atomic_store_explicit(p, value, MM3_I_SC)
#define mm3_atomic_store_explicit(p, value, order) \
  MM3_I_ATOMIC_CALL(mm3_i_atomic_store, p)              \
  (&(p)->mm3_v, (value), (int)(order) + MM3_REQUIRE(MM3_I_ORDER_STORES((int)(order))))
#define mm3_atomic_exchange(p, value) mm3_atomic_exchange_explicit(p, value, MM3_I_SC)
#define mm3_atomic_exchange_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_exchange, p, value, order)

#define mm3_atomic_fetch_add(p, value) mm3_atomic_fetch_add_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_add_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_add, p, value, order)
#define mm3_atomic_fetch_sub(p, value) mm3_atomic_fetch_sub_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_sub_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_sub, p, value, order)
#define mm3_atomic_fetch_and(p, value) mm3_atomic_fetch_and_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_and_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_and, p, value, order)
#define mm3_atomic_fetch_or(p, value) mm3_atomic_fetch_or_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_or_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_or, p, value, order)
#define mm3_atomic_fetch_xor(p, value) mm3_atomic_fetch_xor_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_xor_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_xor, p, value, order)
#define mm3_atomic_fetch_min(p, value) mm3_atomic_fetch_min_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_min_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_min, p, value, order)
#define mm3_atomic_fetch_max(p, value) mm3_atomic_fetch_max_explicit(p, value, MM3_I_SC)
#define mm3_atomic_fetch_max_explicit(p, value, order) MM3_I_ATOMIC_RMW(mm3_i_atomic_max, p, value, order)

#define mm3_atomic_compare_exchange(p, expected, desired) \
  mm3_atomic_compare_exchange_explicit(p, expected, desired, MM3_I_SC, MM3_I_SC)
#define mm3_atomic_compare_exchange_weak(p, expected, desired) \
  mm3_atomic_compare_exchange_weak_explicit(p, expected, desired, MM3_I_SC, MM3_I_SC)
#define mm3_atomic_compare_exchange_explicit(p, expected, desired, success, failure) \
  MM3_I_ATOMIC_CAS(p, expected, desired, 0, success, failure)
#define mm3_atomic_compare_exchange_weak_explicit(p, expected, desired, success, failure) \
  MM3_I_ATOMIC_CAS(p, expected, desired, 1, success, failure)

#define mm3_atomic_get(p) mm3_atomic_load(p)
#define mm3_atomic_set(p, value) mm3_atomic_store(p, value)
#define mm3_atomic_add(p, value) mm3_atomic_fetch_add(p, value)
#define mm3_atomic_sub(p, value) mm3_atomic_fetch_sub(p, value)
#define mm3_atomic_inc(p) mm3_atomic_fetch_add(p, 1)
#define mm3_atomic_dec(p) mm3_atomic_fetch_sub(p, 1)

/* ---- the machinery ---- */

#define MM3_I_ORDER_LOADS(order) \
  ((order) == __ATOMIC_RELAXED || (order) == __ATOMIC_CONSUME || (order) == __ATOMIC_ACQUIRE || (order) == MM3_I_SC)
#define MM3_I_ORDER_STORES(order) ((order) == __ATOMIC_RELAXED || (order) == __ATOMIC_RELEASE || (order) == MM3_I_SC)
#define MM3_I_ORDER_ANY(order) \
  (MM3_I_ORDER_LOADS(order) || (order) == __ATOMIC_RELEASE || (order) == __ATOMIC_ACQ_REL)

#define MM3_I_ATOMIC_RMW(operation, p, value, order) \
  MM3_I_ATOMIC_CALL(operation, p)(&(p)->mm3_v, (value), (int)(order) + MM3_REQUIRE(MM3_I_ORDER_ANY((int)(order))))
#define MM3_I_ATOMIC_CAS(p, expected, desired, weak, success, failure)                                        \
  MM3_I_ATOMIC_CALL(mm3_i_atomic_cas, p)                                                                      \
  (&(p)->mm3_v, (expected), (desired), weak, (int)(success) + MM3_REQUIRE(MM3_I_ORDER_ANY((int)(success))),    \
   (int)(failure) + MM3_REQUIRE(MM3_I_ORDER_LOADS((int)(failure))))

/* One inline function for each operation and type, so that arguments convert, and are warned about, as in a call of
 * C: mm3_i_atomic_load_of_u8 ... chosen by the member's type. In C++ they are overloads. Words that a program may have
 * macros for (u8, bool, and, min) are only pasted. */
#ifdef __cplusplus
#define MM3_I_ATOMIC_NAME(operation, suffix) operation
#define MM3_I_ATOMIC_CALL(operation, p) operation
extern "C++" {
#else
#define MM3_I_ATOMIC_NAME(operation, suffix) operation##_##suffix
#define MM3_I_ATOMIC_CALL(operation, p)                                                                       \
  _Generic((p)->mm3_v, uint8_t: operation##_of_u8, uint16_t: operation##_of_u16, uint32_t: operation##_of_u32,         \
           uint64_t: operation##_of_u64, int8_t: operation##_of_i8, int16_t: operation##_of_i16,                       \
           int32_t: operation##_of_i32, int64_t: operation##_of_i64, char: operation##_of_bool)
/* Never defined: arithmetic on a bool is no function of any type. */
#define mm3_i_atomic_add_of_bool (*(struct mm3_atomic_bool_has_no_arithmetic *)0)
#define mm3_i_atomic_sub_of_bool (*(struct mm3_atomic_bool_has_no_arithmetic *)0)
#define mm3_i_atomic_min_of_bool (*(struct mm3_atomic_bool_has_no_arithmetic *)0)
#define mm3_i_atomic_max_of_bool (*(struct mm3_atomic_bool_has_no_arithmetic *)0)
struct mm3_atomic_bool_has_no_arithmetic;
#endif

#define MM3_I_ATOMIC_VALUE(operation, builtin, type, suffix)                                          \
  MM3_INLINE type MM3_I_ATOMIC_NAME(operation, suffix)(type * at, type value, int order) {             \
    return builtin(at, value, order);                                                                 \
  }

/* min and max: a loop that ends when there is nothing to change. */
#define MM3_I_ORDER_OF_LOAD(order) \
  ((order) == __ATOMIC_RELEASE ? __ATOMIC_RELAXED : (order) == __ATOMIC_ACQ_REL ? __ATOMIC_ACQUIRE : (order))
#define MM3_I_ATOMIC_LOOP(operation, compare, type, suffix)                                           \
  MM3_INLINE type MM3_I_ATOMIC_NAME(operation, suffix)(type * at, type value, int order) {             \
    type now = __atomic_load_n(at, MM3_I_ORDER_OF_LOAD(order));                                       \
    while (value compare now)                                                                         \
      if (__atomic_compare_exchange_n(at, &now, value, 1, order, MM3_I_ORDER_OF_LOAD(order))) break;   \
    return now;                                                                                       \
  }

#define MM3_I_ATOMIC_INTEGER(type, suffix)                                                            \
  MM3_INLINE type MM3_I_ATOMIC_NAME(mm3_i_atomic_load, suffix)(const type *at, int order) {           \
    return __atomic_load_n(at, order);                                                                \
  }                                                                                                   \
  MM3_INLINE void MM3_I_ATOMIC_NAME(mm3_i_atomic_store, suffix)(type * at, type value, int order) {   \
    __atomic_store_n(at, value, order);                                                               \
  }                                                                                                   \
  MM3_INLINE int MM3_I_ATOMIC_NAME(mm3_i_atomic_cas, suffix)(type * at, type * expected, type desired, \
                                                             int weak, int success, int failure) {    \
    if (weak) return __atomic_compare_exchange_n(at, expected, desired, 1, success, failure);         \
    return __atomic_compare_exchange_n(at, expected, desired, 0, success, failure);                   \
  }                                                                                                   \
  MM3_I_ATOMIC_VALUE(mm3_i_atomic_exchange, __atomic_exchange_n, type, suffix)                        \
  MM3_I_ATOMIC_VALUE(mm3_i_atomic_add, __atomic_fetch_add, type, suffix)                              \
  MM3_I_ATOMIC_VALUE(mm3_i_atomic_sub, __atomic_fetch_sub, type, suffix)                              \
  MM3_I_ATOMIC_VALUE(mm3_i_atomic_and, __atomic_fetch_and, type, suffix)                              \
  MM3_I_ATOMIC_VALUE(mm3_i_atomic_or, __atomic_fetch_or, type, suffix)                                \
  MM3_I_ATOMIC_VALUE(mm3_i_atomic_xor, __atomic_fetch_xor, type, suffix)                              \
  MM3_I_ATOMIC_LOOP(mm3_i_atomic_min, <, type, suffix)                                                \
  MM3_I_ATOMIC_LOOP(mm3_i_atomic_max, >, type, suffix)

MM3_I_ATOMIC_INTEGER(uint8_t, of_u8)
MM3_I_ATOMIC_INTEGER(uint16_t, of_u16)
MM3_I_ATOMIC_INTEGER(uint32_t, of_u32)
MM3_I_ATOMIC_INTEGER(uint64_t, of_u64)
MM3_I_ATOMIC_INTEGER(int8_t, of_i8)
MM3_I_ATOMIC_INTEGER(int16_t, of_i16)
MM3_I_ATOMIC_INTEGER(int32_t, of_i32)
MM3_I_ATOMIC_INTEGER(int64_t, of_i64)

#ifdef __cplusplus
typedef bool mm3_i_bool;
#else
typedef _Bool mm3_i_bool;
#endif

#define MM3_I_ATOMIC_BOOL(operation, builtin)                                                                \
  MM3_INLINE mm3_i_bool MM3_I_ATOMIC_NAME(operation, of_bool)(char *at, mm3_i_bool value, int order) {           \
    return builtin(at, (char)value, order) != 0;                                                             \
  }
MM3_I_ATOMIC_BOOL(mm3_i_atomic_exchange, __atomic_exchange_n)
MM3_I_ATOMIC_BOOL(mm3_i_atomic_and, __atomic_fetch_and)
MM3_I_ATOMIC_BOOL(mm3_i_atomic_or, __atomic_fetch_or)
MM3_I_ATOMIC_BOOL(mm3_i_atomic_xor, __atomic_fetch_xor)

MM3_INLINE mm3_i_bool MM3_I_ATOMIC_NAME(mm3_i_atomic_load, of_bool)(const char *at, int order) {
  return __atomic_load_n(at, order) != 0;
}
MM3_INLINE void MM3_I_ATOMIC_NAME(mm3_i_atomic_store, of_bool)(char *at, mm3_i_bool value, int order) {
  __atomic_store_n(at, (char)value, order);
}

/* A damaged byte counts as true: it is then exchanged as it lies, or a caller's loop would never end. */
MM3_INLINE int MM3_I_ATOMIC_NAME(mm3_i_atomic_cas, of_bool)(char *at, mm3_i_bool *expected, mm3_i_bool desired,
                                                            int weak, int success, int failure) {
  char now = (char)*expected;
  (void)weak;
  do {
    if (__atomic_compare_exchange_n(at, &now, (char)desired, 0, success, failure)) return 1;
  } while ((now != 0) == *expected);
  *expected = now != 0;
  return 0;
}

#ifdef __cplusplus
}
#endif
#undef MM3_I_ATOMIC_BOOL
#undef MM3_I_ATOMIC_INTEGER
#undef MM3_I_ATOMIC_LOOP
#undef MM3_I_ATOMIC_VALUE
#endif
