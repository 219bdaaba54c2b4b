/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * turns.h: turns at the file's lock that must not be lost, whoever is killed. Each takes the lock, changes the pair and
 * adds one to a plain number; a board in shared memory has it begun before and done after. Only the lock's holder
 * writes those two, so that the next one can tell exactly: the number is what was done, or, if its predecessor died,
 * what was begun.
 */
#ifndef MM3_TURNS_H
#define MM3_TURNS_H

#include "mm3files.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

enum { TURNS_SEATS = 256 };

struct turns {
  char path[256];
  uint64_t done, begun, wanted;
  uint32_t inside; /* somebody has the lock, or died with it */
  uint32_t died_inside, recovered, wrong;
  uint32_t opening[TURNS_SEATS]; /* a recovery of theirs may be untold when they die */
  uint32_t state[TURNS_SEATS], go;
  uint32_t quiet;
};

#define MORE(x) __atomic_fetch_add(&(x), 1, __ATOMIC_SEQ_CST)

MM3_UNUSED static struct turns *turns_new(const char *name) {
  struct turns *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!CHECK(t != MAP_FAILED)) return NULL;
  snprintf(t->path, sizeof t->path, "%s", mm3test_path(name));
  struct mm3_file *file = sample_new(t->path);
  return file && CHECK_EQ(mm3_close(file), 0) ? t : NULL;
}

MM3_UNUSED static bool turns_wrong(struct turns *t, const char *what, int64_t number) {
  if (MORE(t->wrong) < 10 && !t->quiet) fprintf(stderr, "turns: %s: %lld\n", what, (long long)number);
  return false;
}

/* Now and then somebody else's turn comes at each place inside: that is where owners are killed, and others wait. */
MM3_UNUSED static void turn_lingers(uint64_t value, uint64_t place) {
  if (value % 128 == place) sched_yield();
}

/* Between lock and unlock. */
MM3_UNUSED static bool turn_inside(struct turns *t, struct mm3_file *file) {
  struct sample *root = mm3_root(file, sample);
  uint64_t value = LOOK(root->value), done = LOOK(t->done), begun = LOOK(t->begun);
  if (LOOK(t->inside)) MORE(t->died_inside);
  PUT(t->inside, 1);
  if (value != done && value != begun)
    return turns_wrong(t, "a number that was neither done nor begun", (int64_t)value);
  if (root->both.a != root->both.b) return turns_wrong(t, "a pair that nobody recovered", (int64_t)root->both.a);
  if (root->both.a != value && root->both.a != begun)
    return turns_wrong(t, "a pair of another time", (int64_t)root->both.a);
  PUT(t->done, value);
  turn_lingers(value, 0);
  PUT(t->begun, value + 1);
  turn_lingers(value, 1);
  pair_set_held(file, SAMPLE_BOTH, &root->both, value + 1);
  turn_lingers(value, 2);
  PUT(root->value, value + 1);
  turn_lingers(value, 3);
  PUT(t->done, value + 1);
  PUT(t->inside, 0);
  return true;
}

MM3_UNUSED static bool turn(struct turns *t, struct mm3_file *file) {
  int result = mm3_lock(file);
  if (result < 0) return turns_wrong(t, "lock", result);
  if (result == 1) MORE(t->recovered);
  if (!turn_inside(t, file)) return mm3_unlock(file), false;
  result = mm3_unlock(file);
  return result == 0 || turns_wrong(t, "unlock", result);
}

/* An opener may recover, too. */
MM3_UNUSED static struct mm3_file *turns_open(struct turns *t, int seat) {
  struct mm3_file_info info = {.size = offsetof(struct mm3_file_info, nowners)};
  PUT(t->opening[seat], 1);
  struct mm3_file *file = sample_open(t->path, 0);
  if (file && mm3_file_describe(file, &info) == 0 && info.recovered) MORE(t->recovered);
  PUT(t->opening[seat], 0);
  return file;
}

/* All have gone: the file against the board. `untold`: recoveries that may have died with those who made them. */
MM3_UNUSED static void turns_end(struct turns *t, uint32_t untold) {
  struct mm3_file_info info = {0};
  struct mm3_file *file = turns_open(t, 0);
  if (!file) return;
  CHECK(turn(t, file));
  CHECK_EQ(LOOK(t->wrong), 0);
  CHECK_EQ(mm3_root(file, sample)->value, LOOK(t->done));
  CHECK_EQ(mm3_root(file, sample)->both.b, LOOK(t->done));
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK(LOOK(t->recovered) + untold >= LOOK(t->died_inside));
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  CHECK_EQ(info.nowners, 1);
  CHECK_EQ(mm3_close(file), 0);
}

#endif
