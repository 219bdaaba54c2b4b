/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * utf8.h: UTF-8 in inline code, and formatting: for the kinds that hold text.
 *
 * mm3/module.h has the same as exported functions (mm3_utf8_valid, mm3_utf8_cut, encode, decode) for cold code.
 */
#ifndef MM3_UTF8_H
#define MM3_UTF8_H

#include <mm3/copy.h>
#include <mm3/error.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* mm3_text_format: formats as vsnprintf does and hands the text to `take(to, capacity, text, count)`, whose result it
 * returns. The text is private memory, any length up to `capacity`, followed by a zero byte, gone after the call.
 * Returns -MM3_E_VALUE when the text is longer than `capacity` (take is not called) or the format is refused, -ENOMEM
 * for texts above 1 KiB that find no memory. errno is left alone. Out of line. */
MM3_API int mm3_text_format(int (*take)(void *to, size_t capacity, const char *text, size_t count), void *to,
                            size_t capacity, const char *format, va_list arguments) MM3_PRINTF(4, 0);

#ifdef __cplusplus
}
#endif

/* mm3_utf8_step: the length of the character of two bytes or more that starts at `at`, 0 when it is none (a bare or
 * missing continuation, an overlong form, a surrogate, above U+10FFFF). `count` bytes are there, at least one. */
MM3_INLINE size_t mm3_utf8_step(const unsigned char *at, size_t count) {
  unsigned first = mm3_copy_byte(at), second, low = 0x80, high = 0xBF;
  size_t length = 2u + (first >= 0xE0) + (first >= 0xF0);
  if (first < 0xC2 || first > 0xF4 || count < length) return 0;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  second = mm3_copy_byte(at + 1);
  if (second < low || second > high) return 0;
  for (size_t i = 2; i < length; i++)
    if ((mm3_copy_byte(at + i) & 0xC0u) != 0x80) return 0;
  return length;
}

/* The last bytes of a text, eight of them or all, as one word (the first is the lowest; zeros above). */
MM3_INLINE uint64_t mm3_utf8_tail(const unsigned char *at, size_t count) {
  uint64_t word = 0;
  if (count >= 8) return mm3_copy_word(at + count - 8);
  for (size_t i = 0; i < count; i++) word |= (uint64_t)mm3_copy_byte(at + i) << (8 * i);
  return word;
}

/* mm3_utf8_ok: 1 when the bytes are well-formed UTF-8 (no surrogate, nothing overlong, at most U+10FFFF; zero bytes are
 * characters), else 0. The bytes may be shared ones that change meanwhile: it stays within them. Inline, no call.
 * Cost: 16 bytes a nanosecond for ASCII, 2 ns a character otherwise. */
MM3_INLINE int mm3_utf8_ok(const void *bytes, size_t count) {
  const unsigned char *at = (const unsigned char *)bytes;
  const uint64_t high = UINT64_C(0x8080808080808080);
  __asm__("" : "+r"(at)); /* or gcc warns, for small arrays, about loops that they never enter */
  const uint64_t tail = mm3_utf8_tail(at, count);
  const size_t in_tail = count < 8 ? count : 8;
  size_t i = 0;
  while (i < count) {
    uint64_t ored = 0;
    for (; count - i >= 32; i += 32) {
      for (size_t k = 0; k < 32; k += 8) ored |= mm3_copy_word(at + i + k);
      if (ored & high) break;
    }
    size_t left = count - i;
    uint64_t found = (left >= 8 ? mm3_copy_word(at + i) : left ? tail >> (8 * (in_tail - left)) : 0) & high;
    if (!found) {
      i += 8;
      continue;
    }
    i += (size_t)__builtin_ctzll(found) / 8;
    size_t step = mm3_utf8_step(at + i, count - i);
    if (step == 0) return 0;
    i += step;
  }
  return 1;
}

/* mm3_utf8_fit: the largest length up to `limit` at which well-formed UTF-8 can be cut without splitting a character. */
MM3_INLINE size_t mm3_utf8_fit(const void *bytes, size_t count, size_t limit) {
  const unsigned char *at = (const unsigned char *)bytes;
  if (count <= limit) return count;
  while (limit > 0 && (at[limit] & 0xC0u) == 0x80) limit--;
  return limit;
}

#endif
