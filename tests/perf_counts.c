/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What check-perf-counts.sh counts the instructions of: each hot_* function is called TIMES times, under callgrind.
 * An argument: a path for a file that is made and removed. Exits 1 when an operation does not do what it should.
 */
#include <mm3/atomic.h>
#include <mm3/file.h>
#include <mm3/hashmap.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/string.h>
#include <mm3/struct.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TIMES = 1000 };

#define WIDE(FIELD) FIELD(a, u64) FIELD(b, u64) FIELD(c, raw(48))
MM3_STRUCT(wide, WIDE);
#define COUNTS(FIELD)                                                                                                 \
  FIELD(plain, u64) FIELD(counter, atomic(u64)) FIELD(name, string(32)) FIELD(items, vec(u64, TIMES))                  \
  FIELD(wides, vec(wide, TIMES)) FIELD(cube, ndarray(u8, 16, 16, 16)) FIELD(log, segmented(u64))                       \
  FIELD(records, segmented(wide)) FIELD(numbers, hashmap(u64, u64)) FIELD(texts, hashmap(text, text)) FIELD(note, text)
MM3_STRUCT(counts, COUNTS);

static struct mm3_file *file;
static struct counts *c;
static int failures;
static uint64_t values[32], keys[TIMES], sum;
static char words[TIMES][24];
static struct wide wide;

#define HOT(name, ...)                                                           \
  static __attribute__((noinline)) int hot_##name(uint64_t i) { __VA_ARGS__; }    \
  static void run_##name(int wanted) {                                           \
    for (uint64_t i = 0; i < TIMES; i++)                                         \
      if (hot_##name(i) != wanted) {                                             \
        fprintf(stderr, "perf_counts: " #name ": wrong result\n");               \
        failures++;                                                              \
        break;                                                                   \
      }                                                                          \
  }

HOT(field_store, c->plain = i; return 0)
HOT(field_load, sum += c->plain; return 0)
HOT(atomic_add, sum += mm3_atomic_fetch_add(&c->counter, 1); (void)i; return 0)
HOT(string_set, return mm3_string_set_n(&c->name, words[i], 20))
HOT(string_get, char out[33]; (void)i; return mm3_string_get(&c->name, out, sizeof out, NULL))
HOT(vec_push, return mm3_vec_push(&c->items, i))
HOT(vec_get, return mm3_vec_get(&c->items, i, &values[0]))
HOT(vec_set, return mm3_vec_set(&c->items, i, i))
HOT(vec_sum, uint64_t all = 0; (void)i; MM3_VEC_EACH(item, &c->items) all += *item; sum += all; return 0)
HOT(vec_pop, (void)i; return mm3_vec_pop(&c->items, &values[0]))
HOT(vec_push_wide, (void)i; return mm3_vec_push_from(&c->wides, &wide))
HOT(vec_get_wide, return mm3_vec_get(&c->wides, i, &wide))
HOT(ndarray_ref, mm3_ndarray_ref(&c->cube, i & 15, i >> 4 & 15, 3)++; return 0)
HOT(ndarray_get, uint8_t one; return mm3_ndarray_get(&c->cube, &one, i & 15, 3, i >> 4 & 15))
HOT(segmented_append, return mm3_segmented_append_held(file, &c->log, i))
HOT(segmented_append_wide, (void)i; return mm3_segmented_append_from_held(file, &c->records, &wide))
HOT(segmented_get, return mm3_segmented_get(file, &c->log, i, &values[0]))
HOT(hashmap_insert, return mm3_hashmap_set_held(file, &c->numbers, keys[i], i))
HOT(hashmap_hit, return mm3_hashmap_get(file, &c->numbers, keys[i], &values[0]))
HOT(hashmap_miss, return mm3_hashmap_get(file, &c->numbers, ~keys[i], &values[0]))
HOT(hashmap_overwrite, return mm3_hashmap_set_held(file, &c->numbers, keys[i], ~i))
HOT(hashmap_hit_32, return (int)mm3_hashmap_get_many(file, &c->numbers, &keys[i % 900], 32, values, NULL))
HOT(hashmap_erase, return mm3_hashmap_remove_held(file, &c->numbers, keys[i]))
HOT(hashmap_text_insert, return mm3_hashmap_set_held(file, &c->texts, mm3_str_n(words[i], 20), mm3_str_n(words[i], 20)))
HOT(hashmap_text_hit, char out[32]; struct mm3_buf buf = mm3_buf_of(out, sizeof out);
    return mm3_hashmap_get(file, &c->texts, mm3_str_n(words[i], 20), &buf))
HOT(hashmap_text_overwrite,
    return mm3_hashmap_set_held(file, &c->texts, mm3_str_n(words[i], 20), mm3_str_n(words[TIMES - 1 - i], 20)))
HOT(lock_unlock, (void)i; return mm3_lock(file) | mm3_unlock(file))
HOT(text_set, return mm3_text_set_n(file, &c->note, words[i], 20))
HOT(text_get, char out[32]; (void)i; return mm3_text_get(file, &c->note, out, sizeof out, NULL))

static void held(void) {
  run_segmented_append(0), run_segmented_append_wide(0);
  mm3_hashmap_reserve_held(file, &c->numbers, TIMES), mm3_hashmap_reserve_held(file, &c->texts, TIMES);
  run_hashmap_insert(0), run_hashmap_hit(0), run_hashmap_miss(-MM3_E_ABSENT), run_hashmap_hit_32(32);
  run_hashmap_overwrite(1), run_hashmap_erase(0);
  run_hashmap_text_insert(0), run_hashmap_text_hit(0), run_hashmap_text_overwrite(1);
}

int main(int argc, char **argv) {
  struct mm3_error error;
  if (argc != 2) return fprintf(stderr, "perf_counts FILE\n"), 2;
  unlink(argv[1]);
  file = mm3_create(argv[1], MM3_TYPE(counts), NULL, &error);
  if (!file) return fprintf(stderr, "perf_counts: %s\n", error.text), 1;
  c = mm3_root(file, counts);
  for (uint64_t i = 0; i < TIMES; i++) {
    keys[i] = i * UINT64_C(0x9E3779B97F4A7C15);
    snprintf(words[i], sizeof words[i], "word %015u", (unsigned)i);
  }
  run_field_store(0), run_field_load(0), run_atomic_add(0), run_string_set(0), run_string_get(0);
  run_vec_push(0), run_vec_get(0), run_vec_set(0), run_vec_sum(0), run_vec_pop(0);
  run_vec_push_wide(0), run_vec_get_wide(0), run_ndarray_ref(0), run_ndarray_get(0);
  mm3_lock(file);
  held();
  mm3_unlock(file);
  run_segmented_get(0), run_lock_unlock(0), run_text_set(0), run_text_get(0);
  if (mm3_close(file) != 0) failures++;
  unlink(argv[1]);
  return failures != 0;
}
