/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The change counter: what moves it, who is woken, and who is not asked to. */
#include "mm3files.h"

#include <pthread.h>

static uint64_t ms_since(uint64_t start) { return (mm3test_now_ns() - start) / 1000000; }

static void unlock_and_notify_move_it_and_stores_do_not(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  if (!file) return;
  uint32_t before = mm3_changes(file);
  mm3_root(file, sample)->value = 1;
  CHECK_EQ(mm3_changes(file), before);
  CHECK_EQ(mm3_lock(file), 0);
  CHECK_EQ(mm3_changes(file), before);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_EQ(mm3_changes(file), before + 1);
  CHECK_EQ(mm3_notify(file), 0);
  CHECK_EQ(mm3_changes(file), before + 2);
  CHECK_EQ(mm3_wait(file, before, 1000), 1);
  uint64_t start = mm3test_now_ns();
  CHECK_EQ(mm3_wait(file, before + 2, 40), 0);
  CHECK(ms_since(start) >= 39 && ms_since(start) < 2000);
  CHECK_EQ(mm3_wait(file, before + 2, 0), 0);
  mm3_close(file);
}

static void the_counter_may_wrap(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  if (!file) return;
  PUT(mm3i_handle_of(file)->super->changes, 0xfffffffe);
  uint32_t before = mm3_changes(file);
  CHECK_EQ(before, 0x7fffffff);
  CHECK_EQ(mm3_wait(file, before, 5), 0);
  CHECK_EQ(mm3_notify(file), 0);
  CHECK_EQ(mm3_changes(file), 0);
  CHECK_EQ(mm3_wait(file, before, 5), 1);
  mm3_close(file);
}

struct sleeper {
  struct mm3_file *file;
  uint32_t seen;
  int result;
  uint64_t woken_ns;
};

static void *sleeps(void *arg) {
  struct sleeper *sleeper = arg;
  sleeper->result = mm3_wait(sleeper->file, sleeper->seen, 20000);
  sleeper->woken_ns = mm3test_now_ns();
  return NULL;
}

static int wakes;
static int (*real_wake)(const uint32_t *, int);
static int counting_wake(const uint32_t *word, int count) {
  __atomic_fetch_add(&wakes, 1, __ATOMIC_SEQ_CST);
  return real_wake(word, count);
}

/* One round; *best keeps each sleeper's shortest time, for the machine may be busy. */
static void sleep_and_wake(struct mm3_file *files[3], int by_unlock, uint64_t best[6]) {
  struct sleeper sleepers[6];
  pthread_t threads[6];
  for (int i = 0; i < 6; i++) {
    sleepers[i] = (struct sleeper){files[i % 3], mm3_changes(files[0]), -1, 0};
    CHECK_EQ(pthread_create(&threads[i], NULL, sleeps, &sleepers[i]), 0);
  }
  mm3test_sleep_ms(30);
  uint64_t start = mm3test_now_ns();
  if (by_unlock) CHECK_EQ(mm3_lock(files[0]), 0), CHECK_EQ(mm3_unlock(files[0]), 0);
  else mm3_notify(files[1]);
  for (int i = 0; i < 6; i++) {
    pthread_join(threads[i], NULL);
    CHECK_EQ(sleepers[i].result, 1);
    uint64_t took = sleepers[i].woken_ns - start;
    if (took < best[i]) best[i] = took;
  }
}

/* Those that may write well before they would look by themselves, a tenth of a second after they lay down. */
static int woken_in_time(const uint64_t best[6]) {
  for (int i = 0; i < 6; i++)
    if (best[i] >= (i % 3 == 2 ? 200u : 50u) * UINT64_C(1000000)) return 0;
  return 1;
}

static void sleepers_in_all_handles_are_woken(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  struct mm3_file *files[3] = {file, sample_open(path, 0), sample_open(path, MM3_READ_ONLY)};
  if (!file || !files[1] || !files[2]) return;
  for (int by_unlock = 0; by_unlock < 2; by_unlock++) {
    uint64_t best[6] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (int round = 0; round < 2 || (!woken_in_time(best) && round < 50); round++) sleep_and_wake(files, by_unlock, best);
    CHECK(woken_in_time(best));
  }
  for (int i = 0; i < 3; i++) mm3_close(files[i]);
}

static void nobody_waiting_costs_no_system_call(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  if (!file) return;
  real_wake = mm3i_sys.futex_wake;
  mm3i_sys.futex_wake = counting_wake;
  for (int i = 0; i < 100; i++) CHECK_EQ(mm3_lock(file), 0), CHECK_EQ(mm3_unlock(file), 0), mm3_notify(file);
  CHECK_EQ(wakes, 0);
  CHECK_EQ(mm3_wait(file, mm3_changes(file), 5), 0); /* leaves the bit */
  mm3_notify(file);
  CHECK_EQ(wakes, 1);
  mm3_notify(file);
  CHECK_EQ(wakes, 1);
  mm3i_sys.futex_wake = real_wake;
  mm3_close(file);
}

static void a_wake_that_is_lost_costs_a_tenth_of_a_second(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  pthread_t thread;
  if (!file) return;
  struct sleeper sleeper = {file, mm3_changes(file), -1, 0};
  pthread_create(&thread, NULL, sleeps, &sleeper);
  mm3test_sleep_ms(20);
  uint64_t start = mm3test_now_ns();
  /* a process that was killed between the counter's step and its call */
  __atomic_fetch_add(&mm3i_handle_of(file)->super->changes, 2, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  CHECK_EQ(sleeper.result, 1);
  CHECK(ms_since(start) < 2000);
  mm3_close(file);
}

MM3_TEST_SUITE("wait", {"unlock and notify move it and stores do not", unlock_and_notify_move_it_and_stores_do_not},
               {"the counter may wrap", the_counter_may_wrap},
               {"sleepers in all handles are woken", sleepers_in_all_handles_are_woken},
               {"nobody waiting costs no system call", nobody_waiting_costs_no_system_call},
               {"a wake that is lost costs a tenth of a second", a_wake_that_is_lost_costs_a_tenth_of_a_second})
