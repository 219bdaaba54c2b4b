/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * bloom.h: bloom(N, K): a Bloom filter of N bits and K hashes, 64 <= N <= 2^36, 1 <= K <= 32: was this ever added? "No"
 * is certain, "yes" is probable. Any number of threads and processes add and ask at once, without a lock.
 *
 *     #define SEEN(FIELD) FIELD(urls, bloom(1 << 20, 7))
 *     MM3_STRUCT(seen, SEEN);
 *
 *     if (bloom_add(&s->urls, url, strlen(url))) ... it is new
 *
 * With n things in it a "yes" is wrong in (1 - e^(-K n / N))^K of all cases: N = 10 n and K = 7 give 1 in 120.
 *
 * BYTES. Field and element form are the same; aligned to 8.
 *     added      word 0     word 1     ...
 *     [8 bytes]  [8 bytes]  [8 bytes]  ...      N / 64 words, rounded up; bit i is bit i mod 64 of word i / 64
 *
 *   INVARIANTS. Bits from N on are zero; check refuses all else. `added` counts what was new when it was added; any
 *   number is valid. Zeroed bytes are the empty filter. Thing t has the bits (a + i b) mod N, 0 <= i < K, where a is
 *   bloom_i_hash(t) and b is bloom_i_step(a), and a + i b is a 64-bit number.
 *
 * WHAT A KILL LEAVES. Everything added before, and some of the new thing's bits. Only clear, and a value that is set by a
 * tool, take bits away: then some of the words are the old ones, some the new.
 * COST. K atomic ors to add, fewer loads to ask; no call but memcpy. Things are any bytes; numbers are the 8 bytes of a
 * u64 in the command: `mm3 push FILE urls '"http://a"' 42`, `mm3 get FILE 'urls["http://a"]'`.
 *
 *   int bloom_add(b, const void *bytes, size_t size)    1: it was not there; 0: it probably was
 *   int bloom_has(b, const void *bytes, size_t size)    1: probably; 0: never
 *   uint64_t bloom_added(b)                             things that were new when added: at most their real number
 *   void bloom_clear(b)                                 word by word: who asks meanwhile may get either answer
 */
#ifndef BLOOM_H
#define BLOOM_H

#include <mm3/error.h>
#include <mm3/struct.h>
#include <string.h>

struct mm3_k_bloom;

#define BLOOM_MAX (UINT64_C(1) << 36) /* the largest N */
#define BLOOM_WORDS(N) (((uint64_t)(N) + 63) / 64)

#define MM3_C1_bloom(N, K) BLOOM_I_TYPE(N, K)
#define MM3_C2_bloom(N, K) BLOOM_I_TYPE(N, K)
#define MM3_C3_bloom(N, K) BLOOM_I_TYPE(N, K)
#define MM3_C4_bloom(N, K) BLOOM_I_TYPE(N, K)
#define MM3_A1_bloom(N, K) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N), MM3_ITEM_NUMBER(K)
#define MM3_A2_bloom(N, K) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N), MM3_ITEM_NUMBER(K)
#define MM3_A3_bloom(N, K) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N), MM3_ITEM_NUMBER(K)
#define MM3_A4_bloom(N, K) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N), MM3_ITEM_NUMBER(K)
/* N and K are no members: their values are the bounds of two arrays that a union lays over the words. */
#define BLOOM_I_TYPE(N, K)                                                                        \
  struct {                                                                                        \
    __extension__ union {                                                                         \
      uint64_t added __attribute__((aligned(8)));                                                 \
      struct mm3_k_bloom *mm3_tag;                                                                \
      char (*mm3_bits)[(N)];                                                                      \
      char (*mm3_hashes)[(K)];                                                                    \
    };                                                                                            \
    uint64_t word[BLOOM_WORDS(N) + MM3_REQUIRE((N) >= 64 && (N) <= BLOOM_MAX && (K) >= 1 && (K) <= 32)]; \
  }

#define BLOOM_I(b) MM3_TAGGED(bloom, b), sizeof(*(b)->mm3_bits), (unsigned)sizeof(*(b)->mm3_hashes)
#define bloom_add(b, bytes, size) bloom_i_add(BLOOM_I(b), bytes, size)
#define bloom_has(b, bytes, size) bloom_i_has(BLOOM_I(b), bytes, size)
#define bloom_added(b) bloom_i_added(MM3_TAGGED(bloom, b))
#define bloom_clear(b) bloom_i_clear(MM3_TAGGED(bloom, b), sizeof(*(b)->mm3_bits))

/* ---- the machinery; the module works through it too ---- */

MM3_INLINE uint64_t bloom_i_hash(const void *bytes, size_t size) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t hash = UINT64_C(0x27D4EB2F165667C5) ^ size, word;
  for (size_t i = 0; i < size; i += 8) {
    word = 0;
    memcpy(&word, at + i, size - i < 8 ? size - i : 8);
    hash = (hash ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
    hash ^= hash >> 32;
  }
  hash = (hash ^ hash >> 29) * UINT64_C(0xC4CEB9FE1A85EC53);
  return hash ^ hash >> 32;
}

MM3_INLINE uint64_t bloom_i_step(uint64_t hash) {
  hash *= UINT64_C(0x9E3779B97F4A7C15);
  return (hash ^ hash >> 32) | 1;
}

MM3_INLINE uint64_t *bloom_i_word(const void *bloom, uint64_t bit) {
  return (uint64_t *)(uintptr_t)bloom + 1 + bit / 64;
}

MM3_INLINE int bloom_i_add(void *bloom, uint64_t n, unsigned k, const void *bytes, size_t size) {
  uint64_t hash = bloom_i_hash(bytes, size), step = bloom_i_step(hash), is_new = 0;
  for (unsigned i = 0; i < k; i++, hash += step) {
    uint64_t bit = hash % n, mask = UINT64_C(1) << bit % 64;
    is_new |= ~__atomic_fetch_or(bloom_i_word(bloom, bit), mask, __ATOMIC_RELEASE) & mask;
  }
  if (is_new) __atomic_fetch_add((uint64_t *)bloom, 1, __ATOMIC_RELAXED);
  return is_new != 0;
}

MM3_INLINE int bloom_i_has(const void *bloom, uint64_t n, unsigned k, const void *bytes, size_t size) {
  uint64_t hash = bloom_i_hash(bytes, size), step = bloom_i_step(hash);
  for (unsigned i = 0; i < k; i++, hash += step) {
    uint64_t bit = hash % n;
    if (!(__atomic_load_n(bloom_i_word(bloom, bit), __ATOMIC_ACQUIRE) >> bit % 64 & 1)) return 0;
  }
  return 1;
}

MM3_INLINE uint64_t bloom_i_added(const void *bloom) {
  return __atomic_load_n((const uint64_t *)bloom, __ATOMIC_RELAXED);
}

MM3_UNUSED static inline void bloom_i_clear(void *bloom, uint64_t n) {
  for (uint64_t i = 0; i <= BLOOM_WORDS(n); i++) __atomic_store_n((uint64_t *)bloom + i, 0, __ATOMIC_RELEASE);
}

#endif
