/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "mm3show.h"
#include "mm3test.h"

#include <mm3/atomic.h>
#include <mm3/file.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ALL(FIELD)                                                                                        \
  FIELD(a, atomic(u8)) FIELD(b, atomic(u16)) FIELD(c, atomic(u32)) FIELD(d, atomic(u64)) FIELD(e, atomic(usize)) \
  FIELD(f, atomic(i8)) FIELD(g, atomic(i16)) FIELD(h, atomic(i32)) FIELD(i, atomic(i64)) FIELD(j, atomic(isize)) \
  FIELD(k, atomic(bool))
MM3_STRUCT(all, ALL);

/* Each operation on each integer type, beside the same on plain C values, over values at the edges. */
#define OPERATIONS(word, T)                                                                               \
  static void operations_##word(void) {                                                                   \
    static const uint64_t edges[] = {0, 1, 2, 0x55, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 1u << 31, UINT32_MAX, \
                                     UINT64_C(1) << 63, INT64_MAX, UINT64_MAX};                           \
    MM3_VALUE(atomic(word)) at;                                                                           \
    int wrong = 0, count = sizeof edges / sizeof edges[0];                                                \
    for (int x = 0; x < count; x++)                                                                       \
      for (int y = 0; y < count; y++) {                                                                   \
        T a = (T)edges[x], b = (T)edges[y];                                                               \
        uint64_t ua = (uint64_t)a, ub = (uint64_t)b;                                                      \
        WANT((void)0, a, a);                                                                              \
        WANT(wrong += mm3_atomic_exchange(&at, b) != a, a, b);                                            \
        WANT(wrong += mm3_atomic_fetch_add(&at, b) != a, a, (T)(ua + ub));                                \
        WANT(wrong += mm3_atomic_fetch_sub(&at, b) != a, a, (T)(ua - ub));                                \
        WANT(wrong += mm3_atomic_fetch_and(&at, b) != a, a, (T)(ua & ub));                                \
        WANT(wrong += mm3_atomic_fetch_or(&at, b) != a, a, (T)(ua | ub));                                 \
        WANT(wrong += mm3_atomic_fetch_xor(&at, b) != a, a, (T)(ua ^ ub));                                \
        WANT(wrong += mm3_atomic_fetch_min(&at, b) != a, a, a < b ? a : b);                               \
        WANT(wrong += mm3_atomic_fetch_max(&at, b) != a, a, a > b ? a : b);                               \
        WANT(wrong += mm3_atomic_add(&at, b) != a, a, (T)(ua + ub));                                      \
        WANT(wrong += mm3_atomic_sub(&at, b) != a, a, (T)(ua - ub));                                      \
        WANT(wrong += mm3_atomic_inc(&at) != a, a, (T)(ua + 1));                                          \
        WANT(wrong += mm3_atomic_dec(&at) != a, a, (T)(ua - 1));                                          \
        WANT(wrong += mm3_atomic_fetch_add_explicit(&at, b, memory_order_relaxed) != a, a, (T)(ua + ub)); \
        WANT(wrong += mm3_atomic_fetch_max_explicit(&at, b, memory_order_release) != a, a, a > b ? a : b); \
        WANT(wrong += mm3_atomic_fetch_min_explicit(&at, b, memory_order_acq_rel) != a, a, a < b ? a : b); \
        T expected = b;                                                                                   \
        WANT(wrong += mm3_atomic_compare_exchange(&at, &expected, (T)5) != (a == b), a, a == b ? (T)5 : a); \
        wrong += expected != a;                                                                           \
        WANT(mm3_atomic_store_explicit(&at, b, memory_order_release), a, b);                              \
        WANT(mm3_atomic_set(&at, b), a, b);                                                               \
        wrong += mm3_atomic_load_explicit(&at, memory_order_acquire) != b || mm3_atomic_get(&at) != b;    \
      }                                                                                                   \
    CHECK_EQ(wrong, 0);                                                                                   \
    CHECK_EQ(sizeof at, sizeof(T));                                                                       \
    CHECK_EQ(alignof(__typeof__(at)), sizeof(T));                                                         \
  }
#define WANT(operation, before, after)         \
  mm3_atomic_store(&at, before);               \
  operation;                                   \
  wrong += mm3_atomic_load(&at) != (after)

OPERATIONS(u8, uint8_t)
OPERATIONS(u16, uint16_t)
OPERATIONS(u32, uint32_t)
OPERATIONS(u64, uint64_t)
OPERATIONS(usize, uint64_t)
OPERATIONS(i8, int8_t)
OPERATIONS(i16, int16_t)
OPERATIONS(i32, int32_t)
OPERATIONS(i64, int64_t)
OPERATIONS(isize, int64_t)

static void weak_exchange_changes_in_the_end(void) {
  MM3_VALUE(atomic(u32)) at = {7};
  uint32_t expected = 3;
  CHECK_EQ(mm3_atomic_compare_exchange_weak(&at, &expected, 1u), 0);
  CHECK_EQ(expected, 7);
  while (!mm3_atomic_compare_exchange_weak_explicit(&at, &expected, expected + 1, memory_order_acq_rel,
                                                    memory_order_relaxed)) {}
  CHECK_EQ(mm3_atomic_load(&at), 8);
}

static char byte_of(const struct mm3_atomic_bool *at) { return *(const char *)at; }

static void bool_is_zero_or_one(void) {
  struct mm3_atomic_bool at = {0};
  mm3_atomic_store(&at, 5);
  CHECK_EQ(byte_of(&at), 1);
  CHECK_EQ(mm3_atomic_exchange(&at, 256), 1);
  CHECK_EQ(byte_of(&at), 1);
  CHECK_EQ(mm3_atomic_fetch_xor(&at, 2), 1);
  CHECK_EQ(byte_of(&at), 0);
  CHECK_EQ(mm3_atomic_fetch_or(&at, 4), 0);
  CHECK_EQ(byte_of(&at), 1);
  CHECK_EQ(mm3_atomic_fetch_and(&at, 8), 1);
  CHECK_EQ(byte_of(&at), 1);
  bool expected = false;
  CHECK_EQ(mm3_atomic_compare_exchange(&at, &expected, false), 0);
  CHECK_EQ(expected, true);
  CHECK_EQ(mm3_atomic_compare_exchange_weak(&at, &expected, false), 1);
  CHECK_EQ(byte_of(&at), 0);
}

static void damaged_bool_is_true_and_ends_loops(void) {
  struct mm3_atomic_bool at = {7};
  CHECK_EQ(mm3_atomic_load(&at), 1);
  bool expected = false;
  CHECK_EQ(mm3_atomic_compare_exchange(&at, &expected, true), 0);
  CHECK_EQ(expected, true);
  CHECK_EQ(mm3_atomic_compare_exchange(&at, &expected, true), 1);
  CHECK_EQ(byte_of(&at), 1);
}

static int evaluations;
static struct mm3_atomic_u32 *counted(struct mm3_atomic_u32 *at) { return evaluations++, at; }

static void arguments_are_evaluated_once(void) {
  struct mm3_atomic_u32 at = {1};
  uint32_t n = 1;
  mm3_atomic_store(counted(&at), n++);
  mm3_atomic_fetch_add(counted(&at), n++);
  mm3_atomic_fetch_max(counted(&at), n++);
  mm3_atomic_compare_exchange(counted(&at), (uint32_t[]){3}, n++);
  CHECK_EQ(mm3_atomic_load(counted(&at)), 4);
  CHECK_EQ(evaluations, 5);
  CHECK_EQ(n, 5);
}

/* ---- many at once ---- */

struct shared {
  struct mm3_atomic_u64 sum, least, most;
  struct mm3_atomic_u32 turns, bits;
  struct mm3_atomic_bool flag;
};
static struct shared *shared;
enum { WORKERS = 4 };
static unsigned rounds(void) { return mm3test_tool()[0] ? 5000 : 100000; }

static void work(unsigned number) {
  for (unsigned i = 0; i < rounds(); i++) {
    mm3_atomic_inc(&shared->sum);
    mm3_atomic_fetch_min(&shared->least, 1000000 - (uint64_t)i * WORKERS - number);
    mm3_atomic_fetch_max(&shared->most, (uint64_t)i * WORKERS + number);
    uint32_t now = mm3_atomic_load_explicit(&shared->turns, memory_order_relaxed);
    while (!mm3_atomic_compare_exchange_weak(&shared->turns, &now, now + 2)) {}
  }
  mm3_atomic_fetch_or(&shared->bits, 1u << number);
}

static void check_work(unsigned workers) {
  uint64_t each = rounds(), top = (each - 1) * WORKERS + workers - 1;
  CHECK_EQ(mm3_atomic_load(&shared->sum), each * workers);
  CHECK_EQ(mm3_atomic_load(&shared->turns), 2 * each * workers);
  CHECK_EQ(mm3_atomic_load(&shared->most), top);
  CHECK_EQ(mm3_atomic_load(&shared->least), 1000000 - top);
  CHECK_EQ(mm3_atomic_load(&shared->bits), (1u << workers) - 1);
}

static int child(void *number) { return work(*(unsigned *)number), 0; }
static void *thread(void *number) { return work(*(unsigned *)number), NULL; }

static void share(void) {
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  mm3_atomic_store(&shared->least, UINT64_MAX);
}

static void processes_lose_nothing(void) {
  unsigned numbers[WORKERS];
  pid_t children[WORKERS];
  share();
  for (unsigned i = 0; i < WORKERS; i++) numbers[i] = i, children[i] = mm3test_spawn(child, &numbers[i]);
  for (unsigned i = 0; i < WORKERS; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  check_work(WORKERS);
  munmap(shared, 4096);
}

static void threads_lose_nothing(void) {
  unsigned numbers[WORKERS];
  pthread_t threads[WORKERS];
  share();
  for (unsigned i = 0; i < WORKERS; i++) numbers[i] = i, pthread_create(&threads[i], NULL, thread, &numbers[i]);
  for (unsigned i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  check_work(WORKERS);
  munmap(shared, 4096);
}

/* A release store publishes plain memory to an acquire load: ThreadSanitizer sees whether the orders are real. */
static uint64_t payload;
static void *publisher(void *unused) {
  (void)unused;
  payload = 42;
  mm3_atomic_store_explicit(&shared->flag, 1, memory_order_release);
  return NULL;
}

static void release_and_acquire_publish(void) {
  pthread_t other;
  share();
  payload = 0;
  pthread_create(&other, NULL, publisher, NULL);
  while (!mm3_atomic_load_explicit(&shared->flag, memory_order_acquire)) {}
  CHECK_EQ(payload, 42);
  pthread_join(other, NULL);
  munmap(shared, 4096);
}

/* ---- the table ---- */

static struct mm3_file *new_file(void) {
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(all), NULL, &show_error);
  if (!CHECK(file != NULL)) printf("%s\n", show_error.text);
  return file;
}

static void shows_and_takes_values(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  CHECK_STR(show(file, ""), "{a=0,b=0,c=0,d=0,e=0,f=0,g=0,h=0,i=0,j=0,k=false}");
  CHECK_OK(show_put(file, "a", an_int(255)), show_error);
  CHECK_OK(show_put(file, "d", a_uint(UINT64_MAX)), show_error);
  CHECK_OK(show_put(file, "e", a_text("18446744073709551615")), show_error);
  CHECK_OK(show_put(file, "f", an_int(-128)), show_error);
  CHECK_OK(show_put(file, "h", a_text("-2147483648")), show_error);
  CHECK_OK(show_put(file, "i", an_int(INT64_MIN)), show_error);
  CHECK_OK(show_put(file, "j", a_text("-9223372036854775808")), show_error);
  CHECK_OK(show_put(file, "k", a_bool(1)), show_error);
  CHECK_STR(show(file, ""), "{a=255,b=0,c=0,d=18446744073709551615,e=18446744073709551615,f=-128,g=0,h=-2147483648,"
                            "i=-9223372036854775808,j=-9223372036854775808,k=true}");
  const struct all *all = mm3_root_const(file, all);
  CHECK_EQ(mm3_atomic_load(&all->f), -128);
  CHECK_EQ(mm3_atomic_load(&all->k), 1);
  CHECK_OK(mm3_close(file), show_error);
}

static void refuses_what_does_not_fit(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  static const struct {
    const char *path, *sentence;
    struct mm3_value value;
  } rows[] = {
      {"a", "256 does not fit atomic(u8), which takes 0 to 255", {.is = MM3_INT, .as.integer = 256}},
      {"a", "-1 does not fit atomic(u8), which takes 0 to 255", {.is = MM3_INT, .as.integer = -1}},
      {"e", "-1 does not fit atomic(usize), which takes 0 to 18446744073709551615", {.is = MM3_INT, .as.integer = -1}},
      {"f", "128 does not fit atomic(i8), which takes -128 to 127", {.is = MM3_INT, .as.integer = 128}},
      {"f", "-129 does not fit atomic(i8)", {.is = MM3_INT, .as.integer = -129}},
      {"i", "9223372036854775808 does not fit atomic(i64), which takes -9223372036854775808 to 9223372036854775807",
       {.is = MM3_UINT, .as.natural = UINT64_C(1) << 63}},
      {"d", "18446744073709551616 does not fit", {.is = MM3_TEXT, .as.text = "18446744073709551616", .count = 20}},
      {"d", "99999999999999999999 does not fit", {.is = MM3_TEXT, .as.text = "99999999999999999999", .count = 20}},
      {"d", "wants an integer, found a string", {.is = MM3_TEXT, .as.text = "5x", .count = 2}},
      {"d", "wants an integer, found a string", {.is = MM3_TEXT, .as.text = "", .count = 0}},
      {"d", "wants an integer, found a string", {.is = MM3_TEXT, .as.text = "-", .count = 1}},
      {"d", "wants an integer, found a number with a fraction", {.is = MM3_REAL, .as.real = 1.5}},
      {"d", "wants an integer, found true", {.is = MM3_BOOL, .as.boolean = 1}},
      {"d", "wants an integer, found null", {.is = MM3_NULL}},
      {"k", "wants true or false, found an integer", {.is = MM3_INT, .as.integer = 1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    CHECK_FAILS(show_put(file, rows[i].path, rows[i].value), -MM3_E_VALUE, show_error);
    CHECK_HAS(show_error.text, rows[i].sentence);
    CHECK_STR(show_error.field, rows[i].path);
  }
  CHECK_STR(show(file, ""), "{a=0,b=0,c=0,d=0,e=0,f=0,g=0,h=0,i=0,j=0,k=false}");
  CHECK_OK(mm3_close(file), show_error);
}

static void adds_without_wrapping(void) {
  struct mm3_file *file = new_file();
  char now[48];
  if (!file) return;
  CHECK_OK(show_sum(file, "d", an_int(5), now), show_error);
  CHECK_STR(now, "5");
  CHECK_OK(show_sum(file, "d", an_int(-2), now), show_error);
  CHECK_STR(now, "3");
  CHECK_FAILS(show_sum(file, "d", an_int(-4), now), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "3 plus -4 does not fit atomic(u64), which takes 0 to 18446744073709551615");
  CHECK_FAILS(show_sum(file, "d", a_uint(UINT64_MAX), now), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_sum(file, "d", a_text("99999999999999999999"), now), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "d"), "3");
  CHECK_OK(show_sum(file, "f", an_int(-128), now), show_error);
  CHECK_STR(now, "-128");
  CHECK_FAILS(show_sum(file, "f", an_int(-1), now), -MM3_E_VALUE, show_error);
  CHECK_OK(show_sum(file, "f", an_int(255), now), show_error);
  CHECK_STR(now, "127");
  CHECK_OK(show_sum(file, "i", a_uint(UINT64_C(1) << 63), now) == -MM3_E_VALUE ? 0 : -1, show_error);
  CHECK_OK(show_put(file, "i", an_int(INT64_MIN)), show_error);
  CHECK_OK(show_sum(file, "i", a_uint(UINT64_MAX), now), show_error);
  CHECK_STR(now, "9223372036854775807");
  CHECK_FAILS(show_sum(file, "k", an_int(1), now), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_sum(file, "a", a_bool(1), now), -MM3_E_VALUE, show_error);
  CHECK_OK(mm3_close(file), show_error);
}

static int add_by_path(void *file) {
  char now[48];
  for (int i = 0; i < 1000; i++)
    if (show_sum(file, "c", an_int(3), now)) return 1;
  return 0;
}

static void adds_by_path_lose_nothing(void) {
  struct mm3_file *file = new_file();
  pid_t children[WORKERS];
  if (!file) return;
  for (int i = 0; i < WORKERS; i++) children[i] = mm3test_spawn(add_by_path, file);
  for (int i = 0; i < WORKERS; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  CHECK_EQ(mm3_atomic_load(&mm3_root(file, all)->c), WORKERS * 3000);
  CHECK_OK(mm3_close(file), show_error);
}

static void check_finds_a_damaged_bool(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  memset(mm3_root(file, all), 0xff, sizeof(struct all));
  CHECK_OK(show_check(file, "j"), show_error);
  CHECK_STR(show(file, "d"), "18446744073709551615");
  CHECK_STR(show(file, "j"), "-1");
  *(char *)&mm3_root(file, all)->k = 7;
  CHECK_FAILS(show_check(file, "k"), -MM3_E_DAMAGED, show_error);
  CHECK_HAS(show_error.text, "atomic(bool) holds the byte 7, wanted 0 or 1");
  CHECK_STR(show(file, "k"), "damaged:07");
  CHECK_OK(mm3_close(file), show_error);
}

static void refuses_other_types(void) {
  static const char *const types[] = {"atomic",       "atomic()",     "atomic(u128)", "atomic(i128)",
                                      "atomic(f32)",  "atomic(f64)",  "atomic(char)", "atomic(8)",
                                      "atomic(u8, u8)", "atomic(raw(4))", "atomic(atomic(u8))"};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    char schema[80], out[200];
    snprintf(schema, sizeof schema, "struct s { x: %s }", types[i]);
    show_error.text[0] = 0;
    CHECK_FAILS(mm3_schema_format(schema, out, sizeof out, NULL, &show_error), -MM3_E_SCHEMA, show_error);
    if (i >= 2 && i < 7) CHECK_HAS(show_error.text, "wanted u8 u16 u32 u64 i8 i16 i32 i64 usize isize or bool");
  }
}

static int second_process(void *unused) {
  (void)unused;
  struct mm3_file *file = mm3_open(mm3test_path("a.mm3"), MM3_TYPE(all), NULL, &show_error);
  if (!file || mm3_atomic_fetch_add(&mm3_root(file, all)->h, 10) != -7) return 1;
  return mm3_close(file) != 0;
}

static void second_process_sees_and_adds(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  mm3_atomic_store(&mm3_root(file, all)->h, -7);
  CHECK_EQ(mm3test_fork(second_process, NULL), 0);
  CHECK_EQ(mm3_atomic_load(&mm3_root(file, all)->h), 3);
  CHECK_OK(mm3_close(file), show_error);
  file = mm3_open(mm3test_path("a.mm3"), MM3_TYPE(all), NULL, &show_error);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_atomic_load(&mm3_root(file, all)->h), 3);
  CHECK_OK(mm3_close(file), show_error);
}

MM3_TEST_SUITE("atomic", {"u8: every operation, at the edges", operations_u8},
               {"u16: every operation, at the edges", operations_u16},
               {"u32: every operation, at the edges", operations_u32},
               {"u64: every operation, at the edges", operations_u64},
               {"usize: every operation, at the edges", operations_usize},
               {"i8: every operation, at the edges", operations_i8},
               {"i16: every operation, at the edges", operations_i16},
               {"i32: every operation, at the edges", operations_i32},
               {"i64: every operation, at the edges", operations_i64},
               {"isize: every operation, at the edges", operations_isize},
               {"a weak exchange changes the value in the end", weak_exchange_changes_in_the_end},
               {"a bool becomes 0 or 1 whatever is stored", bool_is_zero_or_one},
               {"a damaged bool reads as true and ends exchange loops", damaged_bool_is_true_and_ends_loops},
               {"arguments are evaluated once", arguments_are_evaluated_once},
               {"processes that count together lose nothing", processes_lose_nothing},
               {"threads that count together lose nothing", threads_lose_nothing},
               {"a release store publishes to an acquire load", release_and_acquire_publish},
               {"fields show their values and take new ones by path", shows_and_takes_values},
               {"a value that does not fit is refused with the range, the old one stays", refuses_what_does_not_fit},
               {"add by path gives the sum and never wraps", adds_without_wrapping},
               {"adds by path from several processes lose nothing", adds_by_path_lose_nothing},
               {"check finds a bool that is neither 0 nor 1", check_finds_a_damaged_bool},
               {"other types than integers of 64 bits and bool are refused in words", refuses_other_types},
               {"a second process and a second opening see the values", second_process_sees_and_adds})
