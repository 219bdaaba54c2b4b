/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 08_vec: a high-score table that survives: the ten best runs, in order, shared by every process that plays.
 *
 *     ./08_vec [NAME SCORE]...       adds runs, prints the table
 *     mm3 get scores.mm3 'runs[0].player'
 *     mm3 export scores.mm3
 */
#include <mm3.h>
#include <stdio.h>
#include <stdlib.h>

#define RUN(FIELD)           \
  FIELD(score, u64)          \
  FIELD(player, raw(16))
MM3_STRUCT(run, RUN);

#define SCORES(FIELD)        \
  FIELD(runs, vec(run, 10))  \
  FIELD(last, vec(u64, 5))
MM3_STRUCT(scores, SCORES);

static int higher_first(const void *a, const void *b, void *context) {
  uint64_t x = ((const struct run *)a)->score, y = ((const struct run *)b)->score;
  (void)context;
  return x > y ? -1 : x < y;
}

/* The table is in order, so a search finds the place. Operations of several steps take the file: they lock it, and a process
 * that is killed in the middle leaves the table as it was or as it should be. */
static void add_run(struct mm3_file *file, struct scores *s, const char *player, uint64_t score) {
  struct run run = {.score = score}, dropped;
  size_t place;
  snprintf((char *)run.player, sizeof run.player, "%s", player);

  if (mm3_lock(file) < 0) return; /* search and insert belong together: one lock for both */
  mm3_vec_search(&s->runs, &run, higher_first, NULL, &place);
  if (place < mm3_vec_capacity(&s->runs)) {
    if (mm3_vec_len(&s->runs) == mm3_vec_capacity(&s->runs)) mm3_vec_pop(&s->runs, &dropped);
    mm3_vec_insert_held(file, &s->runs, place, run);
  }
  mm3_unlock(file);

  /* The last five scores, oldest first. A full vec says so. */
  if (mm3_vec_push(&s->last, score) == -MM3_E_FULL) {
    mm3_vec_remove(file, &s->last, 0);
    mm3_vec_push(&s->last, score);
  }
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create("scores.mm3", MM3_TYPE(scores), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  struct scores *s = mm3_root(file, scores);

  if (argc < 3) {
    add_run(file, s, "ada", 300), add_run(file, s, "grace", 500), add_run(file, s, "edsger", 400);
  }
  for (int i = 1; i + 1 < argc; i += 2) add_run(file, s, argv[i], strtoull(argv[i + 1], NULL, 10));

  /* mm3_vec_get copies: a run is whole even while another process inserts. */
  struct run run;
  for (size_t i = 0; mm3_vec_get(&s->runs, i, &run) == 0; i++)
    printf("%2zu. %-15.15s %llu\n", i + 1, (const char *)run.player, (unsigned long long)run.score);

  /* In place is plain C, for programs that know when nobody writes. */
  uint64_t sum = 0;
  MM3_VEC_EACH(score, &s->last) sum += *score;
  printf("the last %zu runs: %llu points\n", mm3_vec_len(&s->last), (unsigned long long)sum);
  return mm3_close(file) != 0;
}
