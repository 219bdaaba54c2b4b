/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Everything at once: processes of several threads do random operations on all kinds in one file, and are killed at
 * random moments; a reader follows without the lock. What they do is written beside the file first as begun, then as
 * done (the board), so that each answer has a least and a most:
 *
 *     atomic    done before the call <= what it returns <= begun after it; what is added is there once
 *     map       a key's version never lies below the last one done nor above the last one begun, and never goes back
 *     log       each writer's items are there from the first on, in order, none twice, none missing
 *     total     a plain u64 under the lock: no update is lost, whoever dies where
 *     others    each value is a text or a number that says whether it is whole
 *
 * The threads' half has no kills and runs under TSan too. MM3_TORTURE=1: minutes. MM3TEST_SEED repeats the choices.
 */
#include "mm3test.h"
#include "torture.h"

#include <mm3/field.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- one operation each ---- */

static void add_atomic(struct worker *w) {
  bool looks = worth_a_sum(w);
  uint64_t by = 1 + next(w) % 5, least = looks ? sum_of(w->board, offsetof(struct life, added)) : 0, old;
  if (least < w->last_sum) least = w->last_sum;
  STORE(life_of(w)->adding, life_of(w)->adding + by);
  old = mm3_atomic_fetch_add(&w->root->sum, by);
  STORE(life_of(w)->added, life_of(w)->added + by);
  if (old < least || (looks && old + by > sum_of(w->board, offsetof(struct life, adding))))
    violation(w, "a sum that cannot be");
  w->last_sum = old + by;
}

static void add_plain(struct worker *w) {
  if (!take(w)) return;
  STORE(life_of(w)->counting, life_of(w)->counting + 1);
  w->root->total = w->root->total + 1;
  STORE(life_of(w)->counted, life_of(w)->counted + 1);
  give(w);
}

static void append_log(struct worker *w) {
  uint64_t done = worth_a_sum(w) ? sum_of(w->board, offsetof(struct life, appended)) : 0;
  if (mm3_segmented_len(&w->root->log) < done) violation(w, "a log shorter than what was appended");
  uint32_t number = life_of(w)->appending;
  STORE(life_of(w)->appending, number + 1);
  if (answered(w, "append", mm3_segmented_append(w->file, &w->root->log, log_item(w->number, w->life, number))))
    STORE(life_of(w)->appended, number + 1);
  else
    STORE(life_of(w)->appending, number);
}

static void raise_version(struct worker *w) {
  uint64_t key = next(w) % KEYS, value = 0;
  struct version *v = &w->board->versions[key];
  if (!take(w)) return;
  int found = mm3_hashmap_get(w->file, &w->root->versions, key, &value);
  uint64_t version = found == 0 ? value >> 16 : 0;
  if (found != 0 && found != -MM3_E_ABSENT) answered(w, "get", found);
  if (version < v->done || version > v->begun) violation(w, "a version that the lock's holder cannot see");
  STORE(v->begun, version + 1);
  if (answered(w, "set", mm3_hashmap_set_held(w->file, &w->root->versions, key, (version + 1) << 16 | key)))
    STORE(v->done, version + 1);
  give(w);
}

static void read_version(struct worker *w) {
  uint64_t key = next(w) % KEYS, value = 0, least = LOAD(w->board->versions[key].done);
  int result = mm3_hashmap_get(w->file, &w->root->versions, key, &value);
  if (result == -MM3_E_AGAIN) return;
  if (result != 0 && result != -MM3_E_ABSENT) answered(w, "get", result);
  uint64_t most = LOAD(w->board->versions[key].begun), version = result == 0 ? value >> 16 : 0;
  if (result == 0 && (value & 0xffff) != key) violation(w, "another key's value");
  if (version < least || version > most || version < w->seen[key]) violation(w, "a version out of its time");
  w->seen[key] = version;
}

static void change_texts(struct worker *w) {
  char text[2000];
  uint64_t n = next(w);
  if (!take(w)) return;
  whole_text(text, n, 40);
  answered(w, "string", mm3_string_set(&w->root->name, text));
  whole_text(text, n, 24);
  answered(w, "string_array", mm3_string_array_set(&w->root->tags, n % 6, text));
  whole_text(text, n, 1 + n % 1500);
  answered(w, "text", mm3_text_set_held(w->file, &w->root->title, text));
  char key[16];
  snprintf(key, sizeof key, "key %u", (unsigned)(n >> 8) % 200);
  if (n & 1)
    answered(w, "texts", mm3_hashmap_set_held(w->file, &w->root->notes, key, text));
  else if (mm3_hashmap_remove_held(w->file, &w->root->notes, key) == -MM3_E_DAMAGED)
    violation(w, "a damaged map of texts");
  give(w);
}

static void change_shape(struct worker *w) { /* tables are replaced, the heap moves */
  uint64_t n = next(w) % 8;
  if (!take(w)) return;
  if (n == 0) answered(w, "reserve", mm3_hashmap_reserve_held(w->file, &w->root->versions, 2 * KEYS));
  if (n == 1) answered(w, "shrink", mm3_hashmap_shrink_held(w->file, &w->root->versions));
  if (n == 2) answered(w, "shrink", mm3_hashmap_shrink_held(w->file, &w->root->notes));
  if (n == 3) answered(w, "clear", mm3_hashmap_clear_held(w->file, &w->root->notes));
  if (n == 4) answered(w, "clear", mm3_text_clear_held(w->file, &w->root->title));
  if (n == 5)
    answered(w, "reserve", mm3_segmented_reserve_held(w->file, &w->root->log, mm3_segmented_len(&w->root->log) + 500));
  give(w);
}

static void change_vec(struct worker *w) {
  uint64_t n = next(w), item;
  if (!take(w)) return;
  switch (n % 5) {
  case 0:
  case 1:
    w->ignored += mm3_vec_push(&w->root->recent, whole_number(n));
    break;
  case 2:
    w->ignored += mm3_vec_insert_held(w->file, &w->root->recent, n % 8, whole_number(n));
    break;
  case 3:
    w->ignored += mm3_vec_remove_held(w->file, &w->root->recent, n % 8);
    break;
  default:
    w->ignored += mm3_vec_pop(&w->root->recent, &item);
  }
  *mm3_ndarray_at(&w->root->grid, w->number % 4, n % 4) = whole_number(n);
  give(w);
}

static void read_others(struct worker *w) {
  char text[2000];
  size_t length;
  uint64_t n = next(w), item;
  if (mm3_string_get(&w->root->name, text, sizeof text, &length) == 0) text_is_whole(w, text, length);
  if (mm3_string_array_get(&w->root->tags, n % 6, text, sizeof text, &length) == 0) text_is_whole(w, text, length);
  if (mm3_text_get(w->file, &w->root->title, text, sizeof text, &length) == 0) text_is_whole(w, text, length);
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  char key[16];
  snprintf(key, sizeof key, "key %u", (unsigned)(n >> 8) % 200);
  int result = mm3_hashmap_get(w->file, &w->root->notes, key, &buf);
  if (result == 0)
    text_is_whole(w, text, buf.len);
  else if (result != -MM3_E_ABSENT && result != -MM3_E_AGAIN)
    answered(w, "read of a map of texts", result);
  if (mm3_vec_get(&w->root->recent, n % 32, &item) == 0) number_is_whole(w, item);
}

static void one_operation(struct worker *w) {
  static void (*const all[])(struct worker *) = {add_atomic,    add_atomic,   add_plain,    append_log,
                                                 raise_version, read_version, read_version, change_texts,
                                                 change_vec,    read_others,  read_others};
  uint64_t n = next(w) % (20 * sizeof all / sizeof *all);
  if (n < 2)
    change_shape(w);
  else
    all[n % (sizeof all / sizeof *all)](w);
  COUNT(w->board->operations);
}

/* ---- the reader: no lock, read-only ---- */

static int follower(void *arg) {
  struct worker w = {.board = arg, .number = WORKERS};
  struct log_state *state = calloc(1, sizeof *state);
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  w.file = mm3_open(w.board->path, MM3_TYPE(torture), &options, NULL);
  if (!w.file || !state) return 1;
  w.root = (struct torture *)(uintptr_t)mm3_root_const(w.file, torture); /* is only read */
  while (!LOAD(w.board->stop)) {
    follow_log(&w, state);
    for (int i = 0; i < 50; i++) read_version(&w), read_others(&w);
    COUNT(w.board->rounds);
  }
  free(state);
  return mm3_close(w.file) != 0;
}

/* ---- threads ---- */

static void *thread_works(void *arg) {
  struct worker *w = arg;
  while (!LOAD(w->board->stop)) one_operation(w);
  return NULL;
}

/* All on one handle, or on two. */
static void threads_work(struct board *board, struct mm3_file *const files[2], int first, int count, uint32_t life) {
  struct worker *workers = calloc((size_t)count, sizeof *workers);
  pthread_t threads[WORKERS];
  for (int i = 0; i < count && workers; i++) {
    workers[i] = (struct worker){.board = board,
                                 .file = files[i % 2],
                                 .root = mm3_root(files[i % 2], torture),
                                 .number = first + i,
                                 .life = life,
                                 .random = board->seed + 1000 * (uint64_t)(first + i) + life};
    if (pthread_create(&threads[i], NULL, thread_works, &workers[i])) abort();
  }
  for (int i = 0; i < count && workers; i++) pthread_join(threads[i], NULL);
  free(workers);
}

struct start {
  struct board *board;
  int process;
  uint32_t life;
};

static int process_works(void *arg) {
  const struct start *start = arg;
  struct mm3_file *file = mm3_open(start->board->path, MM3_TYPE(torture), NULL, NULL);
  if (!file) return 1;
  threads_work(start->board, (struct mm3_file *[2]){file, file}, THREADS * start->process, THREADS, start->life);
  return mm3_close(file) != 0;
}

/* ---- the whole ---- */

static struct mm3_file *begin(struct board **board, const char *name) {
  struct mm3_error error = {0};
  struct board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const char *seed = getenv("MM3TEST_SEED");
  if (!CHECK(b != MAP_FAILED)) return NULL;
  *board = b;
  b->seed = seed ? strtoull(seed, NULL, 0) : mm3test_now_ns();
  snprintf(b->path, sizeof b->path, "%s", mm3test_path(name));
  struct mm3_file *file = mm3_create(b->path, MM3_TYPE(torture), NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static void finding(void *arg, const struct mm3_error *error) {
  (void)arg, fprintf(stderr, "check: %s: %s\n", error->field, error->text);
}

/* Everybody has stopped: the file against the board. */
static void verify(struct board *board, struct mm3_file *file) {
  struct worker w = {.board = board, .file = file, .root = mm3_root(file, torture), .number = WORKERS};
  struct log_state *state = calloc(1, sizeof *state);
  uint64_t sum = mm3_atomic_load(&w.root->sum), total = w.root->total;
  if (sum < sum_of(board, offsetof(struct life, added)) || sum > sum_of(board, offsetof(struct life, adding)))
    violation(&w, "the sum lost or won something");
  if (total < sum_of(board, offsetof(struct life, counted)) || total > sum_of(board, offsetof(struct life, counting)))
    violation(&w, "the total lost or won something");
  for (uint64_t key = 0; key < KEYS; key++) {
    uint64_t value = 0, version;
    int result = mm3_hashmap_get(file, &w.root->versions, key, &value);
    version = result == 0 ? value >> 16 : 0;
    if (version < board->versions[key].done || version > board->versions[key].begun)
      violation(&w, "a version was lost");
  }
  if (state) {
    follow_log(&w, state);
    compare_log(&w, state);
  }
  free(state);
  if (mm3_check(file, finding, NULL) != 0) violation(&w, "the file does not pass its check");
}

static void end(const char *what, struct board *board, struct mm3_file *file, unsigned kills, double took) {
  CHECK(mm3_lock(file) >= 0);
  CHECK_EQ(mm3_unlock(file), 0);
  verify(board, file);
  printf("torture: %s: seed %llu: %.0f operations/s, %llu rounds of the reader, %u kills, %llu recoveries, log of "
         "%llu, %llu violations\n",
         what, (unsigned long long)board->seed, (double)board->operations / took, (unsigned long long)board->rounds,
         kills, (unsigned long long)board->recovered,
         (unsigned long long)mm3_segmented_len(&mm3_root(file, torture)->log), (unsigned long long)board->violations);
  CHECK_EQ(board->violations, 0);
  CHECK(board->operations > 100);
}

static double seconds(double brief, double long_) {
  if (mm3test_tool()[0]) return brief / 2;
  return getenv("MM3_TORTURE") ? long_ : brief;
}

static void processes_die(void) {
  struct board *board;
  pid_t children[PROCESSES];
  uint32_t lives[PROCESSES] = {0};
  unsigned kills = 0;
  if (strcmp(mm3test_tool(), "tsan") == 0) { /* threads of a forked child are not for TSan: the other half is */
    CHECK(true);
    return;
  }
  struct mm3_file *file = begin(&board, "processes.mm3");
  if (!file) return;
  struct worker w = {.board = board, .file = file, .number = WORKERS, .random = board->seed};
  struct start starts[PROCESSES];
  pid_t reader = mm3test_spawn(follower, board);
  for (int i = 0; i < PROCESSES; i++) {
    starts[i] = (struct start){board, i, 0};
    children[i] = mm3test_spawn(process_works, &starts[i]);
  }
  uint64_t start = mm3test_now_ns(), until = start + (uint64_t)(seconds(6, 120) * 1e9);
  while (mm3test_now_ns() < until && LOAD(board->violations) == 0) {
    usleep((useconds_t)(next(&w) % 30000));
    int victim = (int)(next(&w) % PROCESSES);
    kill(children[victim], SIGKILL);
    if (!CHECK_EQ(mm3test_wait(children[victim]), -SIGKILL)) break;
    kills++;
    if (++lives[victim] == LIVES) break;
    if (kills % 8 == 0 && take(&w)) { /* whole at any moment, as the lock's holder sees it */
      if (mm3_check(file, finding, NULL) != 0) violation(&w, "a file that others use does not pass its check");
      give(&w);
    }
    starts[victim].life = lives[victim];
    children[victim] = mm3test_spawn(process_works, &starts[victim]);
  }
  STORE(board->stop, 1);
  for (int i = 0; i < PROCESSES; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  CHECK_EQ(mm3test_wait(reader), 0);
  end("processes", board, file, kills, (double)(mm3test_now_ns() - start) / 1e9);
  CHECK(kills > 10 && board->rounds > 0);
  CHECK_EQ(mm3_close(file), 0);
}

static void *reading_thread(void *arg) { return (void *)(intptr_t)follower(arg); }
static void *stopping_thread(void *arg) {
  struct board *board = arg;
  mm3test_sleep_ms((unsigned)(1000 * seconds(3, 60)));
  STORE(board->stop, 1);
  return NULL;
}

static void threads_agree(void) {
  struct board *board;
  pthread_t reader, stopper;
  void *result;
  struct mm3_file *files[2] = {begin(&board, "threads.mm3"), NULL};
  if (!files[0]) return;
  files[1] = mm3_open(board->path, MM3_TYPE(torture), NULL, NULL);
  if (!CHECK(files[1] != NULL)) return;
  CHECK_EQ(
    pthread_create(&reader, NULL, reading_thread, board) | pthread_create(&stopper, NULL, stopping_thread, board), 0);
  threads_work(board, files, 0, 6, 0);
  pthread_join(stopper, NULL);
  pthread_join(reader, &result);
  CHECK(result == NULL);
  end("threads", board, files[0], 0, seconds(3, 60));
  CHECK_EQ(mm3_close(files[1]) | mm3_close(files[0]), 0);
}

/* A short run, then one thing that no order of operations gives: each must be seen. */
static void faults_are_seen(void) {
  for (int fault = 0; fault < 5; fault++) {
    struct board *board;
    struct mm3_file *file = begin(&board, "faults.mm3");
    if (!file) return;
    struct worker w = {.board = board, .file = file, .root = mm3_root(file, torture), .random = board->seed};
    for (int i = 0; i < 3000; i++) one_operation(&w);
    add_atomic(&w), add_plain(&w), append_log(&w), raise_version(&w), read_version(&w);
    CHECK_EQ(board->violations, 0);
    uint64_t key = 0, length = mm3_segmented_len(&w.root->log);
    while (board->versions[key].done == 0) key++;
    if (fault == 0) mm3_atomic_fetch_add(&w.root->sum, (uint64_t)-1);
    if (fault == 1) w.root->total--;
    if (fault == 2) CHECK_EQ(mm3_segmented_truncate(file, &w.root->log, length - 1), 0);
    if (fault == 3) CHECK_EQ(mm3_segmented_append(file, &w.root->log, log_item(0, 0, 0)), 0);
    if (fault == 4)
      CHECK_EQ(mm3_hashmap_set(file, &w.root->versions, key, (board->versions[key].done - 1) << 16 | key), 1);
    board->quiet = 1;
    verify(board, file);
    if (!CHECK(board->violations > 0)) printf("torture: fault %d was not seen\n", fault);
    mm3_close(file);
    unlink(board->path);
    munmap(board, sizeof *board);
  }
}

MM3_TEST_SUITE("torture", {"processes that are killed at random lose and break nothing", processes_die},
               {"threads agree with the model", threads_agree}, {"each planted fault is seen", faults_are_seen})
