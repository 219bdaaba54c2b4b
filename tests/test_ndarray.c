/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "mm3list.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/file.h>
#include <mm3/ndarray.h>
#include <mm3/string.h>
#include <mm3/vec.h>
#include <stdlib.h>
#include <unistd.h>

#define POINT(FIELD) FIELD(x, u32) FIELD(y, u64) FIELD(z, raw(5))
MM3_STRUCT(point, POINT);
#define BIT_INDEX(FIELD) FIELD(index, ndarray(u8, 256, 256, 256)) FIELD(users, ndarray(u64, 50, 100))
MM3_STRUCT(bit_index, BIT_INDEX);
#define ALL(FIELD)                                                                                                  \
  FIELD(cube, ndarray(i32, 2, 3, 4)) FIELD(line, ndarray(u8, 3)) FIELD(points, ndarray(point, 2, 2))                \
  FIELD(names, ndarray(string(5), 2, 2)) FIELD(flags, ndarray(bool, 2, 2)) FIELD(raws, ndarray(raw(3), 3))          \
  FIELD(lists, ndarray(vec(u16, 2), 2)) FIELD(deep, ndarray(u8, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2))    \
  FIELD(nested, ndarray(ndarray(u16, 2, 2), 2)) FIELD(rows, vec(ndarray(u8, 3), 4))
MM3_STRUCT(all, ALL);

static void bytes_are_those_of_c_arrays(void) {
  CHECK_EQ(sizeof(((struct bit_index *)0)->index), 1 << 24);
  CHECK_EQ(sizeof(((struct bit_index *)0)->users), 50 * 100 * 8);
  CHECK_EQ(sizeof(((struct all *)0)->line), 8);
  CHECK_EQ(sizeof(((struct all *)0)->cube), 2 * 3 * 4 * 4);
  CHECK_EQ(sizeof(((struct all *)0)->raws), 16);
  CHECK_EQ(sizeof(((struct all *)0)->deep), 256);
  CHECK_EQ(sizeof(((struct all *)0)->nested), 16);
  struct all *a = calloc(1, sizeof *a);
  if (!CHECK(a != NULL)) return;
  a->cube.at[1][2][3] = 7;
  CHECK_EQ(((int32_t *)(void *)&a->cube)[(1 * 3 + 2) * 4 + 3], 7);
  CHECK_EQ(mm3_ndarray_count(&a->cube), 24);
  CHECK_EQ(mm3_ndarray_count(&a->raws), 3);
  CHECK_EQ(mm3_ndarray_count(&a->deep), 256);
  CHECK(mm3_ndarray_data(&a->cube) == &a->cube.at[0][0][0]);
  free(a);
}

static void indices_are_checked(void) {
  struct all *a = calloc(1, sizeof *a);
  int32_t out = 9;
  size_t inside = 0;
  if (!CHECK(a != NULL)) return;
  for (int i = -1; i < 4; i++)
    for (int j = -1; j < 5; j++)
      for (int k = -1; k < 6; k++) {
        int good = i >= 0 && i < 2 && j >= 0 && j < 3 && k >= 0 && k < 4;
        int32_t *at = mm3_ndarray_at(&a->cube, i, j, k);
        CHECK(good ? at == &a->cube.at[i][j][k] && at == mm3_ndarray_at_unchecked(&a->cube, i, j, k) : at == NULL);
        CHECK_EQ(mm3_ndarray_set(&a->cube, i * 100 + j * 10 + k, i, j, k), good ? 0 : -MM3_E_ABSENT);
        out = 9;
        CHECK_EQ(mm3_ndarray_get(&a->cube, &out, i, j, k), good ? 0 : -MM3_E_ABSENT);
        CHECK_EQ(out, good ? i * 100 + j * 10 + k : 9);
        inside += (size_t)good;
      }
  CHECK_EQ(inside, 24);
  CHECK(mm3_ndarray_at(&a->cube, 1) == &a->cube.at[1]);
  CHECK(mm3_ndarray_at(&a->cube, 1, 2) == &a->cube.at[1][2]);
  CHECK(mm3_ndarray_at(&a->cube, 1, 3) == NULL);
  CHECK(mm3_ndarray_at(&a->cube, 2) == NULL);
  CHECK(mm3_ndarray_at(&a->cube, UINT64_C(0x100000000), 0, 0) == NULL);
  CHECK(mm3_ndarray_at(&a->deep, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1) == (uint8_t *)&a->deep + 255);
  CHECK(mm3_ndarray_at(&a->deep, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1) == NULL);
  CHECK(mm3_ndarray_at(mm3_ndarray_at(&a->nested, 1), 1, 1) == &a->nested.at[1].at[1][1]);
  free(a);
}

static void ref_is_an_lvalue_and_harmless_outside(void) {
  struct all *a = calloc(1, sizeof *a);
  if (!CHECK(a != NULL)) return;
  mm3_ndarray_ref(&a->cube, 1, 2, 3) = 40;
  mm3_ndarray_ref(&a->cube, 1, 2, 3) += 2;
  CHECK_EQ(mm3_ndarray_ref(&a->cube, 1, 2, 3)++, 42);
  CHECK_EQ(a->cube.at[1][2][3], 43);
  struct all *before = malloc(sizeof *before);
  if (!CHECK(before != NULL)) return;
  memcpy(before, a, sizeof *a);
  for (int i = 0; i < 3; i++) {
    mm3_ndarray_ref(&a->cube, 2, 0, 0) += 7;
    mm3_ndarray_ref(&a->points, 0, -1) = (struct point){1, 2, "abcd"};
  }
  CHECK_EQ(mm3_ndarray_ref(&a->cube, 2, 0, 0), 0);
  CHECK_EQ(mm3_ndarray_ref(&a->points, 0, -1).y, 0);
  CHECK_MEM(before, a, sizeof *a);
  const struct all *constant = a;
  CHECK_EQ(mm3_ndarray_ref(&constant->cube, 1, 2, 3), 43);
  CHECK_EQ(mm3_ndarray_ref(&constant->cube, 1, 2, 4), 0);
  mm3_ndarray_ref(&a->line, mm3_ndarray_ref(&a->line, 0) + 2) = 1; /* within each other */
  CHECK_EQ(a->line.at[2], 1);
  free(before);
  free(a);
}

static void arguments_are_evaluated_once(void) {
  struct all *a = calloc(2, sizeof *a), *p = a;
  int i = 0, j = 0, k = 0;
  int32_t out;
  if (!CHECK(a != NULL)) return;
  CHECK(mm3_ndarray_at(&(p++)->cube, i++, j++, k++) == &a[0].cube.at[0][0][0]);
  CHECK(p == a + 1 && i == 1 && j == 1 && k == 1);
  mm3_ndarray_ref(&(--p)->cube, --i, --j, --k) += 5;
  CHECK(p == a && i == 0 && j == 0 && k == 0);
  CHECK_EQ(mm3_ndarray_get(&(p++)->cube, &out, i++, j++, k++), 0);
  CHECK(p == a + 1 && i == 1 && j == 1 && k == 1);
  CHECK_EQ(a->cube.at[0][0][0], 5);
  free(a);
}

static void elements_are_of_any_type(void) {
  struct all *a = calloc(1, sizeof *a);
  struct point p = {1, 2, "abcd"}, out = {0};
  uint8_t raw[3] = {1, 2, 3}, raw_out[3];
  if (!CHECK(a != NULL)) return;
  CHECK_EQ(mm3_ndarray_set(&a->points, p, 1, 0), 0);
  CHECK_EQ(mm3_ndarray_get(&a->points, &out, 1, 0), 0);
  CHECK(out.x == 1 && out.y == 2 && out.z[3] == 'd');
  CHECK_EQ(mm3_ndarray_set_from(&a->raws, &raw, 2), 0);
  CHECK_EQ(mm3_ndarray_get(&a->raws, &raw_out, 2), 0);
  CHECK_MEM(raw, raw_out, 3);
  CHECK_EQ(mm3_vec_push(mm3_ndarray_at(&a->lists, 1), 77), 0);
  CHECK_EQ(a->lists.at[1].at[0], 77);
  size_t count = 0;
  MM3_NDARRAY_EACH(item, &a->points) count += item->x;
  CHECK_EQ(count, 1);
  free(a);
}

/* ---- views, against loops over indices ---- */

static void fill_with_numbers(struct all *a) {
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 4; k++) a->cube.at[i][j][k] = 100 * i + 10 * j + k;
}

/* The view's elements as text. */
static const char *list_view(const struct mm3_ndarray_view *view) {
  static char text[400];
  struct mm3_ndarray_walk walk = mm3_ndarray_walk_begin(view);
  size_t used = 0;
  text[0] = 0;
  while (mm3_ndarray_walk_next(&walk))
    for (uint64_t i = 0; i < walk.count; i++)
      used += (size_t)snprintf(text + used, sizeof text - used, "%d ", ((int32_t *)(void *)walk.at)[i]);
  return text;
}

static void views_fix_and_range_axes(void) {
  struct all *a = calloc(1, sizeof *a);
  if (!CHECK(a != NULL)) return;
  fill_with_numbers(a);
  struct mm3_ndarray_view all = mm3_ndarray_view(&a->cube), v = all;
  uint64_t index[3] = {1, 2, 3};
  CHECK_EQ(all.rank, 3);
  CHECK_EQ(mm3_ndarray_view_count(&all), 24);
  CHECK(mm3_ndarray_view_at(&all, index) == &a->cube.at[1][2][3]);
  index[1] = 3;
  CHECK(mm3_ndarray_view_at(&all, index) == NULL);
  CHECK_EQ(mm3_ndarray_fix(&v, 1, 2), 0);
  CHECK_STR(list_view(&v), "20 21 22 23 120 121 122 123 ");
  CHECK_EQ(mm3_ndarray_range(&v, 1, 1, 4, 2), 0);
  CHECK_STR(list_view(&v), "21 23 121 123 ");
  CHECK_EQ(mm3_ndarray_fix(&v, 0, 1), 0);
  CHECK_STR(list_view(&v), "121 123 ");
  CHECK_EQ(mm3_ndarray_fix(&v, 0, 1), 0);
  CHECK_EQ(v.rank, 0);
  CHECK_STR(list_view(&v), "123 ");
  v = all;
  CHECK_EQ(mm3_ndarray_range(&v, 0, 0, 2, 3), 0);
  CHECK_EQ(mm3_ndarray_range(&v, 1, 1, 3, 1), 0);
  CHECK_STR(list_view(&v), "10 11 12 13 20 21 22 23 ");
  CHECK_EQ(mm3_ndarray_range(&v, 2, 4, 4, 1), 0);
  CHECK_STR(list_view(&v), "");
  v = all;
  struct mm3_ndarray_view kept = v;
  CHECK_EQ(mm3_ndarray_fix(&v, 3, 0), -MM3_E_ABSENT);
  CHECK_EQ(mm3_ndarray_fix(&v, 0, 2), -MM3_E_ABSENT);
  CHECK_EQ(mm3_ndarray_range(&v, 3, 0, 1, 1), -MM3_E_ABSENT);
  CHECK_EQ(mm3_ndarray_range(&v, 0, 0, 3, 1), -MM3_E_ABSENT);
  CHECK_EQ(mm3_ndarray_range(&v, 0, 2, 1, 1), -MM3_E_ABSENT);
  CHECK_EQ(mm3_ndarray_range(&v, 0, 0, 2, 0), -MM3_E_ABSENT);
  CHECK_MEM(&v, &kept, sizeof v);
  struct mm3_ndarray_walk walk = mm3_ndarray_walk_begin(&all); /* one run, since nothing is left out */
  CHECK_EQ(mm3_ndarray_walk_next(&walk), 1);
  CHECK_EQ(walk.count, 24);
  CHECK_EQ(mm3_ndarray_walk_next(&walk), 0);
  free(a);
}

static void views_are_filled_and_copied(void) {
  struct all *a = calloc(2, sizeof *a), *b = a + 1;
  int32_t buffer[24], minus = -1;
  if (!CHECK(a != NULL)) return;
  fill_with_numbers(a);
  struct mm3_ndarray_view whole = mm3_ndarray_view(&a->cube), v = whole, other = mm3_ndarray_view(&b->cube);
  CHECK_EQ(mm3_ndarray_copy_out(&whole, buffer, sizeof buffer), 0);
  CHECK_MEM(buffer, &a->cube, sizeof buffer);
  CHECK_EQ(mm3_ndarray_copy_out(&whole, buffer, sizeof buffer - 1), -ERANGE);
  CHECK_EQ(mm3_ndarray_copy_in(&other, buffer, sizeof buffer - 1), -ERANGE);
  CHECK_EQ(mm3_ndarray_copy_in(&other, buffer, sizeof buffer), 0);
  CHECK_MEM(buffer, &b->cube, sizeof buffer);
  mm3_ndarray_fix(&v, 2, 1);
  CHECK_EQ(mm3_ndarray_copy_out(&v, buffer, sizeof buffer), 0);
  CHECK(buffer[0] == 1 && buffer[1] == 11 && buffer[5] == 121);
  CHECK_EQ(mm3_ndarray_fill(&v, &minus), 0);
  CHECK_STR(list_view(&whole), "0 -1 2 3 10 -1 12 13 20 -1 22 23 100 -1 102 103 110 -1 112 113 120 -1 122 123 ");
  CHECK_EQ(mm3_ndarray_copy(&v, &whole), -EINVAL);
  struct mm3_ndarray_view plane = other, column = other;
  mm3_ndarray_fix(&plane, 0, 0), mm3_ndarray_fix(&column, 0, 1);
  CHECK_EQ(mm3_ndarray_copy(&plane, &column), 0);
  CHECK_EQ(b->cube.at[0][2][3], 123);
  struct mm3_ndarray_view points = mm3_ndarray_view(&a->points);
  struct point p = {5, 6, "xyz"};
  CHECK_EQ(mm3_ndarray_fill(&points, &p), 0);
  CHECK_EQ(a->points.at[1][1].y, 6);
  CHECK_EQ(mm3_ndarray_copy(&points, &other), -EINVAL);
  struct mm3_ndarray_view line = mm3_ndarray_view(&a->line);
  uint8_t seven = 7;
  CHECK_EQ(mm3_ndarray_fill(&line, &seven), 0);
  CHECK_MEM(&a->line, "\7\7\7\0\0\0\0", 8);
  free(a);
}

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
  return *seed;
}

/* Random views of a table of bytes (words, ...) against loops. */
#define AGAINST_LOOPS(name, T, TYPE, N, M)                                                                         \
  static void name(void) {                                                                                         \
    typedef MM3_VALUE(TYPE) table;                                                                                 \
    table *t = calloc(4, sizeof *t), *model = t + 3;                                                               \
    uint64_t seed = 99, wrong = 0;                                                                                 \
    if (!CHECK(t != NULL)) return;                                                                                 \
    for (int round = 0; round < (mm3test_tool()[0] ? 100 : 1000); round++) {                                       \
      uint64_t x0 = next_random(&seed) % (N / 2), x1 = x0 + next_random(&seed) % (N / 2);                          \
      uint64_t y0 = next_random(&seed) % (M / 2), y1 = y0 + next_random(&seed) % (M / 2);                          \
      uint64_t step = 1 + (round & 1) * next_random(&seed) % 3, bits = 0, counted, bit, from, wanted;              \
      unsigned op = (unsigned)(next_random(&seed) % 4);                                                            \
      struct mm3_ndarray_view v[3];                                                                                \
      for (int i = 0; i < 3; i++) {                                                                                \
        for (size_t e = 0; e < N * M; e++) (&t[i].at[0][0])[e] = (T)(next_random(&seed) & next_random(&seed));     \
        v[i] = mm3_ndarray_view(&t[i]);                                                                            \
        wrong += mm3_ndarray_range(&v[i], 0, x0, x1, 1) != 0 || mm3_ndarray_range(&v[i], 1, y0, y1, step) != 0;    \
      }                                                                                                            \
      *model = t[0];                                                                                               \
      for (uint64_t x = x0; x < x1; x++)                                                                           \
        for (uint64_t y = y0; y < y1; y += step) {                                                                 \
          T a = t[1].at[x][y], b = t[2].at[x][y];                                                                  \
          model->at[x][y] = (T)(op == 0 ? a & b : op == 1 ? a | b : op == 2 ? a ^ b : a & ~b);                     \
          bits += (uint64_t)__builtin_popcountll(model->at[x][y]);                                                 \
        }                                                                                                          \
      int result = op == 0 ? mm3_ndarray_and(&v[0], &v[1], &v[2]) : op == 1 ? mm3_ndarray_or(&v[0], &v[1], &v[2])  \
                   : op == 2 ? mm3_ndarray_xor(&v[0], &v[1], &v[2]) : mm3_ndarray_andnot(&v[0], &v[1], &v[2]);     \
      wrong += result != 0 || memcmp(model, &t[0], sizeof *model) != 0;                                            \
      wrong += mm3_ndarray_popcount(&v[0], &counted) != 0 || counted != bits;                                      \
      from = wanted = 0;                                                                                           \
      for (uint64_t x = x0; x < x1; x++)                                                                           \
        for (uint64_t y = y0; y < y1; y += step)                                                                   \
          for (unsigned b = 0; b < 8 * sizeof(T); b++, wanted++) {                                                 \
            if (!(t[0].at[x][y] >> b & 1)) continue;                                                               \
            wrong += mm3_ndarray_next_bit(&v[0], from, &bit) != 0 || bit != wanted;                                \
            from = wanted + 1;                                                                                     \
          }                                                                                                        \
      wrong += mm3_ndarray_next_bit(&v[0], from, &bit) != -MM3_E_ABSENT;                                           \
      wrong += mm3_ndarray_next_bit(&v[0], UINT64_MAX, &bit) != -MM3_E_ABSENT;                                     \
    }                                                                                                              \
    CHECK_EQ(wrong, 0);                                                                                            \
    free(t);                                                                                                       \
  }

AGAINST_LOOPS(bits_of_u8, uint8_t, ndarray(u8, 8, 101), 8, 101)
AGAINST_LOOPS(bits_of_u16, uint16_t, ndarray(u16, 8, 67), 8, 67)
AGAINST_LOOPS(bits_of_u32, uint32_t, ndarray(u32, 6, 33), 6, 33)
AGAINST_LOOPS(bits_of_u64, uint64_t, ndarray(u64, 6, 21), 6, 21)

static void bits_want_equal_views_of_integers(void) {
  struct all *a = calloc(1, sizeof *a);
  uint64_t bits = 5;
  if (!CHECK(a != NULL)) return;
  struct mm3_ndarray_view cube = mm3_ndarray_view(&a->cube), line = mm3_ndarray_view(&a->line), raws = mm3_ndarray_view(&a->raws);
  CHECK_EQ(mm3_ndarray_and(&cube, &cube, &line), -EINVAL);
  CHECK_EQ(mm3_ndarray_xor(&raws, &raws, &raws), -EINVAL);
  CHECK_EQ(mm3_ndarray_popcount(&raws, &bits), -EINVAL);
  CHECK_EQ(mm3_ndarray_next_bit(&raws, 0, &bits), -EINVAL);
  CHECK_EQ(bits, 5);
  a->line.at[1] = 0x84;
  CHECK_EQ(mm3_ndarray_or(&line, &line, &line), 0);
  CHECK_EQ(mm3_ndarray_next_bit(&line, 11, &bits), 0);
  CHECK_EQ(bits, 15);
  CHECK_EQ(mm3_ndarray_xor(&line, &line, &line), 0);
  CHECK_EQ(mm3_ndarray_popcount(&line, &bits), 0);
  CHECK_EQ(bits, 0);
  free(a);
}

/* ---- in files ---- */

static void layouts_that_cannot_be_are_refused(void) {
  static const char *const bad[][2] = {
      {"ndarray(u32)", "1 to 16 dimensions"},       {"ndarray(u32, 0)", "1 to 16 dimensions"},
      {"ndarray(u8, 4, 0, 4)", "1 to 16 dimensions"}, {"ndarray(4, 4)", "1 to 16 dimensions"},
      {"ndarray(u8, u8)", "1 to 16 dimensions"},    {"ndarray(u8, 1048576, 1048577)", "2^40"},
      {"ndarray(u64, 4294967296, 4294967296)", "2^40"}, {"ndarray(u8, 18446744073709551615, 2)", "2^40"},
      {"ndarray(u8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)", "1 to 16 dimensions"},
  };
  char text[200], out[400];
  size_t need;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    snprintf(text, sizeof text, "struct s { f: %s }", bad[i][0]);
    CHECK_FAILS(mm3_schema_format(text, out, sizeof out, &need, &show_error), -MM3_E_SCHEMA, show_error);
    CHECK_HAS(show_error.text, bad[i][1]);
  }
  CHECK_OK(mm3_schema_format("struct s { f: ndarray(u8, 1048576, 1048576) }", out, sizeof out, &need, &show_error), show_error);
  CHECK_OK(mm3_schema_format("struct s { f: ndarray(u8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1) }", out, sizeof out, &need, &show_error),
           show_error);
}

static struct mm3_file *new_file(void) {
  struct mm3_file *file = mm3_create(mm3test_path("n.mm3"), MM3_TYPE(all), NULL, &show_error);
  if (!CHECK(file != NULL)) printf("%s\n", show_error.text);
  return file;
}

static void values_go_in_and_out_by_path(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  fill_with_numbers(a);
  CHECK_STR(show(file, "cube"), "[[[0,1,2,3],[10,11,12,13],[20,21,22,23]],[[100,101,102,103],[110,111,112,113],[120,121,122,123]]]");
  CHECK_STR(show(file, "cube[1][2]"), "[120,121,122,123]");
  CHECK_STR(show(file, "cube[-1][-1][-1]"), "123");
  CHECK_STR(show(file, "cube[0][1][1:3]"), "[11,12]");
  CHECK_STR(show(file, "cube[0][-2:]"), "[[10,11,12,13],[20,21,22,23]]");
  CHECK_FAILS(show_put(file, "cube[2][0][0]", an_int(1)), -MM3_E_ABSENT, show_error);
  CHECK_FAILS(show_put(file, "cube[0][3][0]", an_int(1)), -MM3_E_ABSENT, show_error);
  CHECK_FAILS(show_put(file, "cube[0][0][0][0]", an_int(1)), -MM3_E_PATH, show_error);
  CHECK_FAILS(show_put(file, "cube.x", an_int(1)), -MM3_E_PATH, show_error);
  CHECK_OK(show_put(file, "cube[1][2][3]", an_int(-5)), show_error);
  CHECK_OK(show_put(file, "cube[0][0]", LIST(an_int(5), an_int(6), an_int(7), an_int(8))), show_error);
  CHECK_STR(show(file, "cube[0][0]"), "[5,6,7,8]");
  CHECK_EQ(a->cube.at[1][2][3], -5);
  CHECK_FAILS(show_put(file, "cube[0][0]", LIST(an_int(1), an_int(2), an_int(3))), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "exactly 4");
  CHECK_FAILS(show_put(file, "cube[0][0]", LIST(an_int(1), an_int(2), an_int(3), a_text("x"))), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_put(file, "cube", an_int(1)), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "cube[0][0]"), "[5,6,7,8]");
  CHECK_FAILS(show_push(file, "line", an_int(1)), -MM3_E_PATH, show_error);
  CHECK_OK(show_put(file, "names", LIST(LIST(a_text("one"), a_text("two")), LIST(a_text(""), a_text("four!")))), show_error);
  CHECK_STR(show(file, "names"), "[[\"one\",\"two\"],[\"\",\"four!\"]]");
  CHECK_OK(show_put(file, "points[1][1].y", an_int(3)), show_error);
  CHECK_EQ(a->points.at[1][1].y, 3);
  CHECK_OK(show_put(file, "nested[1]", LIST(LIST(an_int(1), an_int(2)), LIST(an_int(3), an_int(4)))), show_error);
  CHECK_EQ(a->nested.at[1].at[1][0], 3);
  CHECK_OK(show_push(file, "lists[1]", an_int(9)), show_error);
  CHECK_STR(show(file, "lists"), "[[],[9]]");
  CHECK_OK(show_put(file, "rows", LIST(LIST(an_int(1), an_int(2), an_int(3)))), show_error);
  CHECK_STR(show(file, "rows"), "[[1,2,3]]");
  CHECK_OK(show_put(file, "deep[0][1][0][1][0][1][0][1][0][1][0][1][0][1][0][1]", an_int(200)), show_error);
  CHECK_EQ(((uint8_t *)&a->deep)[255], 200);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

static void check_refuses_each_corrupt_form(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct all *a = mm3_root(file, all);
  CHECK_OK(show_check(file, "line"), show_error);
  ((uint8_t *)&a->line)[3] = 1;
  CHECK_FAILS(show_check(file, "line"), -MM3_E_DAMAGED, show_error);
  CHECK_HAS(show_error.text, "byte 3 is padding");
  ((uint8_t *)&a->line)[3] = 0;
  a->flags.at[1][0] = 7;
  CHECK_FAILS(show_check(file, "flags"), -MM3_E_DAMAGED, show_error);
  CHECK_HAS(show_error.field, "[1][0]");
  a->flags.at[1][0] = 1;
  a->lists.at[1].word = 3;
  CHECK_FAILS(show_check(file, "lists"), -MM3_E_DAMAGED, show_error);
  a->lists.at[1].word = 0;
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

static int write_in_a_child(void *mine) {
  struct mm3_error error;
  CHECK_EQ(mm3_close(mine), 0);
  struct mm3_file *file = mm3_open(mm3test_path("b.mm3"), MM3_TYPE(bit_index), NULL, &error);
  CHECK(file != NULL);
  struct bit_index *b = mm3_root(file, bit_index);
  mm3_ndarray_ref(&b->index, 255, 255, 255) = 9;
  CHECK_EQ(mm3_ndarray_set(&b->users, 12345, 49, 99), 0);
  CHECK_EQ(mm3_close(file), 0);
  return 0;
}

static void others_see_what_was_written(void) {
  struct mm3_error error;
  struct mm3_file *file = mm3_create(mm3test_path("b.mm3"), MM3_TYPE(bit_index), NULL, &error);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3test_fork(write_in_a_child, file), 0);
  struct bit_index *b = mm3_root(file, bit_index);
  CHECK_EQ(b->index.at[255][255][255], 9);
  CHECK_EQ(mm3_close(file), 0);
  file = mm3_open(mm3test_path("b.mm3"), NULL, NULL, &error); /* by schema alone */
  if (!CHECK(file != NULL)) return;
  CHECK_STR(show(file, "index[255][255][255]"), "9");
  CHECK_STR(show(file, "users[49][98:]"), "[0,12345]");
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

MM3_TEST_SUITE("ndarray", {"the bytes are those of C arrays", bytes_are_those_of_c_arrays},
               {"indices are checked", indices_are_checked},
               {"ref is an lvalue, and harmless outside the shape", ref_is_an_lvalue_and_harmless_outside},
               {"arguments are evaluated once", arguments_are_evaluated_once},
               {"elements are of any type", elements_are_of_any_type},
               {"views fix axes and cut ranges with steps", views_fix_and_range_axes},
               {"views are filled and copied", views_are_filled_and_copied},
               {"bit operations on u8 do what loops do", bits_of_u8},
               {"bit operations on u16 do what loops do", bits_of_u16},
               {"bit operations on u32 do what loops do", bits_of_u32},
               {"bit operations on u64 do what loops do", bits_of_u64},
               {"bit operations want equal views of integers", bits_want_equal_views_of_integers},
               {"layouts that cannot be are refused in words", layouts_that_cannot_be_are_refused},
               {"values go in and out by path", values_go_in_and_out_by_path},
               {"check refuses each corrupt form", check_refuses_each_corrupt_form},
               {"others see what was written, now and after reopening", others_see_what_was_written})
