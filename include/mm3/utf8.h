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

/* mm3_utf8_format: formats as vsnprintf does and hands the text to `take(to, capacity, text, count)`, whose result it
 * returns. The text is private memory, any length up to `capacity`, followed by a zero byte, gone after the call.
 * Returns -MM3_E_VALUE when the text is longer than `capacity` (take is not called) or the format is refused, -ENOMEM
 * for texts above 1 KiB that find no memory. errno is left alone. Out of line. */
MM3_API int mm3_utf8_format(int (*take)(void *to, size_t capacity, const char *text, size_t count), void *to,
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

#define MM3_I_UTF8_HIGH UINT64_C(0x8080808080808080)

/* 1 when at most 64 bytes are all ASCII: loads that overlap, and no loop. */
MM3_INLINE int mm3_utf8_ascii_short(const unsigned char *at, size_t count) {
  uint64_t all = 0;
  if (count >= 32) {
    for (size_t i = 0; i < 32; i += 8) all |= mm3_copy_word(at + i) | mm3_copy_word(at + count - 32 + i);
  } else if (count >= 16) {
    all = mm3_copy_word(at) | mm3_copy_word(at + 8) | mm3_copy_word(at + count - 16) | mm3_copy_word(at + count - 8);
  } else if (count >= 8) {
    all = mm3_copy_word(at) | mm3_copy_word(at + count - 8);
  } else if (count >= 4) {
    all = mm3_copy_half(at) | mm3_copy_half(at + count - 4);
  } else if (count) {
    all = mm3_copy_byte(at) | mm3_copy_byte(at + count / 2) | mm3_copy_byte(at + count - 1);
  }
  return !(all & MM3_I_UTF8_HIGH);
}

/* 1 when `size` bytes, a multiple of `step`, are all ASCII. step: 64, or 128, a tenth faster in long texts. */
MM3_INLINE int mm3_utf8_ascii(const unsigned char *at, size_t size, size_t step) {
#ifdef MM3_TSAN
  (void)step;
  for (size_t i = 0; i < size; i++)
    if (mm3_copy_byte(at + i) & 0x80) return 0;
#else
  typedef uint64_t pair __attribute__((vector_size(16)));
  typedef uint64_t loose __attribute__((vector_size(16), aligned(1), may_alias)); /* a copy would go through the stack */
  pair all = {0, 0}, second = {0, 0}, third = {0, 0}, fourth = {0, 0};
  for (size_t i = 0; i < size; i += step) {
    const loose *part = (const loose *)(at + i);
    if (step == 64) {
      all |= (part[0] | part[1]) | (part[2] | part[3]);
      continue;
    }
    all |= part[0], second |= part[1], third |= part[2], fourth |= part[3];
    all |= part[4], second |= part[5], third |= part[6], fourth |= part[7];
  }
  all |= second | third | fourth;
  if ((all[0] | all[1]) & MM3_I_UTF8_HIGH) return 0;
#endif
  return 1;
}

/* mm3_utf8_ok: 1 when the bytes are well-formed UTF-8 (no surrogate, nothing overlong, at most U+10FFFF; zero bytes are
 * characters), else 0. The bytes may be shared ones that change meanwhile: it stays within them. Inline, no call.
 * Cost: 40 bytes a nanosecond for ASCII, that of memcpy, 2 ns a character otherwise. */
MM3_INLINE int mm3_utf8_ok(const void *bytes, size_t count) {
  const unsigned char *at = (const unsigned char *)bytes;
  size_t i = 0;
  __asm__("" : "+r"(at)); /* or gcc warns, for small arrays, about loops that they never enter */
  while (count - i >= 1024 && mm3_utf8_ascii(at + i, 1024, 128)) i += 1024; /* as fast as memcpy */
  while (count - i >= 256 && mm3_utf8_ascii(at + i, 256, 64)) i += 256;
  while (count - i > 64 && mm3_utf8_ascii(at + i, 64, 64)) i += 64;
  if (count - i <= 64 && mm3_utf8_ascii_short(at + i, count - i)) return 1;
  while (i < count) {
    uint64_t found = count - i >= 8 ? mm3_copy_word(at + i) & MM3_I_UTF8_HIGH : mm3_copy_byte(at + i) & 0x80u;
    if (!found) {
      i += count - i >= 8 ? 8 : 1;
      continue;
    }
    i += (size_t)__builtin_ctzll(found) / 8;
    size_t step = mm3_utf8_step(at + i, count - i);
    if (step == 0) return 0;
    i += step;
  }
  return 1;
}

/* mm3_utf8_ok_within: the same for `count` bytes of `room` (constant, at most 64) that are all there and, as a rule,
 * zero from `count` on: no loop for ASCII. */
MM3_INLINE int mm3_utf8_ok_within(const void *bytes, size_t count, size_t room) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t all = 0;
  size_t i = 0;
  for (; i + 8 <= room; i += 8) all |= mm3_copy_word(at + i);
  if (i < room && room >= 8) all |= mm3_copy_word(at + room - 8);
  if (room < 8)
    for (; i < room; i++) all |= mm3_copy_byte(at + i);
  return !(all & MM3_I_UTF8_HIGH) || mm3_utf8_ok(bytes, count);
}

/* mm3_utf8_fit: the largest length up to `limit` at which well-formed UTF-8 is cut without splitting a character. */
MM3_INLINE size_t mm3_utf8_fit(const void *bytes, size_t count, size_t limit) {
  const unsigned char *at = (const unsigned char *)bytes;
  if (count <= limit) return count;
  while (limit > 0 && (at[limit] & 0xC0u) == 0x80) limit--;
  return limit;
}

#endif
