/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Rows of the kinds' tables that only containers and tools call: clear, grow, assign, equal, hash, blocks, keys. */
#include "mm3list.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/hashmap.h>
#include <mm3/heap.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/string.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <stdlib.h>

#define TWO(FIELD) FIELD(a, text) FIELD(n, u64)
MM3_STRUCT(two, TWO);
#define ALL(FIELD)                                                                                              \
  FIELD(words, hashmap(text, text)) FIELD(more, hashmap(text, text)) FIELD(log, segmented(two))                 \
  FIELD(copy, segmented(two)) FIELD(table, ndarray(two, 2, 2)) FIELD(other, ndarray(two, 2, 2))                 \
  FIELD(grid, ndarray(f64, 2)) FIELD(grid2, ndarray(f64, 2)) FIELD(key, text) FIELD(key2, text)                 \
  FIELD(list, vec(two, 3)) FIELD(list2, vec(two, 3)) FIELD(texts, ndarray(text, 2))
MM3_STRUCT(all, ALL);

static struct mm3_file *file;
static struct all *root;
static struct mm3_field f, g; /* that were looked for last */
static struct mm3_ctx ctx;
static char *large; /* a file of a MiB has no room for two */

static int fresh(void) {
  struct mm3_options options = {.size = sizeof options, .limit = 1 << 20};
  file = mm3_create(mm3test_path("rows.mm3"), MM3_TYPE(all), &options, &show_error);
  large = calloc(1, 400001);
  if (!CHECK(file != NULL && large != NULL)) return printf("%s\n", show_error.text), 0;
  root = mm3_root(file, all);
  memset(large, 'x', 400000);
  ctx = (struct mm3_ctx){.size = sizeof ctx, .flags = MM3_CTX_WRITABLE | MM3_CTX_LOCKED, .file = file, .error = &show_error};
  return CHECK_EQ(mm3_lock(file), 0);
}

static void done(void) {
  mm3_unlock(file);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
  free(large);
}

static uint64_t blocks(void) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats.blocks;
}

static void find(const char *path, const char *path2) {
  CHECK_OK(mm3_field_find(file, path, &f, &show_error), show_error);
  if (path2) CHECK_OK(mm3_field_find(file, path2, &g, &show_error), show_error);
}

static int own(void *arg, uint64_t offset) {
  CHECK(mm3_heap_usable(file, offset) > 0);
  return ++*(int *)arg == 2000 ? -ECANCELED : 0;
}

/* Blocks of what was looked for first; `from` 0, or so many from 2000 that it is stopped. */
static int owned(int from) {
  int count = from;
  CHECK_EQ(mm3_type_blocks(f.type, f.bytes, own, &count, &ctx), from ? -ECANCELED : 0);
  return count - from;
}

static void a_map_is_cleared_grown_and_assigned(void) {
  char text[8];
  struct mm3_hashmap_stats stats = {.size = sizeof stats};
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  if (!fresh()) return;
  find("words", "more");
  CHECK_OK(mm3_type_clear(f.type, f.bytes, &ctx), show_error); /* there is nothing */
  CHECK_OK(f.type->kind->grow(f.type, f.bytes, 0, &ctx), show_error);
  CHECK_EQ(root->words.table, 0);
  CHECK_OK(f.type->kind->grow(f.type, f.bytes, 1000, &ctx), show_error);
  CHECK_EQ(mm3_hashmap_stats(file, &root->words, &stats), 0);
  CHECK(stats.slots >= 1000 && stats.count == 0);
  uint64_t table = root->words.table;
  for (int i = 0; i < 1000; i++) {
    snprintf(text, sizeof text, "%d", i);
    CHECK_EQ(mm3_hashmap_set_held(file, &root->words, text, text), 0);
  }
  CHECK_EQ(root->words.table, table);
  CHECK_FAILS(f.type->kind->grow(f.type, f.bytes, UINT64_MAX, &ctx), -MM3_E_LIMIT, show_error);
  CHECK_FAILS(f.type->kind->grow(f.type, f.bytes, 1000000, &ctx), -MM3_E_LIMIT, show_error);
  CHECK_HAS(show_error.text, "1000000");
  CHECK_EQ(owned(0), 1001); /* the table, and a record each */
  CHECK_EQ(owned(1000), 1000);
  CHECK_FAILS(mm3_type_assign(g.type, g.bytes, f.bytes, &(struct mm3_ctx){.size = sizeof ctx, .error = &show_error}),
              -EINVAL, show_error);
  CHECK_EQ(mm3_hashmap_set_held(file, &root->more, "old", "value"), 0);
  CHECK_OK(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), show_error);
  CHECK_EQ(mm3_hashmap_len(file, &root->more), 1000);
  CHECK_EQ(mm3_hashmap_get(file, &root->more, "999", &buf), 0);
  CHECK_STR(text, "999");
  CHECK_EQ(blocks(), 2002);
  CHECK_OK(mm3_type_clear(g.type, g.bytes, &ctx), show_error);
  CHECK_EQ(blocks(), 1001);
  CHECK_EQ(mm3_hashmap_set_held(file, &root->words, "large", large), 0);
  CHECK_OK(show_put(file, "key", a_text(large)), show_error);
  CHECK_EQ(mm3_hashmap_set_held(file, &root->more, "old", "value"), 0);
  CHECK_FAILS(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), -MM3_E_LIMIT, show_error);
  CHECK_STR(show(file, "more"), "{old=\"value\"}");
  CHECK_EQ(blocks(), 1002 + 1 + 2); /* what had been copied went back */
  mm3_unlock(file);
  ctx.flags = MM3_CTX_WRITABLE; /* then the rows take the lock themselves */
  CHECK_OK(f.type->kind->grow(f.type, f.bytes, 10, &ctx), show_error);
  CHECK_OK(mm3_type_clear(f.type, f.bytes, &ctx), show_error);
  CHECK_EQ(mm3_locked(file), 0);
  CHECK_EQ(blocks(), 1 + 2);
  done();
}

#define PAIR(x, y) MAP(a_text("a"), a_text(x), a_text("n"), an_int(y))

static void an_array_that_finds_no_room_is_not_assigned(void) {
  if (!fresh()) return;
  find("log", "copy");
  CHECK_OK(show_put(file, "log", LIST(PAIR("one", 1), PAIR(large, 2))), show_error);
  CHECK_OK(show_put(file, "copy", LIST(PAIR("old", 3))), show_error);
  uint64_t before = blocks();
  CHECK_EQ(before, 5); /* two segments, three texts */
  CHECK_OK(show_put(file, "key", a_text(large)), show_error);
  CHECK_FAILS(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), -MM3_E_LIMIT, show_error);
  CHECK_HAS(show_error.text, "400000");
  CHECK_STR(show(file, "copy"), "[{a=\"old\",n=3}]");
  CHECK_EQ(blocks(), before + 1);
  CHECK_FAILS(f.type->kind->grow(f.type, f.bytes, 1000000, &ctx), -MM3_E_LIMIT, show_error);
  CHECK_FAILS(f.type->kind->grow(f.type, f.bytes, UINT64_MAX, &ctx), -EFBIG, show_error);
  CHECK_EQ(blocks(), before + 1); /* no segment waits for what cannot come */
  CHECK_OK(show_put(file, "key", a_text("")), show_error);
  CHECK_OK(show_put(file, "log[1].a", a_text("two")), show_error);
  CHECK_OK(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), show_error);
  CHECK_STR(show(file, "copy"), "[{a=\"one\",n=1},{a=\"two\",n=2}]");
  CHECK_EQ(owned(0), 3);
  CHECK_OK(mm3_type_clear(f.type, f.bytes, &ctx), show_error);
  CHECK_OK(mm3_type_clear(g.type, g.bytes, &ctx), show_error);
  CHECK_EQ(blocks(), 0);
  done();
}

static void a_vec_that_finds_no_room_leaves_no_block(void) {
  if (!fresh()) return;
  find("list", "list2");
  CHECK_OK(show_put(file, "list", LIST(PAIR("one", 1), PAIR(large, 2))), show_error);
  CHECK_OK(show_put(file, "key", a_text(large)), show_error);
  CHECK_EQ(owned(0), 2);
  CHECK_FAILS(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), -MM3_E_LIMIT, show_error);
  CHECK_EQ(blocks(), 3);
  CHECK_OK(show_put(file, "key", a_text("")), show_error);
  CHECK_OK(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), show_error);
  CHECK_EQ(blocks(), 4);
  CHECK_EQ(mm3_text_equal(file, &root->list2.at[1].a, large), 1);
  CHECK_OK(mm3_type_clear(f.type, f.bytes, &ctx), show_error);
  CHECK_OK(mm3_type_clear(g.type, g.bytes, &ctx), show_error);
  CHECK_EQ(blocks(), 0);
  done();
}

static void elements_of_a_table_are_compared_copied_and_cleared(void) {
  if (!fresh()) return;
  find("table", "other");
  CHECK_EQ(mm3_type_equal(f.type, f.bytes, g.bytes), 1);
  CHECK_EQ(mm3_type_hash(f.type, f.bytes, 5), mm3_type_hash(f.type, g.bytes, 5));
  root->other.at[1][1].n = 1; /* the last element */
  CHECK_EQ(mm3_type_equal(f.type, f.bytes, g.bytes), 0);
  CHECK(mm3_type_hash(f.type, f.bytes, 5) != mm3_type_hash(f.type, g.bytes, 5));
  CHECK_OK(show_put(file, "table[1][0].a", a_text("a text")), show_error);
  CHECK_OK(show_put(file, "table[0][1].a", a_text("another")), show_error);
  CHECK_EQ(owned(0), 2);
  CHECK_EQ(owned(1999), 1);
  CHECK_OK(mm3_type_assign(g.type, g.bytes, f.bytes, &ctx), show_error);
  CHECK_EQ(blocks(), 4); /* copies, not the same */
  CHECK_STR(show(file, "other[1][0]"), "{a=\"a text\",n=0}");
  CHECK_OK(mm3_type_clear(g.type, g.bytes, &ctx), show_error);
  CHECK_EQ(blocks(), 2);
  CHECK_STR(show(file, "table[0][1].a"), "\"another\"");
  find("texts", NULL);
  CHECK_OK(show_put(file, "texts", LIST(a_text("x"), a_text(""))), show_error);
  CHECK_EQ(owned(0), 1);
  find("grid", "grid2");
  root->grid.at[1] = -0.0; /* as keys are: byte by byte */
  CHECK_EQ(mm3_type_equal(f.type, f.bytes, g.bytes), 0);
  root->grid2.at[1] = -0.0;
  CHECK_EQ(mm3_type_equal(f.type, f.bytes, g.bytes), 1);
  done();
}

static void a_text_is_a_key(void) {
  char text[16] = "as it was";
  if (!fresh()) return;
  find("key", "key2");
  CHECK_OK(mm3_type_key_parse(f.type, "na\303\257ve\0x", 8, f.bytes, &ctx), show_error);
  CHECK_EQ(mm3_type_key_print(f.type, f.bytes, text, 8, &ctx), 8); /* no room for the zero byte */
  CHECK_STR(text, "as it was");
  CHECK_EQ(mm3_type_key_print(f.type, f.bytes, text, 9, &ctx), 8);
  CHECK_MEM(text, "na\303\257ve\0x", 9);
  CHECK_EQ(mm3_type_key_print(g.type, g.bytes, text, sizeof text, &ctx), 0);
  CHECK_STR(text, "");
  CHECK_FAILS(mm3_type_key_parse(f.type, "\377", 1, f.bytes, &ctx), -MM3_E_VALUE, show_error);
  CHECK_EQ(mm3_text_len(file, &root->key), 8);
  uint64_t word = root->key.word;
  root->key.word = word | 0xffffffffff;
  CHECK_FAILS(mm3_type_key_print(f.type, f.bytes, text, sizeof text, &ctx), -MM3_E_DAMAGED, show_error);
  root->key.word = word;
  done();
}

#define LOG(FIELD) FIELD(numbers, segmented(u64)) FIELD(words, segmented(string(4)))
MM3_STRUCT(log_file, LOG);

/* Not damaged: what another process made lies beyond this handle's reserve. */
static void a_small_reserve_is_no_damage(void) {
  struct mm3_options options = {.size = sizeof options, .reserve = 1 << 20};
  struct mm3_file *big = mm3_create(mm3test_path("log.mm3"), MM3_TYPE(log_file), NULL, &show_error);
  struct mm3_file *small = mm3_open(mm3test_path("log.mm3"), MM3_TYPE(log_file), &options, &show_error);
  if (!CHECK(big != NULL && small != NULL)) return;
  struct log_file *all = mm3_root(big, log_file), *seen = mm3_root(small, log_file);
  uint64_t *numbers = calloc(300000, sizeof *numbers), *items, room, number;
  CHECK_EQ(mm3_segmented_append_many(big, &all->numbers, numbers, 300000), 0);
  CHECK_EQ(mm3_segmented_get(small, &seen->numbers, 299999, &number), -MM3_E_RESERVE);
  CHECK_EQ(mm3_segmented_set(small, &seen->numbers, 299999, 5), -MM3_E_RESERVE);
  CHECK_EQ(mm3_segmented_append(small, &seen->numbers, 5), -MM3_E_RESERVE);
  CHECK_EQ(mm3_segmented_append_many(small, &seen->numbers, numbers, 2), -MM3_E_RESERVE);
  CHECK_EQ(mm3_segmented_begin(small, &seen->numbers, 5, &items, &room), -MM3_E_RESERVE);
  CHECK(items == NULL && room == 0);
  CHECK_EQ(mm3_segmented_set(small, &seen->numbers, 300000, 5), -MM3_E_ABSENT);
  CHECK_EQ(mm3_segmented_set(small, &seen->numbers, 0, 5), 0);
  CHECK_EQ(mm3_close(small) | mm3_close(big), 0);
  free(numbers);
}

MM3_TEST_SUITE("rows", {"a small reserve is no damage", a_small_reserve_is_no_damage},
               {"a map is cleared, grown and assigned", a_map_is_cleared_grown_and_assigned},
               {"an array that finds no room is not assigned", an_array_that_finds_no_room_is_not_assigned},
               {"a vec that finds no room leaves no block", a_vec_that_finds_no_room_leaves_no_block},
               {"elements of a table are compared, copied and cleared", elements_of_a_table_are_compared_copied_and_cleared},
               {"a text is a key", a_text_is_a_key})
