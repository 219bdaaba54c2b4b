/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* lmdb.c: LMDB in W1, W2, W3, W5, W8. Maps and logs: NOSYNC and WRITEMAP, one transaction a phase: its best case. */
#define MAPS_U64
#define MAPS_TEXT
#define MAPS_BATCHES
#define MAPS_SLOW
#include "bench.h"
#include <lmdb.h>

#define LMDB_NEED(call)                                                                    \
  do {                                                                                     \
    int code_ = (call);                                                                    \
    if (code_) fprintf(stderr, "lmdb: %s: %s\n", #call, mdb_strerror(code_)), exit(1);      \
  } while (0)

static MDB_env *env;
static MDB_txn *txn;
static MDB_dbi db;

static void clean(const char *path) {
  char lock[620];
  snprintf(lock, sizeof lock, "%s-lock", path);
  unlink(path), unlink(lock);
}

static void start(const char *path, size_t size, unsigned flags, unsigned db_flags) {
  LMDB_NEED(mdb_env_create(&env));
  LMDB_NEED(mdb_env_set_mapsize(env, size));
  LMDB_NEED(mdb_env_open(env, path, MDB_NOSUBDIR | flags, 0644));
  LMDB_NEED(mdb_txn_begin(env, NULL, 0, &txn));
  LMDB_NEED(mdb_dbi_open(txn, NULL, MDB_CREATE | db_flags, &db));
  LMDB_NEED(mdb_txn_commit(txn));
}
static void begin(int write) { LMDB_NEED(mdb_txn_begin(env, NULL, write ? 0 : MDB_RDONLY, &txn)); }
static void commit(void) { LMDB_NEED(mdb_txn_commit(txn)); }
static int put(const void *key, size_t klen, const void *value, size_t vlen, unsigned flags) {
  MDB_val k = {klen, (void *)(uintptr_t)key}, v = {vlen, (void *)(uintptr_t)value};
  return mdb_put(txn, db, &k, &v, flags);
}
static int get(const void *key, size_t klen, MDB_val *v) {
  MDB_val k = {klen, (void *)(uintptr_t)key};
  return mdb_get(txn, db, &k, v);
}
static uint64_t get_u64(uint64_t key) {
  MDB_val v;
  uint64_t value = 0;
  if (get(&key, 8, &v) == 0) memcpy(&value, v.mv_data, 8);
  return value;
}

/* ---- W1 ---- */

static void open_create(const char *path, size_t size) {
  uint64_t key = 1;
  start(path, size, MDB_NOSYNC | MDB_WRITEMAP, 0);
  begin(1);
  LMDB_NEED(put(&key, 8, &key, 8, 0));
  commit();
  mdb_env_close(env);
}
static void open_reopen(const char *path, size_t size) {
  LMDB_NEED(mdb_env_create(&env));
  LMDB_NEED(mdb_env_set_mapsize(env, size));
  LMDB_NEED(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_WRITEMAP, 0644));
  begin(0);
  LMDB_NEED(mdb_dbi_open(txn, NULL, 0, &db));
  bench_sink = get_u64(1);
  commit();
  mdb_env_close(env);
}
#include "open.h"
static void run_open(void) { open_run(), clean(bench_path("bench.open")); }

/* ---- W2 ---- */

static void run_atomic(void) {
  const char *path = bench_path("bench.lmdb");
  uint64_t key = 1, value = 0;
  clean(path);
  start(path, 1 << 24, MDB_NOSYNC | MDB_WRITEMAP, MDB_INTEGERKEY);
  BENCH("W2 fetch_add, 1 thread", 50000, 5, for (int i = 0; i < 50000; i++) {
    begin(1);
    value = get_u64(key) + 1;
    LMDB_NEED(put(&key, 8, &value, 8, 0));
    commit();
  });
  mdb_env_close(env);
  clean(path);
}

/* ---- W3 ---- */

static void maps_begin(int write) { begin(write); }
static void maps_end(void) { commit(); }
static inline void maps_step(void) {}

static void u64_open(size_t n) {
  clean(bench_path("bench.lmdb"));
  start(bench_path("bench.lmdb"), (size_t)8 << 30, MDB_NOSYNC | MDB_WRITEMAP, n ? MDB_INTEGERKEY : 0);
}
static void u64_close(void) {
  mdb_env_close(env);
  clean(bench_path("bench.lmdb"));
}
static inline void u64_put(uint64_t key, uint64_t value) { LMDB_NEED(put(&key, 8, &value, 8, 0)); }
static inline uint64_t u64_get(uint64_t key) { return get_u64(key); }
static inline void u64_erase(uint64_t key) {
  MDB_val k = {8, &key};
  LMDB_NEED(mdb_del(txn, db, &k, NULL));
}
static uint64_t walk(void) {
  MDB_cursor *cursor;
  MDB_val k, v;
  uint64_t sum = 0;
  LMDB_NEED(mdb_cursor_open(txn, db, &cursor));
  while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0)
    sum += (uint64_t)*(unsigned char *)k.mv_data + *(unsigned char *)v.mv_data;
  mdb_cursor_close(cursor);
  return sum;
}
static uint64_t u64_sum(void) { return walk(); }
static double u64_bytes(void) {
  MDB_stat stat;
  begin(0);
  LMDB_NEED(mdb_stat(txn, db, &stat));
  commit();
  return (double)(stat.ms_leaf_pages + stat.ms_branch_pages + stat.ms_overflow_pages) * stat.ms_psize;
}
static void text_open(size_t n) { (void)n, u64_open(0); }
static void text_close(void) { u64_close(); }
static inline void text_put(size_t place, const char *key, size_t klen, const char *value, size_t vlen) {
  (void)place;
  LMDB_NEED(put(key, klen, value, vlen, 0));
}
static inline size_t text_get(size_t place, const char *key, size_t klen, char *out) {
  MDB_val v;
  (void)place;
  if (get(key, klen, &v) != 0) return 0;
  memcpy(out, v.mv_data, v.mv_size);
  return v.mv_size;
}
static inline void text_erase(size_t place, const char *key, size_t klen) {
  MDB_val k = {klen, (void *)(uintptr_t)key};
  (void)place;
  LMDB_NEED(mdb_del(txn, db, &k, NULL));
}
static uint64_t text_sum(void) { return walk(); }
static double text_bytes(void) { return u64_bytes(); }

#include "maps.h"

/* ---- W5 ---- */

#include "append.h"

static void run_append(void) {
  for (size_t record = 16; record <= 256; record *= 4) {
    size_t count = append_bytes() / record;
    clean(bench_path("bench.lmdb"));
    double from = bench_now();
    start(bench_path("bench.lmdb"), (size_t)2 << 30, MDB_NOSYNC | MDB_WRITEMAP, MDB_INTEGERKEY);
    begin(1);
    for (uint64_t i = 0; i < count; i++) {
      if (i % 100000 == 99999) commit(), begin(1);
      LMDB_NEED(put(&i, 8, append_record(i), record, MDB_APPEND));
    }
    commit();
    bench_row(append_name(record, "cold"), (bench_now() - from) / (double)count, "ns");
    mdb_env_close(env);
  }
  clean(bench_path("bench.lmdb"));
}

/* ---- W8 ---- */

#include "durable.h"

static void run_durable(void) {
  int times = bench.quick ? 10 : 40, few = bench.quick ? 3 : 7;
  uint64_t n = DURABLE_WORDS / 8, value = 1, key;
  clean(bench_path("bench.lmdb"));
  start(bench_path("bench.lmdb"), (size_t)1 << 30, 0, MDB_INTEGERKEY);
  begin(1);
  for (key = 0; key < n; key++) LMDB_NEED(put(&key, 8, &value, 8, MDB_APPEND));
  commit();
  DURABLE("W8 1 update", bench.peer, times, {
    key = bench_mix(0) % n;
    begin(1);
    LMDB_NEED(put(&key, 8, &value, 8, 0));
    commit();
  });
  DURABLE("W8 1000 updates", bench.peer, few, {
    begin(1);
    for (size_t i = 0; i < 1000; i++) {
      key = bench_mix(i) % n;
      LMDB_NEED(put(&key, 8, &value, 8, 0));
    }
    commit();
  });
  mdb_env_close(env);
  clean(bench_path("bench.lmdb"));
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"open", run_open},         {"atomic", run_atomic},     {"u64-1e5", maps_u64_1e5}, {"u64-1e6", maps_u64_1e6},
      {"u64-1e7", maps_u64_1e7},  {"text-1e5", maps_text_1e5}, {"text-1e6", maps_text_1e6}, {"append", run_append},
      {"durable", run_durable},   {NULL, NULL}};
  return bench_main(argc, argv, "lmdb", groups);
}
