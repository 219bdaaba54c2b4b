/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* raw.c: the limit of W1, W5, W7 and W8: plain C on a mapped file, and the system calls themselves. What memmap2 does. */
#include "bench.h"

/* ---- W1 ---- */

static void open_create(const char *path, size_t size) {
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  BENCH_NEED(fd >= 0 && fallocate(fd, 0, 0, (off_t)size) == 0);
  unsigned char *at = (unsigned char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  BENCH_NEED(at != MAP_FAILED);
  *(volatile unsigned char *)(at + 4096) = 1;
  munmap(at, size);
  close(fd);
}

static void open_reopen(const char *path, size_t size) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  struct stat st;
  BENCH_NEED(fd >= 0 && fstat(fd, &st) == 0);
  unsigned char *at = (unsigned char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  BENCH_NEED(at != MAP_FAILED);
  bench_sink = *(volatile unsigned char *)(at + 4096);
  munmap(at, size);
  close(fd);
}

#include "open.h"
#include "touch.h"

static void touch_with(const char *peer, int allocate, int advice) {
  size_t size = touch_size();
  const char *path = bench_path("bench.touch");
  touch_warm(size);
  unlink(path);
  int fd = open(path, O_RDWR | O_CREAT, 0644);
  BENCH_NEED(fd >= 0 && (allocate ? fallocate(fd, 0, 0, (off_t)size) : ftruncate(fd, (off_t)size)) == 0);
  unsigned char *reserve = (unsigned char *)mmap(NULL, size + TOUCH_HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *at = reserve + (TOUCH_HUGE - (uintptr_t)reserve % TOUCH_HUGE) % TOUCH_HUGE;
  at = (unsigned char *)mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  BENCH_NEED(at != MAP_FAILED);
  if (advice) madvise(at, size, advice);
  touch_all(peer, at, size);
  munmap(reserve, size + TOUCH_HUGE);
  close(fd);
  unlink(path);
}

static void run_open(void) {
  open_run();
  touch_with("raw ftruncate", 0, 0);
  touch_with("raw", 1, 0);
  touch_with("raw huge pages", 1, MADV_HUGEPAGE);
}

/* ---- W5: records, written one by one ---- */

#include "append.h"

static void append_raw(const char *peer, size_t record, int allocate, int advice) {
  size_t total = append_bytes();
  const char *path = bench_path("bench.append");
  unlink(path);
  double start = bench_now();
  int fd = open(path, O_RDWR | O_CREAT, 0644);
  BENCH_NEED(fd >= 0 && (allocate ? fallocate(fd, 0, 0, (off_t)total) : ftruncate(fd, (off_t)total)) == 0);
  unsigned char *reserve = (unsigned char *)mmap(NULL, total + TOUCH_HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *at = reserve + (TOUCH_HUGE - (uintptr_t)reserve % TOUCH_HUGE) % TOUCH_HUGE;
  at = (unsigned char *)mmap(at, total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  BENCH_NEED(at != MAP_FAILED);
  if (advice) BENCH_NEED(madvise(at, total, advice) == 0 || advice == MADV_HUGEPAGE);
  for (int pass = 0; pass < 2; pass++) {
    APPEND_SWITCH(record, for (size_t i = 0; i < total / RECORD; i++) {
      memcpy(at + i * RECORD, append_record(i), RECORD);
      BENCH_BARRIER();
    });
    bench_row_of(peer, append_name(record, pass ? "warm" : "cold"), (bench_now() - start) / (double)(total / record), "ns");
    start = bench_now();
  }
  if (allocate && advice != 23) {
    uint64_t sum = 0;
    BENCH_OF(peer, append_name(record, "scan"), total / record, 3,
             APPEND_SWITCH(record, for (size_t i = 0; i < total / RECORD; i++) sum += append_look(at + i * RECORD, RECORD)));
    bench_sink = sum;
  }
  munmap(reserve, total + TOUCH_HUGE);
  close(fd);
  unlink(path);
}

static void append_write(size_t record) {
  size_t total = append_bytes() / 16;
  const char *path = bench_path("bench.append");
  unlink(path);
  double start = bench_now();
  int fd = open(path, O_RDWR | O_CREAT, 0644);
  for (size_t i = 0; i < total / record; i++) BENCH_NEED(write(fd, append_record(i), record) == (ssize_t)record);
  bench_row_of("write(2)", append_name(record, "cold"), (bench_now() - start) / (double)(total / record), "ns");
  close(fd);
  unlink(path);
  start = bench_now();
  FILE *file = fopen(path, "w");
  BENCH_NEED(file && setvbuf(file, NULL, _IOFBF, 65536) == 0);
  for (size_t i = 0; i < total / record; i++) BENCH_NEED(fwrite(append_record(i), record, 1, file) == 1);
  fclose(file);
  bench_row_of("fwrite", append_name(record, "cold"), (bench_now() - start) / (double)(total / record), "ns");
  unlink(path);
}

static void run_append(void) {
  for (size_t record = 16; record <= 256; record *= 4) {
    append_raw("raw", record, 1, 0);
    append_raw("raw ftruncate", record, 0, 0);
    append_raw("raw populate", record, 1, 23 /* MADV_POPULATE_WRITE */);
    append_raw("raw huge pages", record, 1, MADV_HUGEPAGE);
    append_write(record);
  }
}

/* ---- W7: what a text that is ready costs ---- */

static void run_json(void) {
  static unsigned char from[65536], to[65536];
  memset(from, 'x', sizeof from);
  BENCH("W7 store 1 KiB", 20000, 7, for (int i = 0; i < 20000; i++) { memcpy(to, from, 1024); BENCH_BARRIER(); });
  BENCH("W7 text 1 KiB", 20000, 7, for (int i = 0; i < 20000; i++) { memcpy(to, from, 1024); BENCH_BARRIER(); });
  BENCH("W7 store 64 KiB", 1000, 7, for (int i = 0; i < 1000; i++) { memcpy(to, from, 65536); BENCH_BARRIER(); });
  BENCH("W7 text 64 KiB", 1000, 7, for (int i = 0; i < 1000; i++) { memcpy(to, from, 65536); BENCH_BARRIER(); });
}

/* ---- W8 ---- */

#include "durable.h"

static void run_durable(void) {
  int times = bench.quick ? 10 : 40, few = bench.quick ? 3 : 7;
  const char *path = bench_path("bench.durable");
  unlink(path);
  int fd = open(path, O_RDWR | O_CREAT, 0644);
  BENCH_NEED(fd >= 0);
  static unsigned char page[4096];
  for (size_t i = 0; i < DURABLE_BYTES; i += 4096) BENCH_NEED(pwrite(fd, page, 4096, (off_t)i) == 4096);
  BENCH_NEED(fsync(fd) == 0);
  uint64_t value = 1;
  DURABLE("W8 1 update", "raw", times, BENCH_NEED(pwrite(fd, &value, 8, durable_place(0)) == 8 && fdatasync(fd) == 0));
  DURABLE("W8 1000 updates", "raw pwrite", few, {
    for (int i = 0; i < 1000; i++) BENCH_NEED(pwrite(fd, &value, 8, durable_place(i)) == 8);
    BENCH_NEED(fdatasync(fd) == 0);
  });
  unsigned char *at = (unsigned char *)mmap(NULL, DURABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  BENCH_NEED(at != MAP_FAILED);
  DURABLE("W8 1 update", "raw msync", times, {
    memcpy(at + durable_place(0), &value, 8);
    BENCH_NEED(msync(at + durable_place(0) / 4096 * 4096, 4096, MS_SYNC) == 0);
  });
  DURABLE("W8 1000 updates", "raw msync", few, {
    for (int i = 0; i < 1000; i++) memcpy(at + durable_place(i), &value, 8);
    BENCH_NEED(msync(at, DURABLE_BYTES, MS_SYNC) == 0);
  });
  munmap(at, DURABLE_BYTES);
  /* A log: 24 bytes an update, one write, one flush. */
  off_t end = 0;
  static unsigned char log[24000];
  BENCH_NEED(fallocate(fd, 0, 0, (off_t)DURABLE_BYTES) == 0);
  DURABLE("W8 1000 updates", "raw", times, {
    for (int i = 0; i < 1000; i++) memcpy(log + i * 24, &value, 8);
    BENCH_NEED(pwrite(fd, log, sizeof log, end) == (ssize_t)sizeof log && fdatasync(fd) == 0);
    end = (off_t)((size_t)(end + (off_t)sizeof log) % (DURABLE_BYTES - sizeof log));
  });
  close(fd);
  unlink(path);
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"open", run_open}, {"append", run_append}, {"json", run_json}, {"durable", run_durable}, {NULL, NULL}};
  return bench_main(argc, argv, "raw", groups);
}
