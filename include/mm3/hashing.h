/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hashing.h: hash "1" of hashmap tables, and sixteen control bytes at a time: for hashmap.h and for authors of kinds.
 *
 * The algorithm is part of the file format (a table names it by number). mum(a, b) is the 128-bit product's low half
 * xor its high half; P0..P3 are odd constants; w(i) the eight bytes at i, little-endian, r(i) four; n the length:
 *
 *   integers up to 64 bits   mum(x ^ seed, P0), x zero-extended from its size
 *   128 bits                 mum(mum(low ^ seed, P0) ^ high, P1)
 *   bytes, n <= 16           mum(mum(a ^ seed, b ^ P1) ^ n, P2), where a, b are
 *                              n >= 4: r(0) << 32 | r(q), r(n - 4) << 32 | r(n - 4 - q), q = n >= 8 ? 4 : 0
 *                              n < 4:  bytes 0, n / 2 and n - 1 as b0 << 16 | b1 << 8 | b2 (n = 0: 0), 0
 *   bytes, n <= 32           mum((mum(w(0) ^ seed, w(8) ^ P1) ^ mum(w(n - 16) ^ seed ^ P3, w(n - 8) ^ P0)) ^ n, P2)
 *   bytes, n > 32            seed is replaced for each 32 bytes that have at least one byte after them:
 *                            seed = mum(w(i) ^ seed, w(i + 8) ^ P1) ^ mum(w(i + 16) ^ seed ^ P3, w(i + 24) ^ P0);
 *                            then as for n <= 32 over the last 32 bytes, with n the whole length
 *
 * No loop depends on the length up to 32 bytes: such a loop's mispredictions would serialise look-ups' cache misses.
 */
#ifndef MM3_HASHING_H
#define MM3_HASHING_H

#include <mm3/copy.h>
#include <mm3/error.h>
#include <stddef.h>
#include <stdint.h>
#if defined __SSE2__ && !defined MM3_TSAN
#include <emmintrin.h>
#elif defined __aarch64__ && !defined MM3_TSAN
#include <arm_neon.h>
#endif

#define MM3_I_P0 UINT64_C(0x9fb21c651e98df25)
#define MM3_I_P1 UINT64_C(0xd6e8feb86659fd93)
#define MM3_I_P2 UINT64_C(0xaef17502108ef2d9)
#define MM3_I_P3 UINT64_C(0xe7037ed1a0b428db)

MM3_INLINE uint64_t mm3_hash_mum(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
  __extension__ unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t low = al * bl, mid = ah * bl + (low >> 32), mid2 = al * bh + (uint32_t)mid;
  return (mid2 << 32 | (uint32_t)low) ^ (ah * bh + (mid >> 32) + (mid2 >> 32));
#endif
}

MM3_INLINE uint64_t mm3_hash_word(uint64_t word, uint64_t seed) { return mm3_hash_mum(word ^ seed, MM3_I_P0); }

MM3_INLINE uint64_t mm3_hash_wide(uint64_t low, uint64_t high, uint64_t seed) {
  return mm3_hash_mum(mm3_hash_mum(low ^ seed, MM3_I_P0) ^ high, MM3_I_P1);
}

/* Four bytes in any alignment. */
MM3_INLINE uint64_t mm3_i_half(const unsigned char *at) {
#ifdef MM3_TSAN
  return mm3_copy_byte(at) | (uint64_t)mm3_copy_byte(at + 1) << 8 | (uint64_t)mm3_copy_byte(at + 2) << 16 |
         (uint64_t)mm3_copy_byte(at + 3) << 24;
#else
  uint32_t half;
  memcpy(&half, at, sizeof half);
  return half;
#endif
}

MM3_INLINE uint64_t mm3_i_hash_two(const unsigned char *first, const unsigned char *last, uint64_t seed) {
  return mm3_hash_mum(mm3_copy_word(first) ^ seed, mm3_copy_word(first + 8) ^ MM3_I_P1) ^
         mm3_hash_mum(mm3_copy_word(last) ^ seed ^ MM3_I_P3, mm3_copy_word(last + 8) ^ MM3_I_P0);
}

/* mm3_hash_bytes: the hash of n bytes in any alignment. They may be shared bytes that change: the result is then any.
 * */
MM3_INLINE uint64_t mm3_hash_bytes(const void *bytes, size_t n, uint64_t seed) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t a = 0, b = 0;
  if (n > 16) {
    size_t left = n;
    for (; __builtin_expect(left > 32, 0); left -= 32, at += 32) seed = mm3_i_hash_two(at, at + 16, seed);
    if (n > 32) at -= 32 - left;
    a = mm3_i_hash_two(at, at + (n > 32 ? 16 : n - 16), seed);
    return mm3_hash_mum(a ^ n, MM3_I_P2);
  }
  if (n >= 4) {
    size_t step = (n >> 3) << 2;
    step -= step >> 3 << 2;
    a = mm3_i_half(at) << 32 | mm3_i_half(at + step);
    b = mm3_i_half(at + n - 4) << 32 | mm3_i_half(at + n - 4 - step);
  } else if (n > 0) {
    a = (uint64_t)mm3_copy_byte(at) << 16 | (uint64_t)mm3_copy_byte(at + n / 2) << 8 | mm3_copy_byte(at + n - 1);
  }
  return mm3_hash_mum(mm3_hash_mum(a ^ seed, b ^ MM3_I_P1) ^ n, MM3_I_P2);
}

/* mm3_bytes_equal: n shared bytes against n private ones. Inline, overlapped words, no call. */
MM3_INLINE int mm3_bytes_equal(const void *shared, const void *with, size_t n) {
  const unsigned char *a = (const unsigned char *)shared, *b = (const unsigned char *)with;
  uint64_t differ = 0;
  if (n >= 8) {
    for (size_t i = 0; i + 16 < n; i += 16) {
      differ |= (mm3_copy_word(a + i) ^ mm3_copy_word(b + i)) | (mm3_copy_word(a + i + 8) ^ mm3_copy_word(b + i + 8));
      if (differ) return 0;
    }
    size_t last = n - 8, before = n >= 16 ? n - 16 : 0;
    differ |=
      (mm3_copy_word(a + last) ^ mm3_copy_word(b + last)) | (mm3_copy_word(a + before) ^ mm3_copy_word(b + before));
    return differ == 0;
  }
  if (n >= 4) return ((mm3_i_half(a) ^ mm3_i_half(b)) | (mm3_i_half(a + n - 4) ^ mm3_i_half(b + n - 4))) == 0;
  for (size_t i = 0; i < n; i++) differ |= (uint64_t)(mm3_copy_byte(a + i) ^ mm3_copy_byte(b + i));
  return differ == 0;
}

/* Of sixteen aligned bytes at `at`, bit i for byte i:
 * mm3_group_match4: those that equal a byte, which is passed four times in a word.
 * mm3_group_below2: those that are 0 or 1. */
#if defined __SSE2__ && !defined MM3_TSAN
MM3_INLINE uint32_t mm3_group_match4(const unsigned char *at, uint32_t bytes) {
  __m128i group = _mm_load_si128((const __m128i *)(const void *)at);
  return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(group, _mm_shuffle_epi32(_mm_cvtsi32_si128((int)bytes), 0)));
}
MM3_INLINE uint32_t mm3_group_below2(const unsigned char *at) {
  __m128i group = _mm_load_si128((const __m128i *)(const void *)at);
  return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(group, _mm_min_epu8(group, _mm_set1_epi8(1))));
}
#elif defined __aarch64__ && !defined MM3_TSAN
MM3_INLINE uint32_t mm3_i_group_bits(uint8x16_t set) {
  static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t bits = vandq_u8(set, vld1q_u8(weights));
  return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}
MM3_INLINE uint32_t mm3_group_match4(const unsigned char *at, uint32_t bytes) {
  return mm3_i_group_bits(vceqq_u8(vld1q_u8(at), vdupq_n_u8((uint8_t)bytes)));
}
MM3_INLINE uint32_t mm3_group_below2(const unsigned char *at) {
  return mm3_i_group_bits(vcltq_u8(vld1q_u8(at), vdupq_n_u8(2)));
}
#else
/* 0x80 becomes a bit for each byte of a word whose bits under `clear` are all 0, after exclusive or with `with`. */
MM3_INLINE uint32_t mm3_i_group_zero(const unsigned char *at, uint64_t with, uint64_t clear) {
  uint32_t result = 0;
  for (unsigned half = 0; half < 2; half++) {
    uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word = __atomic_load_n((const uint64_t *)(const void *)(at + 8 * half), __ATOMIC_ACQUIRE);
    word = (word ^ with) & clear;
    uint64_t zero = ~(((word & low7) + low7) | word | low7);
    result |= (uint32_t)((zero >> 7) * UINT64_C(0x0102040810204080) >> 56) << (8 * half);
  }
  return result;
}
MM3_INLINE uint32_t mm3_group_match4(const unsigned char *at, uint32_t bytes) {
  return mm3_i_group_zero(at, bytes | (uint64_t)bytes << 32, ~UINT64_C(0));
}
MM3_INLINE uint32_t mm3_group_below2(const unsigned char *at) {
  return mm3_i_group_zero(at, 0, UINT64_C(0xfefefefefefefefe));
}
#endif

#endif
