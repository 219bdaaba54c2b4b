/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* shared_lmdb.c: LMDB in W9, a transaction for each operation (NOSYNC), and the latency of insertions. */
#include <lmdb.h>

#include "latency.h"
#include "shared.h"

static MDB_env *env;
static MDB_txn *txn;
static MDB_dbi db;
#define LMDB_NEED(call)                                                                    \
  do {                                                                                     \
    int code_ = (call);                                                                    \
    if (code_) fprintf(stderr, "lmdb: %s: %s\n", #call, mdb_strerror(code_)), exit(1);      \
  } while (0)

static void put(uint64_t key, uint64_t value) {
  MDB_val k = {8, &key}, v = {8, &value};
  LMDB_NEED(mdb_put(txn, db, &k, &v, 0));
}
static void shared_attach(int write) {
  (void)write;
  LMDB_NEED(mdb_env_create(&env));
  LMDB_NEED(mdb_env_set_mapsize(env, (size_t)1 << 30));
  LMDB_NEED(mdb_env_open(env, bench_path("bench.shared"), MDB_NOSUBDIR | MDB_NOSYNC | MDB_WRITEMAP, 0644));
  LMDB_NEED(mdb_txn_begin(env, NULL, 0, &txn));
  LMDB_NEED(mdb_dbi_open(txn, NULL, MDB_CREATE | MDB_INTEGERKEY, &db));
  LMDB_NEED(mdb_txn_commit(txn));
  if (write) return;
  LMDB_NEED(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
  mdb_txn_reset(txn);
}
static void shared_detach(void) { mdb_env_close(env); }
static void shared_drop(void) {
  unlink(bench_path("bench.shared"));
  unlink(bench_path("bench.shared-lock"));
}
static void shared_make(void) {
  shared_drop();
  shared_attach(1);
  LMDB_NEED(mdb_txn_begin(env, NULL, 0, &txn));
  for (uint64_t i = 0; i < SHARED_N; i++) put(shared_key(i), 1);
  LMDB_NEED(mdb_txn_commit(txn));
  shared_detach();
}
static inline void shared_write(uint64_t key, uint64_t value) {
  LMDB_NEED(mdb_txn_begin(env, NULL, 0, &txn));
  put(shared_key(key), value);
  LMDB_NEED(mdb_txn_commit(txn));
}
static inline uint64_t shared_read(uint64_t key) {
  uint64_t value = 0, real = shared_key(key);
  MDB_val k = {8, &real}, v;
  LMDB_NEED(mdb_txn_renew(txn));
  if (mdb_get(txn, db, &k, &v) == 0) memcpy(&value, v.mv_data, 8);
  mdb_txn_reset(txn);
  return value;
}

static void run_latency(void) {
  shared_drop();
  shared_attach(1);
  latency_begin();
  LMDB_NEED(mdb_txn_begin(env, NULL, 0, &txn));
  LATENCY("lmdb", "an insertion", LATENCY_N / 3, put(latency_key(i), i));
  LMDB_NEED(mdb_txn_commit(txn));
  latency_end();
  shared_detach();
  shared_drop();
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"shared", shared_run}, {"latency", run_latency}, {NULL, NULL}};
  return bench_main(argc, argv, "lmdb", groups);
}
