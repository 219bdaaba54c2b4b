/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* boost_ipc.cpp: Boost.Interprocess, containers in a managed mapped file, in W1 to W5 and W9 (there with an
 * interprocess_mutex on both sides). */
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/containers/deque.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/containers/vector.hpp>
#include <boost/interprocess/managed_mapped_file.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/unordered_map.hpp>
#include <mm3/hashing.h>
#include <memory>

#define MAPS_U64
#define MAPS_TEXT
#define MAPS_SLOW
#include "bench.h"

#include "append.h"
#include "push.h"
#include "shared.h"

namespace ipc = boost::interprocess;
using segment_type = ipc::managed_mapped_file;
template <class T>
using allocator = ipc::allocator<T, segment_type::segment_manager>;
using text = ipc::basic_string<char, std::char_traits<char>, allocator<char>>;
struct text_hash {
  size_t operator()(const text &t) const { return mm3_hash_bytes(t.data(), t.size(), 0x1234567); }
};
using number_map = boost::unordered_map<uint64_t, uint64_t, boost::hash<uint64_t>, std::equal_to<uint64_t>, allocator<std::pair<const uint64_t, uint64_t>>>;
using text_map = boost::unordered_map<text, text, text_hash, std::equal_to<text>, allocator<std::pair<const text, text>>>;

static std::unique_ptr<segment_type> segment;
static const char *path() { return bench_path("bench.boost"); }
static void create(size_t size) {
  unlink(path());
  segment.reset(new segment_type(ipc::create_only, path(), size));
}
static void drop() {
  segment.reset();
  unlink(path());
}

/* ---- W1, W2 ---- */

static void open_create(const char *where, size_t size) {
  segment_type made(ipc::create_only, where, size);
  *made.construct<uint64_t>("value")(1) += 1;
}
static void open_reopen(const char *where, size_t) {
  segment_type made(ipc::open_only, where);
  bench_sink = *made.find<uint64_t>("value").first;
}
#include "open.h"

static void run_atomic() {
  create(1 << 20);
  segment->construct<uint64_t>("value")(1);
  BENCH("W2 fetch_add, 1 thread", 200000, 7, for (int i = 0; i < 200000; i++)
    __atomic_fetch_add(segment->find<uint64_t>("value").first, 1, __ATOMIC_SEQ_CST));
  uint64_t *value = segment->find<uint64_t>("value").first;
  BENCH_OF("boost, pointer kept", "W2 fetch_add, 1 thread", 2000000, 7,
           for (int i = 0; i < 2000000; i++) __atomic_fetch_add(value, 1, __ATOMIC_SEQ_CST));
  drop();
}

/* ---- W3 ---- */

static number_map *numbers;
static text_map *texts;

static void u64_open(size_t n) {
  create(n * 200 + (1 << 20));
  numbers = segment->construct<number_map>("map")(0, boost::hash<uint64_t>(), std::equal_to<uint64_t>(), segment->get_segment_manager());
}
static void u64_close() { drop(); }
static inline void u64_put(uint64_t key, uint64_t value) { (*numbers)[key] = value; }
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
static double u64_bytes() { return double(segment->get_size() - segment->get_free_memory()); }

static void text_open(size_t n) {
  create(n * 600 + (1 << 20));
  texts = segment->construct<text_map>("map")(0, text_hash(), std::equal_to<text>(), segment->get_segment_manager());
}
static void text_close() { drop(); }
static text text_make(const char *at, size_t length) { return text(at, length, segment->get_segment_manager()); }
/* Searched by ptr and length, without a text of its own. */
struct view {
  const char *at;
  size_t length;
};
struct view_hash {
  size_t operator()(const view &v) const { return mm3_hash_bytes(v.at, v.length, 0x1234567); }
};
struct view_equal {
  bool operator()(const view &v, const text &t) const { return t.size() == v.length && memcmp(t.data(), v.at, v.length) == 0; }
  bool operator()(const text &t, const view &v) const { return (*this)(v, t); }
};
static inline text_map::iterator text_find(const char *key, size_t klen) {
  return texts->find(view{key, klen}, view_hash(), view_equal());
}
static inline void text_put(size_t, const char *key, size_t klen, const char *value, size_t vlen) {
  auto at = text_find(key, klen);
  if (at == texts->end()) texts->emplace(text_make(key, klen), text_make(value, vlen));
  else at->second.assign(value, vlen);
}
static inline size_t text_get(size_t, const char *key, size_t klen, char *out) {
  auto at = text_find(key, klen);
  if (at == texts->end()) return 0;
  memcpy(out, at->second.data(), at->second.size());
  return at->second.size();
}
static inline void text_erase(size_t, const char *key, size_t klen) {
  auto at = text_find(key, klen);
  if (at != texts->end()) texts->erase(at);
}
static uint64_t text_sum() {
  uint64_t sum = 0;
  for (auto &entry : *texts) sum += uint64_t(entry.first[0]) + uint64_t(entry.second[0]);
  return sum;
}
static double text_bytes() { return u64_bytes(); }

#include "maps.h"

/* ---- W4, W5 ---- */

static void run_push() {
  create((size_t)64 << 20);
  auto *items = segment->construct<ipc::vector<uint64_t, allocator<uint64_t>>>("items")(segment->get_segment_manager());
  auto *wides = segment->construct<ipc::vector<push_wide, allocator<push_wide>>>("wides")(segment->get_segment_manager());
  push_run(items, wides);
  drop();
}

template <size_t RECORD>
static void append() {
  struct record {
    unsigned char bytes[RECORD];
  };
  size_t count = append_bytes() / RECORD;
  double start = bench_now();
  create(append_bytes() * 2);
  auto *log = segment->construct<ipc::deque<record, allocator<record>>>("log")(segment->get_segment_manager());
  for (size_t i = 0; i < count; i++) log->push_back(*static_cast<const record *>(append_record(i)));
  bench_row(append_name(RECORD, "cold"), (bench_now() - start) / double(count), "ns");
  uint64_t sum = 0;
  BENCH(append_name(RECORD, "scan"), count, 3, for (auto &r : *log) sum += append_look(&r, RECORD));
  bench_sink = sum;
  drop();
}
static void run_append() { append<16>(), append<64>(), append<256>(); }

/* ---- W9 ---- */

static ipc::interprocess_mutex *mutex;

static void shared_make() {
  create((size_t)64 << 20);
  segment->construct<ipc::interprocess_mutex>("mutex")();
  auto *map = segment->construct<number_map>("map")(0, boost::hash<uint64_t>(), std::equal_to<uint64_t>(), segment->get_segment_manager());
  for (uint64_t i = 0; i < SHARED_N; i++) (*map)[shared_key(i)] = 1;
  segment.reset();
}
static void shared_drop() { unlink(path()); }
static void shared_attach(int) {
  segment.reset(new segment_type(ipc::open_only, path()));
  mutex = segment->find<ipc::interprocess_mutex>("mutex").first;
  numbers = segment->find<number_map>("map").first;
}
static void shared_detach() { segment.reset(); }
static inline void shared_write(uint64_t key, uint64_t value) {
  ipc::scoped_lock<ipc::interprocess_mutex> lock(*mutex);
  (*numbers)[shared_key(key)] = value;
}
static inline uint64_t shared_read(uint64_t key) {
  ipc::scoped_lock<ipc::interprocess_mutex> lock(*mutex);
  auto at = numbers->find(shared_key(key));
  return at == numbers->end() ? 0 : at->second;
}

int main(int argc, char **argv) {
  static const bench_group groups[] = {
      {"open", open_run},          {"atomic", run_atomic},      {"u64-1e5", maps_u64_1e5}, {"u64-1e6", maps_u64_1e6},
      {"u64-1e7", maps_u64_1e7},   {"text-1e5", maps_text_1e5}, {"text-1e6", maps_text_1e6}, {"push", run_push},
      {"append", run_append},      {"shared", shared_run},      {nullptr, nullptr}};
  return bench_main(argc, argv, "boost ipc", groups);
}
