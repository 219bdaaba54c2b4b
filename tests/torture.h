/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* torture.h: the file of test_torture, the board beside it, and what its parts share. */
#ifndef MM3_TORTURE_H
#define MM3_TORTURE_H

#include <mm3.h>
#include <mm3/hashmap.h>
#include <mm3/json.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/string_array.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TORTURE(FIELD)                                                                            \
  FIELD(sum, atomic(u64))                                                                         \
  FIELD(total, u64)                                                                               \
  FIELD(name, string(48))                                                                         \
  FIELD(tags, string_array(6, 24)) FIELD(recent, vec(u64, 32)) FIELD(log, segmented(u64))         \
    FIELD(versions, hashmap(u64, u64)) FIELD(notes, hashmap(string(16), text)) FIELD(title, text) \
      FIELD(grid, ndarray(u64, 4, 4)) FIELD(page, json(200))
MM3_STRUCT(torture, TORTURE);

enum { PROCESSES = 3, THREADS = 2, WORKERS = 6, LIVES = 8192, KEYS = 300, NOTES = 200 };

/* What a worker's life did: begun and done. Only it writes this, and nobody after its death. */
struct life {
  uint64_t adding, added, counting, counted;
  uint32_t appending, appended;
};

struct version {
  uint64_t begun, done;
};

enum { VEC = 32, GRID = 4 };

/* What a vec holds. */
struct vec_model {
  uint64_t items[VEC];
  uint64_t length;
};

struct board {
  char path[256];
  uint64_t seed, operations, rounds, recovered, violations;
  int stop, quiet, named;
  struct version versions[KEYS], grid[GRID * GRID], page;
  struct vec_model
    vecs[2]; /* as it was and as it will be: vec_state & 1 is the one that is done, | 2 the other is begun */
  uint32_t vec_state;
  uint32_t lives[WORKERS]; /* how many there were */
  struct life all[WORKERS][LIVES];
};

struct worker {
  struct board *board;
  struct mm3_file *file;
  struct torture *root;
  int number;
  uint32_t life;
  uint64_t random, last_sum, seen[KEYS], seen_page;
};

#define LOAD(x)     __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define STORE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define COUNT(x)    __atomic_fetch_add(&(x), 1, __ATOMIC_RELAXED)

MM3_UNUSED static uint64_t next(struct worker *w) {
  uint64_t x = (w->random += UINT64_C(0x9E3779B97F4A7C15));
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return x ^ x >> 31;
}

MM3_UNUSED static void violation(struct worker *w, const char *what) {
  COUNT(w->board->violations);
  if (!w->board->quiet) fprintf(stderr, "torture: worker %d, life %u: %s\n", w->number, w->life, what);
}

/* An answer that may not be a failure. */
MM3_UNUSED static bool answered(struct worker *w, const char *what, int64_t result) {
  char text[200];
  if (result >= 0) return true;
  snprintf(text, sizeof text, "%s: %s", what, mm3_strerror((int)result));
  violation(w, text);
  return false;
}

MM3_UNUSED static bool take(struct worker *w) {
  int result = mm3_lock(w->file);
  if (result == 1) COUNT(w->board->recovered);
  return answered(w, "lock", result);
}

MM3_UNUSED static void give(struct worker *w) { answered(w, "unlock", mm3_unlock(w->file)); }

MM3_UNUSED static struct life *life_of(struct worker *w) {
  uint32_t lives = w->life + 1;
  if (LOAD(w->board->lives[w->number]) < lives) STORE(w->board->lives[w->number], lives);
  return &w->board->all[w->number][w->life];
}

/* Sums are dear once there were many lives: then some of them are enough. */
MM3_UNUSED static bool worth_a_sum(struct worker *w) { return w->life < 50 || next(w) % 16 == 0; }

/* One of life's numbers over all lives. */
MM3_UNUSED static uint64_t sum_of(struct board *board, size_t member) {
  bool wide = member < offsetof(struct life, appending);
  uint64_t sum = 0;
  for (int i = 0; i < WORKERS; i++)
    for (uint32_t life = 0, lives = LOAD(board->lives[i]); life < lives; life++) {
      const void *at = (const char *)&board->all[i][life] + member;
      sum += wide ? LOAD(*(const uint64_t *)at) : LOAD(*(const uint32_t *)at);
    }
  return sum;
}

/* torture_ops.c */
void one_operation(struct worker *w);
void add_atomic(struct worker *w), add_plain(struct worker *w), append_log(struct worker *w),
  raise_version(struct worker *w);
void change_texts(struct worker *w), change_page(struct worker *w);
void read_note(struct worker *w, unsigned number);
void read_others(struct worker *w), read_version(struct worker *w), read_page(struct worker *w);
uint64_t whole_number(uint64_t n);
uint64_t log_item(int worker, uint32_t life, uint32_t number);

struct log_state {
  uint64_t at;
  uint32_t have[WORKERS][LIVES];
};
/* All that came since the last time. */
void follow_log(struct worker *w, struct log_state *state);

/* torture_model.c: the lock's holder compares what only holders change with what it must be, and settles what a dead
 * one left; and all of it once everybody has stopped. */
unsigned settle_vec(struct worker *w);
void settle_cell(struct worker *w, unsigned cell);
void settle_page(struct worker *w);
void verify(struct board *board, struct mm3_file *file);
void finding(void *arg, const struct mm3_error *error);

#endif
