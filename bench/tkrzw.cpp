/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* tkrzw.cpp: Tkrzw's HashDBM in a memory-mapped file, in W3. */
#include <tkrzw_dbm_hash.h>
#include <tkrzw_file_mmap.h>

#define MAPS_U64
#define MAPS_TEXT
#define MAPS_SLOW
#include "bench.h"

static tkrzw::HashDBM *db;

static void check(const tkrzw::Status &status) {
  if (status.IsOK()) return;
  fprintf(stderr, "tkrzw: %s\n", tkrzw::ToString(status).c_str());
  exit(1);
}
static void u64_open(size_t n) {
  const char *path = bench_path("bench.tkh");
  tkrzw::HashDBM::TuningParameters tuning;
  tuning.num_buckets = int64_t(n) + int64_t(n) / 3;
  tuning.offset_width = 5;
  unlink(path);
  db = new tkrzw::HashDBM(std::make_unique<tkrzw::MemoryMapParallelFile>());
  check(db->OpenAdvanced(path, true, tkrzw::File::OPEN_TRUNCATE, tuning));
}
static void u64_close() {
  check(db->Close());
  delete db;
  unlink(bench_path("bench.tkh"));
}
static inline std::string_view bytes(const uint64_t *word) { return std::string_view(reinterpret_cast<const char *>(word), 8); }
static inline void u64_put(uint64_t key, uint64_t value) { check(db->Set(bytes(&key), bytes(&value))); }
static inline uint64_t u64_get(uint64_t key) {
  static std::string out;
  uint64_t value = 0;
  if (db->Get(bytes(&key), &out).IsOK()) memcpy(&value, out.data(), 8);
  return value;
}
static inline void u64_erase(uint64_t key) { check(db->Remove(bytes(&key))); }
static uint64_t u64_sum() {
  auto at = db->MakeIterator();
  std::string key, value;
  uint64_t sum = 0;
  check(at->First());
  while (at->Get(&key, &value).IsOK()) sum += uint64_t(key[0] + value[0]), check(at->Next());
  return sum;
}
static double u64_bytes() { return double(db->GetFileSizeSimple()); }
static void text_open(size_t n) { u64_open(n); }
static void text_close() { u64_close(); }
static inline void text_put(size_t, const char *key, size_t klen, const char *value, size_t vlen) {
  check(db->Set(std::string_view(key, klen), std::string_view(value, vlen)));
}
static inline size_t text_get(size_t, const char *key, size_t klen, char *out) {
  static std::string value;
  if (!db->Get(std::string_view(key, klen), &value).IsOK()) return 0;
  memcpy(out, value.data(), value.size());
  return value.size();
}
static inline void text_erase(size_t, const char *key, size_t klen) { check(db->Remove(std::string_view(key, klen))); }
static uint64_t text_sum() { return u64_sum(); }
static double text_bytes() { return u64_bytes(); }

#include "maps.h"

int main(int argc, char **argv) {
  static const bench_group groups[] = {{"u64-1e5", maps_u64_1e5},   {"u64-1e6", maps_u64_1e6},
                                       {"text-1e5", maps_text_1e5}, {"text-1e6", maps_text_1e6}, {nullptr, nullptr}};
  return bench_main(argc, argv, "tkrzw", groups);
}
