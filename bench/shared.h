/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * shared.h: W9: one process overwrites values of 100,000 entries u64 -> u64, others read them; ns an operation on each
 * side. Wall time. A peer gives
 *   void shared_make(void), shared_drop(void)      entries 0..SHARED_N-1
 *   void shared_attach(int write), shared_detach(void)     in each process
 *   void shared_write(uint64_t key, uint64_t value), uint64_t shared_read(uint64_t key)     0 is not there
 */
#ifndef MM3_BENCH_SHARED_H
#define MM3_BENCH_SHARED_H
#include "bench.h"

#include "par.h"

#define SHARED_N 100000
static void shared_make(void), shared_drop(void), shared_attach(int write), shared_detach(void);
static inline void shared_write(uint64_t key, uint64_t value);
static inline uint64_t shared_read(uint64_t key);
static inline uint64_t shared_key(uint64_t i) { return i * UINT64_C(0x9E3779B97F4A7C15) | 1; }

static void shared_work(void *arg, int worker) {
  double *result = (double *)arg, length = bench.quick ? 1.5e8 : 4e8;
  uint64_t state = (uint64_t)worker * 1000003 + 1, ops = 0, missing = 0;
  shared_attach(worker == 0);
  double start = bench_wall(), end = start;
  do {
    for (int i = 0; i < 64; i++, ops++) {
      uint64_t key = bench_random(&state) % SHARED_N;
      if (worker == 0) shared_write(key, ops + 1);
      else missing += shared_read(key) == 0;
    }
    end = bench_wall();
  } while (end - start < length);
  result[worker] = (end - start) / (double)ops;
  if (missing) fprintf(stderr, "%s: %llu keys not found\n", bench.peer, (unsigned long long)missing), _exit(1);
  shared_detach();
}

static void shared_run(void) {
  double *result = (double *)bench_shared(4096);
  shared_make();
  for (int readers = 1; readers <= 3; readers += 2) {
    par_run(1 + readers, 1, shared_work, result);
    double sum = 0;
    for (int i = 1; i <= readers; i++) sum += result[i];
    bench_row(readers == 1 ? "W9 writer, 1 reader" : "W9 writer, 3 readers", result[0], "ns");
    bench_row(readers == 1 ? "W9 reader, 1 reader" : "W9 reader, 3 readers", sum / readers, "ns");
  }
  shared_drop();
  munmap(result, 4096);
}

#endif
