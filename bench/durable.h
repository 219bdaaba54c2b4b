/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* durable.h: W8: one update, or 1000 scattered ones, in a file of 64 MiB; then all is on the disk. Wall time. */
#ifndef MM3_BENCH_DURABLE_H
#define MM3_BENCH_DURABLE_H
#include "bench.h"

#define DURABLE_BYTES ((size_t)64 << 20)
#define DURABLE_WORDS (DURABLE_BYTES / 8)

/* Where update i lies: scattered, each in a page of its own nearly always. */
static inline long durable_place(size_t i) { return (long)(bench_mix(i) % DURABLE_WORDS * 8); }

#define DURABLE(workload, peer_, times, ...)                         \
  do {                                                               \
    double all_[64];                                                 \
    for (int time_ = 0; time_ < (times); time_++) {                  \
      double start_ = bench_wall();                                  \
      __VA_ARGS__;                                                   \
      all_[time_] = bench_wall() - start_;                           \
    }                                                                \
    bench_row_of(peer_, workload, bench_median(all_, times), "ns");  \
  } while (0)

#endif
