/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * histogram.h: histogram(M, B): how often which values came, for values from 0 to 2^M - 1 with B bits of each value
 * kept, 0 <= B <= 14, B < M <= 64. Any number of threads and processes record at once, without a lock.
 *
 *     #define STATS(FIELD) FIELD(latency_us, histogram(32, 5))
 *     MM3_STRUCT(stats, STATS);
 *
 *     histogram_record(&s->latency_us, us);
 *     printf("p99 %llu\n", (unsigned long long)histogram_percentile(&s->latency_us, 99));
 *
 * Values below 2^(B + 1) are counted exactly; above, there are 2^B buckets for each power of two: what comes back is at
 * most 1/2^B too large (B = 5: 3 percent, B = 7: 0.8 percent). Values above the range count in the last bucket.
 *
 * BYTES. Field and element form are the same; aligned to 8.
 *     sum        max        bucket 0   bucket 1   ...
 *     [8 bytes]  [8 bytes]  [8 bytes]  [8 bytes]  ...      (M - B + 1) * 2^B buckets
 *
 *   INVARIANTS. The buckets together count less than 2^63; check refuses all else. sum (modulo 2^64) and max are those
 *   of the recorded values, but for what a killed process had counted only. Zeroed bytes are the empty one.
 *
 * WHAT A KILL LEAVES. A value is counted (one store) or not; then sum, then max follow. merge, clear, and a value that is
 * set by a tool: some buckets as they were, some as they will be, and any of sum and max.
 * COST. record: an atomic add to a bucket, one to the sum, a load of the maximum; no call, about 10 ns. Reading walks
 * the buckets; while others record, it is the state of no single moment, but never counts anything twice.
 *
 *   void histogram_record(h, uint64_t value)       void histogram_record_n(h, uint64_t value, uint64_t times)
 *   uint64_t histogram_count(h)                    values recorded
 *   uint64_t histogram_percentile(h, double p)     the least value that p percent do not exceed, rounded up to its
 *                                                  bucket's end, at most max; 0 when nothing was recorded
 *   double histogram_mean(h)   uint64_t histogram_max(h)
 *   void histogram_merge(h, other)                 adds another histogram of the same type
 *   void histogram_clear(h)                        bucket by bucket
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <mm3/error.h>
#include <mm3/struct.h>

struct mm3_k_histogram;

#define HISTOGRAM_BUCKETS(M, B) ((uint64_t)((M) - (B) + 1) << (B))

#define MM3_C1_histogram(M, B) HISTOGRAM_I_TYPE(M, B)
#define MM3_C2_histogram(M, B) HISTOGRAM_I_TYPE(M, B)
#define MM3_C3_histogram(M, B) HISTOGRAM_I_TYPE(M, B)
#define MM3_C4_histogram(M, B) HISTOGRAM_I_TYPE(M, B)
#define MM3_A1_histogram(M, B) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(M), MM3_ITEM_NUMBER(B)
#define MM3_A2_histogram(M, B) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(M), MM3_ITEM_NUMBER(B)
#define MM3_A3_histogram(M, B) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(M), MM3_ITEM_NUMBER(B)
#define MM3_A4_histogram(M, B) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(M), MM3_ITEM_NUMBER(B)
/* B is no member: it is the bound of an array that a pointer in the union points to. */
#define HISTOGRAM_I_TYPE(M, B)                                                                       \
  struct {                                                                                           \
    __extension__ union {                                                                            \
      uint64_t sum __attribute__((aligned(8)));                                                      \
      struct mm3_k_histogram *mm3_tag;                                                               \
      char (*mm3_bits)[(B) + 1];                                                                     \
    };                                                                                               \
    uint64_t max;                                                                                    \
    uint64_t bucket[HISTOGRAM_BUCKETS(M, B) + MM3_REQUIRE((B) >= 0 && (B) <= 14 && (M) > (B) && (M) <= 64)]; \
  }

#define HISTOGRAM_I(h)                                                                               \
  MM3_TAGGED(histogram, h), (unsigned)sizeof(*(h)->mm3_bits) - 1, sizeof((h)->bucket) / sizeof((h)->bucket[0])
#define histogram_record(h, value) histogram_i_record(HISTOGRAM_I(h), value, 1)
#define histogram_record_n(h, value, times) histogram_i_record(HISTOGRAM_I(h), value, times)
#define histogram_count(h) histogram_i_count(HISTOGRAM_I(h))
#define histogram_percentile(h, p) histogram_i_percentile(HISTOGRAM_I(h), p)
#define histogram_mean(h) histogram_i_mean(HISTOGRAM_I(h))
#define histogram_max(h) __atomic_load_n(&MM3_TAGGED(histogram, h)->max, __ATOMIC_RELAXED)
#define histogram_merge(h, other) \
  histogram_i_merge(HISTOGRAM_I(h), MM3_TAGGED(histogram, other) + MM3_REQUIRE(sizeof(*(h)) == sizeof(*(other))))
#define histogram_clear(h) histogram_i_clear(HISTOGRAM_I(h))

/* ---- the machinery: b as in the type, n buckets; the module works through it too ---- */

MM3_INLINE uint64_t *histogram_i_bucket(const void *h, uint64_t index) { return (uint64_t *)(uintptr_t)h + 2 + index; }

MM3_INLINE uint64_t histogram_i_index(unsigned b, uint64_t n, uint64_t value) {
  unsigned top = value >> b ? 63u - (unsigned)__builtin_clzll(value) : b; /* the highest bit, b at least */
  uint64_t index = ((uint64_t)(top - b) << b) + (value >> (top - b));
  return index < n ? index : n - 1;
}

/* The least value of a bucket. */
MM3_INLINE uint64_t histogram_i_value(unsigned b, uint64_t index) {
  uint64_t power = index >> b;
  return power < 2 ? index : (index - ((power - 1) << b)) << (power - 1);
}

MM3_INLINE void histogram_i_record(void *h, unsigned b, uint64_t n, uint64_t value, uint64_t times) {
  uint64_t *sum = (uint64_t *)h, *max = sum + 1, now = __atomic_load_n(max, __ATOMIC_RELAXED);
  __atomic_fetch_add(histogram_i_bucket(h, histogram_i_index(b, n, value)), times, __ATOMIC_RELAXED);
  __atomic_fetch_add(sum, value * times, __ATOMIC_RELAXED);
  while (value > now && !__atomic_compare_exchange_n(max, &now, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
}

MM3_UNUSED static inline uint64_t histogram_i_count(const void *h, unsigned b, uint64_t n) {
  uint64_t count = 0;
  (void)b;
  for (uint64_t i = 0; i < n; i++) count += __atomic_load_n(histogram_i_bucket(h, i), __ATOMIC_RELAXED);
  return count;
}

MM3_UNUSED static inline uint64_t histogram_i_percentile(const void *h, unsigned b, uint64_t n, double p) {
  uint64_t max = __atomic_load_n((const uint64_t *)h + 1, __ATOMIC_RELAXED);
  uint64_t count = histogram_i_count(h, b, n), seen = 0;
  double wanted = (double)count * (p < 0 ? 0 : p > 100 ? 100 : p) / 100;
  for (uint64_t i = 0; i < n && count; i++) {
    seen += __atomic_load_n(histogram_i_bucket(h, i), __ATOMIC_RELAXED);
    if (seen == 0 || (double)seen < wanted) continue;
    uint64_t end = i + 1 < n ? histogram_i_value(b, i + 1) - 1 : UINT64_MAX;
    return end < max ? end : max;
  }
  return count ? max : 0;
}

MM3_UNUSED static inline double histogram_i_mean(const void *h, unsigned b, uint64_t n) {
  uint64_t count = histogram_i_count(h, b, n);
  return count ? (double)__atomic_load_n((const uint64_t *)h, __ATOMIC_RELAXED) / (double)count : 0;
}

MM3_UNUSED static inline void histogram_i_merge(void *h, unsigned b, uint64_t n, const void *other) {
  uint64_t *to = (uint64_t *)h, max = __atomic_load_n((const uint64_t *)other + 1, __ATOMIC_RELAXED);
  uint64_t now = __atomic_load_n(to + 1, __ATOMIC_RELAXED);
  (void)b;
  for (uint64_t i = 0; i < n; i++)
    __atomic_fetch_add(histogram_i_bucket(h, i), __atomic_load_n(histogram_i_bucket(other, i), __ATOMIC_RELAXED),
                       __ATOMIC_RELAXED);
  __atomic_fetch_add(to, __atomic_load_n((const uint64_t *)other, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
  while (max > now && !__atomic_compare_exchange_n(to + 1, &now, max, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
}

MM3_UNUSED static inline void histogram_i_clear(void *h, unsigned b, uint64_t n) {
  (void)b;
  for (uint64_t i = 0; i < n + 2; i++) __atomic_store_n((uint64_t *)h + i, 0, __ATOMIC_RELAXED);
}

#endif
