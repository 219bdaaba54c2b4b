/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3.c: mm3 in W1, W2, W5 and W8. W2's raw rows are here, too: taken in turn with mm3's, in one process. */
#include "bench.h"

#include <mm3/atomic.h>
#include <mm3/file.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/struct.h>

static struct mm3_error error;
#define MM3_NEED(condition) ((condition) ? (void)0 : (fprintf(stderr, "mm3: %s: %s\n", #condition, error.text), exit(1)))

/* ---- W1 ---- */

#define MIB(FIELD) FIELD(bytes, ndarray(u8, 1048576))
MM3_STRUCT(mib, MIB);
#define GIB(FIELD) FIELD(bytes, ndarray(u8, 1073741824))
MM3_STRUCT(gib, GIB);
#define PART(FIELD) FIELD(bytes, ndarray(u8, 134217728))
MM3_STRUCT(part, PART);

static void open_create(const char *path, size_t size) {
  struct mm3_file *file = mm3_create(path, size < (size_t)1 << 30 ? MM3_TYPE(mib) : MM3_TYPE(gib), NULL, &error);
  MM3_NEED(file);
  unsigned char *at = size < (size_t)1 << 30 ? mm3_root(file, mib)->bytes.at : mm3_root(file, gib)->bytes.at;
  *(volatile unsigned char *)(at + 4096) = 1;
  MM3_NEED(mm3_close(file) == 0);
}

static void open_reopen(const char *path, size_t size) {
  struct mm3_file *file = mm3_open(path, size < (size_t)1 << 30 ? MM3_TYPE(mib) : MM3_TYPE(gib), NULL, &error);
  MM3_NEED(file);
  unsigned char *at = size < (size_t)1 << 30 ? mm3_root(file, mib)->bytes.at : mm3_root(file, gib)->bytes.at;
  bench_sink = *(volatile unsigned char *)(at + 4096);
  MM3_NEED(mm3_close(file) == 0);
}

#include "open.h"
#include "touch.h"

static void run_open(void) {
  open_run();
  for (int huge = 0; huge < 2; huge++) {
    struct mm3_options options = {.size = sizeof options, .flags = huge ? MM3_HUGE_PAGES : 0};
    const char *path = bench_path("bench.touch");
    touch_warm(touch_size());
    unlink(path);
    struct mm3_file *file = mm3_create(path, bench.quick ? MM3_TYPE(part) : MM3_TYPE(gib), &options, &error);
    MM3_NEED(file);
    touch_all(huge ? "mm3, huge pages" : "mm3", bench.quick ? mm3_root(file, part)->bytes.at : mm3_root(file, gib)->bytes.at,
              touch_size());
    mm3_close(file);
    unlink(path);
  }
}

/* ---- W2 ---- */

#include "par.h"

#define COUNTER(FIELD) FIELD(plain, u64) FIELD(value, atomic(u64))
MM3_STRUCT(counter, COUNTER);
struct raw_counter {
  uint64_t plain, value;
};
enum { ADDS = 2000000 };

static BENCH_NOINLINE void add_raw(struct raw_counter *c, size_t n) {
  for (size_t i = 0; i < n; i++) __atomic_fetch_add(&c->value, 1, __ATOMIC_SEQ_CST);
}
static BENCH_NOINLINE void add_mm3(struct counter *c, size_t n) {
  for (size_t i = 0; i < n; i++) mm3_atomic_fetch_add(&c->value, 1);
}
static BENCH_NOINLINE uint64_t load_raw(const struct raw_counter *c, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) { sum += c->plain; BENCH_BARRIER(); }
  return sum;
}
static BENCH_NOINLINE uint64_t load_mm3(const struct counter *c, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) { sum += c->plain; BENCH_BARRIER(); }
  return sum;
}
static BENCH_NOINLINE void store_raw(struct raw_counter *c, size_t n) {
  for (size_t i = 0; i < n; i++) { c->plain = i; BENCH_BARRIER(); }
}
static BENCH_NOINLINE void store_mm3(struct counter *c, size_t n) {
  for (size_t i = 0; i < n; i++) { c->plain = i; BENCH_BARRIER(); }
}
static void work_raw(void *arg, int worker) { (void)worker, add_raw((struct raw_counter *)arg, ADDS); }
static void work_mm3(void *arg, int worker) { (void)worker, add_mm3((struct counter *)arg, ADDS); }

static void run_atomic(void) {
  const char *path = bench_path("bench.counter");
  unlink(path);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(counter), NULL, &error);
  MM3_NEED(file);
  struct counter *c = mm3_root(file, counter);
  struct raw_counter *r = (struct raw_counter *)bench_map("bench.raw", 4096);
  BENCH_PAIR("W2 fetch_add, 1 thread", ADDS, 15, "raw", add_raw(r, ADDS), "mm3", add_mm3(c, ADDS));
  BENCH_PAIR("W2 field load", ADDS, 15, "raw", bench_sink = load_raw(r, ADDS), "mm3", bench_sink = load_mm3(c, ADDS));
  BENCH_PAIR("W2 field store", ADDS, 15, "raw", store_raw(r, ADDS), "mm3", store_mm3(c, ADDS));
  for (int processes = 0; processes < 2; processes++) {
    double raw[9], mm3[9];
    for (int i = 0; i < 9; i++) {
      raw[i] = par_run(2, processes, work_raw, r) / (2.0 * ADDS);
      mm3[i] = par_run(2, processes, work_mm3, c) / (2.0 * ADDS);
    }
    const char *name = processes ? "W2 fetch_add, 2 processes" : "W2 fetch_add, 2 threads";
    bench_row_of("raw", name, bench_median(raw, 9), "ns");
    bench_row_of("mm3", name, bench_median(mm3, 9), "ns");
  }
  BENCH("W2 lock and unlock", 200000, 7, for (int i = 0; i < 200000; i++) { mm3_lock(file); mm3_unlock(file); });
  mm3_close(file);
  unlink(path);
  bench_unmap("bench.raw", r, 4096);
}

/* ---- W5 ---- */

#include "append.h"

#define LOG(FIELD) FIELD(r16, segmented(raw(16))) FIELD(r64, segmented(raw(64))) FIELD(r256, segmented(raw(256)))
MM3_STRUCT(log, LOG);

#define APPEND_ALL(s, RECORD)                                                                                          \
  do {                                                                                                                 \
    mm3_lock(file);                                                                                                    \
    for (size_t i = 0; i < total / RECORD; i++) {                                                                      \
      if (i % 1000 == 999) mm3_unlock(file), mm3_lock(file);                                                           \
      MM3_NEED(mm3_segmented_append_from_held(file, s, (const uint8_t(*)[RECORD])append_record(i)) == 0);              \
    }                                                                                                                  \
    mm3_unlock(file);                                                                                                  \
  } while (0)

#define APPEND_RUN(peer, options, s, RECORD)                                                                           \
  do {                                                                                                                 \
    unlink(path);                                                                                                      \
    double start = bench_now();                                                                                        \
    struct mm3_file *file = mm3_create(path, MM3_TYPE(log), options, &error);                                          \
    MM3_NEED(file);                                                                                                    \
    struct log *log = mm3_root(file, log);                                                                             \
    APPEND_ALL(&log->s, RECORD);                                                                                       \
    bench_row_of(peer, append_name(RECORD, "cold"), (bench_now() - start) / (double)(total / RECORD), "ns");           \
    mm3_segmented_clear(file, &log->s);                                                                                \
    start = bench_now();                                                                                               \
    APPEND_ALL(&log->s, RECORD);                                                                                       \
    bench_row_of(peer, append_name(RECORD, "warm"), (bench_now() - start) / (double)(total / RECORD), "ns");           \
    mm3_segmented_clear(file, &log->s);                                                                                \
    start = bench_now();                                                                                               \
    for (size_t i = 0; i < total / RECORD; i++)                                                                        \
      mm3_segmented_append_from(file, &log->s, (const uint8_t(*)[RECORD])append_record(i));                            \
    if ((options)->flags)                                                                                              \
      bench_row_of("mm3, own lock", append_name(RECORD, "warm"), (bench_now() - start) / (double)(total / RECORD), "ns"); \
    uint64_t sum = 0;                                                                                                  \
    BENCH_OF(peer, append_name(RECORD, "scan"), total / RECORD, 3,                                                     \
          MM3_SEGMENTED_EACH(item, file, &log->s) sum += append_look(item, RECORD));                                   \
    bench_sink = sum;                                                                                                  \
    mm3_close(file);                                                                                                   \
    unlink(path);                                                                                                      \
  } while (0)

static void run_append(void) {
  size_t total = append_bytes();
  const char *path = bench_path("bench.append");
  const struct mm3_options huge = {.size = sizeof huge, .flags = MM3_HUGE_PAGES}, small = {.size = sizeof small};
  APPEND_RUN("mm3", &huge, r16, 16);
  APPEND_RUN("mm3", &huge, r64, 64);
  APPEND_RUN("mm3", &huge, r256, 256);
  APPEND_RUN("mm3, small pages", &small, r16, 16);
  APPEND_RUN("mm3, small pages", &small, r64, 64);
  APPEND_RUN("mm3, small pages", &small, r256, 256);
}

/* ---- W8 ---- */

#include "durable.h"

#define DURABLE_FIELDS(FIELD) FIELD(words, ndarray(u64, 8388608))
MM3_STRUCT(durable, DURABLE_FIELDS);

static void run_durable(void) {
  int times = bench.quick ? 10 : 40, few = bench.quick ? 3 : 7;
  const char *path = bench_path("bench.durable");
  unlink(path);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(durable), NULL, &error);
  MM3_NEED(file);
  unsigned char *at = (unsigned char *)mm3_root(file, durable)->words.at;
  memset(at, 1, DURABLE_BYTES);
  MM3_NEED(mm3_sync(file) == 0);
  uint64_t value = 1;
  DURABLE("W8 1 update", "mm3", times, { memcpy(at + durable_place(0), &value, 8); MM3_NEED(mm3_sync(file) == 0); });
  DURABLE("W8 1000 updates", "mm3", few, {
    for (size_t i = 0; i < 1000; i++) memcpy(at + durable_place(i), &value, 8);
    MM3_NEED(mm3_sync(file) == 0);
  });
  mm3_close(file);
  unlink(path);
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"open", run_open}, {"atomic", run_atomic}, {"append", run_append}, {"durable", run_durable}, {NULL, NULL}};
  return bench_main(argc, argv, "mm3", groups);
}
