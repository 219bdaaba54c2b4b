/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A live enemy: a process scribbles over the mapping, lock area and heap headers included, while readers and writers of a
 * kind work on it, through the tables and through the inline operations. They may see wrong values and get codes; they may
 * not leave the mapping (a fence lies behind it), crash or hang.
 *
 * MM3_SCRIBBLE=seconds for each kind (0.7; 10 in make torture).
 */
#include "file.h"
#include "hostile/victims.h"
#include "mm3test.h"

#include <fcntl.h>
#include <mm3.h>
#include <mm3/hashmap.h>
#include <mm3/segmented.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t random_state = 88172645463325252U;
static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

static double seconds(void) {
  const char *given = getenv("MM3_SCRIBBLE");
  return given ? strtod(given, NULL) : 0.7;
}

/* ---- the enemy ---- */

static bool paced; /* under Valgrind, where users take a hundred times as long */

static int scribble(void *path) {
  static const uint64_t hurtful[] = {0, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, 0xffffff, 4095, 1};
  struct stat st;
  int fd = open(path, O_RDWR);
  if (fd < 0 || fstat(fd, &st) < 0) return 1;
  unsigned char *at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return 2;
  random_state ^= (uint64_t)getpid() << 20;
  for (;;) {
    if (paced) mm3test_sleep_ms(1);
    uint64_t r = next_random(), where;
    switch (r % 4) { /* superblock and slots; the root and what stands around it; the heap's beginning; anywhere */
      case 0: where = next_random() % 8192; break;
      case 1: where = 8192 + next_random() % 8192; break;
      case 2: where = 65536 + next_random() % 4096; break;
      default: where = next_random() % (uint64_t)st.st_size; break;
    }
    where %= (uint64_t)st.st_size - 8;
    uint64_t value = r & 64 ? next_random() : hurtful[next_random() % 7];
    if (r & 128) value = (uint64_t)st.st_size - 8 + next_random() % 16;
    if (r & 256) at[where] = (unsigned char)value;
    else __atomic_store_n((uint64_t *)(void *)(at + where / 8 * 8), value, __ATOMIC_RELAXED);
  }
}

/* ---- the inline operations ---- */

#define INLINE(FIELD)                                                                                              \
  FIELD(s, string(33)) FIELD(t, string_array(4, 12)) FIELD(v, vec(u32, 6)) FIELD(e, segmented(u64))                 \
  FIELD(m, hashmap(u64, u64)) FIELD(n, hashmap(string(8), u32))
MM3_STRUCT(inline_root, INLINE);

static int compare_u32(const void *a, const void *b, void *context) {
  (void)context;
  return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

static void use_inline(struct mm3_file *file, struct victim_tally *tally) {
  struct inline_root *r = mm3_root(file, inline_root);
  char text[64];
  size_t length;
  uint32_t u32 = 0;
  uint64_t u64 = 0, key = next_random() % 16;
  tally->reads += mm3_string_get(&r->s, text, sizeof text, &length) == 0;
  tally->writes += mm3_string_set(&r->s, "hello") == 0;
  tally->writes += mm3_string_append(&r->s, "!") == 0;
  tally->reads += mm3_string_array_get(&r->t, key % 5, text, sizeof text, &length) == 0;
  tally->writes += mm3_string_array_set(&r->t, key % 5, "entry") == 0;
  tally->reads += mm3_vec_get(&r->v, key % 8, &u32) == 0;
  tally->writes += mm3_vec_push(&r->v, 7) >= 0;
  tally->writes += mm3_vec_set(&r->v, key % 8, 9) == 0;
  tally->writes += mm3_vec_pop(&r->v, &u32) == 0;
  tally->writes += mm3_vec_insert(file, &r->v, key % 7, 5) >= 0;
  tally->writes += mm3_vec_remove(file, &r->v, key % 7) == 0;
  tally->writes += mm3_vec_sort(file, &r->v, compare_u32, NULL) >= 0;
  tally->reads += mm3_segmented_get(file, &r->e, key, &u64) == 0;
  tally->writes += mm3_segmented_append(file, &r->e, 5) >= 0;
  tally->reads += mm3_hashmap_get(file, &r->m, key, &u64) == 0;
  tally->writes += mm3_hashmap_set(file, &r->m, key, key * 10) >= 0;
  tally->writes += mm3_hashmap_remove(file, &r->m, key) == 0;
  tally->reads += mm3_hashmap_get(file, &r->n, "alice", &u32) == 0;
  tally->writes += mm3_hashmap_set(file, &r->n, "alice", 5) >= 0;
}

/* ---- what the kernel is asked ---- */

static int (*real_fcntl_lock)(int fd, int command, struct flock *lock);
static unsigned locks_asked;
static int counting_fcntl_lock(int fd, int command, struct flock *lock) {
  locks_asked++;
  return real_fcntl_lock(fd, command, lock);
}

/* ---- the victims' users ---- */

struct shared {
  struct victim_tally tally[2];
  volatile int stop;
};

struct job {
  const struct victim *victim; /* NULL: the inline operations */
  const char *path;
  struct shared *shared;
  int number;                  /* 0 reads and writes, 1 only reads */
};

static int use(void *arg) {
  const struct job *job = arg;
  struct mm3_options options = {.size = sizeof options, .timeout_ms = 3, .reserve = 4 << 20,
                                .flags = job->number ? MM3_READ_ONLY : 0};
  struct mm3_error error;
  struct mm3_file *file = NULL;
  struct victim_tally *tally = &job->shared->tally[job->number];
  if (!job->victim && job->number) return 0;
  for (int i = 0; i < 1000 && !file; i++) { /* three milliseconds are short for two that open at once */
    file = mm3_open(job->path, job->victim ? NULL : MM3_TYPE(inline_root), &options, &error);
    if (!file && error.code != -MM3_E_BUSY) break;
  }
  if (!file) return fprintf(stderr, "%s\n", error.text), 1;
  job->shared->tally[job->number].reads++;
  while (!job->shared->stop) {
    alarm(20); /* a hang is a death */
    if (job->victim) victim_use(job->victim, file, !job->number, tally);
    else use_inline(file, tally);
  }
  return 0;
}

enum { NS = 1000000000 };

static int make(const struct victim *victim, const char *path) {
  struct mm3_error error;
  unlink(path);
  if (victim) return victim_make(victim, path);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(inline_root), NULL, &error);
  if (!file) return fprintf(stderr, "%s\n", error.text), -1;
  return mm3_close(file);
}

/* What was done while the enemy was at work. */
static int enough(const struct victim_tally *tally, const struct victim *victim) {
  return tally[0].reads > 10 && tally[0].writes > 10 && (!victim || tally[1].reads > 10);
}

/* One file for so long; adds to the tally. 0, or how the first user that did not end well ended. */
static int round_of(const struct victim *victim, const char *path, struct shared *shared, double time,
                    struct victim_tally *tally) {
  struct job jobs[2] = {{victim, path, shared, 0}, {victim, path, shared, 1}};
  memset(shared, 0, sizeof *shared);
  if (!CHECK_EQ(make(victim, path), 0)) return -1;
  pid_t users[2] = {mm3test_spawn(use, &jobs[0]), mm3test_spawn(use, &jobs[1])};
  for (int i = 0; i < 2000 && !(shared->tally[0].reads && (!victim || shared->tally[1].reads)); i++) mm3test_sleep_ms(1);
  paced = strcmp(mm3test_tool(), "valgrind") == 0 && victim != &victim_double;
  pid_t enemy = mm3test_spawn(scribble, (void *)(uintptr_t)path);
  for (int i = 0; i < 2; i++) {
    tally[i].reads -= shared->tally[i].reads;
    tally[i].writes -= shared->tally[i].writes;
  }
  mm3test_sleep_ms((unsigned)(time * 1000));
  shared->stop = 1;
  int first = mm3test_wait(users[0]), second = mm3test_wait(users[1]);
  kill(enemy, SIGKILL);
  CHECK_EQ(mm3test_wait(enemy), -SIGKILL);
  for (int i = 0; i < 2; i++) {
    tally[i].reads += shared->tally[i].reads;
    tally[i].writes += shared->tally[i].writes;
  }
  return first != 0 ? first : second;
}

/* Another file, and another, when the first was damaged for good before it was used ten times: what the enemy destroys
 * first is chance. */
static int enemies_and_users(const struct victim *victim, const char *name, double time) {
  char path[256];
  struct victim_tally tally[2] = {{0, 0}, {0, 0}};
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return -1;
  snprintf(path, sizeof path, "/dev/shm/mm3-scribble-%d.mm3", (int)getpid());
  int rounds = 0, result;
  uint64_t start = mm3test_now_ns();
  do {
    result = round_of(victim, path, shared, time, tally);
    rounds++;
  } while (result == 0 && victim != &victim_double && !enough(tally, victim) && rounds < 20);
  double took = (double)(mm3test_now_ns() - start) / NS;
  printf("%-12s %8.0f reads/s %8.0f writes/s by the writer, %8.0f reads/s by the reader, %d file%s\n", name,
         (double)tally[0].reads / took, (double)tally[0].writes / took, (double)tally[1].reads / took, rounds,
         rounds > 1 ? "s" : "");
  if (victim != &victim_double) CHECK(enough(tally, victim));
  munmap(shared, sizeof *shared);
  unlink(path);
  return result;
}

/* An enemy has signed every slot and moved the table out of the file. */
static void a_table_outside_the_file_asks_about_no_owners(void) {
  struct mm3_error error;
  victim_prepare(0);
  struct mm3_file *file = mm3_open_anonymous(MM3_TYPE(inline_root), NULL, &error);
  uint64_t out;
  if (!CHECK(file != NULL)) return;
  struct inline_root *root = mm3_root(file, inline_root);
  CHECK_EQ(mm3_hashmap_set(file, &root->m, 1, 10), 0);
  for (unsigned i = 0; i < MM3I_SLOTS; i++) mm3i_slots(mm3i_handle_of(file))[i].state = 1;
  uint64_t good = root->m.table, far[] = {UINT64_C(1) << 40, good + (UINT64_C(1) << 32)};
  real_fcntl_lock = mm3i_sys.fcntl_lock;
  mm3i_sys.fcntl_lock = counting_fcntl_lock;
  for (unsigned i = 0; i < 2; i++) {
    root->m.table = far[i];
    CHECK_EQ(mm3_hashmap_get(file, &root->m, 1, &out), -MM3_E_DAMAGED);
    CHECK_EQ(mm3_hashmap_set(file, &root->m, 1, 11), -MM3_E_DAMAGED);
  }
  CHECK_EQ(locks_asked, 0);
  mm3i_sys.fcntl_lock = real_fcntl_lock;
  root->m.table = good;
  CHECK_EQ(mm3_hashmap_get(file, &root->m, 1, &out), 0);
  mm3_close(file);
}

static void scribbling_kills_nobody(void) {
  const char *only = getenv("MM3_VICTIM");
  victim_prepare(0);
  for (unsigned i = 0; i < victim_count; i++)
    if (!only || strcmp(only, victims[i].name) == 0) CHECK_EQ(enemies_and_users(&victims[i], victims[i].name, seconds()), 0);
}

static void scribbling_under_inline_operations_kills_nobody(void) {
  victim_prepare(0);
  CHECK_EQ(enemies_and_users(NULL, "(inline)", 2 * seconds()), 0);
}

/* Within ten seconds: twenty tries of half a second. */
static void a_kind_that_trusts_a_length_is_caught(void) {
  int caught = 0, tries = 0;
  victim_prepare(1);
  uint64_t start = mm3test_now_ns();
  for (; tries < 20 && !caught; tries++) caught = enemies_and_users(&victim_double, victim_double.name, 0.5) != 0;
  printf("scribble: the double was caught after %.1f s, at try %d\n", (double)(mm3test_now_ns() - start) / NS, tries);
  CHECK(caught);
}

MM3_TEST_SUITE("scribble", {"a table outside the file asks the kernel about no owner of the lock", a_table_outside_the_file_asks_about_no_owners},
               {"scribbling over any kind kills no reader and no writer", scribbling_kills_nobody},
               {"nor those that use the inline operations", scribbling_under_inline_operations_kills_nobody},
               {"a kind that trusts a length from the file is caught", a_kind_that_trusts_a_length_is_caught})
