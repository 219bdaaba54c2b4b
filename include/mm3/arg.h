/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * arg.h: arguments of containers' typed operations: what key and value may be in mm3_hashmap_set(file, map, key,
 * value).
 *
 *   the type in the schema       what is passed                         what receives it
 *   an integer, enum, bool, char a number                               a pointer to its C type
 *   f32, f64                     a number                               a pointer to float, double
 *   string(N), text              a C string, or struct mm3_str          a struct mm3_buf *
 *   raw(N), a struct, all else   a pointer to its C type (raw: to its   a pointer to its C type (raw: to an array of N
 *                                first byte)                            bytes)
 *
 * Numbers convert as in a C call. A C string for a number, or a number for a text, does not compile.
 */
#ifndef MM3_ARG_H
#define MM3_ARG_H

#include <mm3/error.h>
#include <mm3/scalar.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A text going in: bytes that need no zero after them, and may hold zeros. */
struct mm3_str {
  const char *ptr;
  size_t len;
};

/* A text coming out. The caller sets ptr and size; the operation copies the text and a zero byte there and sets len.
 * -ERANGE when len >= size: len is then set and nothing was copied. */
struct mm3_buf {
  char *ptr;
  size_t size, len;
};

MM3_INLINE struct mm3_str mm3_str_n(const void *ptr, size_t len) {
  struct mm3_str text = {(const char *)ptr, len};
  return text;
}

MM3_INLINE struct mm3_buf mm3_buf_of(char *ptr, size_t size) {
  struct mm3_buf buf = {ptr, size, 0};
  return buf;
}

/* The rest is the machinery. What an argument is, as a constant: */
#define MM3_I_IS_INTEGER 1
#define MM3_I_IS_TEXT    2 /* string(N) */
#define MM3_I_IS_HEAP    3 /* text */
#define MM3_I_IS_BYTES   4
#define MM3_I_IS_REAL    5

/* An argument of any kind. Built by inline functions only, so that it never reaches memory. */
struct mm3_i_arg {
  const void *ptr;
  uint64_t low, high; /* an integer; low is a text's length */
  double real;
  int is;
};

MM3_INLINE struct mm3_i_arg mm3_i_arg_make(int is, const void *ptr, uint64_t low, uint64_t high, double real) {
  struct mm3_i_arg arg = {ptr, low, high, real, is};
  return arg;
}

MM3_INLINE struct mm3_i_arg mm3_i_arg_unsigned(unsigned long long value) {
  return mm3_i_arg_make(MM3_I_IS_INTEGER, 0, value, 0, (double)value);
}
MM3_INLINE struct mm3_i_arg mm3_i_arg_signed(long long value) {
  return mm3_i_arg_make(MM3_I_IS_INTEGER, 0, (uint64_t)value, value < 0 ? ~UINT64_C(0) : 0, (double)value);
}
MM3_INLINE struct mm3_i_arg mm3_i_arg_real(double value) { return mm3_i_arg_make(MM3_I_IS_REAL, 0, 0, 0, value); }
MM3_INLINE struct mm3_i_arg mm3_i_arg_text(const char *text) {
  return mm3_i_arg_make(MM3_I_IS_TEXT, text, strlen(text), 0, 0);
}
MM3_INLINE struct mm3_i_arg mm3_i_arg_str(struct mm3_str text) {
  return mm3_i_arg_make(MM3_I_IS_TEXT, text.ptr, text.len, 0, 0);
}
MM3_INLINE struct mm3_i_arg mm3_i_arg_bytes(const void *bytes) {
  return mm3_i_arg_make(MM3_I_IS_BYTES, bytes, 0, 0, 0);
}
#ifdef __SIZEOF_INT128__
MM3_INLINE struct mm3_i_arg mm3_i_arg_u128(mm3_u128 value) {
  return mm3_i_arg_make(MM3_I_IS_INTEGER, 0, (uint64_t)value, (uint64_t)(value >> 64), (double)value);
}
MM3_INLINE struct mm3_i_arg mm3_i_arg_i128(mm3_i128 value) {
  return mm3_i_arg_make(MM3_I_IS_INTEGER, 0, (uint64_t)value, (uint64_t)(value >> 64), (double)value);
}
#endif

#ifdef __cplusplus

extern "C++" {
template <int Is> struct mm3_i_is { char is[Is]; };
#define MM3_I_ARG_CXX(type, function, what)                                        \
  MM3_INLINE struct mm3_i_arg mm3_i_arg_of(type value) { return function(value); } \
  mm3_i_is<what> mm3_i_is_of(type);
#define MM3_I_ARG_INT(type, function) MM3_I_ARG_CXX(type, function, MM3_I_IS_INTEGER)
MM3_I_ARG_INT(bool, mm3_i_arg_unsigned)
MM3_I_ARG_INT(char, mm3_i_arg_signed)
MM3_I_ARG_INT(signed char, mm3_i_arg_signed)
MM3_I_ARG_INT(short, mm3_i_arg_signed)
MM3_I_ARG_INT(int, mm3_i_arg_signed)
MM3_I_ARG_INT(long, mm3_i_arg_signed)
MM3_I_ARG_INT(long long, mm3_i_arg_signed)
MM3_I_ARG_INT(unsigned char, mm3_i_arg_unsigned)
MM3_I_ARG_INT(unsigned short, mm3_i_arg_unsigned)
MM3_I_ARG_INT(unsigned, mm3_i_arg_unsigned)
MM3_I_ARG_INT(unsigned long, mm3_i_arg_unsigned)
MM3_I_ARG_INT(unsigned long long, mm3_i_arg_unsigned)
#ifdef __SIZEOF_INT128__
MM3_I_ARG_INT(mm3_u128, mm3_i_arg_u128)
MM3_I_ARG_INT(mm3_i128, mm3_i_arg_i128)
#endif
MM3_I_ARG_CXX(float, mm3_i_arg_real, MM3_I_IS_REAL)
MM3_I_ARG_CXX(double, mm3_i_arg_real, MM3_I_IS_REAL)
MM3_I_ARG_CXX(const char *, mm3_i_arg_text, MM3_I_IS_TEXT)
MM3_I_ARG_CXX(struct mm3_str, mm3_i_arg_str, MM3_I_IS_TEXT)
MM3_I_ARG_CXX(const void *, mm3_i_arg_bytes, MM3_I_IS_BYTES)
mm3_i_is<MM3_I_IS_TEXT> mm3_i_out_of(struct mm3_buf *);
mm3_i_is<MM3_I_IS_BYTES> mm3_i_out_of(void *);
#undef MM3_I_ARG_INT
#undef MM3_I_ARG_CXX
}
#define MM3_I_ARG(x)    mm3_i_arg_of(x)
#define MM3_I_ARG_IS(x) ((int)sizeof(mm3_i_is_of(x).is))
#define MM3_I_OUT_IS(x) ((int)sizeof(mm3_i_out_of(x).is))

#else

#ifdef __SIZEOF_INT128__
#define MM3_I_ARG_WIDE(is_unsigned, is_signed) \
  mm3_u128:                                    \
  is_unsigned, mm3_i128 : is_signed,
#else
#define MM3_I_ARG_WIDE(is_unsigned, is_signed)
#endif
#define MM3_I_ARG_CHOOSE(x, is_unsigned, is_signed, is_u128, is_i128, is_real, is_text, is_str, is_bytes) \
  _Generic((x), _Bool: is_unsigned, unsigned char: is_unsigned, unsigned short: is_unsigned, unsigned: is_unsigned,    \
           unsigned long: is_unsigned, unsigned long long: is_unsigned, char: is_signed, signed char: is_signed,       \
           short: is_signed, int: is_signed, long: is_signed, long long: is_signed, MM3_I_ARG_WIDE(is_u128, is_i128)   \
           float: is_real, double: is_real, char *: is_text, const char *: is_text, struct mm3_str: is_str,            \
           default: is_bytes)
#define MM3_I_ARG(x)                                                                                        \
  MM3_I_ARG_CHOOSE(x, mm3_i_arg_unsigned, mm3_i_arg_signed, mm3_i_arg_u128, mm3_i_arg_i128, mm3_i_arg_real, \
                   mm3_i_arg_text, mm3_i_arg_str, mm3_i_arg_bytes)                                          \
  (x)
#define MM3_I_ARG_IS(x) MM3_I_ARG_CHOOSE(x, 1, 1, 1, 1, 5, 2, 2, 4)
#define MM3_I_OUT_IS(x) _Generic((x), struct mm3_buf * : MM3_I_IS_TEXT, default : MM3_I_IS_BYTES)

#endif

/* The argument; `required` is a sum of MM3_REQUIRE. */
MM3_INLINE struct mm3_i_arg mm3_i_arg_checked(struct mm3_i_arg arg, int required) {
  (void)required;
  return arg;
}

/* Does an argument that is `is` do for a type that is `wants`? */
#define MM3_I_ARG_FITS(is, wants)                                            \
  ((wants) == (is) || ((wants) == MM3_I_IS_HEAP && (is) == MM3_I_IS_TEXT) || \
   ((wants) == MM3_I_IS_REAL && (is) == MM3_I_IS_INTEGER))
#define MM3_I_OUT_FITS(out, wants, bytes)                                                    \
  ((wants) == MM3_I_IS_TEXT || (wants) == MM3_I_IS_HEAP ? MM3_I_OUT_IS(out) == MM3_I_IS_TEXT \
                                                        : sizeof(*(out)) == (bytes))

#endif
