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
 *     vec       it is what the last operation left; of one that died, what was before it or what comes after
 *     ndarray, json    the same for an element, a document; readers see no older one than was there, and none in halves
 *     others    each value is a text or a number that says whether it is whole
 *
 * The threads' half has no kills. Under TSan, which takes no threads in a forked child, each process has one worker.
 * MM3_TORTURE=1: minutes. MM3TEST_SEED repeats the choices.
 */
#include "mm3test.h"
#include "torture.h"

#include <mm3/field.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the reader: no lock, read-only ---- */

static void reads(struct worker *w) { read_version(w), read_others(w), read_page(w); }

static int follower(void *arg) {
  struct worker w = {.board = arg, .number = WORKERS};
  struct log_state *state = calloc(1, sizeof *state);
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  w.file = mm3_open(w.board->path, MM3_TYPE(torture), &options, NULL);
  if (!w.file || !state) return 1;
  w.root = (struct torture *)(uintptr_t)mm3_root_const(w.file, torture); /* is only read */
  while (!LOAD(w.board->stop)) {
    follow_log(&w, state);
    for (int i = 0; i < 50; i++) reads(&w);
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

static struct worker worker_of(struct board *board, struct mm3_file *file, int number, uint32_t life) {
  uint64_t random = board->seed + 1000 * (uint64_t)number + life;
  return (struct worker){
    .board = board, .file = file, .root = mm3_root(file, torture), .number = number, .life = life, .random = random};
}

/* All on one handle, or on two. */
static void threads_work(struct board *board, struct mm3_file *const files[2], int first, int count, uint32_t life) {
  struct worker *workers = calloc((size_t)count, sizeof *workers);
  pthread_t threads[WORKERS];
  for (int i = 0; i < count && workers; i++) {
    workers[i] = worker_of(board, files[i % 2], first + i, life);
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
  int number = THREADS * start->process;
  if (strcmp(mm3test_tool(), "tsan") == 0) { /* no threads in a forked child for TSan */
    struct worker w = worker_of(start->board, file, number, start->life);
    thread_works(&w);
  } else
    threads_work(start->board, (struct mm3_file *[2]){file, file}, number, THREADS, start->life);
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

/* What must have happened, however slow the machine is; the case's time ends what hangs. */
enum { ENOUGH_OPERATIONS = 101, ENOUGH_KILLS = 11 };

static bool enough(const struct board *board) {
  return LOAD(board->violations) || (LOAD(board->operations) >= ENOUGH_OPERATIONS && LOAD(board->rounds));
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
  CHECK(board->operations >= ENOUGH_OPERATIONS);
}

static double seconds(double brief, double long_) {
  if (mm3test_tool()[0]) return brief / 2;
  return getenv("MM3_TORTURE") ? long_ : brief;
}

/* Until so many operations more are done, by anybody. */
static void let_work(const struct board *board, uint64_t operations) {
  for (uint64_t until = LOAD(board->operations) + operations;
       LOAD(board->operations) < until && LOAD(board->violations) == 0;)
    mm3test_sleep_ms(1);
}

static void processes_die(void) {
  struct board *board;
  pid_t children[PROCESSES];
  uint32_t lives[PROCESSES] = {0};
  unsigned kills = 0;
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
  while ((mm3test_now_ns() < until && LOAD(board->violations) == 0) || kills < ENOUGH_KILLS || !enough(board)) {
    let_work(board, next(&w) % 16);
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
  CHECK(kills >= ENOUGH_KILLS && board->rounds > 0);
  CHECK_EQ(mm3_close(file), 0);
}

static void *reading_thread(void *arg) { return (void *)(intptr_t)follower(arg); }
static void *stopping_thread(void *arg) {
  struct board *board = arg;
  mm3test_sleep_ms((unsigned)(1000 * seconds(3, 60)));
  while (!enough(board)) mm3test_sleep_ms(1);
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

/* One thing that no order of operations gives. */
static void plant(struct worker *w, unsigned fault) {
  struct torture *root = w->root;
  struct mm3_error error = {0};
  uint64_t key = 0, item = 0, length = mm3_segmented_len(&root->log);
  char text[20];
  while (w->board->versions[key].done == 0) key++;
  snprintf(text, sizeof text, "key %u", 3);
  switch (fault) {
  case 0:
    mm3_atomic_fetch_sub(&root->sum, 1);
    break;
  case 1:
    root->total--;
    break;
  case 2:
    CHECK_EQ(mm3_segmented_truncate(w->file, &root->log, length - 1), 0);
    break;
  case 3:
    CHECK_EQ(mm3_segmented_append(w->file, &root->log, log_item(0, 0, 0)), 0);
    break;
  case 4:
    CHECK_EQ(mm3_hashmap_set(w->file, &root->versions, key, (w->board->versions[key].done - 1) << 16 | key), 1);
    break;
  case 5:
    CHECK(mm3_text_set(w->file, &root->title, "11:aaaabaaa") >= 0);
    break;
  case 6:
    CHECK_EQ(mm3_string_set(&root->name, ""), 0);
    break;
  case 7:
    CHECK(mm3_hashmap_set(w->file, &root->notes, text, "9:aaaaaaa") >= 0);
    break; /* of another key */
  case 8:  /* whole, and in another order */
    CHECK(mm3_vec_get(&root->recent, 0, &item) == 0 || mm3_vec_push(&root->recent, whole_number(1)) == 0);
    if (mm3_vec_insert(w->file, &root->recent, 0, whole_number(item + 1)) < 0)
      mm3_vec_set(&root->recent, 0, whole_number(item + 1));
    break;
  case 9:
    root->grid.at[1][2] = whole_number(1234567);
    break; /* whole, and of nobody */
  case 10:
    CHECK_OK(mm3_json_set_text(&root->page, "{\"first\": 1, \"text\": \"\", \"last\": 2}", &error), error);
    break;
  default:
    CHECK_OK(mm3_json_set_text(&root->page, "null", &error), error);
  }
}

/* A short run, then a fault: the comparison at the end must see each, and so must the reader, or the operations that
 * run on. */
static void fault_is_seen(unsigned fault, bool at_the_end) {
  static struct log_state log;
  struct board *board;
  struct mm3_file *file = begin(&board, "faults.mm3");
  if (!file) return;
  struct worker w = {.board = board, .file = file, .root = mm3_root(file, torture), .random = board->seed};
  memset(&log, 0, sizeof log);
  for (int i = 0; i < (strcmp(mm3test_tool(), "valgrind") == 0 ? 300 : 3000); i++) one_operation(&w);
  add_atomic(&w), add_plain(&w), append_log(&w), raise_version(&w), read_version(&w), change_texts(&w), change_page(&w);
  CHECK_EQ(board->violations, 0);
  plant(&w, fault);
  board->quiet = 1;
  if (at_the_end) verify(board, file);
  for (int i = 0; i < 5000 && !at_the_end && board->violations == 0; i++) reads(&w);
  for (int i = 0; i < 5000 && !at_the_end && board->violations == 0; i++) one_operation(&w);
  if (!at_the_end && fault == 3) follow_log(&w, &log);
  if (!CHECK(board->violations > 0))
    printf("torture: fault %u was not seen %s\n", fault, at_the_end ? "at the end" : "by the operations");
  mm3_close(file);
  unlink(board->path);
  munmap(board, sizeof *board);
}

static void faults_are_seen(void) {
  for (unsigned fault = 0; fault < 12; fault++) fault_is_seen(fault, true), fault_is_seen(fault, false);
}

MM3_TEST_SUITE("torture", {"processes that are killed at random lose and break nothing", processes_die},
               {"threads agree with the model", threads_agree}, {"each planted fault is seen", faults_are_seen})
