/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * demo_worker: one of the processes of `make demo`. Adds to the total that all share, then to its own slot, a given
 * number of times, and says how far it is in a string.
 *
 *     demo_worker FILE NUMBER ADDITIONS [PAUSE_US]
 *     demo_worker FILE                            prints the total, the slots and what is missing between them
 */
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKER(FIELD) FIELD(count, atomic(u64)) FIELD(note, string(40))
MM3_STRUCT(worker, WORKER);

#define DEMO(FIELD)          \
  FIELD(total, atomic(u64))  \
  FIELD(kills, atomic(u64))  \
  FIELD(w1, worker)          \
  FIELD(w2, worker)          \
  FIELD(w3, worker)          \
  FIELD(w4, worker)
MM3_STRUCT(demo, DEMO);

static void work(struct demo *d, struct worker *me, unsigned long additions, unsigned pause_us) {
  uint64_t before = mm3_atomic_load(&me->count);
  for (unsigned long i = 1; i <= additions; i++) {
    mm3_atomic_fetch_add(&d->total, 1);
    /* killed here: the total is one ahead of the slots */
    mm3_atomic_fetch_add(&me->count, 1);
    if (i % 1000 == 0) mm3_string_format(&me->note, "%lu of %lu in this run", i, additions);
    if (pause_us && i % 1000 == 0) usleep(pause_us);
  }
  mm3_string_format(&me->note, "done: %" PRIu64 " to %" PRIu64, before, mm3_atomic_load(&me->count));
}

static void show(struct demo *d, struct worker *workers[4]) {
  uint64_t sum = 0, total = mm3_atomic_load(&d->total);
  for (int i = 0; i < 4; i++) {
    char note[41] = "";
    mm3_string_get(&workers[i]->note, note, sizeof note, NULL);
    sum += mm3_atomic_load(&workers[i]->count);
    printf("  worker %d counted   %10" PRIu64 "   \"%s\"\n", i + 1, mm3_atomic_load(&workers[i]->count), note);
  }
  printf("  sum of the four    %10" PRIu64 "\n  total in the file  %10" PRIu64 "   difference %" PRId64 "\n", sum, total,
         (int64_t)(total - sum));
}

int main(int argc, char **argv) {
  struct mm3_error err;
  if (argc < 2) return fprintf(stderr, "demo_worker FILE [NUMBER ADDITIONS [PAUSE_US]]\n"), 2;
  struct mm3_file *file = mm3_open_or_create(argv[1], MM3_TYPE(demo), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct demo *d = mm3_root(file, demo);
  struct worker *workers[4] = {&d->w1, &d->w2, &d->w3, &d->w4};
  if (argc < 4) show(d, workers);
  else work(d, workers[(atoi(argv[2]) - 1) & 3], strtoul(argv[3], NULL, 10), argc > 4 ? (unsigned)atoi(argv[4]) : 0);
  return mm3_close(file) != 0;
}
