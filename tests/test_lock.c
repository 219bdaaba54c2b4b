/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file's lock among the living: exclusion, deadlines, threads, slots. test_lock_dead.c has the dead. */
#include "mm3files.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

static uint64_t ms_since(uint64_t start) { return (mm3test_now_ns() - start) / 1000000; }

static void one_holds_it_and_others_are_told(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = sample_new(path), *two = sample_open(path, 0);
  if (!one || !two) return;
  CHECK_EQ(mm3_unlock(one), -EPERM);
  CHECK_EQ(mm3_locked(one), 0);
  CHECK_EQ(mm3_lock(one), 0);
  CHECK_EQ(mm3_locked(one), 1);
  CHECK_EQ(mm3_locked(two), 0);
  CHECK_EQ(mm3_lock(one), -EDEADLK);
  CHECK_EQ(mm3_trylock(one), -EDEADLK);
  CHECK_EQ(mm3_trylock(two), -MM3_E_BUSY);
  CHECK_EQ(mm3_unlock(two), -EPERM);
  uint64_t start = mm3test_now_ns();
  CHECK_EQ(mm3_lock_for(two, 60), -MM3_E_BUSY);
  CHECK(ms_since(start) >= 59 && ms_since(start) < 2000);
  CHECK_EQ(mm3_close(one), -EBUSY);
  CHECK_EQ(mm3_unlock(one), 0);
  CHECK_EQ(mm3_trylock(two), 0);
  CHECK_EQ(mm3_unlock(two), 0);
  CHECK_EQ(mm3_close(one), 0);
  CHECK_EQ(mm3_close(two), 0);
}

struct work {
  struct mm3_file *file;
  int rounds, failures;
};

static void *count_up(void *arg) {
  struct work *work = arg;
  struct sample *root = mm3_root(work->file, sample);
  for (int i = 0; i < work->rounds; i++) {
    if (mm3_lock(work->file) < 0) work->failures++;
    root->value++; /* plain: only the lock keeps it whole */
    if (mm3_unlock(work->file) < 0) work->failures++;
  }
  return NULL;
}

static void threads_and_handles_exclude_each_other(void) {
  enum { THREADS = 6 };
  const char *path = mm3test_path("a.mm3");
  int rounds = mm3test_tool()[0] ? 300 : 5000;
  struct mm3_file *files[2] = {sample_new(path), sample_open(path, 0)};
  struct work work[THREADS];
  pthread_t threads[THREADS];
  if (!files[0] || !files[1]) return;
  for (int i = 0; i < THREADS; i++) {
    work[i] = (struct work){files[i % 2], rounds, 0};
    CHECK_EQ(pthread_create(&threads[i], NULL, count_up, &work[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL), CHECK_EQ(work[i].failures, 0);
  CHECK_EQ(mm3_root(files[0], sample)->value, (uint64_t)rounds * THREADS);
  mm3_close(files[0]), mm3_close(files[1]);
}

static int process_counts(void *arg) {
  struct work work = {sample_open(arg, 0), mm3test_tool()[0] ? 300 : 5000, 0};
  if (!work.file) return 1;
  count_up(&work);
  return work.failures || mm3_close(work.file) ? 2 : 0;
}

static void processes_exclude_each_other(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  pid_t children[4];
  if (!file) return;
  for (int i = 0; i < 4; i++) children[i] = mm3test_spawn(process_counts, path);
  for (int i = 0; i < 4; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  CHECK_EQ(mm3_root(file, sample)->value, (mm3test_tool()[0] ? 300 : 5000) * 4);
  mm3_close(file);
}

/* The parent holds the lock; the child has the handle, not the lock. */
static int child_locks(void *arg) {
  struct mm3_file *file = arg;
  if (mm3_locked(file) || mm3_unlock(file) != -EPERM) return 1;
  mm3_root(file, sample)->value++;
  if (mm3_lock_for(file, 20) != -MM3_E_BUSY) return 2;
  if (mm3i_handle_of(file)->slot == 0) return 3;
  return mm3_close(file) ? 4 : 0;
}

static int child_counts(void *arg) {
  struct work work = {arg, 500, 0};
  count_up(&work);
  return work.failures;
}

static void a_forked_child_locks_on_its_own(void) {
  struct mm3_error error = {0};
  struct mm3_file *files[2] = {sample_new(mm3test_path("a.mm3")), mm3_open_anonymous(MM3_TYPE(sample), NULL, &error)};
  for (int i = 0; i < 2; i++) {
    struct mm3_file *file = files[i];
    if (!CHECK(file != NULL)) return;
    CHECK_EQ(mm3_lock(file), 0);
    CHECK_EQ(mm3test_fork(child_locks, file), 0);
    CHECK_EQ(mm3_root(file, sample)->value, 1);
    CHECK_EQ(mm3_unlock(file), 0);
    pid_t child = mm3test_spawn(child_counts, file);
    struct work work = {file, 500, 0};
    count_up(&work);
    CHECK_EQ(mm3test_wait(child), 0);
    CHECK_EQ(work.failures, 0);
    CHECK_EQ(mm3_root(file, sample)->value, 1001);
    CHECK_EQ(mm3_close(file), 0);
  }
}

static void *take_and_end(void *arg) {
  struct sample *root = mm3_root((struct mm3_file *)arg, sample);
  if (mm3_lock(arg) < 0) return arg;
  mm3_intents(arg)[0] = 11;
  mm3_certify(arg, SAMPLE_BOTH, PAIR_SET, PAIR_WRITING);
  root->both.a = 11;
  return NULL;
}

static void a_thread_that_ended_with_the_lock_is_succeeded(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  pthread_t thread;
  void *result;
  if (!file) return;
  pthread_create(&thread, NULL, take_and_end, file);
  pthread_join(thread, &result);
  CHECK(result == NULL);
  uint64_t start = mm3test_now_ns();
  CHECK_EQ(mm3_lock(file), 1);
  CHECK(ms_since(start) < 1000);
  CHECK_EQ(mm3_root(file, sample)->both.b, 11);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

static void *unlocks(void *arg) { return mm3_unlock(arg) ? arg : NULL; }

static void another_thread_may_unlock(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  pthread_t thread;
  void *result;
  if (!file) return;
  CHECK_EQ(mm3_lock(file), 0);
  pthread_create(&thread, NULL, unlocks, file);
  pthread_join(thread, &result);
  CHECK(result == NULL);
  CHECK_EQ(mm3_trylock(file), 0);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

static void *jumps(void *arg) {
  mm3i_thread_id();
  mm3i_lock_abandon(arg);
  return NULL;
}

static void a_jump_of_another_thread_leaves_the_lock_alone(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  pthread_t thread;
  if (!file) return;
  CHECK_EQ(mm3_lock(file), 0);
  pthread_create(&thread, NULL, jumps, file);
  pthread_join(thread, NULL);
  CHECK_EQ(mm3_locked(file), 1);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

static void a_scribbled_word_hangs_nobody(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = sample_new(path), *two = sample_open(path, 0);
  if (!one || !two) return;
  uint32_t *word = &mm3i_handle_of(one)->super->lock;
  uint32_t alive = (mm3i_handle_of(one)->slot + 1) << MM3I_LOCK_OWNER_SHIFT | 77;
  PUT(*word, alive); /* it names somebody who lives, and does not hold it */
  CHECK_EQ(mm3_lock_for(two, 50), -MM3_E_BUSY);
  CHECK_EQ(mm3_lock_for(one, 50), -MM3_E_BUSY);
  CHECK_EQ(mm3_trylock(one), -MM3_E_BUSY);
  const uint32_t nobodys[] = {0xffffffff, MM3I_LOCK_WAITERS | 200u << MM3I_LOCK_OWNER_SHIFT, 129u << MM3I_LOCK_OWNER_SHIFT,
                              100u << MM3I_LOCK_OWNER_SHIFT};
  for (int i = 0; i < 4; i++) {
    PUT(*word, nobodys[i]);
    CHECK_EQ(i % 2 ? mm3_trylock(two) : mm3_lock(two), 1);
    CHECK_EQ(mm3_unlock(two), 0);
  }
  const uint32_t free_words[] = {0x00012345, MM3I_LOCK_WAITERS, MM3I_LOCK_WAITERS | 3};
  for (int i = 0; i < 3; i++) { /* nobody, whatever the other bits say */
    PUT(*word, free_words[i]);
    CHECK_EQ(mm3_lock(two), 0);
    CHECK_EQ(mm3_unlock(two), 0);
    CHECK_EQ(LOOK(*word), 0);
  }
  mm3_close(one), mm3_close(two);
}

static void all_slots_taken_refuses_the_lock_only(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = sample_new(path);
  struct mm3_file_info info = {0};
  if (!one) return;
  int fd = open(path, O_RDWR);
  for (uint32_t i = 1; i < MM3I_SLOTS; i++) CHECK_EQ(mm3i_ofd(fd, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_SLOT + i), 0);
  struct mm3_file *two = sample_open(path, 0);
  if (!two) return;
  CHECK_EQ(mm3_trylock(two), -MM3_E_BUSY);
  CHECK_EQ(mm3_lock_for(two, 30), -MM3_E_BUSY);
  mm3_root(two, sample)->value = 8; /* all else works */
  CHECK_EQ(mm3_root(one, sample)->value, 8);
  CHECK_EQ(mm3i_ofd(fd, F_OFD_SETLK, F_UNLCK, MM3I_BYTE_SLOT + 100), 0);
  CHECK_EQ(mm3_trylock(two), 0);
  CHECK_EQ(mm3i_handle_of(two)->slot, 100);
  mm3_file_describe(one, &info);
  CHECK_EQ(info.nowners, 2);
  CHECK_EQ(info.owners[1].slot, 100);
  CHECK_EQ(info.owners[1].holds_lock, 1);
  CHECK_EQ(mm3_unlock(two), 0);
  close(fd);
  mm3_close(one), mm3_close(two);
}

static void exclusive_means_no_other_writer(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  struct mm3_file *file = sample_new(path);
  CHECK_FAILS(refusal(path, MM3_EXCLUSIVE, &error), -MM3_E_BUSY, error);
  CHECK_HAS(error.text, "others have it open for writing");
  mm3_close(file);
  struct mm3_file *reader = sample_open(path, MM3_READ_ONLY), *only = sample_open(path, MM3_EXCLUSIVE);
  CHECK_FAILS(refusal(path, 0, &error), -MM3_E_BUSY, error);
  CHECK_HAS(error.text, "exclusively");
  CHECK_FAILS(refusal(path, MM3_EXCLUSIVE, &error), -MM3_E_BUSY, error);
  CHECK_EQ(refusal(path, MM3_READ_ONLY, &error), 0);
  mm3_close(only);
  CHECK_EQ(refusal(path, 0, &error), 0);
  mm3_close(reader);
}

static void an_opener_waits_no_longer_than_its_timeout(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  mm3_close(sample_new(path));
  int fd = open(path, O_RDWR);
  CHECK_EQ(mm3i_ofd(fd, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_OPENING), 0);
  for (uint32_t flags = 0; flags <= MM3_READ_ONLY; flags++) {
    CHECK_FAILS(refusal(path, flags, &error), -MM3_E_BUSY, error);
    CHECK_HAS(error.text, "has been opening it for 200 ms");
  }
  close(fd);
  CHECK_EQ(refusal(path, 0, &error), 0);
}

static void a_failed_recovery_locks_the_file_out(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  CHECK_EQ(mm3_lock(file), 0);
  mm3_intents(file)[0] = 5;
  mm3_certify(file, SAMPLE_BOTH, PAIR_SET, PAIR_WRITING);
  mm3_root(file, sample)->both.a = 5;
  mm3i_lock_abandon(file); /* what a guard's jump does */
  CHECK_EQ(mm3_locked(file), 0);
  CHECK_EQ(mm3_unlock(file), -EPERM);
  pair_refuses = 1;
  CHECK_EQ(mm3_lock(file), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_trylock(file), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_check(file, NULL, NULL), 2); /* the lock, and the pair itself */
  mm3_close(file);
  if (!(file = sample_open(path, 0))) return; /* plain fields stay usable */
  CHECK_EQ(mm3_lock(file), -MM3_E_DAMAGED);
  pair_refuses = 0;
  CHECK_EQ(mm3_lock(file), 1);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_EQ(mm3_root(file, sample)->both.b, 5);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

struct pair_of_files {
  struct mm3_file *files[2];
  int failures;
};

static void *lock_both(void *arg) {
  struct pair_of_files *pair = arg;
  for (int i = 0; i < 300; i++) {
    if (mm3_lock_many(pair->files, 2) < 0) pair->failures++;
    mm3_root(pair->files[0], sample)->value++;
    mm3_root(pair->files[1], sample)->value++;
    if (mm3_unlock_many(pair->files, 2) < 0) pair->failures++;
  }
  return NULL;
}

static void several_files_are_locked_without_deadlock(void) {
  const char *a = mm3test_path("a.mm3"), *b = mm3test_path("b.mm3");
  struct pair_of_files one = {{sample_new(a), sample_new(b)}, 0};
  struct pair_of_files two = {{sample_open(b, 0), sample_open(a, 0)}, 0};
  pthread_t thread;
  if (!one.files[0] || !one.files[1] || !two.files[0] || !two.files[1]) return;
  pthread_create(&thread, NULL, lock_both, &two);
  lock_both(&one);
  pthread_join(thread, NULL);
  CHECK_EQ(one.failures + two.failures, 0);
  CHECK_EQ(mm3_root(one.files[0], sample)->value, 600);
  struct mm3_file *same[2] = {one.files[0], two.files[1]};
  CHECK_EQ(mm3_lock_many(same, 2), -EDEADLK);
  CHECK_EQ(mm3_locked(one.files[0]) + mm3_locked(two.files[1]), 0);
  CHECK_EQ(mm3_lock_many(NULL, 0), 0);
  mm3i_handle_of(one.files[0])->timeout_ms = mm3i_handle_of(one.files[1])->timeout_ms = 20;
  CHECK_EQ(mm3_lock(two.files[0]), 0);
  CHECK_EQ(mm3_lock_many(one.files, 2), -MM3_E_BUSY);
  CHECK_EQ(mm3_locked(one.files[0]) + mm3_locked(one.files[1]), 0);
  CHECK_EQ(mm3_unlock(two.files[0]), 0);
  for (int i = 0; i < 2; i++) mm3_close(one.files[i]), mm3_close(two.files[i]);
}

MM3_TEST_SUITE("lock", {"one holds it and others are told", one_holds_it_and_others_are_told},
               {"threads and handles exclude each other", threads_and_handles_exclude_each_other},
               {"processes exclude each other", processes_exclude_each_other},
               {"a forked child locks on its own", a_forked_child_locks_on_its_own},
               {"a thread that ended with the lock is succeeded", a_thread_that_ended_with_the_lock_is_succeeded},
               {"another thread may unlock", another_thread_may_unlock},
               {"another thread jumped: the lock stays", a_jump_of_another_thread_leaves_the_lock_alone},
               {"a scribbled word hangs nobody", a_scribbled_word_hangs_nobody},
               {"all slots taken refuses the lock only", all_slots_taken_refuses_the_lock_only},
               {"exclusive means no other writer", exclusive_means_no_other_writer},
               {"an opener waits no longer than its timeout", an_opener_waits_no_longer_than_its_timeout},
               {"a failed recovery locks the file out", a_failed_recovery_locks_the_file_out},
               {"several files are locked without deadlock", several_files_are_locked_without_deadlock})
