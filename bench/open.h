/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* open.h: W1's rows, for peers that give
 *   void open_create(const char *path, size_t size)    a new file of at least `size` bytes; stores into one page; closes
 *   void open_reopen(const char *path, size_t size)    opens it and reads from one page; closes */
#ifndef MM3_BENCH_OPEN_H
#define MM3_BENCH_OPEN_H
#include "bench.h"

#define OPEN_MIB ((size_t)1 << 20)
#define OPEN_GIB ((size_t)1 << 30)

static void open_run(void) {
  const char *path = bench_path("bench.open");
  int few = bench.quick ? 5 : 10;
  unlink(path);
  BENCH_EACH("W1 create 1 MiB, store, close", 40, unlink(path), open_create(path, OPEN_MIB));
  BENCH_EACH("W1 reopen 1 MiB, read, close", 200, (void)0, open_reopen(path, OPEN_MIB));
  unlink(path);
#ifndef OPEN_SMALL
  BENCH_EACH("W1 create 1 GiB, store, close", few, unlink(path), open_create(path, OPEN_GIB));
  BENCH_EACH("W1 reopen 1 GiB, read, close", 200, (void)0, open_reopen(path, OPEN_GIB));
  unlink(path);
#else
  (void)few;
#endif
}

#endif
