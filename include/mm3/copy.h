/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * copy.h: copying bytes that another process may be changing: for authors of kinds.
 *
 * A kind that keeps a value of several words publishes it by one word that changes with each write, a sequence. The
 * value's bytes are then copied by these helpers, which are memcpy, memset and memcmp, and under ThreadSanitizer
 * atomic accesses, so that a real race is reported and this planned one is not.
 *
 *     writer                                           reader
 *       seen = relaxed load of the word                  seen = acquire load of the word
 *       mm3_copy_begin_write();                          mm3_copy_out(to, at, size);
 *       mm3_copy_in(at, from, size);                     mm3_copy_end_read();
 *       release store of the next word                   the same word again? then the bytes are whole; else once more
 *
 * where the writer's bytes are never those that the published word leads to (two slots, a new block). The fence before
 * the write keeps the bytes behind the word that was published before it: without it a reader can see bytes of the
 * second next value under the old word. Nothing that was read may be followed or trusted before the word was compared.
 *
 * Tries are bounded by MM3_COPY_TRIES, after which a read returns -MM3_E_AGAIN. A dead writer costs no try, because the
 * word then stands still.
 *
 * Cost: those of memcpy, memset, memcmp; the fences are no instruction on x86. Sizes of 0 and null pointers with them
 * are fine. Threads and processes: as drawn.
 */
#ifndef MM3_COPY_H
#define MM3_COPY_H

#include <mm3/error.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __SANITIZE_THREAD__
#define MM3_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define MM3_TSAN 1
#endif
#endif

#define MM3_COPY_TRIES 10000

#ifdef MM3_TSAN /* it does not know fences: each byte carries the order itself */

MM3_INLINE void mm3_copy_begin_write(void) {}
MM3_INLINE void mm3_copy_end_read(void) {}

MM3_INLINE unsigned char mm3_copy_byte(const void *at) {
  return __atomic_load_n((const unsigned char *)at, __ATOMIC_ACQUIRE);
}

MM3_INLINE uint32_t mm3_copy_half(const void *at) {
  uint32_t half = 0;
  for (unsigned i = 0; i < 4; i++) half |= (uint32_t)mm3_copy_byte((const unsigned char *)at + i) << (8 * i);
  return half;
}

MM3_INLINE uint64_t mm3_copy_word(const void *at) {
  uint64_t word = 0;
  for (unsigned i = 0; i < 8; i++) word |= (uint64_t)mm3_copy_byte((const unsigned char *)at + i) << (8 * i);
  return word;
}

MM3_INLINE void mm3_copy_out(void *to, const void *shared, size_t size) {
  for (size_t i = 0; i < size; i++) ((unsigned char *)to)[i] = mm3_copy_byte((const unsigned char *)shared + i);
}

MM3_INLINE void mm3_copy_in(void *shared, const void *from, size_t size) {
  for (size_t i = 0; i < size; i++)
    __atomic_store_n((unsigned char *)shared + i, mm3_copy_byte((const unsigned char *)from + i), __ATOMIC_RELEASE);
}

MM3_INLINE void mm3_copy_zero(void *shared, size_t size) {
  for (size_t i = 0; i < size; i++) __atomic_store_n((unsigned char *)shared + i, (unsigned char)0, __ATOMIC_RELEASE);
}

MM3_INLINE int mm3_copy_equal(const void *shared, const void *with, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (mm3_copy_byte((const unsigned char *)shared + i) != ((const unsigned char *)with)[i]) return 0;
  return 1;
}

#else

/* mm3_copy_begin_write, mm3_copy_end_read: the fences of the drawing. */
MM3_INLINE void mm3_copy_begin_write(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
MM3_INLINE void mm3_copy_end_read(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

/* mm3_copy_byte, _half, _word: one byte, or four or eight in any alignment, little-endian, for loops that look at the
 * bytes in place. The eight may be of different moments. */
MM3_INLINE unsigned char mm3_copy_byte(const void *at) { return *(const unsigned char *)at; }

MM3_INLINE uint32_t mm3_copy_half(const void *at) {
  uint32_t half;
  memcpy(&half, at, sizeof half);
  return half;
}

MM3_INLINE uint64_t mm3_copy_word(const void *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

/* memcpy. For some constant sizes gcc makes `rep movsq` to an address eight bytes on, which took three times as long as the
 * moves that it makes of this (256 bytes: 32 ns and 10). */
MM3_INLINE void mm3_i_copy(void *to, const void *from, size_t size) {
  typedef uint64_t loose __attribute__((vector_size(16), aligned(1), may_alias));
  if (!__builtin_constant_p(size) || size < 64 || size > 512 || size % 16) {
    memcpy(to, from, size);
    return;
  }
  loose *at = (loose *)to;
  const loose *part = (const loose *)from;
  for (size_t left = size / 64; left; left--, at += 4, part += 4) {
    loose first = part[0], second = part[1], third = part[2], fourth = part[3];
    at[0] = first, at[1] = second, at[2] = third, at[3] = fourth;
    __asm__("" : "+r"(part)); /* or gcc sees a memcpy in the loop */
  }
  if (size & 32) at[0] = part[0], at[1] = part[1];
  if (size & 16) at[size / 16 & 2] = part[size / 16 & 2];
}

/* mm3_copy_out: from shared bytes to private ones. mm3_copy_in: to shared bytes, from private or shared ones that
 * nobody writes. mm3_copy_zero: zeroes shared bytes. mm3_copy_equal: 1 when shared bytes equal private ones. */
MM3_INLINE void mm3_copy_out(void *to, const void *shared, size_t size) {
  if (size) mm3_i_copy(to, shared, size);
}

MM3_INLINE void mm3_copy_in(void *shared, const void *from, size_t size) {
  if (size) mm3_i_copy(shared, from, size);
}

MM3_INLINE void mm3_copy_zero(void *shared, size_t size) {
  if (size) memset(shared, 0, size);
}

MM3_INLINE int mm3_copy_equal(const void *shared, const void *with, size_t size) {
  return size == 0 || memcmp(shared, with, size) == 0;
}

#endif
#endif
