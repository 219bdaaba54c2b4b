/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* latency.h: the time of each single operation: p50, p99, p99.99 and the worst, while another process writes to the same
 * disk and flushes. Reading the clock is part of it, about 25 ns. Wall time. */
#ifndef MM3_BENCH_LATENCY_H
#define MM3_BENCH_LATENCY_H
#include "bench.h"

#include <signal.h>

static pid_t latency_child;

static void latency_begin(void) {
  const char *path = bench_path("bench.noise");
  latency_child = fork();
  BENCH_NEED(latency_child >= 0);
  if (latency_child) return;
  static unsigned char block[1 << 20];
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  for (uint64_t i = 0; fd >= 0; i++) {
    if (pwrite(fd, block, sizeof block, (off_t)(i % 32 << 20)) < 0 || (i % 8 == 7 && fdatasync(fd) < 0)) break;
    usleep(2000);
  }
  _exit(1);
}
static void latency_end(void) {
  kill(latency_child, SIGKILL);
  waitpid(latency_child, NULL, 0);
  unlink(bench_path("bench.noise"));
}

static int latency_compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void latency_rows(const char *peer, const char *what, uint32_t *all, size_t n) {
  static const struct { const char *name; double part; } points[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.99", 0.9999}, {"worst", 1}};
  char name[100];
  qsort(all, n, sizeof *all, latency_compare);
  for (int i = 0; i < 4; i++) {
    size_t at = (size_t)((double)n * points[i].part);
    snprintf(name, sizeof name, "Latency of %s, %s", what, points[i].name);
    bench_row_of(peer, name, all[at < n ? at : n - 1], "ns");
  }
}

/* The statement n times, `i` counting. */
#define LATENCY(peer, what, n, ...)                                                   \
  do {                                                                                \
    uint32_t *all_ = (uint32_t *)malloc((n) * sizeof *all_);                          \
    BENCH_NEED(all_);                                                                 \
    memset(all_, 1, (n) * sizeof *all_);                                              \
    for (size_t i = 0; i < (n); i++) {                                                \
      double start_ = bench_wall();                                                   \
      __VA_ARGS__;                                                                    \
      double length_ = bench_wall() - start_;                                         \
      all_[i] = length_ > 4e9 ? 4000000000u : (uint32_t)length_;                      \
    }                                                                                 \
    latency_rows(peer, what, all_, n);                                                \
    free(all_);                                                                       \
  } while (0)

#define LATENCY_N ((size_t)(bench.quick ? 300000 : 3000000))
static inline uint64_t latency_key(size_t i) { return bench_mix(i + 1) | 1; }

#endif
