/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* touch.h: the first store into each page of a large new file, in random order. */
#ifndef MM3_BENCH_TOUCH_H
#define MM3_BENCH_TOUCH_H
#include "bench.h"

#define TOUCH_HUGE ((size_t)1 << 21)

static size_t touch_size(void) { return bench.quick ? (size_t)1 << 27 : (size_t)1 << 30; }

/* Large pages come from memory that the host may not have backed yet: have as much of it used once before. */
static void touch_warm(size_t size) {
  unsigned char *at = (unsigned char *)mmap(NULL, size + TOUCH_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  BENCH_NEED(at != MAP_FAILED);
  madvise(at, size + TOUCH_HUGE, MADV_HUGEPAGE);
  for (size_t i = 0; i < size + TOUCH_HUGE; i += 4096) *(volatile unsigned char *)(at + i) = 1;
  munmap(at, size + TOUCH_HUGE);
}

static void touch_all(const char *peer, unsigned char *at, size_t size) {
  size_t pages = size / 4096;
  double start = bench_now();
  for (size_t i = 0, page = 1; i < pages; i++) {
    page = (page * 5 + 12345) % pages; /* every page once: a full period for a power of two */
    *(volatile unsigned char *)(at + page * 4096 + 8) = 1;
  }
  bench_row_of(peer, bench.quick ? "W1 first touch, random, 128 MiB" : "W1 first touch, random, 1 GiB", (bench_now() - start) / (double)pages, "ns");
}

#endif
