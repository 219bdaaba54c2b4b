/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 06_my_data: a struct with a field of most kinds, declared in one list.
 *
 *     ./06_my_data [FILE]        each run adds a score, a tag and an event
 *     mm3 get my_data.mm3        shows the same bytes from the shell
 */
#include <mm3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MY_DATA(FIELD)                   \
  FIELD(id, u64)                         \
  FIELD(active, bool)                    \
  FIELD(counter, atomic(u64))            \
  FIELD(name, string(32))                \
  FIELD(key, raw(32))                    \
  FIELD(scores, vec(u32, 10))            \
  FIELD(tags, string_array(5, 16))       \
  FIELD(events, segmented(u64))
MM3_STRUCT(my_data, MY_DATA);

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "my_data.mm3", MM3_TYPE(my_data), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct my_data *d = mm3_root(file, my_data);

  d->id = 7; /* plain fields: plain C */
  d->active = 1;
  memset(d->key, 0xAB, sizeof d->key);
  uint64_t run = mm3_atomic_fetch_add(&d->counter, 1) + 1; /* any number of processes at once */
  mm3_string_set(&d->name, "my_data");

  if (mm3_vec_push(&d->scores, (uint32_t)run * 10) == -MM3_E_FULL) mm3_vec_clear(&d->scores);
  char tag[17];
  snprintf(tag, sizeof tag, "run %u", (unsigned)run);
  mm3_string_array_set(&d->tags, (run - 1) % 5, tag);
  mm3_segmented_append(file, &d->events, (uint64_t)time(NULL)); /* grows without end: takes the file first */

  uint64_t sum = 0;
  for (size_t i = 0; i < mm3_vec_len(&d->scores); i++) sum += *mm3_vec_at(&d->scores, i);
  printf("run %u: %zu scores, sum %u; %zu tags; %u events\n", (unsigned)run, mm3_vec_len(&d->scores), (unsigned)sum,
         mm3_string_array_count_non_empty(&d->tags), (unsigned)mm3_segmented_len(&d->events));
  return mm3_close(file) != 0;
}
