/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* shared_raw.c: the limit of W9: slots in a mapped file, known beforehand, each with a sequence count; and the latency of
 * plain stores into a new mapped file. */
#include "latency.h"
#include "shared.h"

struct slot {
  uint64_t sequence, value;
};
static struct slot *slots;
static const size_t bytes = SHARED_N * sizeof *slots;

static void shared_make(void) {
  slots = (struct slot *)bench_map("bench.shared", bytes);
  for (size_t i = 0; i < SHARED_N; i++) slots[i].value = 1;
}
static void shared_drop(void) { bench_unmap("bench.shared", slots, bytes); }
static void shared_attach(int write) { (void)write; }
static void shared_detach(void) {}
static inline void shared_write(uint64_t key, uint64_t value) {
  struct slot *slot = &slots[key];
  uint64_t sequence = slot->sequence;
  __atomic_store_n(&slot->sequence, sequence + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __atomic_store_n(&slot->value, value, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->sequence, sequence + 2, __ATOMIC_RELEASE);
}
static inline uint64_t shared_read(uint64_t key) {
  struct slot *slot = &slots[key];
  for (;;) {
    uint64_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    uint64_t value = __atomic_load_n(&slot->value, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!(sequence & 1) && __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) == sequence) return value;
  }
}

static void run_latency(void) {
  size_t size = LATENCY_N * 64;
  latency_begin();
  unsigned char *at = (unsigned char *)bench_map("bench.shared", size);
  LATENCY("raw", "an insertion", LATENCY_N, memcpy(at + latency_key(i) % LATENCY_N * 16, &i, 8));
  bench_unmap("bench.shared", at, size);
  at = (unsigned char *)bench_map("bench.shared", size);
  LATENCY("raw", "an append of 64 B", LATENCY_N, memset(at + i * 64, 1, 64));
  latency_end();
  bench_unmap("bench.shared", at, size);
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"shared", shared_run}, {"latency", run_latency}, {NULL, NULL}};
  return bench_main(argc, argv, "raw", groups);
}
