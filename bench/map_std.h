/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_std.h: W3 for maps in memory with the interface of std::unordered_map: NUMBERS and TEXTS are the two types,
 * TEXT_OF(ptr, length) what the text map is searched by. */
#ifndef MM3_BENCH_MAP_STD_H
#define MM3_BENCH_MAP_STD_H
#define MAPS_U64
#define MAPS_TEXT
#include "bench.h"

static NUMBERS *numbers;
static TEXTS *texts;

static void u64_open(size_t) { numbers = new NUMBERS; }
static void u64_close() { delete numbers; }
static inline void u64_put(uint64_t key, uint64_t value) { numbers->insert_or_assign(key, value); }
static inline uint64_t u64_get(uint64_t key) {
  auto at = numbers->find(key);
  return at == numbers->end() ? 0 : at->second;
}
static inline void u64_erase(uint64_t key) { numbers->erase(key); }
static uint64_t u64_sum() {
  uint64_t sum = 0;
  for (auto &entry : *numbers) sum += entry.first ^ entry.second;
  return sum;
}
static double u64_bytes() { return 0; }

static void text_open(size_t) { texts = new TEXTS; }
static void text_close() { delete texts; }
static inline void text_put(size_t, const char *key, size_t klen, const char *value, size_t vlen) {
  auto at = texts->find(TEXT_OF(key, klen));
  if (at == texts->end()) texts->emplace(std::string(key, klen), std::string(value, vlen));
  else at->second.assign(value, vlen);
}
static inline size_t text_get(size_t, const char *key, size_t klen, char *out) {
  auto at = texts->find(TEXT_OF(key, klen));
  if (at == texts->end()) return 0;
  memcpy(out, at->second.data(), at->second.size());
  return at->second.size();
}
static inline void text_erase(size_t, const char *key, size_t klen) {
  auto at = texts->find(TEXT_OF(key, klen));
  if (at != texts->end()) texts->erase(at);
}
static uint64_t text_sum() {
  uint64_t sum = 0;
  for (auto &entry : *texts) sum += uint64_t(entry.first[0]) + uint64_t(entry.second[0]);
  return sum;
}
static double text_bytes() { return 0; }

#include "latency.h"
#include "maps.h"

static BENCH_UNUSED void latency_std() {
  u64_open(0);
  latency_begin();
  LATENCY(bench.peer, "an insertion", LATENCY_N, u64_put(latency_key(i), i));
  latency_end();
  u64_close();
}

#endif
