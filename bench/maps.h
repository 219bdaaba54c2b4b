/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * maps.h: W3, the workloads of maps. A peer that gives some static inline functions and then includes this has
 *   maps_u64(n)     u64 -> u64, if MAPS_U64 is defined
 *   maps_text(n)    text of 16..32 bytes -> text of 32..64, if MAPS_TEXT is defined
 *
 * What it gives, for u64:
 *   void u64_open(size_t n), u64_close(void)
 *   void u64_put(uint64_t key, uint64_t value)                        adds, or overwrites
 *   uint64_t u64_get(uint64_t key)                                    0 is absent (no value is 0)
 *   void u64_erase(uint64_t key)
 *   uint64_t u64_sum(void)                                            all keys ^ values added up: a walk
 *   double u64_bytes(void)                                            in use, for all entries; 0 is unknown
 * for text, `place` being MAPS_PLACE(entry's number), which only "raw" uses, who knows its slot beforehand:
 *   text_open, text_close, text_bytes, uint64_t text_sum(void)
 *   void text_put(size_t place, const char *key, size_t klen, const char *value, size_t vlen)
 *   size_t text_get(size_t place, const char *key, size_t klen, char *out)     copies the value; its length, 0 is absent
 *   void text_erase(size_t place, const char *key, size_t klen)
 * and for both, where transactions are: void maps_begin(int write), maps_end(void), around each phase; maps_step(void)
 * after each writing operation (one lock for each 1000, say).
 *
 * Queries are read from one list in the order of the queries, so that finding the question costs nobody a cache miss.
 * MAPS_SLOW: phases after the insertion run over a part of the keys.
 */
#ifndef MM3_BENCH_MAPS_H
#define MM3_BENCH_MAPS_H
#include "bench.h"

#include <math.h>

#ifndef MAPS_BATCHES
static inline void maps_begin(int write) { (void)write; }
static inline void maps_end(void) {}
static inline void maps_step(void) {}
#endif

BENCH_UNUSED static uint64_t maps_all; /* sums, so that nothing is optimised away */
static volatile uint64_t maps_zero;    /* 0, which the compiler does not know */

#ifdef MAPS_SLOW
#define MAPS_SAMPLE(n) (bench.quick ? 20000 : (n) < 250000 ? (n) : 250000)
#else
#define MAPS_SAMPLE(n) ((n) < 1000000 ? (n) : 1000000)
#endif

BENCH_UNUSED static const char *maps_name(const char *kind, size_t n, const char *what) {
  static char name[100];
  int zeros = 0;
  for (size_t all = n; all >= 10; all /= 10) zeros++;
  snprintf(name, sizeof name, "W3 %s 1e%d: %s", kind, zeros, what);
  return name;
}

/* Entry numbers in a random order without repetition: the first `count` of 0..n-1. */
static uint32_t *maps_order(size_t n, size_t count, uint64_t seed) {
  uint32_t *order = (uint32_t *)malloc(n * sizeof *order);
  BENCH_NEED(order);
  for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
  for (size_t i = 0; i < count; i++) {
    size_t other = i + bench_random(&seed) % (n - i);
    uint32_t swap = order[i];
    order[i] = order[other];
    order[other] = swap;
  }
  return order;
}

/* A rank with probability about 1/rank, as an entry number that has nothing to do with the rank. */
static inline uint32_t maps_zipf(size_t n, uint64_t *seed) {
  double u = (double)(bench_random(seed) >> 11) * 0x1p-53;
  return (uint32_t)(bench_mix((uint64_t)pow((double)n, u)) % n);
}

#define MAPS_TIME(kind, n, what, ops, write, ...)                                       \
  do {                                                                                  \
    maps_begin(write);                                                                  \
    double start_ = bench_now();                                                        \
    __VA_ARGS__;                                                                        \
    maps_end();                                                                         \
    bench_row(maps_name(kind, n, what), (bench_now() - start_) / (double)(ops), "ns");   \
  } while (0)
/* Phases that only read are repeated when they are short, and the median counts. */
#define MAPS_READ(kind, n, what, ops, ...)                                              \
  do {                                                                                  \
    maps_begin(0);                                                                      \
    BENCH(maps_name(kind, n, what), ops, 5, __VA_ARGS__);                                \
    maps_end();                                                                         \
  } while (0)

#ifdef MAPS_U64
#define MAPS_VALUE(key) (((key) ^ 1 << 20) | 2)

/* Entry i's key. A peer that knows slots beforehand has MAPS_DENSE: keys are the slots. */
#ifndef MAPS_DENSE
static inline uint64_t maps_key(size_t i) { return bench_mix(i + 1) | 1; }
static inline uint64_t maps_absent(size_t i) { return bench_mix(i + 1) & ~UINT64_C(1); }
#endif

static uint64_t *maps_keys(const uint32_t *order, size_t count) {
  uint64_t *keys = (uint64_t *)malloc((count + 64) * sizeof *keys);
  BENCH_NEED(keys);
  for (size_t i = 0; i < count; i++) keys[i] = maps_key(order ? order[i] : i);
  return keys;
}

static void maps_u64_reads(size_t n, size_t some, const uint64_t *hits, const uint64_t *zipf, const uint64_t *absent) {
  uint64_t sum = 0;
  MAPS_READ("u64", n, "hit", some, for (size_t i = 0; i < some; i++) sum += u64_get(hits[i]));
  MAPS_READ("u64", n, "hit zipf", some, for (size_t i = 0; i < some; i++) sum += u64_get(zipf[i]));
  uint64_t zero = maps_zero, last = 0;
  MAPS_READ("u64", n, "hit dependent", some / 4, for (size_t i = 0; i < some / 4; i++) {
    last = u64_get(hits[i + (last & zero)]);
    sum += last;
  });
  uint64_t found = 0;
  MAPS_READ("u64", n, "miss", some, for (size_t i = 0; i < some; i++) found += u64_get(absent[i]) != 0);
  BENCH_NEED(found == 0);
#ifdef MAPS_BATCH
  MAPS_READ("u64", n, "hit, 8 at once", some, for (size_t i = 0; i + 8 <= some; i += 8) sum += u64_get_many(hits + i, 8));
  MAPS_READ("u64", n, "hit, 32 at once", some, for (size_t i = 0; i + 32 <= some; i += 32) sum += u64_get_many(hits + i, 32));
#endif
  maps_all += sum;
}

static void maps_u64(size_t n) {
  size_t some = MAPS_SAMPLE(n);
  uint64_t seed = 7, check = 0;
  uint32_t *order = maps_order(n, some, 42);
  uint64_t *keys = maps_keys(NULL, n), *hits = maps_keys(order, some);
  for (size_t i = 0; i < some; i++) order[i] = maps_zipf(n, &seed);
  uint64_t *zipf = maps_keys(order, some), *absent = maps_keys(order, some);
  for (size_t i = 0; i < some; i++) absent[i] = maps_absent(i);
  free(order);
  u64_open(n);
  MAPS_TIME("u64", n, "insert", n, 1, for (size_t i = 0; i < n; i++) {
    u64_put(keys[i], MAPS_VALUE(keys[i]));
    maps_step();
  });
  maps_begin(0);
  for (size_t i = 0; i < 1000; i++) BENCH_NEED(u64_get(hits[i]) == MAPS_VALUE(hits[i]));
  maps_end();
  maps_u64_reads(n, some, hits, zipf, absent);
  MAPS_TIME("u64", n, "overwrite", some, 1, for (size_t i = 0; i < some; i++) {
    u64_put(hits[i], hits[i] | 4);
    maps_step();
  });
  MAPS_READ("u64", n, "iterate", n, check += u64_sum());
  double bytes = u64_bytes();
  if (bytes > 0) bench_row(maps_name("u64", n, "bytes an entry"), bytes / (double)n, "B");
  MAPS_TIME("u64", n, "erase", some, 1, for (size_t i = 0; i < some; i++) {
    u64_erase(hits[i]);
    maps_step();
  });
  bench_sink = maps_all + check;
  u64_close();
  free(keys), free(hits), free(zipf), free(absent);
}
static void maps_u64_1e5(void) { maps_u64(100000); }
static void maps_u64_1e6(void) { maps_u64(1000000); }
BENCH_UNUSED static void maps_u64_1e7(void) { maps_u64(10000000); }
#endif

#ifdef MAPS_TEXT
#ifndef MAPS_PLACE
#define MAPS_PLACE(entry) (entry)
#endif

/* A list of questions: place: 4, klen: 1, vlen: 1, key, value; one behind the other. */
struct maps_list {
  unsigned char *at;
  size_t count;
};

static size_t maps_letters(char *to, uint64_t *seed, size_t least, size_t most) {
  uint64_t word = bench_random(seed);
  size_t length = least + (size_t)(word >> 8) % (most - least + 1);
  for (size_t i = 0; i < length; i += 8) {
    uint64_t eight = (bench_random(seed) & UINT64_C(0x0F0F0F0F0F0F0F0F)) | UINT64_C(0x6060606060606060);
    memcpy(to + i, &eight, length - i < 8 ? length - i : 8);
  }
  return length;
}

static struct maps_list maps_questions(const uint32_t *order, size_t count, uint64_t other) {
  struct maps_list list = {(unsigned char *)malloc(count * 102 + 200), count};
  BENCH_NEED(list.at);
  unsigned char *at = list.at;
  for (size_t i = 0; i < count; i++) {
    uint32_t place = order ? order[i] : (uint32_t)i;
    uint64_t seed = bench_mix(place + other);
    uint32_t known = MAPS_PLACE(place);
    memcpy(at, &known, 4);
    at[4] = (unsigned char)maps_letters((char *)at + 6, &seed, 16, 32);
    at[5] = (unsigned char)maps_letters((char *)at + 6 + at[4], &seed, 32, 64);
    at += 6 + at[4] + at[5];
  }
  return list;
}

#define MAPS_KEY(q) maps_place(q), (const char *)(q) + 6, (q)[4]
static inline size_t maps_place(const unsigned char *q) {
  uint32_t place;
  memcpy(&place, q, 4);
  return place;
}

static uint64_t maps_text_pass(const struct maps_list *list, size_t count) {
  const unsigned char *q = list->at;
  uint64_t sum = 0;
  char out[128];
  for (size_t i = 0; i < count; i++, q += 6 + q[4] + q[5]) sum += text_get(MAPS_KEY(q), out) + (uint64_t)(unsigned char)out[9];
  return sum;
}

static void maps_text(size_t n) {
  size_t some = MAPS_SAMPLE(n);
  uint64_t seed = 7, sum = 0;
  uint32_t *order = maps_order(n, some, 42);
  struct maps_list all = maps_questions(NULL, n, 0), hits = maps_questions(order, some, 0);
  for (size_t i = 0; i < some; i++) order[i] = maps_zipf(n, &seed);
  struct maps_list zipf = maps_questions(order, some, 0);
  struct maps_list absent = maps_questions(order, some, UINT64_C(1) << 40);
  free(order);
  const unsigned char *q = all.at;
  text_open(n);
  MAPS_TIME("text", n, "insert", n, 1, for (size_t i = 0; i < n; i++, q += 6 + q[4] + q[5]) {
    text_put(MAPS_KEY(q), (const char *)q + 6 + q[4], q[5]);
    maps_step();
  });
  char out[128];
  maps_begin(0);
  q = hits.at;
  for (size_t i = 0; i < 1000; i++, q += 6 + q[4] + q[5]) {
    BENCH_NEED(text_get(MAPS_KEY(q), out) == q[5]);
    BENCH_NEED(memcmp(out, q + 6 + q[4], q[5]) == 0);
  }
  maps_end();
  MAPS_READ("text", n, "hit", some, sum += maps_text_pass(&hits, some));
  MAPS_READ("text", n, "hit zipf", some, sum += maps_text_pass(&zipf, some));
  MAPS_READ("text", n, "miss", some, sum += maps_text_pass(&absent, some));
#ifdef MAPS_BATCH
  MAPS_READ("text", n, "hit, 32 at once", some, sum += maps_text_many(&hits, some));
#endif
  q = hits.at;
  MAPS_TIME("text", n, "overwrite", some, 1, for (size_t i = 0; i < some; i++, q += 6 + q[4] + q[5]) {
    text_put(MAPS_KEY(q), (const char *)q + 5 + q[4], q[5]); /* another value of the same length */
    maps_step();
  });
  MAPS_READ("text", n, "iterate", n, sum += text_sum());
  double bytes = text_bytes();
  if (bytes > 0) bench_row(maps_name("text", n, "bytes an entry"), bytes / (double)n, "B");
  q = hits.at;
  MAPS_TIME("text", n, "erase", some, 1, for (size_t i = 0; i < some; i++, q += 6 + q[4] + q[5]) {
    text_erase(MAPS_KEY(q));
    maps_step();
  });
  bench_sink = sum;
  text_close();
  free(all.at), free(hits.at), free(zipf.at), free(absent.at);
}
static void maps_text_1e5(void) { maps_text(100000); }
static void maps_text_1e6(void) { maps_text(1000000); }
BENCH_UNUSED static void maps_text_1e7(void) { maps_text(10000000); }
#endif

#endif
