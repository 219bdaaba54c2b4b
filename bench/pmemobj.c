/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pmemobj.c: libpmemobj in W1, W2 and W8, on a file system without DAX: it flushes by msync. */
#include "bench.h"
#include <libpmemobj.h>

#include "durable.h"

static void fail(const char *what) {
  fprintf(stderr, "pmemobj: %s: %s\n", what, pmemobj_errormsg());
  exit(1);
}
static PMEMobjpool *create(const char *path, size_t size) {
  PMEMobjpool *pool = pmemobj_create(path, "bench", size < PMEMOBJ_MIN_POOL ? PMEMOBJ_MIN_POOL : size, 0644);
  if (!pool) fail(path);
  return pool;
}
static uint64_t *root(PMEMobjpool *pool) { return (uint64_t *)pmemobj_direct(pmemobj_root(pool, DURABLE_BYTES / 8)); }

static void open_create(const char *path, size_t size) {
  PMEMobjpool *pool = create(path, size);
  *(uint64_t *)pmemobj_direct(pmemobj_root(pool, 64)) = 1;
  pmemobj_close(pool);
}
static void open_reopen(const char *path, size_t size) {
  PMEMobjpool *pool = pmemobj_open(path, "bench");
  (void)size;
  if (!pool) fail(path);
  bench_sink = *(uint64_t *)pmemobj_direct(pmemobj_root(pool, 64));
  pmemobj_close(pool);
}

static void run_open(void) {
  const char *path = bench_path("bench.pmem");
  unlink(path);
  BENCH_EACH("W1 create 1 GiB, store, close", 5, unlink(path), open_create(path, (size_t)1 << 30));
  BENCH_EACH("W1 reopen 1 GiB, read, close", 20, (void)0, open_reopen(path, 0));
  unlink(path);
}

static void run_atomic(void) {
  const char *path = bench_path("bench.pmem");
  unlink(path);
  PMEMobjpool *pool = create(path, 0);
  uint64_t *value = (uint64_t *)pmemobj_direct(pmemobj_root(pool, 64));
  int ops = bench.quick ? 50 : 300;
  BENCH("W2 fetch_add, 1 thread", ops, 5, for (int i = 0; i < ops; i++) {
    *value += 1;
    pmemobj_persist(pool, value, sizeof *value);
  });
  pmemobj_close(pool);
  unlink(path);
}

static void run_durable(void) {
  const char *path = bench_path("bench.pmem");
  unlink(path);
  PMEMobjpool *pool = create(path, DURABLE_BYTES);
  uint64_t *words = root(pool), value = 1;
  memset(words, 1, DURABLE_BYTES / 8);
  pmemobj_persist(pool, words, DURABLE_BYTES / 8);
  DURABLE("W8 1 update", bench.peer, bench.quick ? 10 : 40, {
    words[durable_place(0) / 64] = value++;
    pmemobj_persist(pool, &words[durable_place(0) / 64], 8);
  });
  pmemobj_close(pool);
  unlink(path);
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"open", run_open}, {"atomic", run_atomic}, {"durable", run_durable}, {NULL, NULL}};
  return bench_main(argc, argv, "pmemobj", groups);
}
