/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sqlite.c: SQLite in W1, W2, W3, W5, W7, W8. Prepared statements; maps and logs with synchronous off, one transaction a
 * phase, in a WITHOUT ROWID table or by rowid: its best case. */
#define MAPS_U64
#define MAPS_TEXT
#define MAPS_BATCHES
#define MAPS_SLOW
#include "bench.h"
#include <jansson.h>
#include <sqlite3.h>

static sqlite3 *db;
static sqlite3_stmt *put, *get, *erase;

static void fail(const char *what) {
  fprintf(stderr, "sqlite: %s: %s\n", what, db ? sqlite3_errmsg(db) : "?");
  exit(1);
}
static void run(const char *sql) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(sql);
}
static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) fail(sql);
  return statement;
}
static void clean(const char *path) {
  static const char *const ends[] = {"", "-journal", "-wal", "-shm"};
  char name[620];
  for (int i = 0; i < 4; i++) snprintf(name, sizeof name, "%s%s", path, ends[i]), unlink(name);
}
static void start(const char *path, const char *pragmas, const char *table) {
  if (sqlite3_open(path, &db) != SQLITE_OK) fail(path);
  run(pragmas);
  run(table);
  put = prepare("INSERT INTO t VALUES (?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v");
  get = prepare("SELECT v FROM t WHERE k = ?");
  erase = prepare("DELETE FROM t WHERE k = ?");
}
static void stop(void) {
  sqlite3_finalize(put), sqlite3_finalize(get), sqlite3_finalize(erase);
  if (sqlite3_close(db) != SQLITE_OK) fail("close");
}
static void done(sqlite3_stmt *statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) fail("step");
  sqlite3_reset(statement);
}
#define FAST "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1000000"
#define NUMBERS "CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v INTEGER)"
#define TEXTS "CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID"

/* ---- W1, W2 ---- */

static void open_create(const char *path, size_t size) {
  (void)size;
  clean(path);
  start(path, FAST, NUMBERS);
  run("INSERT INTO t VALUES (1, 1)");
  stop();
}
static void open_reopen(const char *path, size_t size) {
  (void)size;
  if (sqlite3_open(path, &db) != SQLITE_OK) fail(path);
  run("SELECT v FROM t WHERE k = 1");
  if (sqlite3_close(db) != SQLITE_OK) fail("close");
}
#define OPEN_SMALL
#include "open.h"
static void run_open(void) { open_run(), clean(bench_path("bench.open")); }

static void run_atomic(void) {
  clean(bench_path("bench.sqlite"));
  start(bench_path("bench.sqlite"), FAST, NUMBERS);
  run("INSERT INTO t VALUES (1, 0)");
  sqlite3_stmt *add = prepare("UPDATE t SET v = v + 1 WHERE k = 1");
  BENCH("W2 fetch_add, 1 thread", 5000, 5, for (int i = 0; i < 5000; i++) done(add));
  sqlite3_finalize(add);
  stop();
  clean(bench_path("bench.sqlite"));
}

/* ---- W3 ---- */

static void maps_begin(int write) { run(write ? "BEGIN IMMEDIATE" : "BEGIN"); }
static void maps_end(void) { run("COMMIT"); }
static inline void maps_step(void) {}

static void u64_open(size_t n) {
  clean(bench_path("bench.sqlite"));
  start(bench_path("bench.sqlite"), FAST, n ? NUMBERS : TEXTS);
}
static void u64_close(void) {
  stop();
  clean(bench_path("bench.sqlite"));
}
static inline void u64_put(uint64_t key, uint64_t value) {
  sqlite3_bind_int64(put, 1, (sqlite3_int64)key);
  sqlite3_bind_int64(put, 2, (sqlite3_int64)value);
  done(put);
}
static inline uint64_t u64_get(uint64_t key) {
  sqlite3_bind_int64(get, 1, (sqlite3_int64)key);
  uint64_t value = sqlite3_step(get) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(get, 0) : 0;
  sqlite3_reset(get);
  return value;
}
static inline void u64_erase(uint64_t key) {
  sqlite3_bind_int64(erase, 1, (sqlite3_int64)key);
  done(erase);
}
static uint64_t walk(void) {
  sqlite3_stmt *all = prepare("SELECT k, v FROM t");
  uint64_t sum = 0;
  while (sqlite3_step(all) == SQLITE_ROW) sum += (uint64_t)(sqlite3_column_int64(all, 0) ^ sqlite3_column_bytes(all, 1));
  sqlite3_finalize(all);
  return sum;
}
static uint64_t u64_sum(void) { return walk(); }
static double u64_bytes(void) {
  struct stat st;
  return stat(bench_path("bench.sqlite"), &st) == 0 ? (double)st.st_size : 0;
}
static void text_open(size_t n) { (void)n, u64_open(0); }
static void text_close(void) { u64_close(); }
static inline void text_put(size_t place, const char *key, size_t klen, const char *value, size_t vlen) {
  (void)place;
  sqlite3_bind_text(put, 1, key, (int)klen, SQLITE_STATIC);
  sqlite3_bind_text(put, 2, value, (int)vlen, SQLITE_STATIC);
  done(put);
}
static inline size_t text_get(size_t place, const char *key, size_t klen, char *out) {
  size_t length = 0;
  (void)place;
  sqlite3_bind_text(get, 1, key, (int)klen, SQLITE_STATIC);
  if (sqlite3_step(get) == SQLITE_ROW) {
    length = (size_t)sqlite3_column_bytes(get, 0);
    memcpy(out, sqlite3_column_text(get, 0), length);
  }
  sqlite3_reset(get);
  return length;
}
static inline void text_erase(size_t place, const char *key, size_t klen) {
  (void)place;
  sqlite3_bind_text(erase, 1, key, (int)klen, SQLITE_STATIC);
  done(erase);
}
static uint64_t text_sum(void) { return walk(); }
static double text_bytes(void) { return u64_bytes(); }

#include "maps.h"

/* ---- W5 ---- */

#include "append.h"

static void run_append(void) {
  for (size_t record = 16; record <= 256; record *= 4) {
    size_t count = append_bytes() / 16 / record;
    clean(bench_path("bench.sqlite"));
    double from = bench_now();
    start(bench_path("bench.sqlite"), FAST, NUMBERS);
    sqlite3_stmt *append = prepare("INSERT INTO t(v) VALUES (?)");
    run("BEGIN");
    for (size_t i = 0; i < count; i++) {
      if (i % 100000 == 99999) run("COMMIT"), run("BEGIN");
      sqlite3_bind_blob(append, 1, append_record(i), (int)record, SQLITE_STATIC);
      done(append);
    }
    run("COMMIT");
    bench_row(append_name(record, "cold"), (bench_now() - from) / (double)count, "ns");
    sqlite3_finalize(append);
    stop();
  }
  clean(bench_path("bench.sqlite"));
}

/* ---- W7: jansson's text in a row ---- */

#include "json.h"

static void run_json(void) {
  clean(bench_path("bench.sqlite"));
  start(bench_path("bench.sqlite"), FAST, "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)");
  for (int large = 0; large < 2; large++) {
    json_t *value = json_sample(large ? 65536 : 1024);
    int ops = (large ? 20 : 1000) / (bench.quick ? 10 : 1);
    BENCH(large ? "W7 store 64 KiB" : "W7 store 1 KiB", ops, 7, for (int i = 0; i < ops; i++) {
      char *text = json_dumps(value, JSON_COMPACT);
      sqlite3_bind_int64(put, 1, 1);
      sqlite3_bind_text(put, 2, text, -1, free);
      done(put);
    });
    BENCH(large ? "W7 load 64 KiB" : "W7 load 1 KiB", ops, 7, for (int i = 0; i < ops; i++) {
      sqlite3_bind_int64(get, 1, 1);
      BENCH_NEED(sqlite3_step(get) == SQLITE_ROW);
      json_t *back = json_loadb((const char *)sqlite3_column_text(get, 0), (size_t)sqlite3_column_bytes(get, 0), 0, NULL);
      BENCH_NEED(back);
      json_decref(back);
      sqlite3_reset(get);
    });
    json_decref(value);
  }
  stop();
  clean(bench_path("bench.sqlite"));
}

/* ---- W8 ---- */

#include "durable.h"

static void run_durable(void) {
  int times = bench.quick ? 10 : 40, few = bench.quick ? 3 : 7;
  uint64_t n = DURABLE_WORDS / 16, key, value = 2; /* another value each time: the same would not be written */
  clean(bench_path("bench.sqlite"));
  start(bench_path("bench.sqlite"), "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NUMBERS);
  run("BEGIN");
  for (key = 0; key < n; key++) u64_put(key, 1);
  run("COMMIT");
  DURABLE("W8 1 update", bench.peer, times, u64_put(bench_mix(0) % n, value++));
  DURABLE("W8 1000 updates", bench.peer, few, {
    run("BEGIN");
    for (size_t i = 0; i < 1000; i++) u64_put(bench_mix(i) % n, value);
    value++;
    run("COMMIT");
  });
  stop();
  clean(bench_path("bench.sqlite"));
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"open", run_open},         {"atomic", run_atomic}, {"u64-1e5", maps_u64_1e5}, {"u64-1e6", maps_u64_1e6},
      {"text-1e5", maps_text_1e5}, {"text-1e6", maps_text_1e6}, {"append", run_append}, {"json", run_json},
      {"durable", run_durable},   {NULL, NULL}};
  return bench_main(argc, argv, "sqlite", groups);
}
