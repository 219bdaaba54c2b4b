/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * sequence.h: a run of operations, killed at each point. A killed file holds exactly what it held after one of them, and
 * never something earlier than was seen; no more blocks leaked than the run may lose, and a repair takes them back.
 *
 * For programs that have the core inside. What a file should hold is found by running the operations on another one.
 */
#ifndef MM3_KILL_SEQUENCE_H
#define MM3_KILL_SEQUENCE_H

#include "../../core/heap.h"
#include "../../modules/all_modules.h"
#include "../mm3test.h"
#include "kill.h"
#include "texts.h"

#include <mm3/heap.h>
#include <unistd.h>

enum { KILL_MOST = 40 };

struct kill_sequence {
  const char *name;
  int (*make)(const char *path);
  struct mm3_file *(*open)(const char *path);
  int (*ops[KILL_MOST])(struct mm3_file *); /* each 0 or more */
  int (*use)(struct mm3_file *);            /* may be NULL; on each killed file, once it was judged: work goes on */
  uint64_t leaks;                           /* blocks that one kill may leave to nobody */
  int partly;                               /* the operations take entries out of maps one by one: any may still be there */
};

static const struct kill_sequence *kill_now;
static struct kill_texts kill_states[KILL_MOST + 1];
static unsigned kill_nstates;

MM3_UNUSED static int kill_sequence_setup(struct kill_case *c) { return kill_now->make(c->path); }

MM3_UNUSED static int kill_sequence_run(struct kill_case *c) {
  struct mm3_file *file = kill_now->open(c->path);
  if (!file) return -1;
  kill_begin();
  for (unsigned i = 0; i < KILL_MOST && kill_now->ops[i]; i++)
    if (kill_now->ops[i](file) < 0) return -1;
  kill_end();
  return mm3_close(file);
}

static int kill_pairs_within(json_t *some, json_t *all) {
  const char *key;
  json_t *value;
  json_object_foreach(some, key, value) if (!json_equal(value, json_object_get(all, key))) return 0;
  return 1;
}

/* A map of which some entries are gone that were to go, and no others. */
static int kill_between(const char *before, const char *now, const char *after) {
  json_t *b = json_loads(before, 0, NULL), *n = json_loads(now, 0, NULL), *a = json_loads(after, 0, NULL);
  int is = json_is_object(b) && json_is_object(n) && json_is_object(a) && kill_pairs_within(a, n) && kill_pairs_within(n, b);
  json_decref(b), json_decref(n), json_decref(a);
  return is;
}

static int kill_is_state(const struct kill_texts *texts, unsigned number) {
  for (unsigned i = 0; i < KILL_MEMBERS; i++) {
    if (kill_same(texts->at[i], kill_states[number].at[i])) continue;
    if (!kill_now->partly || number == 0) return 0;
    if (!kill_between(kill_states[number - 1].at[i], texts->at[i], kill_states[number].at[i])) return 0;
  }
  return 1;
}

/* memory[0]: the last state that was seen. */
static int kill_find_state(struct kill_case *c, const struct kill_texts *texts) {
  for (uint64_t i = c->memory[0]; i < kill_nstates; i++)
    if (kill_is_state(texts, (unsigned)i)) return c->memory[0] = i, 0;
  const struct kill_texts *last = &kill_states[c->memory[0]];
  for (unsigned i = 0; i < KILL_MEMBERS; i++)
    if (!kill_same(texts->at[i], last->at[i]))
      return kill_says(c, "after operation %llu: member %u is %.150s, was %.150s", (unsigned long long)c->memory[0], i,
                       texts->at[i], last->at[i]);
  return kill_says(c, "it went back");
}

static int kill_take_leaks_back(struct kill_case *c, struct mm3_file *file) {
  struct mm3_error error = {0};
  uint64_t leaked = 0, again = 0;
  if (mm3i_heap_repair(file, &leaked, &error) < 0) return kill_says(c, "repair: %s", error.text);
  if (leaked > kill_now->leaks) return kill_says(c, "%llu blocks leaked", (unsigned long long)leaked);
  if (mm3i_heap_repair(file, &again, &error) < 0 || again) return kill_says(c, "a repair left leaks");
  return 0;
}

MM3_UNUSED static int kill_sequence_model(struct kill_case *c, struct mm3_file *file) {
  struct kill_texts texts, repaired;
  if (kill_show(file, &texts) < 0) return kill_says(c, "it cannot be read");
  int result = kill_find_state(c, &texts);
  if (result == 0) result = kill_take_leaks_back(c, file);
  if (result == 0 && kill_show(file, &repaired) < 0) result = kill_says(c, "it cannot be read after a repair");
  for (unsigned i = 0; result == 0 && i < KILL_MEMBERS; i++)
    if (!kill_same(texts.at[i], repaired.at[i])) result = kill_says(c, "a repair changed member %u", i);
  if (result == 0 && kill_now->use && kill_now->use(file) < 0) result = kill_says(c, "work does not go on");
  if (result == 0 && mm3_check(file, NULL, NULL) != 0) result = kill_says(c, "it is damaged after repair and use");
  kill_forget(&texts), kill_forget(&repaired);
  return result;
}

/* The states, from a file that nobody kills. */
static int kill_sequence_prepare(const struct kill_sequence *sequence) {
  const char *path = mm3test_path("model.mm3");
  kill_now = sequence;
  unlink(path);
  if (sequence->make(path) < 0) return -1;
  struct mm3_file *file = sequence->open(path);
  if (!file) return -1;
  int result = kill_show(file, &kill_states[0]);
  for (kill_nstates = 1; result == 0 && kill_nstates <= KILL_MOST && sequence->ops[kill_nstates - 1]; kill_nstates++) {
    result = sequence->ops[kill_nstates - 1](file) < 0 ? -1 : kill_show(file, &kill_states[kill_nstates]);
    if (result < 0) printf("%s: operation %u fails\n", sequence->name, kill_nstates);
  }
  mm3_close(file);
  unlink(path);
  return result;
}

/* 0, or -1 when the operations themselves failed. */
static int kill_run_sequence(const struct kill_sequence *sequence, struct kill_result *result) {
  const struct kill_op op = {sequence->name, kill_sequence_setup, kill_sequence_run, kill_sequence_model, 0};
  memset(result, 0, sizeof *result);
  if (mm3_all_modules_register(NULL) < 0 || kill_sequence_prepare(sequence) < 0) return -1;
  int failed = kill_run(&op, mm3test_path(NULL), result);
  for (unsigned i = 0; i < kill_nstates; i++) kill_forget(&kill_states[i]);
  return failed;
}

MM3_UNUSED static void kill_check_sequence(const struct kill_sequence *sequence) {
  struct kill_result result;
  if (!CHECK_EQ(kill_run_sequence(sequence, &result), 0)) printf("%s: %s\n", sequence->name, result.says);
  CHECK_EQ(result.violations, 0);
  CHECK(!kill_can_step() || result.points + 1 >= kill_nstates);
}

#endif
