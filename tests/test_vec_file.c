/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Vecs in files: the kind's table, corrupt forms, several threads and processes, dead writers. */
#include "mm3list.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/atomic.h>
#include <mm3/file.h>
#include <mm3/string.h>
#include <mm3/vec.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define POINT(FIELD) FIELD(x, u32) FIELD(y, u64) FIELD(ok, bool)
MM3_STRUCT(point, POINT);
#define INNER(FIELD) FIELD(tag, u64) FIELD(list, vec(u16, 4))
MM3_STRUCT(inner, INNER);
#define ALL(FIELD)                                                                                       \
  FIELD(stop, atomic(bool)) FIELD(small, vec(u32, 4)) FIELD(flags, vec(bool, 3)) FIELD(points, vec(point, 3)) \
  FIELD(names, vec(string(9), 4)) FIELD(nested, vec(vec(u8, 2), 2)) FIELD(wide, vec(u128, 3)) FIELD(in, inner) \
  FIELD(counts, vec(atomic(u64), 3)) FIELD(big, vec(raw(40), 50))       \
  FIELD(pages, vec(raw(3000), 3))
MM3_STRUCT(all, ALL);

static struct mm3_file *new_file(void) {
  struct mm3_file *file = mm3_create(mm3test_path("v.mm3"), MM3_TYPE(all), NULL, &show_error);
  if (!CHECK(file != NULL)) printf("%s\n", show_error.text);
  return file;
}

static void layouts_that_cannot_be_are_refused(void) {
  static const char *const bad[][2] = {
      {"vec(u32, 0)", "vec wants a type"},          {"vec(u32)", "vec wants a type"},
      {"vec", "vec wants a type"},                  {"vec(u32, 2147483647)", "vec wants a type"},
      {"vec(4, u32)", "vec wants a type"},          {"vec(u32, 4, 5)", "vec wants a type"},
      {"vec(raw(1099511627776), 4)", "2^40 bytes"}, {"vec(raw(1024), 2147483646)", "2^40 bytes"},
      {"vec(nothing, 4)", "nothing"},               {"vec(vec(u8, 0), 4)", "vec(u8, 0)"},
  };
  char text[200], out[400];
  size_t need;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    snprintf(text, sizeof text, "struct s { f: %s }", bad[i][0]);
    int result = mm3_schema_format(text, out, sizeof out, &need, &show_error);
    CHECK(result == -MM3_E_SCHEMA || result == -MM3_E_MODULE);
    CHECK_HAS(show_error.text, bad[i][1]);
  }
  CHECK_OK(mm3_schema_format("struct s { f: vec(raw(100), 2147483646) }", out, sizeof out, &need, &show_error), show_error);
}

static void values_go_in_and_out_by_path(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  CHECK_STR(show(file, "small"), "[]");
  CHECK_OK(show_put(file, "small", LIST(an_int(1), an_int(2), an_int(3))), show_error);
  CHECK_STR(show(file, "small"), "[1,2,3]");
  CHECK_OK(show_push(file, "small", an_int(4)), show_error);
  CHECK_FAILS(show_push(file, "small", an_int(5)), -MM3_E_FULL, show_error);
  CHECK_HAS(show_error.text, "4 items");
  CHECK_STR(show(file, "small[-1]"), "4");
  CHECK_STR(show(file, "small[1:3]"), "[2,3]");
  CHECK_FAILS(show_put(file, "small[4]", an_int(1)), -MM3_E_ABSENT, show_error);
  CHECK_FAILS(show_put(file, "small[-5]", an_int(1)), -MM3_E_ABSENT, show_error);
  CHECK_FAILS(show_put(file, "small.x", an_int(1)), -MM3_E_PATH, show_error);
  CHECK_FAILS(show_put(file, "small[2]", an_int(-1)), -MM3_E_VALUE, show_error);
  CHECK_OK(show_put(file, "small[2]", an_int(33)), show_error);
  CHECK_OK(show_erase(file, "small[0]"), show_error);
  CHECK_STR(show(file, "small"), "[2,33,4]");
  CHECK_FAILS(show_put(file, "small", LIST(an_int(7), a_text("x"))), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "small"), "[2,33,4]");
  CHECK_FAILS(show_put(file, "small", LIST(an_int(1), an_int(1), an_int(1), an_int(1), an_int(1))), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_put(file, "small", an_int(1)), -MM3_E_VALUE, show_error);
  CHECK_OK(show_put(file, "small", EMPTY_LIST), show_error);
  CHECK_STR(show(file, "small"), "[]");
  CHECK_FAILS(show_erase(file, "small[0]"), -MM3_E_ABSENT, show_error);

  CHECK_OK(show_put(file, "points", LIST(MAP(a_text("x"), an_int(1), a_text("ok"), a_bool(1)), MAP(a_text("y"), an_int(2)))),
           show_error);
  CHECK_STR(show(file, "points"), "[{x=1,y=0,ok=true},{x=0,y=2,ok=false}]");
  CHECK_OK(show_put(file, "points[1]", MAP(a_text("x"), an_int(5))), show_error);
  CHECK_OK(show_put(file, "points[0].y", an_int(9)), show_error);
  CHECK_FAILS(show_put(file, "points[1]", MAP(a_text("z"), an_int(5))), -MM3_E_PATH, show_error);
  CHECK_STR(show(file, "points"), "[{x=1,y=9,ok=true},{x=5,y=2,ok=false}]");
  CHECK_OK(show_put(file, "points", LIST(MAP(a_text("x"), an_int(3)))), show_error);
  CHECK_STR(show(file, "points"), "[{x=3,y=0,ok=false}]");

  CHECK_OK(show_put(file, "names", LIST(a_text("one"), a_text("two"), a_text("three"))), show_error);
  CHECK_OK(show_put(file, "names[1]", a_text("zwei")), show_error);
  CHECK_OK(show_erase(file, "names[0]"), show_error);
  CHECK_FAILS(show_push(file, "names", a_text("ten bytes!")), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_put(file, "names", LIST(a_text("a"), a_text("ten bytes!"))), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "names"), "[\"zwei\",\"three\"]");
  CHECK_OK(show_put(file, "nested", LIST(LIST(an_int(1)), EMPTY_LIST)), show_error);
  CHECK_OK(show_push(file, "nested[1]", an_int(255)), show_error);
  CHECK_FAILS(show_put(file, "nested", LIST(EMPTY_LIST, LIST(an_int(256)))), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "nested"), "[[1],[255]]");
  CHECK_OK(show_put(file, "in.list", LIST(an_int(5))), show_error);
  CHECK_EQ(mm3_vec_len(&a->in.list), 1);
  CHECK_OK(show_push(file, "counts", an_int(1)), show_error);
  CHECK_EQ(mm3_atomic_fetch_add(mm3_vec_at(&a->counts, 0), 5), 1);
  CHECK_STR(show(file, "counts"), "[6]");
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

static void check_refuses_each_corrupt_form(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  static const struct {
    uint64_t word, sequence;
    const char *says;
  } forms[] = {
      {5, 0, "the length is 5; at most 4"},
      {UINT64_C(0xffffffff), 0, "the length is 4294967295"},
      {3, 5, "width is 5"},
      {3 | UINT64_C(4) << 32, 1, "a gap starts at item 3, of a length of 3"},
      {3 | UINT64_C(0x7fffffff) << 32, 1, "a gap starts at item 2147483646"},
      {3 | UINT64_C(1) << 32, 0, "a gap of 0 slots; 1 to 2"},
      {3 | UINT64_C(1) << 32, 3, "a gap of 3 slots; 1 to 2"},
      {3 | UINT64_C(0x80000003) << 32, 0, "item 3 is in the free slot"},
      {0 | UINT64_C(0x80000000) << 32, 0, "item 0 is in the free slot"},
      {4 | UINT64_C(1) << 32, 2, "a gap of 2 slots; 1 to 1"},
  };
  CHECK_OK(show_check(file, "small"), show_error);
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    a->small.word = forms[i].word, a->small.sequence = forms[i].sequence;
    CHECK_FAILS(show_check(file, "small"), -MM3_E_DAMAGED, show_error);
    CHECK_HAS(show_error.text, forms[i].says);
  }
  a->small.word = 3 | UINT64_C(3) << 32, a->small.sequence = 2; /* what a killed writer may leave is whole */
  CHECK_OK(show_check(file, "small"), show_error);
  a->small.word = 3 | UINT64_C(0x80000002) << 32;
  CHECK_OK(show_check(file, "small"), show_error);
  a->small.word = a->small.sequence = 0;

  CHECK_EQ(mm3_vec_push(&a->flags, 1), 0);
  CHECK_EQ(mm3_vec_push(&a->flags, 7), 0);
  CHECK_FAILS(show_check(file, "flags"), -MM3_E_DAMAGED, show_error);
  CHECK_HAS(show_error.field, "[1]");
  a->flags.word = 1; /* a byte of 7 beyond the length harms nobody */
  CHECK_OK(show_check(file, "flags"), show_error);
  ((unsigned char *)&a->flags)[20] = 1;
  CHECK_FAILS(show_check(file, "flags"), -MM3_E_DAMAGED, show_error);
  CHECK_HAS(show_error.text, "byte 20 is padding");
  ((unsigned char *)&a->flags)[20] = 0;
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

/* ---- others ---- */

static int push_in_a_child(void *mine) {
  struct mm3_error error;
  CHECK_EQ(mm3_close(mine), 0);
  struct mm3_file *file = mm3_open(mm3test_path("v.mm3"), MM3_TYPE(all), NULL, &error);
  CHECK(file != NULL);
  struct all *a = mm3_root(file, all);
  CHECK_EQ(mm3_vec_push(&a->small, 11), 0);
  CHECK_EQ(mm3_vec_insert(file, &a->small, 0, 22), 0);
  CHECK_EQ(mm3_vec_set(&a->points, 0, {7, 8, 1}), 0);
  CHECK_EQ(mm3_close(file), 0);
  return 0;
}

static void others_see_what_was_written(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  struct point p = {0};
  CHECK_EQ(mm3_vec_push(&a->points, {1, 2, 0}), 0);
  CHECK_EQ(mm3test_fork(push_in_a_child, file), 0);
  CHECK_STR(show(file, "small"), "[22,11]");
  CHECK_EQ(mm3_vec_get(&a->points, 0, &p), 0);
  CHECK(p.x == 7 && p.y == 8 && p.ok == 1);
  CHECK_EQ(mm3_close(file), 0);
  file = mm3_open(mm3test_path("v.mm3"), MM3_TYPE(all), NULL, &show_error);
  if (!CHECK(file != NULL)) return;
  CHECK_STR(show(file, "small"), "[22,11]");
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

static int compare_u32(const void *x, const void *y, void *context) {
  uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
  (void)context;
  return a < b ? -1 : a > b;
}

static void the_lock_is_taken_or_held(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  uint32_t many[2] = {8, 9}, out = 0;
  uint32_t changes = mm3_changes(file);
  CHECK_EQ(mm3_vec_insert(file, &a->small, 0, 5), 0);
  CHECK(mm3_changes(file) != changes);
  CHECK(!mm3_locked(file));
  CHECK_EQ(mm3_lock(file), 0);
  CHECK_EQ(mm3_vec_insert(file, &a->small, 0, 6), -EDEADLK);
  CHECK_EQ(mm3_vec_remove(file, &a->small, 0), -EDEADLK);
  CHECK_EQ(mm3_vec_sort(file, &a->small, compare_u32, NULL), -EDEADLK);
  CHECK_EQ(mm3_vec_resize(file, &a->small, 1, 0), -EDEADLK);
  CHECK_EQ(mm3_vec_assign(file, &a->small, 0, many, 1), -EDEADLK);
  CHECK_EQ(mm3_vec_swap_remove(file, &a->small, 0), -EDEADLK);
  CHECK_STR(show(file, "small"), "[5]");
  CHECK_EQ(mm3_vec_insert_held(file, &a->small, 0, 6), 0);
  CHECK_EQ(mm3_vec_append_held(file, &a->small, many, 2), 0);
  CHECK_EQ(mm3_vec_sort_held(file, &a->small, compare_u32, NULL), 0);
  CHECK_EQ(mm3_vec_take_held(file, &a->small, 1, &out), 0);
  CHECK_EQ(out, 6);
  CHECK_EQ(mm3_vec_swap_remove_held(file, &a->small, 0), 0);
  CHECK_EQ(mm3_vec_assign_held(file, &a->small, 0, many, 1), 0);
  CHECK_EQ(mm3_vec_resize_held(file, &a->small, 3, 1), 0);
  CHECK(mm3_locked(file));
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_STR(show(file, "small"), "[8,8,1]");
  CHECK_EQ(mm3_close(file), 0);
}

/* Dies under the lock, with the state that a kill in the middle of an insert leaves. */
static int die_inserting(void *arg) {
  struct mm3_file *file = arg;
  struct all *a = mm3_root(file, all);
  CHECK(mm3_lock(file) >= 0);
  mm3_certify(file, 7, 0x5601, 1);
  a->in.list.sequence = 1;
  a->in.list.at[2] = a->in.list.at[1];
  __atomic_store_n(&a->in.list.word, UINT64_C(2) << 32 | 2, __ATOMIC_RELEASE);
  raise(SIGKILL);
  return 0;
}

static void the_next_taker_tidies_up(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  mm3_vec_push(&a->in.list, 100), mm3_vec_push(&a->in.list, 200);
  CHECK_EQ(mm3test_fork(die_inserting, file), -SIGKILL);
  CHECK_STR(show(file, "in.list"), "[100,200]");
  CHECK_OK(show_check(file, "in.list"), show_error);
  CHECK(a->in.list.word >> 32 != 0);
  CHECK_EQ(mm3_lock(file), 1);
  CHECK_EQ(a->in.list.word, 2);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_STR(show(file, "in.list"), "[100,200]");
  CHECK_EQ(mm3_close(file), 0);
}

/* An item is one byte, forty times, so that what is torn shows. */
static void *shuffle(void *arg) {
  struct mm3_file *file = arg;
  struct all *a = mm3_root(file, all);
  uint8_t item[40];
  for (unsigned i = 0; !mm3_atomic_load_explicit(&a->stop, __ATOMIC_RELAXED); i++) {
    memset(item, (int)(i % 251), sizeof item);
    switch (i % 6) {
      case 0: mm3_vec_insert_from(file, &a->big, i % 3, &item); break;
      case 1: mm3_vec_push_from(&a->big, &item); break;
      case 2: mm3_vec_set_from(&a->big, i % 5, &item); break;
      case 3: mm3_vec_swap_remove(file, &a->big, i % 7); break;
      case 4: mm3_vec_insert_from(file, &a->big, 0, &item); break;
      default:
        if (mm3_vec_len(&a->big) > 40) mm3_vec_remove_many(file, &a->big, 1, 30);
        else mm3_vec_pop(&a->big, &item);
    }
    if (mm3test_tool()[0]) sched_yield();
  }
  return NULL;
}

static void readers_get_whole_items(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  pthread_t thread;
  long torn = 0, again = 0, got = 0, rounds = mm3test_tool()[0] ? 3000 : 200000;
  uint64_t deadline = mm3test_now_ns() + UINT64_C(20000000000);
  uint8_t item[40], first = 0;
  CHECK_EQ(pthread_create(&thread, NULL, shuffle, file), 0);
  for (long i = 0; i < rounds || (got < 100 && mm3test_now_ns() < deadline); i++) {
    int result = mm3_vec_get(&a->big, i % 10, &item);
    again += result == -MM3_E_AGAIN;
    if (result < 0) continue;
    for (unsigned b = 1; b < 40; b++) torn += item[b] != item[0];
    got += item[0] != first;
    first = item[0];
    if (mm3test_tool()[0] && i % 10 == 0) sched_yield();
  }
  mm3_atomic_store(&a->stop, 1);
  pthread_join(thread, NULL);
  CHECK_EQ(torn, 0);
  CHECK(got >= 100);
  CHECK(again < rounds / 10);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

/* Large items, so that a copy takes long and is overtaken often: sets and moves one after another. */
static void *turn_pages(void *arg) {
  struct mm3_file *file = arg;
  struct all *a = mm3_root(file, all);
  static uint8_t page[3000];
  for (unsigned i = 0; !mm3_atomic_load_explicit(&a->stop, __ATOMIC_RELAXED); i++) {
    memset(page, (int)(i % 251), sizeof page);
    mm3_vec_set_from(&a->pages, i % 2, &page);
    if (i % 4 == 0) mm3_vec_insert_from(file, &a->pages, 0, &page);
    if (i % 4 == 2) mm3_vec_remove(file, &a->pages, 1);
    if (mm3test_tool()[0]) sched_yield();
  }
  return NULL;
}

static void large_items_are_whole_too(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  pthread_t thread;
  static uint8_t page[3000];
  long torn = 0, changes = 0, reads = 0;
  uint8_t last = 0;
  mm3_vec_push_from(&a->pages, &page), mm3_vec_push_from(&a->pages, &page);
  CHECK_EQ(pthread_create(&thread, NULL, turn_pages, file), 0);
  long wanted = mm3test_tool()[0] ? 50 : 20000;
  uint64_t deadline = mm3test_now_ns() + UINT64_C(20000000000);
  while ((reads < wanted || changes < wanted / 10) && mm3test_now_ns() < deadline) {
    if (mm3_vec_get(&a->pages, reads++ % 2, &page) < 0) continue;
    for (unsigned b = 1; b < sizeof page; b++) torn += page[b] != page[0];
    changes += page[0] != last;
    last = page[0];
  }
  mm3_atomic_store(&a->stop, 1);
  pthread_join(thread, NULL);
  CHECK_EQ(torn, 0);
  CHECK(changes >= wanted / 10);
  CHECK_EQ(mm3_close(file), 0);
}

MM3_TEST_SUITE("vec in files", {"layouts that cannot be are refused in words", layouts_that_cannot_be_are_refused},
               {"values go in and out by path", values_go_in_and_out_by_path},
               {"check refuses each corrupt form", check_refuses_each_corrupt_form},
               {"others see what was written, now and after reopening", others_see_what_was_written},
               {"the lock is taken, or must be held", the_lock_is_taken_or_held},
               {"the next taker of the lock tidies up after a dead writer", the_next_taker_tidies_up},
               {"readers get whole items while a writer shuffles them", readers_get_whole_items},
               {"large items are whole too", large_items_are_whole_too})
