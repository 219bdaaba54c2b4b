/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap as a value, out: every entry once, in flat memory, whatever happens to the table meanwhile. */
#include "mm3maps.h"

#include <malloc.h>

/* A sink that counts each key, and changes the map at some of them: nobody holds the lock in a visit. */
struct counting {
  struct mm3_sink sink;
  struct mm3_file *file;
  struct maps *m;
  unsigned char *times; /* that each key came */
  uint64_t stable, n, came, changes;
  uint64_t every;       /* keys from one change to the next; 0: none */
  size_t most;          /* heap memory, at its most */
  bool lists;           /* pairs instead of an object */
};

static int nothing(struct mm3_sink *k) { return (void)k, 0; }
static int count_of(struct mm3_sink *k, uint64_t n) { return (void)k, (void)n, 0; }
static int integer(struct mm3_sink *k, int64_t v) { return (void)k, (void)v, 0; }

/* Keys below `stable` stay; those above come and go, so that the table grows, is cleaned, and shrinks. */
static void disturb(struct counting *c) {
  uint64_t room = c->n - c->stable;
  switch (c->changes++ % 5) {
    case 0:
      for (uint64_t i = 0; i < room; i++) mm3_hashmap_set(c->file, &c->m->numbers, c->stable + i, i);
      break;
    case 1:
      for (uint64_t i = 0; i < room; i += 2) mm3_hashmap_remove(c->file, &c->m->numbers, c->stable + i);
      break;
    case 2:
      for (uint64_t i = 1; i < room; i += 2) mm3_hashmap_remove(c->file, &c->m->numbers, c->stable + i);
      mm3_hashmap_shrink(c->file, &c->m->numbers);
      break;
    case 3: mm3_hashmap_reserve(c->file, &c->m->numbers, 6 * c->n); break;
    default: mm3_hashmap_shrink(c->file, &c->m->numbers); break;
  }
}

static int key(struct mm3_sink *k, const char *text, size_t count) {
  struct counting *c = (struct counting *)k;
  uint64_t number = strtoull(text, NULL, 10);
  (void)count;
  if (CHECK(number < c->n) && c->times[number] < 255) c->times[number]++;
  c->came++;
  if (c->came % 1000 == 0) {
    struct mallinfo2 now = mallinfo2();
    if (now.uordblks + now.hblkhd > c->most) c->most = now.uordblks + now.hblkhd;
  }
  if (c->every && c->came % c->every == 0) disturb(c);
  return 0;
}

static void counting_init(struct counting *c, struct mm3_file *file, uint64_t stable, uint64_t n) {
  *c = (struct counting){.file = file, .m = mm3_root(file, maps), .stable = stable, .n = n, .times = calloc(n, 1)};
  c->sink = (struct mm3_sink){.size = sizeof c->sink, .integer = integer, .begin_map = count_of, .end_map = nothing, .key = key};
  mm3_lock(file);
  for (uint64_t i = 0; i < stable; i++) mm3_hashmap_set_held(file, &c->m->numbers, i, i);
  mm3_unlock(file);
}

static void visit_once(struct counting *c) {
  struct mm3_field field;
  struct mm3_error error = {0};
  memset(c->times, 0, c->n);
  c->came = 0;
  CHECK_OK(mm3_field_find(c->file, "numbers", &field, &error), error);
  CHECK_OK(mm3_field_visit(&field, &c->sink, &error), error);
  uint64_t missed = 0, twice = 0;
  for (uint64_t i = 0; i < c->n; i++) {
    missed += i < c->stable && c->times[i] == 0;
    twice += c->times[i] > 1;
  }
  CHECK_EQ(missed, 0);
  CHECK_EQ(twice, 0);
}

static void still(void) {
  struct counting c;
  struct mm3_file *file = maps_new("still.mm3");
  if (!file) return;
  for (uint64_t n = 0; n < 3000; n = n * 2 + 7) {
    counting_init(&c, file, n, n + 1);
    visit_once(&c);
    CHECK_EQ(c.came, n);
    free(c.times);
  }
  mm3_close(file);
}

static void disturbed(void) {
  struct counting c;
  struct mm3_file *file = maps_new("disturbed.mm3");
  if (!file) return;
  counting_init(&c, file, 4000, 9000);
  for (c.every = 150; c.every < 5000; c.every = c.every * 3 / 2) visit_once(&c);
  CHECK(c.changes > 60);
  CHECK_SOUND(file);
  free(c.times);
  mm3_close(file);
}

/* Each new table is another pass: after 40 the walk says so instead of going on for ever. */
static void never_at_rest(void) {
  struct counting c;
  struct mm3_field field;
  struct mm3_error error = {0};
  struct mm3_file *file = maps_new("never.mm3");
  if (!file) return;
  counting_init(&c, file, 4000, 9000);
  c.every = 1;
  CHECK_OK(mm3_field_find(file, "numbers", &field, &error), error);
  CHECK_EQ(mm3_field_visit(&field, &c.sink, &error), -MM3_E_AGAIN);
  CHECK(strstr(error.text, "entries") != NULL);
  for (uint64_t i = 0; i < c.n; i++) CHECK(c.times[i] <= 1);
  free(c.times);
  mm3_close(file);
}

/* Every slot taken, as only damage makes it: a probing would never end, the walk does. */
static void full_to_the_last(void) {
  struct counting c;
  struct mm3_field field;
  struct mm3_error error = {0};
  struct mm3_file *file = maps_new("full.mm3");
  if (!file) return;
  counting_init(&c, file, 20000, 20001);
  uint64_t table = *(uint64_t *)(void *)&c.m->numbers & MM3_I_HM_OFFSET;
  struct mm3_i_hashmap_head *head = (struct mm3_i_hashmap_head *)(void *)(file->base + table);
  unsigned char *control = file->base + table + MM3_I_HM_HEAD;
  for (uint64_t i = 0; i < 16 * ((uint64_t)head->mask + 1); i++)
    if (control[i] < 2) control[i] = 0x55;
  CHECK_OK(mm3_field_find(file, "numbers", &field, &error), error);
  mm3_field_visit(&field, &c.sink, &error);
  uint64_t missed = 0;
  for (uint64_t i = 0; i < c.stable; i++) missed += c.times[i] == 0;
  CHECK_EQ(missed, 0);
  free(c.times);
  mm3_close(file);
}

static void flat(void) {
  struct counting c;
  struct mm3_file *file = maps_new("flat.mm3");
  if (!file) return;
  counting_init(&c, file, 100000, 100001);
  struct mallinfo2 before = mallinfo2();
  visit_once(&c);
  CHECK_EQ(c.came, 100000);
  CHECK(c.most < before.uordblks + before.hblkhd + 65536);
  free(c.times);
  mm3_close(file);
}

/* The error is the caller's, who need not have cleared it: an old one of the same code is not this one's sentence. */
static void says_why(void) {
  struct counting c;
  struct mm3_field field;
  struct mm3_error error = {0};
  struct mm3_file *file = maps_new("why.mm3");
  if (!file) return;
  counting_init(&c, file, 10, 11);
  CHECK_OK(mm3_field_find(file, "numbers", &field, &error), error);
  c.m->numbers.table += UINT64_C(1) << 40;
  mm3_error_set(&error, -MM3_E_DAMAGED, "of another time");
  CHECK_FAILS(mm3_field_visit(&field, &c.sink, &error), -MM3_E_DAMAGED, error);
  CHECK_HAS(error.text, "after 0 entries");
  CHECK_STR(error.field, "numbers");
  free(c.times);
  mm3_close(file);
}

MM3_TEST_SUITE("hashmap, visited", {"a map that stands still gives every entry once", still},
               {"a map that grows, shrinks and is rebuilt meanwhile gives what stays once and nothing twice", disturbed},
               {"a map that never rests is -MM3_E_AGAIN after 40 tables", never_at_rest},
               {"a table without a free slot is walked to its end", full_to_the_last},
               {"the memory of a visit does not grow with the map", flat},
               {"a visit that fails says why, whatever was said before", says_why})
