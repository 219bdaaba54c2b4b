/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vec and ndarray under the kill harness: each operation on items of 8 bytes, of 20 bytes, and on strings. Each state
 * is the old value or the new one, whole; a sort's is a permutation. */
#include "kill/kill.h"
#include "mm3test.h"

#include <mm3/ndarray.h>
#include <mm3/string.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <string.h>

enum { N = 7, START = 5 };
#define ITEM(FIELD) FIELD(a, u32) FIELD(b, raw(16))
MM3_STRUCT(item, ITEM);
#define LISTS(FIELD)                                                                                          \
  FIELD(before, u64) FIELD(narrow, vec(u64, N)) FIELD(wide, vec(item, N)) FIELD(texts, vec(string(20), N))    \
  FIELD(table, ndarray(u16, 3, 5))
MM3_STRUCT(lists, LISTS);

typedef __typeof__(((struct lists *)0)->texts.at[0]) text_item;

static struct item item_of(uint64_t number) {
  struct item item = {(uint32_t)number, {0}};
  memset(item.b, (int)number, sizeof item.b);
  return item;
}
static text_item text_of(uint64_t number) {
  text_item text = {0};
  char bytes[21];
  snprintf(bytes, sizeof bytes, "%llu, twice: %llu", (unsigned long long)number, (unsigned long long)number);
  mm3_string_element_set(&text, bytes);
  return text;
}
static uint64_t number_of(uint64_t number) { return number; }

static const uint64_t start[START] = {30, 10, 50, 20, 40};

static struct mm3_file *open_lists(struct kill_case *c) { return mm3_open(c->path, MM3_TYPE(lists), NULL, NULL); }

static int make_lists(struct kill_case *c) {
  struct mm3_file *file = mm3_create(c->path, MM3_TYPE(lists), NULL, NULL);
  if (!file) return -1;
  struct lists *l = mm3_root(file, lists);
  for (int i = 0; i < START; i++)
    if (mm3_vec_push(&l->narrow, start[i]) || mm3_vec_push(&l->wide, item_of(start[i])) ||
        mm3_vec_push(&l->texts, text_of(start[i])))
      return -1;
  return mm3_close(file);
}

/* ---- the numbers of all three, where nothing is torn ---- */

struct numbers {
  size_t count;
  uint64_t at[N];
};

#define TORN UINT64_MAX
#define READ(v, T, of, number)                                                           \
  do {                                                                                   \
    T item_, whole_;                                                                     \
    out->count = mm3_vec_len(v);                                                         \
    for (size_t i = 0; i < out->count; i++) {                                            \
      memset(&item_, 0, sizeof item_), out->at[i] = TORN;                                \
      if (mm3_vec_get(v, i, &item_) < 0) continue;                                       \
      uint64_t number_ = (number);                                                       \
      whole_ = of(number_);                                                              \
      if (memcmp(&whole_, &item_, sizeof whole_) == 0) out->at[i] = number_;             \
    }                                                                                    \
  } while (0)

static uint64_t read_number(const char *text) {
  unsigned long long number = 0;
  sscanf(text, "%llu", &number);
  return number;
}

static void read_numbers(const struct lists *l, int which, struct numbers *out) {
  if (which == 0) READ(&l->narrow, uint64_t, number_of, item_);
  if (which == 1) READ(&l->wide, struct item, item_of, item_.a);
  if (which == 2) READ(&l->texts, text_item, text_of, read_number(item_.bytes));
}

static int compare_numbers(const void *a, const void *b, void *context) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  (void)context;
  return x < y ? -1 : x > y;
}
static int compare_items(const void *a, const void *b, void *context) {
  uint64_t x = ((const struct item *)a)->a, y = ((const struct item *)b)->a;
  return compare_numbers(&x, &y, context);
}
static int compare_texts(const void *a, const void *b, void *context) {
  uint64_t x = read_number(((const text_item *)a)->bytes), y = read_number(((const text_item *)b)->bytes);
  return compare_numbers(&x, &y, context);
}

static int same(const struct numbers *a, const uint64_t *b, size_t count) {
  return a->count == count && memcmp(a->at, b, count * sizeof *b) == 0;
}

static const char *print(const struct numbers *n) {
  static char text[200];
  size_t used = (size_t)snprintf(text, sizeof text, "%zu items:", n->count);
  for (size_t i = 0; i < n->count; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, " %lld", (long long)n->at[i]);
  return text;
}

/* memory[0]: the new value was seen. */
static int old_or_new(struct kill_case *c, struct mm3_file *file, int which, const uint64_t *after, size_t nafter) {
  struct numbers now;
  read_numbers(mm3_root(file, lists), which, &now);
  if (same(&now, after, nafter)) return c->memory[0] = 1, 0;
  if (!same(&now, start, START)) return kill_says(c, "neither old nor new: %s", print(&now));
  return c->memory[0] ? kill_says(c, "back to the old: %s", print(&now)) : 0;
}

static int permutation(struct kill_case *c, struct mm3_file *file, int which) {
  struct numbers now;
  uint64_t seen = 0;
  read_numbers(mm3_root(file, lists), which, &now);
  for (size_t i = 0; i < now.count; i++) seen |= now.at[i] == TORN ? 1 : UINT64_C(1) << now.at[i];
  uint64_t all = 0;
  for (int i = 0; i < START; i++) all |= UINT64_C(1) << start[i];
  return now.count == START && seen == all ? 0 : kill_says(c, "no permutation: %s", print(&now));
}

/* ---- each operation on each of the three ---- */

#define STEPPED(name, member, statement)                        \
  static int run_##name##_##member(struct kill_case *c) {       \
    struct mm3_file *file = open_lists(c);                      \
    if (!file) return -1;                                       \
    __typeof__(((struct lists *)0)->member) *v = &mm3_root(file, lists)->member; \
    int result = -1;                                            \
    mm3_vec_remove(file, v, N); /* finds the module */          \
    kill_begin();                                               \
    statement;                                                  \
    kill_end();                                                 \
    return result ? -1 : mm3_close(file);                       \
  }
#define MODEL(name, member, which, ...)                                                       \
  static int model_##name##_##member(struct kill_case *c, struct mm3_file *file) {            \
    static const uint64_t after[] = {__VA_ARGS__};                                            \
    return old_or_new(c, file, which, after, sizeof after / sizeof *after);                   \
  }
#define ONE(name, member, which, statement, ...) \
  STEPPED(name, member, statement)               \
  MODEL(name, member, which, __VA_ARGS__)
#define EACH(member, which, T, of, compare)                                                                            \
  ONE(push, member, which, result = mm3_vec_push(v, of(60)), 30, 10, 50, 20, 40, 60)                                   \
  ONE(pop, member, which, { T out; result = mm3_vec_pop(v, &out); }, 30, 10, 50, 20)                                   \
  ONE(set, member, which, result = mm3_vec_set(v, 1, of(60)), 30, 60, 50, 20, 40)                                      \
  ONE(truncate, member, which, { mm3_vec_truncate(v, 2); result = 0; }, 30, 10)                                        \
  ONE(insert, member, which, result = mm3_vec_insert(file, v, 1, of(60)), 30, 60, 10, 50, 20, 40)                      \
  ONE(insert_many, member, which,                                                                                      \
      { T two[2]; two[0] = of(60); two[1] = of(61); result = mm3_vec_insert_many(file, v, 1, two, 2); }, \
      30, 60, 61, 10, 50, 20, 40) \
  ONE(append, member, which,                                                                                           \
      { T two[2]; two[0] = of(60); two[1] = of(61); result = mm3_vec_append(file, v, two, 2); }, \
      30, 10, 50, 20, 40, 60, 61) \
  ONE(remove, member, which, result = mm3_vec_remove(file, v, 1), 30, 50, 20, 40)                                      \
  ONE(remove_many, member, which, result = mm3_vec_remove_many(file, v, 0, 2), 50, 20, 40)                             \
  ONE(swap_remove, member, which, result = mm3_vec_swap_remove(file, v, 1), 30, 40, 50, 20)                            \
  ONE(resize, member, which, result = mm3_vec_resize(file, v, N, of(60)), 30, 10, 50, 20, 40, 60, 60)                  \
  STEPPED(sort, member, result = mm3_vec_sort(file, v, compare, NULL))                                                 \
  static int model_sort_##member(struct kill_case *c, struct mm3_file *file) { return permutation(c, file, which); }

EACH(narrow, 0, uint64_t, number_of, compare_numbers)
EACH(wide, 1, struct item, item_of, compare_items)
EACH(texts, 2, text_item, text_of, compare_texts)

/* ---- ndarray: each element old or new ---- */

static int run_table(struct kill_case *c) {
  struct mm3_file *file = open_lists(c);
  if (!file) return -1;
  struct mm3_ndarray_view view = mm3_ndarray_view(&mm3_root(file, lists)->table), bits = view;
  uint16_t one = 0x1111, rows[15];
  uint64_t count;
  for (int i = 0; i < 15; i++) rows[i] = 0x2222;
  if (mm3_ndarray_popcount(&view, &count)) return -1; /* finds the module */
  kill_begin();
  int result = mm3_ndarray_set(&mm3_root(file, lists)->table, 0x0101, 2, 4);
  result |= mm3_ndarray_fill(&view, &one);
  result |= mm3_ndarray_copy_in(&view, rows, sizeof rows);
  mm3_ndarray_fix(&bits, 0, 1);
  result |= mm3_ndarray_xor(&bits, &bits, &bits);
  kill_end();
  return result ? -1 : mm3_close(file);
}

static int table_model(struct kill_case *c, struct mm3_file *file) {
  const struct lists *l = mm3_root(file, lists);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 5; j++) {
      uint16_t x = l->table.at[i][j];
      if (x != 0 && x != 0x1111 && x != 0x2222 && !(i == 2 && j == 4 && x == 0x0101))
        return kill_says(c, "element %d, %d is torn: 0x%04x", i, j, x);
    }
  return 0;
}

/* ---- what must be caught ---- */

STEPPED(length_first, wide, {
  struct item item = item_of(60);
  *(volatile uint64_t *)&v->word = 6;
  memcpy((void *)&v->at[5], &item, sizeof item);
  result = 0;
})
MODEL(length_first, wide, 1, 30, 10, 50, 20, 40, 60)
STEPPED(in_place, texts, {
  text_item text = text_of(60);
  for (size_t i = 0; i < sizeof text; i++) ((volatile unsigned char *)&v->at[1])[i] = ((unsigned char *)&text)[i];
  result = 0;
})
MODEL(in_place, texts, 2, 30, 60, 50, 20, 40)
STEPPED(moves_in_place, narrow, {
  for (int i = 5; i > 1; i--) *(volatile uint64_t *)&v->at[i] = v->at[i - 1];
  *(volatile uint64_t *)&v->at[1] = 60;
  *(volatile uint64_t *)&v->word = 6;
  result = 0;
})
MODEL(moves_in_place, narrow, 0, 30, 60, 10, 50, 20, 40)

#define CASE(name, member) \
  {"vec of " #member ": " #name, make_lists, run_##name##_##member, model_##name##_##member, 0}
#define CASES(member)                                                                                              \
  CASE(push, member), CASE(pop, member), CASE(set, member), CASE(truncate, member), CASE(insert, member),          \
      CASE(insert_many, member), CASE(append, member), CASE(remove, member), CASE(remove_many, member),            \
      CASE(swap_remove, member), CASE(resize, member), CASE(sort, member)

static const struct kill_op good[] = {CASES(narrow), CASES(wide), CASES(texts),
                                      {"ndarray: set, fill, copy_in, xor", make_lists, run_table, table_model, 0}};
static const struct kill_op bad[] = {CASE(length_first, wide), CASE(in_place, texts), CASE(moves_in_place, narrow)};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void no_state_breaks_a_promise(void) {
  struct kill_result result;
  uint64_t points = 0;
  size_t last = strcmp(mm3test_tool(), "tsan") == 0 ? 12 : COUNT(good); /* bytes one by one there */
  for (size_t i = 0; i < last; i++) {
    if (!CHECK_EQ(kill_run(&good[i], mm3test_path(NULL), &result), 0)) printf("%s: %s\n", good[i].name, result.says);
    if (!CHECK_EQ(result.violations, 0)) printf("%s: %s\n", good[i].name, result.says);
    CHECK(result.points >= 1);
    CHECK(result.opened >= result.points);
    CHECK_EQ(result.refused, 0);
    points += result.points;
  }
  printf("  %llu kill points\n", (unsigned long long)points);
}

static void doubles_are_caught(void) {
  struct kill_result result;
  for (size_t i = 0; i < COUNT(bad); i++) {
    CHECK_EQ(kill_run(&bad[i], mm3test_path(NULL), &result), 0);
    CHECK(result.violations > 0);
  }
}

int main(int argc, char **argv) {
  static const struct mm3test_case cases[] = {
      {"no state breaks a promise", no_state_breaks_a_promise},
      {"doubles are caught", doubles_are_caught},
  };
  if (strcmp(mm3test_tool(), "valgrind") == 0) {
    printf("kill_vec: Valgrind cannot be stepped; run without it\n0 passed, 0 failed, 0 skipped\n");
    return 77;
  }
  return mm3test_main(argc, argv, "kill_vec", cases, COUNT(cases));
}
