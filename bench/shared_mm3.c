/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* shared_mm3.c: mm3's hashmap in W9, and the latency of insertions with growth and of appends. In W9 `mm3` takes the
 * file's lock once for a thousand writes, `mm3, own lock` once for each. */
#include <mm3/file.h>
#include <mm3/hashmap.h>
#include <mm3/segmented.h>
#include <mm3/struct.h>

#include "latency.h"
#include "shared.h"

#define STORE(FIELD) FIELD(map, hashmap(u64, u64)) FIELD(log, segmented(raw(64)))
MM3_STRUCT(store, STORE);
static struct mm3_file *file;
static struct store *store;
static struct mm3_error error;
#define MM3_NEED(condition) ((condition) ? (void)0 : (fprintf(stderr, "mm3: %s: %s\n", #condition, error.text), exit(1)))

static void create(void) {
  unlink(bench_path("bench.shared"));
  file = mm3_create(bench_path("bench.shared"), MM3_TYPE(store), NULL, &error);
  MM3_NEED(file);
  store = mm3_root(file, store);
}
static void shared_make(void) {
  create();
  for (uint64_t i = 0; i < SHARED_N; i++) MM3_NEED(mm3_hashmap_set(file, &store->map, shared_key(i), 1) == 0);
  mm3_close(file);
}
static void shared_drop(void) { unlink(bench_path("bench.shared")); }
static void shared_attach(int write) {
  (void)write;
  file = mm3_open(bench_path("bench.shared"), MM3_TYPE(store), NULL, &error);
  MM3_NEED(file);
  store = mm3_root(file, store);
}
static int own_lock;
static void shared_detach(void) {
  if (mm3_locked(file)) MM3_NEED(mm3_unlock(file) == 0);
  mm3_close(file);
}
static inline void shared_write(uint64_t key, uint64_t value) {
  if (own_lock) {
    MM3_NEED(mm3_hashmap_set(file, &store->map, shared_key(key), value) == 1);
    return;
  }
  static unsigned left;
  if (left == 0) {
    if (mm3_locked(file)) MM3_NEED(mm3_unlock(file) == 0);
    MM3_NEED(mm3_lock(file) == 0);
    left = 1000;
  }
  left--;
  MM3_NEED(mm3_hashmap_set_held(file, &store->map, shared_key(key), value) == 1);
}
static inline uint64_t shared_read(uint64_t key) {
  uint64_t value = 0;
  return mm3_hashmap_get(file, &store->map, shared_key(key), &value) == 0 ? value : 0;
}

static void run_shared(void) {
  shared_run();
  const char *peer = bench.peer;
  own_lock = 1, bench.peer = "mm3, own lock";
  shared_run();
  own_lock = 0, bench.peer = peer;
}

static void run_latency(void) {
  static uint8_t record[64];
  latency_begin();
  create();
  LATENCY("mm3", "an insertion", LATENCY_N, MM3_NEED(mm3_hashmap_set(file, &store->map, latency_key(i), i) == 0));
  LATENCY("mm3", "an append of 64 B", LATENCY_N, MM3_NEED(mm3_segmented_append_from(file, &store->log, &record) == 0));
  latency_end();
  mm3_close(file);
  unlink(bench_path("bench.shared"));
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"shared", run_shared}, {"latency", run_latency}, {NULL, NULL}};
  return bench_main(argc, argv, "mm3", groups);
}
