/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * scalar.h: the core's own kinds, which need no module: scalars, raw(N), enum(base, words...).
 *
 *   u8 u16 u32 u64 u128  i8 i16 i32 i64 i128   little-endian integers, aligned to their size
 *   f32 f64                                    IEEE 754, any bit pattern is valid
 *   usize isize                                64 bits in every file
 *   bool                                       one byte, 0 or 1
 *   char                                       a Unicode scalar value in four bytes (no surrogate, below 0x110000)
 *   raw(N)                                     N bytes, 1 <= N <= 2^40, alignment 1
 *   enum(base, word, word=5, ...)              an unsigned integer u8..u64 that takes only the words' values; a word
 *                                              without a value is its predecessor's plus one, the first is 0
 *
 * In C a member of these types is plain memory: reading and writing it is the plain C statement, with the plain C
 * cost and the plain C promise (each aligned word whole, one writer at a time). bool is a uint8_t, char a uint32_t,
 * enum its base integer, raw(N) a uint8_t[N]; plain reads of them are not validated, because the bytes may come from
 * anywhere: mm3_bool_get and mm3_char_get are.
 *
 * Words of an enum field become constants STRUCT_FIELD_WORD: `state: enum(u32, idle, busy)` in struct job gives
 * job_state_idle and job_state_busy. A word that is also a macro (`linux`, `true`) cannot be spelt in C.
 */
#ifndef MM3_SCALAR_H
#define MM3_SCALAR_H

#include <mm3/error.h>
#include <stdint.h>

/* Storage of 128-bit integers. On 32-bit targets, which have no such type, a schema with one opens by text only. */
#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 mm3_u128;
__extension__ typedef __int128 mm3_i128;
#endif

/* mm3_bool_get, mm3_char_get: reads a bool (char) that may hold any bytes. Returns 0 and stores the value in *out,
 * or -MM3_E_DAMAGED and stores nothing. Inline, no call. Any thread or process. */
MM3_INLINE int mm3_bool_get(const uint8_t *at, int *out) {
  uint8_t byte = *at;
  if (byte > 1) return -MM3_E_DAMAGED;
  *out = byte;
  return 0;
}

MM3_INLINE int mm3_char_valid(uint32_t code) { return code < 0xD800 || (code > 0xDFFF && code < 0x110000); }

MM3_INLINE int mm3_char_get(const uint32_t *at, uint32_t *out) {
  uint32_t code = *at;
  if (!mm3_char_valid(code)) return -MM3_E_DAMAGED;
  *out = code;
  return 0;
}

/* What follows is for MM3_STRUCT: see struct.h for what the families mean. */
typedef uint8_t MM3_C1_u8, MM3_C2_u8, MM3_C3_u8, MM3_C4_u8;
typedef uint16_t MM3_C1_u16, MM3_C2_u16, MM3_C3_u16, MM3_C4_u16;
typedef uint32_t MM3_C1_u32, MM3_C2_u32, MM3_C3_u32, MM3_C4_u32;
typedef uint64_t MM3_C1_u64, MM3_C2_u64, MM3_C3_u64, MM3_C4_u64;
typedef int8_t MM3_C1_i8, MM3_C2_i8, MM3_C3_i8, MM3_C4_i8;
typedef int16_t MM3_C1_i16, MM3_C2_i16, MM3_C3_i16, MM3_C4_i16;
typedef int32_t MM3_C1_i32, MM3_C2_i32, MM3_C3_i32, MM3_C4_i32;
typedef int64_t MM3_C1_i64, MM3_C2_i64, MM3_C3_i64, MM3_C4_i64;
typedef float MM3_C1_f32, MM3_C2_f32, MM3_C3_f32, MM3_C4_f32;
typedef double MM3_C1_f64, MM3_C2_f64, MM3_C3_f64, MM3_C4_f64;
typedef uint8_t MM3_C1_bool, MM3_C2_bool, MM3_C3_bool, MM3_C4_bool;
typedef uint32_t MM3_C1_char, MM3_C2_char, MM3_C3_char, MM3_C4_char;
typedef uint64_t MM3_C1_usize, MM3_C2_usize, MM3_C3_usize, MM3_C4_usize;
typedef int64_t MM3_C1_isize, MM3_C2_isize, MM3_C3_isize, MM3_C4_isize;
#ifdef __SIZEOF_INT128__
typedef mm3_u128 MM3_C1_u128, MM3_C2_u128, MM3_C3_u128, MM3_C4_u128;
typedef mm3_i128 MM3_C1_i128, MM3_C2_i128, MM3_C3_i128, MM3_C4_i128;
#endif

#define MM3_A1_u8 0
#define MM3_A2_u8 0
#define MM3_A3_u8 0
#define MM3_A4_u8 0
#define MM3_A1_u16 0
#define MM3_A2_u16 0
#define MM3_A3_u16 0
#define MM3_A4_u16 0
#define MM3_A1_u32 0
#define MM3_A2_u32 0
#define MM3_A3_u32 0
#define MM3_A4_u32 0
#define MM3_A1_u64 0
#define MM3_A2_u64 0
#define MM3_A3_u64 0
#define MM3_A4_u64 0
#define MM3_A1_u128 0
#define MM3_A2_u128 0
#define MM3_A3_u128 0
#define MM3_A4_u128 0
#define MM3_A1_i8 0
#define MM3_A2_i8 0
#define MM3_A3_i8 0
#define MM3_A4_i8 0
#define MM3_A1_i16 0
#define MM3_A2_i16 0
#define MM3_A3_i16 0
#define MM3_A4_i16 0
#define MM3_A1_i32 0
#define MM3_A2_i32 0
#define MM3_A3_i32 0
#define MM3_A4_i32 0
#define MM3_A1_i64 0
#define MM3_A2_i64 0
#define MM3_A3_i64 0
#define MM3_A4_i64 0
#define MM3_A1_i128 0
#define MM3_A2_i128 0
#define MM3_A3_i128 0
#define MM3_A4_i128 0
#define MM3_A1_f32 0
#define MM3_A2_f32 0
#define MM3_A3_f32 0
#define MM3_A4_f32 0
#define MM3_A1_f64 0
#define MM3_A2_f64 0
#define MM3_A3_f64 0
#define MM3_A4_f64 0
#define MM3_A1_bool 0
#define MM3_A2_bool 0
#define MM3_A3_bool 0
#define MM3_A4_bool 0
#define MM3_A1_char 0
#define MM3_A2_char 0
#define MM3_A3_char 0
#define MM3_A4_char 0
#define MM3_A1_usize 0
#define MM3_A2_usize 0
#define MM3_A3_usize 0
#define MM3_A4_usize 0
#define MM3_A1_isize 0
#define MM3_A2_isize 0
#define MM3_A3_isize 0
#define MM3_A4_isize 0

#define MM3_C1_raw(N) __typeof__(uint8_t[(N)])
#define MM3_A1_raw(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_C2_raw(N) __typeof__(uint8_t[(N)])
#define MM3_A2_raw(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_C3_raw(N) __typeof__(uint8_t[(N)])
#define MM3_A3_raw(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_C4_raw(N) __typeof__(uint8_t[(N)])
#define MM3_A4_raw(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_C1_enum(base, ...) MM3_C2_##base
#define MM3_A1_enum(base, ...) MM3_ITEM_KIND(1), MM3_A2_##base, mm3_item_rest
#define MM3_C2_enum(base, ...) MM3_C3_##base
#define MM3_A2_enum(base, ...) MM3_ITEM_KIND(1), MM3_A3_##base, mm3_item_rest
#define MM3_C3_enum(base, ...) MM3_C4_##base
#define MM3_A3_enum(base, ...) MM3_ITEM_KIND(1), MM3_A4_##base, mm3_item_rest
#define MM3_C4_enum(base, ...) MM3_C4_##base
#define MM3_A4_enum(base, ...) MM3_ITEM_KIND(1), MM3_A4_##base, mm3_item_rest
#define MM3_E1_enum(base, ...) MM3_I_ENUM, (__VA_ARGS__)

#endif
