/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Every operation of every kind by path, as the command does it, under the kill harness. After a kill the file holds what
 * it held before the operation or what it holds after it, whole, in every field; only a list or table that is put as a
 * whole, or a value of several words, may be half there, and then all other fields are as they were.
 *
 * MM3_VICTIM=name: one kind. All of them take a minute; without MM3_TORTURE one operation of each must do.
 */
#include "../modules/all_modules.h"
#include "hostile/victims.h"
#include "kill/kill.h"
#include "kill/texts.h"
#include "mm3test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The operation in hand: the processes of a run inherit it. */
static const struct victim *victim;
static unsigned line;
static struct kill_texts before, after;
static int parted;             /* a whole container is put: its parts come one by one */
static unsigned target;        /* the member that it changes */

/* memory[0]: the operation was seen done. */
static int model(struct kill_case *c, struct mm3_file *file) {
  struct kill_texts now;
  int old = 1, new = 1;
  if (kill_show(file, &now) < 0) return kill_says(c, "it cannot be read");
  for (unsigned i = 0; i < KILL_MEMBERS; i++) {
    if (parted && i == target) continue;
    if (!kill_same(now.at[i], before.at[i])) old = 0;
    if (!kill_same(now.at[i], after.at[i])) new = 0;
    if (!old && !new) return kill_says(c, "member %u is %.100s; it was %.100s and becomes %.100s", i, now.at[i], before.at[i], after.at[i]);
  }
  kill_forget(&now);
  if (!new && c->memory[0]) return kill_says(c, "it went back to what it was");
  c->memory[0] |= (uint64_t)(new && !old);
  return 0;
}

static struct mm3_file *open_victim(const char *path) {
  struct mm3_options options = {.size = sizeof options, .reserve = 16 << 20};
  return mm3_open(path, NULL, &options, NULL);
}

static int setup(struct kill_case *c) { return victim_make_some(victim, c->path, line); }

static int run(struct kill_case *c) {
  struct mm3_error error = {0};
  struct mm3_file *file = open_victim(c->path);
  if (!file) return -1;
  int result = victim_line(file, victim->lines[line], kill_begin, kill_end, &error);
  if (result < 0) return fprintf(stderr, "%s\n", error.text), -1;
  return mm3_close(file);
}

/* What is in the file before the line and after it, and whether the line may leave its own field half done. */
static int prepare(void) {
  const char *path = mm3test_path("model.mm3");
  char verb[8], name[64], value[2] = "";
  struct mm3_member_info member;
  if (sscanf(victim->lines[line], "%7s %63s %1s", verb, name, value) < 2) return -1;
  parted = strcmp(verb, "put") == 0 && !strpbrk(name, ".[") && strpbrk(value, "[{") && strcmp(victim->name, "json") != 0;
  for (unsigned n = 0; n < 2; n++) {
    unlink(path);
    if (victim_make_some(victim, path, line + n) < 0) return -1;
    struct mm3_file *file = open_victim(path);
    if (!file || kill_show(file, n ? &after : &before) < 0) return -1;
    name[strcspn(name, ".[")] = 0;
    for (target = 0; mm3_file_member(file, target, &member) == 0 && strcmp(member.name, name) != 0;) target++;
    if (strcmp(member.kind, "raw") == 0 || strstr(member.kind, "128")) parted = 1; /* their words are whole, no more */
    mm3_close(file);
  }
  unlink(path);
  return 0;
}

static void each_operation_is_whole_or_absent(void) {
  const char *only = getenv("MM3_VICTIM");
  unsigned operations = 0;
  unsigned long long points = 0;
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  for (unsigned i = 0; i < victim_count; i++) {
    victim = &victims[i];
    if (only && strcmp(only, victim->name) != 0) continue;
    unsigned lines = 0;
    while (lines < 16 && victim->lines[lines]) lines++;
    for (line = 0; line < 16 && victim->lines[line]; line++) {
      char name[100];
      struct kill_op op = {name, setup, run, model, 0};
      struct kill_result result;
      if (!only && !getenv("MM3_TORTURE") && line != (i + 1) % lines) continue;
      if (!CHECK_EQ(prepare(), 0)) continue;
      snprintf(name, sizeof name, "%s: %.40s%s", victim->name, victim->lines[line], parted ? " (in parts)" : "");
      if (!CHECK_EQ(kill_run(&op, mm3test_path(NULL), &result), 0)) printf("%s: %s\n", name, result.says);
      CHECK_EQ(result.violations, 0);
      CHECK_EQ(result.refused, 0);
      points += result.points;
      operations++;
      kill_forget(&before), kill_forget(&after);
    }
  }
  printf("kill: %u operations by path, %llu kill points\n", operations, points);
  CHECK(operations > 0 && (!kill_can_step() || points > 2 * operations));
}

MM3_TEST_SUITE("kill_path", {"each operation is whole or absent", each_operation_is_whole_or_absent})
