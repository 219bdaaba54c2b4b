/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * bench.cc: hashmap(u64, u64) and hashmap(text, text) beside absl, boost, khash, uthash and LMDB.
 *
 * From the source folder, with libmm3 and the modules built in BUILD (Debian: libabsl-dev libboost1.81-dev liblmdb-dev
 * libhts-dev uthash-dev):
 *
 *   g++ -std=c++17 -O2 -Iinclude -I/usr/include/htslib bench/hashmap/bench.cc -o bench-hashmap -LBUILD/core/.libs -lmm3
 *   \
 *     -llmdb $(pkg-config --libs absl_hash absl_raw_hash_set) && \
 *   MM3_MODULE_PATH=BUILD/modules/.libs LD_LIBRARY_PATH=BUILD/core/.libs ./bench-hashmap [entries [rounds [folder]]]
 *
 * Peers come in another order each round. Files are made in the folder (default: the current one), which should be a
 * real disk's. Writes of mm3 are the _held forms under one lock for each 1000 operations, those of LMDB one transaction
 * a phase. "raw" is the limit: plain memory of a mapped file, the slot of each key known beforehand.
 */
#include "bench.h"

#include <absl/container/flat_hash_map.h>
#include <boost/unordered/unordered_flat_map.hpp>
#include <fcntl.h>
#include <khash.h>
#include <lmdb.h>
#include <mm3/hashmap.h>
#include <mm3/string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <uthash.h>

#define STORE(FIELD) FIELD(numbers, hashmap(u64, u64)) FIELD(texts, hashmap(text, text))
MM3_STRUCT(store, STORE);

KHASH_INIT(u64, uint64_t, uint64_t, 1, kh_int64_hash_func, kh_int64_hash_equal)

struct text_hash {
  size_t operator()(std::string_view text) const { return mm3_hash_bytes(text.data(), text.size(), 0x1234567); }
  using is_transparent = void;
  using is_avalanching = void;
};

/* Every peer's loop is one loop: none pays for a call that another does not. */
#define INLINE __attribute__((always_inline))

static std::string folder = ".";
static data d;
static volatile uint64_t sink;

static std::string path_of(const char *name) { return folder + "/" + name; }

/* ---- u64 -> u64: `peer` maps in memory by find, set, erase ---- */

template <class Map>
static void numbers_std(table &t, const char *peer) {
  Map map;
  uint64_t all = 0;
  for (uint64_t key : d.keys) all += key ^ 1;
  measure(t, peer, "insert", d.n, d.n, [&](size_t i) INLINE { return uint64_t(map.insert({d.keys[i], d.keys[i] ^ 1}).second); });
  measure(t, peer, "hit", d.n, all, [&](size_t i) INLINE { return map.find(d.order[i])->second; });
  measure(t, peer, "hit dependent", d.n / 4, 0, [&, last = uint64_t(0)](size_t i) mutable INLINE {
    last = map.find(d.order[i] ^ (last & 0))->second;
    return last & 0;
  });
  measure(t, peer, "miss", d.n, 0, [&](size_t i) INLINE { return uint64_t(map.find(d.absent[i]) != map.end()); });
  measure(t, peer, "overwrite", d.n, 0, [&](size_t i) INLINE { map[d.order[i]] = i; return 0; });
  uint64_t sum = 0, start = now_ns();
  for (auto &entry : map) sum += entry.first ^ entry.second;
  t.add(peer, "iterate", double(now_ns() - start) / double(d.n));
  sink = sum;
  measure(t, peer, "erase", d.n, d.n, [&](size_t i) INLINE { return uint64_t(map.erase(d.order[i])); });
}

static void numbers_khash(table &t) {
  khash_t(u64) *map = kh_init(u64);
  uint64_t all = 0;
  int absent;
  for (uint64_t key : d.keys) all += key ^ 1;
  measure(t, "khash", "insert", d.n, d.n, [&](size_t i) INLINE {
    khint_t at = kh_put(u64, map, d.keys[i], &absent);
    kh_value(map, at) = d.keys[i] ^ 1;
    return uint64_t(absent > 0);
  });
  measure(t, "khash", "hit", d.n, all, [&](size_t i) INLINE { return kh_value(map, kh_get(u64, map, d.order[i])); });
  measure(t, "khash", "miss", d.n, 0, [&](size_t i) INLINE { return uint64_t(kh_get(u64, map, d.absent[i]) != kh_end(map)); });
  measure(t, "khash", "overwrite", d.n, 0, [&](size_t i) INLINE {
    kh_value(map, kh_put(u64, map, d.order[i], &absent)) = i;
    return 0;
  });
  measure(t, "khash", "erase", d.n, 0, [&](size_t i) INLINE { kh_del(u64, map, kh_get(u64, map, d.order[i])); return 0; });
  kh_destroy(u64, map);
}

struct ut_entry {
  uint64_t key, value;
  UT_hash_handle hh;
};

static void numbers_uthash(table &t) {
  ut_entry *map = nullptr, *entries = static_cast<ut_entry *>(malloc(d.n * sizeof(ut_entry)));
  uint64_t all = 0;
  for (uint64_t key : d.keys) all += key ^ 1;
  auto find = [&](uint64_t key) {
    ut_entry *found;
    HASH_FIND(hh, map, &key, sizeof key, found);
    return found;
  };
  measure(t, "uthash", "insert", d.n, 0, [&](size_t i) INLINE {
    entries[i].key = d.keys[i];
    entries[i].value = d.keys[i] ^ 1;
    HASH_ADD(hh, map, key, sizeof(uint64_t), &entries[i]);
    return 0;
  });
  measure(t, "uthash", "hit", d.n, all, [&](size_t i) INLINE { return find(d.order[i])->value; });
  measure(t, "uthash", "miss", d.n, 0, [&](size_t i) INLINE { return uint64_t(find(d.absent[i]) != nullptr); });
  HASH_CLEAR(hh, map);
  free(entries);
}

static void numbers_lmdb(table &t) {
  std::string path = path_of("bench.lmdb");
  unlink(path.c_str());
  MDB_env *env;
  MDB_txn *txn;
  MDB_dbi db;
  uint64_t all = 0;
  for (uint64_t key : d.keys) all += key ^ 1;
  mdb_env_create(&env);
  mdb_env_set_mapsize(env, size_t(8) << 30);
  mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK | MDB_WRITEMAP, 0644);
  mdb_txn_begin(env, nullptr, 0, &txn);
  mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &db);
  auto put = [&](uint64_t key, uint64_t value) {
    MDB_val k = {sizeof key, &key}, v = {sizeof value, &value};
    return uint64_t(mdb_put(txn, db, &k, &v, 0) == 0);
  };
  auto get = [&](uint64_t key) {
    MDB_val k = {sizeof key, &key}, v;
    uint64_t value;
    if (mdb_get(txn, db, &k, &v) != 0) return uint64_t(0);
    memcpy(&value, v.mv_data, sizeof value);
    return value;
  };
  measure(t, "lmdb", "insert", d.n, d.n, [&](size_t i) INLINE { return put(d.keys[i], d.keys[i] ^ 1); });
  mdb_txn_commit(txn);
  mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  measure(t, "lmdb", "hit", d.n, all, [&](size_t i) INLINE { return get(d.order[i]); });
  measure(t, "lmdb", "miss", d.n, 0, [&](size_t i) INLINE { return get(d.absent[i]); });
  mdb_txn_abort(txn);
  mdb_env_close(env);
  unlink(path.c_str());
}

/* One lock for each 1000 operations, as batch peers run in one transaction. */
struct batch {
  mm3_file *file;
  size_t done = 0;
  explicit batch(mm3_file *f) : file(f) { mm3_lock(file); }
  ~batch() { mm3_unlock(file); }
  void step() {
    if (++done % 1000 == 0) mm3_unlock(file), mm3_lock(file);
  }
};

static mm3_file *store_new(const char *name) {
  mm3_error error;
  std::string path = path_of(name);
  unlink(path.c_str());
  mm3_file *file = mm3_create(path.c_str(), MM3_TYPE(store), nullptr, &error);
  if (!file) fprintf(stderr, "%s\n", error.text), exit(1);
  if (getenv("BENCH_HUGE")) madvise(file->base, size_t(1) << 30, MADV_HUGEPAGE);
  return file;
}

static void store_done(mm3_file *file, const char *name) {
  mm3_close(file);
  unlink(path_of(name).c_str());
}

static void numbers_mm3(table &t) {
  mm3_file *file = store_new("bench.mm3");
  auto *map = &mm3_root(file, store)->numbers;
  uint64_t all = 0, value = 0;
  for (uint64_t key : d.keys) all += key ^ 1;
  {
    batch b(file);
    measure(t, "mm3", "insert", d.n, 0, [&](size_t i) INLINE {
      b.step();
      return uint64_t(mm3_hashmap_set_held(file, map, d.keys[i], d.keys[i] ^ 1));
    });
  }
  measure(t, "mm3", "hit", d.n, all, [&](size_t i) INLINE { mm3_hashmap_get(file, map, d.order[i], &value); return value; });
  measure(t, "mm3", "hit dependent", d.n / 4, 0, [&, last = uint64_t(0)](size_t i) mutable INLINE {
    mm3_hashmap_get(file, map, d.order[i] ^ (last & 0), &value);
    last = value;
    return last & 0;
  });
  measure(t, "mm3", "miss", d.n, 0, [&](size_t i) INLINE { return uint64_t(mm3_hashmap_get(file, map, d.absent[i], &value) == 0); });
  uint64_t values[32], sum = 0, start = now_ns();
  for (size_t i = 0; i + 32 <= d.n; i += 32) {
    mm3_hashmap_get_many(file, map, &d.order[i], 32, values, nullptr);
    for (uint64_t v : values) sum += v;
  }
  t.add("mm3", "hit, 32 at once", double(now_ns() - start) / double(d.n / 32 * 32));
  start = now_ns();
  for (size_t i = 0; i + 8 <= d.n; i += 8) {
    mm3_hashmap_get_many(file, map, &d.order[i], 8, values, nullptr);
    sum += values[0] + values[7];
  }
  t.add("mm3", "hit, 8 at once", double(now_ns() - start) / double(d.n / 8 * 8));
  {
    batch b(file);
    measure(t, "mm3", "overwrite", d.n, d.n, [&](size_t i) INLINE {
      b.step();
      return uint64_t(mm3_hashmap_set_held(file, map, d.order[i], i));
    });
  }
  measure(t, "mm3", "overwrite, own lock", d.n, d.n, [&](size_t i) INLINE { return uint64_t(mm3_hashmap_set(file, map, d.order[i], i)); });
  mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  uint64_t key;
  start = now_ns();
  while (mm3_hashmap_next(file, map, &cursor, &key, &value) == 1) sum += key ^ value;
  t.add("mm3", "iterate", double(now_ns() - start) / double(d.n));
  sink = sum;
  mm3_hashmap_stats stats;
  stats.size = sizeof stats;
  if (mm3_hashmap_stats(file, map, &stats) == 0) t.add("mm3", "bytes an entry", stats.bytes_an_entry);
  {
    batch b(file);
    measure(t, "mm3", "erase", d.n, 0, [&](size_t i) INLINE {
      b.step();
      return uint64_t(mm3_hashmap_remove_held(file, map, d.order[i]));
    });
  }
  store_done(file, "bench.mm3");
}

struct raw_slot {
  uint64_t key, value;
};

static void numbers_raw(table &t) {
  std::string path = path_of("bench.raw");
  size_t slots = size_t(double(d.n) / 0.875), size = slots * sizeof(raw_slot);
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || posix_fallocate(fd, 0, off_t(size)) != 0) exit(1);
  void *at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  raw_slot *slot = static_cast<raw_slot *>(at);
  uint64_t all = 0;
  for (uint64_t key : d.keys) all += key ^ 1;
  std::vector<uint32_t> where(d.n), ordered(d.n);
  for (size_t i = 0; i < d.n; i++) where[i] = uint32_t(double(i) / 0.875);
  uint64_t state = 5;
  for (size_t i = d.n; i > 1; i--) std::swap(where[i - 1], where[random_of(state) % i]);
  for (size_t i = 0; i < d.n; i++) ordered[i] = where[d.places[i]];
  measure(t, "raw", "insert", d.n, 0, [&](size_t i) INLINE { slot[where[i]] = {d.keys[i], d.keys[i] ^ 1}; return 0; });
  measure(t, "raw", "hit", d.n, all, [&](size_t i) INLINE {
    const raw_slot &s = slot[ordered[i]];
    return s.key == d.order[i] ? s.value : 0;
  });
  measure(t, "raw", "overwrite", d.n, 0, [&](size_t i) INLINE { slot[ordered[i]].value = i; return 0; });
  munmap(at, size);
  close(fd);
  unlink(path.c_str());
}

/* ---- texts ---- */

template <class Map>
static void texts_std(table &t, const char *peer) {
  Map map;
  uint64_t all = 0;
  for (auto &value : d.values) all += value.size() + uint64_t(value[9]);
  measure(t, peer, "insert", d.n, d.n, [&](size_t i) INLINE { return uint64_t(map.insert({d.texts[i], d.values[i]}).second); });
  /* as mm3's get: found by ptr and length, the value copied out */
  char out[128];
  measure(t, peer, "hit", d.n, all, [&](size_t i) INLINE {
    auto at = map.find(std::string_view(d.texts[d.places[i]]));
    memcpy(out, at->second.data(), at->second.size());
    return at->second.size() + uint64_t(out[9]);
  });
  measure(t, peer, "miss", d.n, 0, [&](size_t i) INLINE { return uint64_t(map.find(std::string_view(d.absent_texts[i])) != map.end()); });
  measure(t, peer, "overwrite", d.n, 0, [&](size_t i) INLINE {
    map[d.texts[d.places[i]]] = d.values2[i];
    return 0;
  });
  uint64_t sum = 0, start = now_ns();
  for (auto &entry : map) sum += uint64_t(entry.first[0]) + uint64_t(entry.second[0]);
  t.add(peer, "iterate", double(now_ns() - start) / double(d.n));
  sink = sum;
  measure(t, peer, "erase", d.n, d.n, [&](size_t i) INLINE { return uint64_t(map.erase(d.texts[d.places[i]])); });
}

static mm3_str str_of(const std::string &text) { return mm3_str_n(text.data(), text.size()); }

static void texts_mm3(table &t) {
  mm3_file *file = store_new("bench.mm3");
  auto *map = &mm3_root(file, store)->texts;
  uint64_t all = 0;
  char out[128], key[128];
  mm3_buf buf = mm3_buf_of(out, sizeof out), key_buf = mm3_buf_of(key, sizeof key);
  for (auto &value : d.values) all += value.size() + uint64_t(value[9]);
  {
    batch b(file);
    measure(t, "mm3", "insert", d.n, 0, [&](size_t i) INLINE {
      b.step();
      return uint64_t(mm3_hashmap_set_held(file, map, str_of(d.texts[i]), str_of(d.values[i])));
    });
  }
  measure(t, "mm3", "hit", d.n, all, [&](size_t i) INLINE {
    mm3_hashmap_get(file, map, str_of(d.texts[d.places[i]]), &buf);
    return buf.len + uint64_t(out[9]);
  });
  measure(t, "mm3", "miss", d.n, 0, [&](size_t i) INLINE { return uint64_t(mm3_hashmap_get(file, map, str_of(d.absent_texts[i]), &buf) == 0); });
  char outs[32][128];
  mm3_buf bufs[32];
  mm3_str keys[32];
  uint64_t sum = 0, start = now_ns();
  for (int i = 0; i < 32; i++) bufs[i] = mm3_buf_of(outs[i], 128);
  for (size_t i = 0; i + 32 <= d.n; i += 32) {
    for (size_t k = 0; k < 32; k++) keys[k] = str_of(d.texts[d.places[i + k]]);
    sum += uint64_t(mm3_hashmap_get_many(file, map, keys, 32, bufs, nullptr));
  }
  t.add("mm3", "hit, 32 at once", double(now_ns() - start) / double(d.n / 32 * 32));
  if (sum != d.n / 32 * 32) exit(1);
  {
    batch b(file);
    measure(t, "mm3", "overwrite", d.n, d.n, [&](size_t i) INLINE {
      b.step();
      return uint64_t(mm3_hashmap_set_held(file, map, str_of(d.texts[d.places[i]]), str_of(d.values2[i])));
    });
  }
  mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  start = now_ns();
  while (mm3_hashmap_next(file, map, &cursor, &key_buf, &buf) == 1) sum += uint64_t(key[0]) + uint64_t(out[0]);
  t.add("mm3", "iterate", double(now_ns() - start) / double(d.n));
  sink = sum;
  mm3_hashmap_stats stats;
  stats.size = sizeof stats;
  if (mm3_hashmap_stats(file, map, &stats) == 0) t.add("mm3", "bytes an entry", stats.bytes_an_entry);
  {
    batch b(file);
    measure(t, "mm3", "erase", d.n, 0, [&](size_t i) INLINE {
      b.step();
      return uint64_t(mm3_hashmap_remove_held(file, map, str_of(d.texts[d.places[i]])));
    });
  }
  store_done(file, "bench.mm3");
}

static std::string text_of(uint64_t &state, size_t least, size_t most) {
  std::string text(least + random_of(state) % (most - least + 1), ' ');
  for (char &c : text) c = char('a' + random_of(state) % 26);
  return text;
}

static void fill(size_t n) {
  uint64_t state = 42;
  d = data();
  d.n = n;
  for (size_t i = 0; i < n; i++) d.keys.push_back(random_of(state));
  for (size_t i = 0; i < n; i++) d.absent.push_back(random_of(state));
  for (size_t i = 0; i < n; i++) d.places.push_back(uint32_t(i));
  for (size_t i = n; i > 1; i--) std::swap(d.places[i - 1], d.places[random_of(state) % i]);
  for (size_t i = 0; i < n; i++) d.order.push_back(d.keys[d.places[i]]);
}

static void fill_texts() {
  uint64_t state = 77;
  for (size_t i = 0; i < d.n; i++) {
    d.texts.push_back(text_of(state, 16, 32));
    d.absent_texts.push_back(text_of(state, 16, 32));
    d.values.push_back(text_of(state, 32, 64));
    d.values2.push_back(text_of(state, 32, 64));
  }
}

int main(int argc, char **argv) {
  size_t n = argc > 1 ? strtoull(argv[1], nullptr, 0) : 1000000;
  size_t rounds = argc > 2 ? strtoull(argv[2], nullptr, 0) : 5;
  if (argc > 3) folder = argv[3];
  const char *only = getenv("ONLY");
  table numbers, texts;
  fill(n);
  using absl_numbers = absl::flat_hash_map<uint64_t, uint64_t>;
  using boost_numbers = boost::unordered_flat_map<uint64_t, uint64_t>;
  using absl_texts = absl::flat_hash_map<std::string, std::string, text_hash, std::equal_to<>>;
  using boost_texts = boost::unordered_flat_map<std::string, std::string, text_hash, std::equal_to<>>;
  std::vector<std::function<void()>> peers = {
      [&] { numbers_raw(numbers); }, [&] { numbers_mm3(numbers); }, [&] { numbers_std<absl_numbers>(numbers, "absl"); },
      [&] { numbers_std<boost_numbers>(numbers, "boost flat"); }, [&] { numbers_khash(numbers); },
      [&] { numbers_uthash(numbers); }, [&] { numbers_lmdb(numbers); }};
  std::vector<std::function<void()>> text_peers = {[&] { texts_mm3(texts); },
                                                   [&] { texts_std<absl_texts>(texts, "absl"); },
                                                   [&] { texts_std<boost_texts>(texts, "boost flat"); }};
  if (only && *only == 'f') peers.resize(4);
  uint64_t state = now_ns();
  if (!only || *only != 't')
    for (size_t round = 0; round < rounds; round++) {
      for (size_t i = peers.size(); i > 1 && round; i--) std::swap(peers[i - 1], peers[random_of(state) % i]);
      for (auto &peer : peers) peer();
    }
  numbers.print("u64 -> u64");
  if (only && *only != 't') return 0;
  fill_texts();
  for (size_t round = 0; round < rounds; round++) {
    for (size_t i = text_peers.size(); i > 1 && round; i--) std::swap(text_peers[i - 1], text_peers[random_of(state) % i]);
    for (auto &peer : text_peers) peer();
  }
  texts.print("text (16..32) -> text (32..64)");
  return 0;
}
