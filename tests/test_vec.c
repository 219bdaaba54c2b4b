/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vec on its own: every operation against a plain array, the bytes, hostile bytes, kills. See test_vec_file.c for files. */
#include "mm3step.h"
#include "mm3test.h"

#include <mm3/string.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <sys/mman.h>

#define POINT(FIELD) FIELD(x, u32) FIELD(y, u64) FIELD(z, raw(5))
MM3_STRUCT(point, POINT);
#define PAIR(FIELD) FIELD(a, u32) FIELD(b, u32)
MM3_STRUCT(two, PAIR);

typedef MM3_VALUE(vec(u64, 5)) vec_u64;
typedef MM3_VALUE(vec(point, 4)) vec_point;
typedef MM3_VALUE(vec(raw(3), 7)) vec_raw;
typedef MM3_VALUE(vec(string(9), 3)) vec_string;
typedef MM3_VALUE(vec(vec(vec(u16, 2), 3), 2)) vec_nested;
typedef MM3_VALUE(vec(u128, 3)) vec_u128;

static int compare_u64(const void *a, const void *b, void *context) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  if (context) ++*(int *)context;
  return x < y ? -1 : x > y;
}

static void bytes_are_as_drawn(void) {
  CHECK_EQ(sizeof(vec_u64), 16 + 6 * 8);
  CHECK_EQ(sizeof(vec_point), 16 + 5 * sizeof(struct point));
  CHECK_EQ(sizeof(vec_raw), 16 + 8 * 3);
  CHECK_EQ(sizeof(vec_string), 16 + 4 * 16);
  CHECK_EQ(sizeof(vec_u128), 16 + 4 * 16);
  CHECK_EQ(sizeof(MM3_VALUE(vec(u8, 2))), 24);
  CHECK_EQ(sizeof(vec_nested), 16 + 3 * (16 + 4 * 24));
  vec_u64 v = {0};
  CHECK_EQ(mm3_vec_push(&v, 7), 0);
  CHECK_EQ(v.word, 1);
  CHECK_EQ(v.at[0], 7);
  CHECK_EQ((char *)mm3_vec_data(&v) - (char *)&v, 16);
}

static void operations_at_the_edges(void) {
  vec_u64 v = {0};
  uint64_t out = 99;
  CHECK_EQ(mm3_vec_capacity(&v), 5);
  CHECK_EQ(mm3_vec_len(&v), 0);
  CHECK_EQ(mm3_vec_get(&v, 0, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_front(&v, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_back(&v, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_pop(&v, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_set(&v, 0, 1), -MM3_E_ABSENT);
  CHECK(mm3_vec_at(&v, 0) == NULL);
  CHECK_EQ(out, 99);
  for (uint64_t i = 0; i < 5; i++) {
    CHECK_EQ(mm3_vec_push(&v, i * 10), 0);
    CHECK_EQ(mm3_vec_len(&v), i + 1);
    CHECK_EQ(mm3_vec_back(&v, &out), 0);
    CHECK_EQ(out, i * 10);
  }
  CHECK_EQ(mm3_vec_push(&v, 1), -MM3_E_FULL);
  CHECK_EQ(mm3_vec_set(&v, 5, 1), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_set(&v, -1, 1), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_get(&v, -1, &out), -MM3_E_ABSENT);
  CHECK(mm3_vec_at(&v, 5) == NULL);
  CHECK(mm3_vec_at(&v, 4) == &v.at[4]);
  CHECK(mm3_vec_at_unchecked(&v, 4) == &v.at[4]);
  CHECK_EQ(mm3_vec_set(&v, 4, 44), 0);
  CHECK_EQ(mm3_vec_front(&v, &out), 0);
  CHECK_EQ(out, 0);
  mm3_vec_truncate(&v, 9);
  CHECK_EQ(mm3_vec_len(&v), 5);
  CHECK_EQ(mm3_vec_pop(&v, &out), 0);
  CHECK_EQ(out, 44);
  mm3_vec_truncate(&v, 1);
  CHECK_EQ(mm3_vec_len(&v), 1);
  mm3_vec_clear(&v);
  CHECK_EQ(mm3_vec_len(&v), 0);
}

static void slices_are_cut_at_the_end(void) {
  vec_u64 v = {0};
  uint64_t in[5] = {1, 2, 3, 4, 5}, out[6] = {0}, sum = 0;
  size_t copied = 9;
  CHECK_EQ(mm3_vec_read(&v, 0, out, 6, &copied), 0);
  CHECK_EQ(copied, 0);
  CHECK_EQ(mm3_vec_append(NULL, &v, in, 5), 0);
  CHECK_EQ(mm3_vec_append(NULL, &v, in, 1), -MM3_E_FULL);
  CHECK_EQ(mm3_vec_append(NULL, &v, in, 0), 0);
  CHECK_EQ(mm3_vec_read(&v, 3, out, 6, &copied), 0);
  CHECK_EQ(copied, 2);
  CHECK_EQ(out[1], 5);
  CHECK_EQ(mm3_vec_read(&v, 5, out, 6, &copied), 0);
  CHECK_EQ(copied, 0);
  CHECK_EQ(mm3_vec_read(&v, 0, out, 2, &copied), 0);
  CHECK_EQ(copied, 2);
  CHECK_EQ(mm3_vec_assign(NULL, &v, 4, in, 2), -MM3_E_ABSENT);
  CHECK_EQ(mm3_vec_assign(NULL, &v, 3, in, 2), 0);
  MM3_VEC_EACH(item, &v) sum += *item;
  CHECK_EQ(sum, 1 + 2 + 3 + 1 + 2);
}

static void arguments_are_evaluated_once(void) {
  vec_u64 v[2], *p = v;
  uint64_t out;
  int i = 0;
  memset(v, 0, sizeof v);
  CHECK_EQ(mm3_vec_push(p++, 5), 0);
  CHECK(p == v + 1);
  p = v;
  CHECK_EQ(mm3_vec_get(p++, i++, &out), 0);
  CHECK(p == v + 1 && i == 1);
  CHECK(mm3_vec_at(--p, --i) == &v[0].at[0]);
  CHECK_EQ(mm3_vec_insert(NULL, p++, i++, 6), 0);
  CHECK(p == v + 1 && i == 1);
  CHECK_EQ(v[0].at[1], 5);
}

static void items_are_of_any_type(void) {
  vec_point points = {0};
  vec_raw raws = {0};
  vec_nested nested = {0};
  vec_u128 wide = {0};
  struct point p = {0};
  uint8_t raw[3] = "ab", raw_out[3];
  mm3_u128 big = 0;
  CHECK_EQ(mm3_vec_push(&points, {1, 2, "abcd"}), 0);
  CHECK_EQ(mm3_vec_push(&points, (struct point){3, 4, "efgh"}), 0);
  CHECK_EQ(mm3_vec_set(&points, 0, {.x = 9}), 0);
  CHECK_EQ(mm3_vec_get(&points, 1, &p), 0);
  CHECK(p.x == 3 && p.y == 4 && p.z[3] == 'h');
  mm3_vec_at(&points, 0)->y = 77;
  CHECK_EQ(mm3_vec_front(&points, &p), 0);
  CHECK(p.x == 9 && p.y == 77);
  CHECK_EQ(mm3_vec_push_from(&raws, &raw), 0);
  CHECK_EQ(mm3_vec_set_from(&raws, 0, &raw), 0);
  CHECK_EQ(mm3_vec_insert_from(NULL, &raws, 0, &raw), 0);
  CHECK_EQ(mm3_vec_back(&raws, &raw_out), 0);
  CHECK_MEM(raw, raw_out, 3);
  CHECK_EQ(mm3_vec_resize(NULL, &nested, 2, {.sequence = 0}), 0);
  CHECK_EQ(mm3_vec_resize(NULL, mm3_vec_at(&nested, 1), 3, {.sequence = 0}), 0);
  CHECK_EQ(mm3_vec_push(mm3_vec_at(mm3_vec_at(&nested, 1), 2), 513), 0);
  CHECK_EQ(nested.at[1].at[2].at[0], 513);
  CHECK_EQ(mm3_vec_push(&wide, (mm3_u128)5 << 100), 0);
  CHECK_EQ(mm3_vec_pop(&wide, &big), 0);
  CHECK(big == (mm3_u128)5 << 100);
}

/* ---- against a plain array: T with an item from a number and back ---- */

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
  return *seed;
}

static int compare_first_byte(const void *a, const void *b, void *context) {
  (void)context;
  return (int)(*(const unsigned char *)a & 15) - (int)(*(const unsigned char *)b & 15);
}

/* A stable sort to compare with. */
#define MODEL_SORT(T, model, length)                                             \
  for (size_t a_ = 1; a_ < length; a_++)                                         \
    for (size_t b_ = a_; b_ && compare_first_byte(&model[b_ - 1], &model[b_], NULL) > 0; b_--) { \
      T t_ = model[b_];                                                          \
      model[b_] = model[b_ - 1];                                                 \
      model[b_ - 1] = t_;                                                        \
    }

#define AGAINST_A_MODEL(name, T, TYPE, N)                                                                        \
  static void name(void) {                                                                                       \
    MM3_VALUE(TYPE) v;                                                                                           \
    T model[N + 1], item, many[3], got;                                                                          \
    size_t length = 0, wrong = 0, copied;                                                                        \
    uint64_t seed = 88172645463325252u;                                                                          \
    memset(&v, 0, sizeof v);                                                                                     \
    for (int round = 0; round < 40000 && wrong == 0; round++) {                                                  \
      uint64_t r = next_random(&seed), i = (r >> 20) % (N + 1), k = (r >> 40) % 4;                               \
      int result = 0, wanted = 0;                                                                                \
      for (size_t b = 0; b < sizeof item; b++) ((unsigned char *)&item)[b] = (unsigned char)(r >> 8 * (b % 8));  \
      many[0] = many[1] = many[2] = item;                                                                        \
      ((unsigned char *)&many[1])[0]++, ((unsigned char *)&many[2])[0] ^= 64;                                    \
      switch (r % 16) {                                                                                          \
        case 0: case 1: case 2:                                                                                  \
          result = mm3_vec_push_from(&v, &item), wanted = length < N ? 0 : -MM3_E_FULL;                          \
          if (wanted == 0) model[length++] = item;                                                               \
          break;                                                                                                 \
        case 3:                                                                                                  \
          result = mm3_vec_pop(&v, &got), wanted = length ? 0 : -MM3_E_ABSENT;                                   \
          if (wanted == 0) wrong += memcmp(&got, &model[--length], sizeof got) != 0;                             \
          break;                                                                                                 \
        case 4: case 5:                                                                                          \
          result = mm3_vec_set_from(&v, i, &item), wanted = i < length ? 0 : -MM3_E_ABSENT;                      \
          if (wanted == 0) model[i] = item;                                                                      \
          break;                                                                                                 \
        case 6: case 7:                                                                                          \
          result = mm3_vec_insert_from(NULL, &v, i, &item);                                                      \
          wanted = i > length ? -MM3_E_ABSENT : length < N ? 0 : -MM3_E_FULL;                                    \
          if (wanted) break;                                                                                     \
          memmove(&model[i + 1], &model[i], (length++ - i) * sizeof item);                                       \
          model[i] = item;                                                                                       \
          break;                                                                                                 \
        case 8:                                                                                                  \
          result = mm3_vec_insert_many(NULL, &v, i, many, k % 4);                                                \
          wanted = i > length ? -MM3_E_ABSENT : length + k <= N ? 0 : -MM3_E_FULL;                               \
          if (wanted) break;                                                                                     \
          memmove(&model[i + k], &model[i], (length - i) * sizeof item);                                         \
          memcpy(&model[i], many, k * sizeof item);                                                              \
          length += k;                                                                                           \
          break;                                                                                                 \
        case 9:                                                                                                  \
          result = mm3_vec_take(NULL, &v, i, &got), wanted = i < length ? 0 : -MM3_E_ABSENT;                     \
          if (wanted) break;                                                                                     \
          wrong += memcmp(&got, &model[i], sizeof got) != 0;                                                     \
          memmove(&model[i], &model[i + 1], (--length - i) * sizeof item);                                       \
          break;                                                                                                 \
        case 10:                                                                                                 \
          result = mm3_vec_remove_many(NULL, &v, i, k), wanted = i + k <= length ? 0 : -MM3_E_ABSENT;            \
          if (wanted) break;                                                                                     \
          memmove(&model[i], &model[i + k], (length - i - k) * sizeof item);                                     \
          length -= k;                                                                                           \
          break;                                                                                                 \
        case 11:                                                                                                 \
          result = mm3_vec_swap_take(NULL, &v, i, &got), wanted = i < length ? 0 : -MM3_E_ABSENT;                \
          if (wanted) break;                                                                                     \
          wrong += memcmp(&got, &model[i], sizeof got) != 0;                                                     \
          model[i] = model[--length];                                                                            \
          break;                                                                                                 \
        case 12:                                                                                                 \
          result = mm3_vec_resize_from(NULL, &v, (r >> 30) % (N + 3), &item);                                    \
          wanted = (r >> 30) % (N + 3) <= N ? 0 : -MM3_E_FULL;                                                   \
          if (wanted) break;                                                                                     \
          while (length < (r >> 30) % (N + 3)) model[length++] = item;                                           \
          length = (r >> 30) % (N + 3);                                                                          \
          break;                                                                                                 \
        case 13:                                                                                                 \
          result = mm3_vec_sort(NULL, &v, compare_first_byte, NULL);                                             \
          MODEL_SORT(T, model, length)                                                                           \
          break;                                                                                                 \
        case 14:                                                                                                 \
          mm3_vec_truncate(&v, i);                                                                               \
          if (i < length) length = i;                                                                            \
          break;                                                                                                 \
        default:                                                                                                 \
          result = mm3_vec_assign(NULL, &v, i, many, k), wanted = i + k <= length ? 0 : -MM3_E_ABSENT;           \
          if (wanted == 0) memcpy(&model[i], many, k * sizeof item);                                             \
      }                                                                                                          \
      wrong += result != wanted || mm3_vec_len(&v) != length;                                                    \
      wrong += memcmp(mm3_vec_data(&v), model, length * sizeof item) != 0 || v.word != length;                   \
      for (i = 0; i < length; i++) wrong += mm3_vec_get(&v, i, &got) != 0 || memcmp(&got, &model[i], sizeof got); \
      T all[N];                                                                                                  \
      wrong += mm3_vec_read(&v, 0, all, N, &copied) != 0 || copied != length;                                    \
      wrong += memcmp(all, model, length * sizeof item) != 0;                                                    \
      if (wrong) printf("round %d, operation %d, length %zu: %d, not %d\n", round, (int)(r % 16), length, result, wanted); \
    }                                                                                                            \
    CHECK_EQ(wrong, 0);                                                                                          \
  }

AGAINST_A_MODEL(model_of_u8, uint8_t, vec(u8, 9), 9)
AGAINST_A_MODEL(model_of_u16, uint16_t, vec(u16, 6), 6)
AGAINST_A_MODEL(model_of_u32, uint32_t, vec(u32, 13), 13)
AGAINST_A_MODEL(model_of_u64, uint64_t, vec(u64, 7), 7)
AGAINST_A_MODEL(model_of_u128, mm3_u128, vec(u128, 5), 5)
AGAINST_A_MODEL(model_of_two, struct two, vec(two, 8), 8)
AGAINST_A_MODEL(model_of_point, struct point, vec(point, 6), 6)
AGAINST_A_MODEL(model_of_one, struct point, vec(point, 1), 1)

static void a_sort_is_stable_and_searched(void) {
  MM3_VALUE(vec(u64, 500)) v = {0};
  uint64_t seed = 5;
  size_t index, wrong = 0;
  int compared = 0;
  for (int i = 0; i < 500; i++) CHECK_EQ(mm3_vec_push(&v, next_random(&seed) % 300 * 2), 0);
  CHECK_EQ(mm3_vec_sort(NULL, &v, compare_u64, &compared), 0);
  CHECK(compared > 500 && compared < 5000);
  for (size_t i = 1; i < 500; i++) wrong += v.at[i - 1] > v.at[i];
  for (uint64_t key = 0; key < 602; key++) {
    int result = mm3_vec_search(&v, &key, compare_u64, NULL, &index);
    wrong += index > 500 || (index < 500 && v.at[index] < key) || (index && v.at[index - 1] >= key);
    wrong += result != (index < 500 && v.at[index] == key ? 0 : -MM3_E_ABSENT);
  }
  CHECK_EQ(wrong, 0);
  mm3_vec_clear(&v);
  uint64_t key = 1;
  CHECK_EQ(mm3_vec_search(&v, &key, compare_u64, NULL, &index), -MM3_E_ABSENT);
  CHECK_EQ(index, 0);
}

/* ---- hostile bytes: pages that must not be touched lie on both sides ---- */

static unsigned char *between_guards(size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size + page - 1) / page * page;
  unsigned char *at = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!CHECK(at != MAP_FAILED)) return NULL;
  CHECK_EQ(mprotect(at + page, bytes, PROT_READ | PROT_WRITE), 0);
  return at + page + bytes - size;
}

#define SCRIBBLE(v, T, rounds)                                                                                \
  for (int round = 0; round < (rounds); round++) {                                                            \
    static const uint64_t lengths[] = {0, 1, 2, 3, 4, 5, 6, 0x7fffffff, 0xffffffff, 0x80000000};              \
    uint64_t r = next_random(&seed), s = next_random(&seed);                                                  \
    T item, many[9];                                                                                          \
    size_t got;                                                                                               \
    memset(&item, 7, sizeof item), memset(many, 8, sizeof many);                                              \
    (v)->word = r % 3 ? lengths[r / 3 % 10] | lengths[r / 30 % 10] << 32 : s;                                 \
    (v)->sequence = lengths[r / 300 % 10] | s << 31;                                                          \
    r = next_random(&seed);                                                                                   \
    uint64_t i = lengths[r / 20 % 10], n = lengths[r / 200 % 10];                                             \
    ran += mm3_vec_len(v) <= mm3_vec_capacity(v);                                                             \
    switch (r % 20) {                                                                                         \
      case 0: ran += mm3_vec_push_from(v, &item) <= 0; break;                                                 \
      case 1: ran += mm3_vec_pop(v, &item) <= 0; break;                                                       \
      case 2: ran += mm3_vec_get(v, i, &item) <= 0; break;                                                    \
      case 3: ran += mm3_vec_set_from(v, i, &item) <= 0; break;                                               \
      case 4: ran += mm3_vec_insert_from(NULL, v, i, &item) <= 0; break;                                      \
      case 5: ran += mm3_vec_take(NULL, v, i, &item) <= 0; break;                                             \
      case 6: ran += mm3_vec_swap_take(NULL, v, i, &item) <= 0; break;                                        \
      case 7: ran += mm3_vec_resize_from(NULL, v, n, &item) <= 0; break;                                      \
      case 8: ran += mm3_vec_sort(NULL, v, compare_first_byte, NULL) == 0; break;                             \
      case 9: ran += mm3_vec_search(v, &item, compare_first_byte, NULL, &got) <= 0; break;                    \
      case 10: mm3_vec_truncate(v, n), ran++; break;                                                          \
      case 11: ran += mm3_vec_back(v, &item) <= 0; break;                                                     \
      case 12: ran += mm3_vec_insert_many(NULL, v, i, many, n < 9 ? n : 9) <= 0; break;                       \
      case 13: ran += mm3_vec_remove_many(NULL, v, i, n) <= 0; break;                                         \
      case 14: ran += mm3_vec_assign(NULL, v, i, many, n < 9 ? n : 9) <= 0; break;                            \
      case 15: ran += mm3_vec_read(v, i, many, 9, &got) == 0; break;                                          \
      case 16: if (mm3_vec_at(v, i)) memset(mm3_vec_at(v, i), 1, sizeof item); ran++; break;                  \
      case 17: MM3_VEC_EACH(one, v) memset(one, 2, sizeof *one); ran++; break;                                \
      default: mm3_vec_clear(v), ran++;                                                                       \
    }                                                                                                         \
    ran += mm3_vec_len(v) <= mm3_vec_capacity(v);                                                             \
  }

static void hostile_words_lead_nowhere(void) {
  vec_u64 *narrow = (vec_u64 *)(void *)between_guards(sizeof(vec_u64));
  vec_point *wide = (vec_point *)(void *)between_guards(sizeof(vec_point));
  uint64_t seed = 4711;
  long ran = 0;
  if (!narrow || !wide) return;
  SCRIBBLE(narrow, uint64_t, 100000)
  SCRIBBLE(wide, struct point, 100000)
  CHECK_EQ(ran, 600000);
}

/* ---- killed at any instruction ---- */

enum { KILL_N = 6, KILL_MOST = 5 };
enum operation { PUSH, POP, SET, INSERT, INSERT_MANY, REMOVE, REMOVE_MANY, SWAP_REMOVE, RESIZE, TRUNCATE, SORT, OPERATIONS };
static const char *const operation_names[] = {"push", "pop", "set", "insert", "insert many", "remove", "remove many",
                                              "swap_remove", "resize", "truncate", "sort"};

typedef MM3_VALUE(vec(u64, KILL_N)) kill_narrow;
typedef MM3_VALUE(vec(point, KILL_N)) kill_wide;

struct killed {
  enum operation operation;
  kill_narrow *narrow; /* one of the two */
  kill_wide *wide;
  uint64_t before[KILL_N], after[KILL_N];
  size_t nbefore, nafter;
  long wrong;
};

static struct point point_of(uint64_t number) {
  struct point p;
  memset(&p, 0, sizeof p);
  p.x = (uint32_t)number, p.y = number * 3, memset(p.z, (int)number, sizeof p.z);
  return p;
}

static int compare_points(const void *a, const void *b, void *context) {
  uint64_t x = ((const struct point *)a)->x, y = ((const struct point *)b)->x;
  return compare_u64(&x, &y, context);
}

#define OPERATE(v, of, compare)                                                                \
  switch (k->operation) {                                                                      \
    case PUSH: mm3_vec_push(v, of(90)); break;                                                 \
    case POP: mm3_vec_pop(v, &out); break;                                                     \
    case SET: mm3_vec_set(v, 1, of(91)); break;                                                \
    case INSERT: mm3_vec_insert(NULL, v, 1, of(92)); break;                                    \
    case INSERT_MANY: mm3_vec_insert_many(NULL, v, 1, many, 2); break;                         \
    case REMOVE: mm3_vec_remove(NULL, v, 0); break;                                            \
    case REMOVE_MANY: mm3_vec_remove_many(NULL, v, 0, 2); break;                               \
    case SWAP_REMOVE: mm3_vec_swap_remove(NULL, v, 1); break;                                  \
    case RESIZE: mm3_vec_resize(NULL, v, KILL_N, of(93)); break;                               \
    case TRUNCATE: mm3_vec_truncate(v, 1); break;                                              \
    default: mm3_vec_sort(NULL, v, compare, NULL);                                             \
  }
#define SAME(x) (x)

static void operate(void *arg) {
  struct killed *k = arg;
  if (k->narrow) {
    uint64_t many[2] = {94, 95}, out;
    OPERATE(k->narrow, SAME, compare_u64)
  } else {
    struct point many[2] = {point_of(94), point_of(95)}, out;
    OPERATE(k->wide, point_of, compare_points)
  }
}

/* The items' numbers; 0 for one that is torn. */
static size_t numbers_of(const struct killed *k, const void *image, uint64_t numbers[KILL_N]) {
  const kill_narrow *narrow = image;
  const kill_wide *wide = image;
  size_t count = k->narrow ? mm3_vec_len(narrow) : mm3_vec_len(wide);
  for (size_t i = 0; i < count; i++) {
    struct point p, whole;
    numbers[i] = 0;
    if (k->narrow) {
      if (mm3_vec_get(narrow, i, &numbers[i]) < 0) numbers[i] = 0;
    } else if (mm3_vec_get(wide, i, &p) == 0) {
      whole = point_of(p.x);
      if (memcmp(&whole, &p, sizeof p) == 0) numbers[i] = p.x;
    }
  }
  return count;
}

static int same_numbers(const uint64_t *a, size_t na, const uint64_t *b, size_t nb) {
  return na == nb && memcmp(a, b, na * sizeof *a) == 0;
}

static int is_permutation(const uint64_t *a, const uint64_t *b, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (UINT64_C(1) << (a[i] % 64)) - (UINT64_C(1) << (b[i] % 64));
  return sum == 0;
}

static int old_or_new(const struct killed *k, const void *image) {
  uint64_t now[KILL_N];
  size_t count = numbers_of(k, image, now);
  if (k->operation == SORT) return count == k->nbefore && is_permutation(now, k->before, count);
  return same_numbers(now, count, k->before, k->nbefore) || same_numbers(now, count, k->after, k->nafter);
}

/* As a reader sees it, and after whoever comes next has tidied up: the first word has no state then. */
static void judge(void *arg, const void *image) {
  struct killed *k = arg;
  union {
    kill_narrow narrow;
    kill_wide wide;
  } copy, pushed;
  size_t size = k->narrow ? sizeof copy.narrow : sizeof copy.wide;
  memcpy(&copy, image, size);
  k->wrong += !old_or_new(k, &copy);
  if (k->narrow) mm3_vec_resize(NULL, &copy.narrow, mm3_vec_len(&copy.narrow), 0);
  else mm3_vec_resize(NULL, &copy.wide, mm3_vec_len(&copy.wide), {0});
  k->wrong += copy.narrow.word >> 32 != 0 || !old_or_new(k, &copy);
  memcpy(&pushed, image, size); /* a push tidies up too */
  size_t length = mm3_vec_len(&pushed.narrow);
  int result = k->narrow ? mm3_vec_push(&pushed.narrow, 77) : mm3_vec_push(&pushed.wide, point_of(77));
  k->wrong += result != (length == KILL_N ? -MM3_E_FULL : 0) || pushed.narrow.word >> 32 != 0;
  if (result == 0) pushed.narrow.word--;
  k->wrong += !old_or_new(k, &pushed);
}

static long killed_at_each_instruction(enum operation operation, int wide) {
  size_t size = wide ? sizeof(kill_wide) : sizeof(kill_narrow);
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  static const uint64_t start[4] = {3, 1, 4, 2};
  struct killed k = {.operation = operation, .narrow = wide ? NULL : memory, .wide = wide ? memory : NULL};
  if (!CHECK(memory != MAP_FAILED)) return -1;
  for (int i = 0; i < 4; i++) wide ? mm3_vec_push(k.wide, point_of(start[i])) : mm3_vec_push(k.narrow, start[i]);
  union {
    kill_narrow narrow;
    kill_wide wide;
  } old;
  memcpy(&old, memory, size);
  k.nbefore = numbers_of(&k, memory, k.before);
  operate(&k);
  k.nafter = numbers_of(&k, memory, k.after);
  memcpy(memory, &old, size);
  struct steps steps = {memory, size, operate, judge, &k};
  long images = step_through(&steps);
  uint64_t now[KILL_N];
  CHECK(same_numbers(now, numbers_of(&k, memory, now), k.after, k.nafter));
  CHECK_EQ(k.wrong, 0);
  munmap(memory, size);
  return images;
}

static void a_kill_leaves_the_old_or_the_new(void) {
  if (strcmp(mm3test_tool(), "valgrind") == 0) {
    CHECK(1); /* it steps through Valgrind there, not through us; other runs do this */
    return;
  }
  for (int wide = 0; wide < 2; wide++)
    for (enum operation o = 0; o < OPERATIONS; o++) {
      long images = killed_at_each_instruction(o, wide);
      CHECK(images >= 1);
      printf("  %s of %s items: %ld kill points\n", operation_names[o], wide ? "wide" : "narrow", images);
    }
}

MM3_TEST_SUITE("vec", {"the bytes are as the header draws them", bytes_are_as_drawn},
               {"operations at 0, 1, the last and a full vec", operations_at_the_edges},
               {"slices are cut at the end", slices_are_cut_at_the_end},
               {"arguments are evaluated once", arguments_are_evaluated_once},
               {"items are of any type", items_are_of_any_type},
               {"u8 items do what an array does", model_of_u8},
               {"u16 items do what an array does", model_of_u16},
               {"u32 items do what an array does", model_of_u32},
               {"u64 items do what an array does", model_of_u64},
               {"u128 items do what an array does", model_of_u128},
               {"structs of eight bytes do what an array does", model_of_two},
               {"wide structs do what an array does", model_of_point},
               {"a vec of one item does what an array does", model_of_one},
               {"a sort is stable, and a search finds", a_sort_is_stable_and_searched},
               {"hostile words lead nowhere", hostile_words_lead_nowhere},
               {"a kill at any instruction leaves the old value or the new one", a_kill_leaves_the_old_or_the_new})
