/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * bench.h: what the programs of bench/ share: the clock, repetition, rows, files. C11 and C++17.
 *
 * A program is one peer. `PROGRAM groups` lists the groups of workloads that it knows; `PROGRAM GROUP FOLDER [quick]` runs
 * one of them once, with its files in FOLDER, and prints one line a figure:
 *
 *     workload \t peer \t figure \t unit
 *
 * run.sh starts each program five times or more, in another order each time, and makes the table of it.
 *
 * THE CLOCK is the wall's. BENCH_CLOCK=cpu counts the thread's own time instead, kernel included, where a group has one
 * thread and does not wait for a disk: for machines that others use meanwhile.
 */
#ifndef MM3_BENCH_H
#define MM3_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BENCH_UNUSED __attribute__((unused))
#define BENCH_BARRIER() __asm__ volatile("" ::: "memory")
#define BENCH_NOINLINE __attribute__((noinline))

struct bench {
  const char *peer, *folder;
  int quick;
};
BENCH_UNUSED static struct bench bench;
BENCH_UNUSED static volatile uint64_t bench_sink;

BENCH_UNUSED static void bench_die(const char *what) {
  fprintf(stderr, "%s: %s: %s\n", bench.peer, what, strerror(errno));
  exit(1);
}
#define BENCH_NEED(condition) ((condition) ? (void)0 : bench_die(#condition))

/* ---- time ---- */

static inline double bench_clock(clockid_t clock) {
  struct timespec t;
  BENCH_BARRIER();
  clock_gettime(clock, &t);
  BENCH_BARRIER();
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static inline double bench_wall(void) { return bench_clock(CLOCK_MONOTONIC); }
static inline double bench_now(void) {
  static int cpu = -1;
  if (cpu < 0) {
    const char *word = getenv("BENCH_CLOCK");
    cpu = word && strcmp(word, "cpu") == 0;
  }
  return bench_clock(cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

BENCH_UNUSED static int bench_compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
BENCH_UNUSED static double bench_median(double *all, int n) {
  qsort(all, (size_t)n, sizeof *all, bench_compare);
  return n % 2 ? all[n / 2] : (all[n / 2 - 1] + all[n / 2]) / 2;
}

/* ---- rows ---- */

BENCH_UNUSED static void bench_row_of(const char *peer, const char *workload, double figure, const char *unit) {
  printf("%s\t%s\t%.6g\t%s\n", workload, peer, figure, unit);
  fflush(stdout);
}
BENCH_UNUSED static void bench_row(const char *workload, double figure, const char *unit) {
  bench_row_of(bench.peer, workload, figure, unit);
}

/* Runs the statement `times` times; the row is the median, in ns for each of `ops` operations. _OF: of another peer. */
#define BENCH_OF(peer_, workload, ops, times, ...)                                                       \
  do {                                                                                                   \
    double all_[times];                                                                                  \
    for (int time_ = 0; time_ < (times); time_++) {                                                      \
      double start_ = bench_now();                                                                       \
      __VA_ARGS__;                                                                                       \
      all_[time_] = (bench_now() - start_) / (double)(ops);                                              \
    }                                                                                                    \
    bench_row_of(peer_, workload, bench_median(all_, times), "ns");                                      \
  } while (0)
#define BENCH(workload, ops, times, ...) BENCH_OF(bench.peer, workload, ops, times, __VA_ARGS__)

/* Each run is a row of its own making: `before` is not timed, `body` is, once each time. */
#define BENCH_EACH(workload, times, before, body)                                                        \
  do {                                                                                                   \
    double all_[times];                                                                                  \
    for (int time_ = 0; time_ < (times); time_++) {                                                      \
      before;                                                                                            \
      double start_ = bench_now();                                                                       \
      body;                                                                                              \
      all_[time_] = bench_now() - start_;                                                                \
    }                                                                                                    \
    bench_row(workload, bench_median(all_, times), "ns");                                                \
  } while (0)

/* Two things that are to be compared closely: in turn, in one process. */
#define BENCH_PAIR(workload, ops, times, peer_a, a, peer_b, b)                                           \
  do {                                                                                                   \
    double all_a_[times], all_b_[times];                                                                 \
    for (int time_ = 0; time_ < (times); time_++) {                                                      \
      double start_ = bench_now();                                                                       \
      a;                                                                                                 \
      double middle_ = bench_now();                                                                      \
      b;                                                                                                 \
      all_a_[time_] = (middle_ - start_) / (double)(ops);                                                \
      all_b_[time_] = (bench_now() - middle_) / (double)(ops);                                           \
    }                                                                                                    \
    bench_row_of(peer_a, workload, bench_median(all_a_, times), "ns");                                   \
    bench_row_of(peer_b, workload, bench_median(all_b_, times), "ns");                                   \
  } while (0)

/* ---- numbers ---- */

static inline uint64_t bench_mix(uint64_t x) {
  x += UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return x ^ x >> 31;
}
static inline uint64_t bench_random(uint64_t *state) { return bench_mix((*state)++); }

/* ---- files ---- */

/* FOLDER/name, good until the fourth following call. */
BENCH_UNUSED static const char *bench_path(const char *name) {
  static char paths[4][600];
  static int turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", bench.folder, name);
  return path;
}

/* A new file of `size` bytes with real allocation, mapped. */
BENCH_UNUSED static void *bench_map(const char *name, size_t size) {
  const char *path = bench_path(name);
  unlink(path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  BENCH_NEED(fd >= 0);
  BENCH_NEED(fallocate(fd, 0, 0, (off_t)size) == 0);
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  BENCH_NEED(at != MAP_FAILED);
  close(fd);
  return at;
}
BENCH_UNUSED static void bench_unmap(const char *name, void *at, size_t size) {
  munmap(at, size);
  unlink(bench_path(name));
}

/* Memory that several processes share. */
BENCH_UNUSED static void *bench_shared(size_t size) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  BENCH_NEED(at != MAP_FAILED);
  return at;
}

/* ---- the program ---- */

struct bench_group {
  const char *name;
  void (*run)(void);
};

BENCH_UNUSED static int bench_main(int argc, char **argv, const char *peer, const struct bench_group *groups) {
  bench.peer = peer;
  if (argc == 2 && strcmp(argv[1], "groups") == 0) {
    for (; groups->name; groups++) puts(groups->name);
    return 0;
  }
  if (argc < 3) return fprintf(stderr, "%s GROUP FOLDER [quick], or %s groups\n", argv[0], argv[0]), 2;
  bench.folder = argv[2];
  bench.quick = argc > 3 && strcmp(argv[3], "quick") == 0;
  for (; groups->name; groups++)
    if (strcmp(groups->name, argv[1]) == 0) return groups->run(), 0;
  return fprintf(stderr, "%s: no group %s\n", argv[0], argv[1]), 2;
}

#endif
