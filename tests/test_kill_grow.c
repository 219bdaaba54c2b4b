/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Heap, segmented and text under the kill harness: whatever is killed, at most the block in hand leaks. */
#include "../modules/all_modules.h"
#include "heap.h"
#include "heap_owner.h"
#include "kill/kill.h"
#include "mm3test.h"

#include <mm3/segmented.h>
#include <mm3/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the heap ---- */

static uint64_t *slots(struct mm3_file *file) { return mm3i_file_root(file); }

static struct mm3_file *open_heap(struct kill_case *c) {
  struct mm3_options options = {.size = sizeof options, .reserve = 64 << 20};
  return mm3_open(c->path, NULL, &options, NULL);
}

static int make_heap(struct kill_case *c) {
  struct mm3_file *file = mm3_create_schema(c->path, "struct t { blocks: owner(80) }", NULL, NULL);
  uint64_t *s = file ? slots(file) : NULL, offset;
  if (!file || mm3_lock(file) < 0) return -1;
  for (unsigned i = 0; i < 40; i++)
    if (mm3_heap_alloc(file, i % 8 == 7 ? 12288 : 1000, 0, &s[i]) < 0) return -1;
  for (unsigned i = 0; i < 40; i += 4) {
    if (mm3_heap_free(file, s[i]) < 0) return -1;
    s[i] = 0;
  }
  if (mm3_heap_free(file, s[15]) < 0 || mm3_heap_alloc(file, 8192, 0, &offset) < 0 || mm3_heap_free(file, offset) < 0)
    return -1;
  s[15] = 0;
  mm3_unlock(file);
  return mm3_close(file);
}

/* The harness has checked the file. At most one block is used and not owned; repair finds it; then the heap works. */
static int heap_model(struct kill_case *c, struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  struct mm3_error error = {0};
  uint64_t owned = 0, leaked, offset;
  if (mm3_heap_measure(file, &stats) < 0) return kill_says(c, "it cannot be measured");
  for (unsigned i = 0; i < 80; i++) owned += slots(file)[i] != 0;
  if (stats.blocks < owned || stats.blocks > owned + 1)
    return kill_says(c, "%llu blocks are in use, %llu are owned", (unsigned long long)stats.blocks,
                     (unsigned long long)owned);
  int result = mm3i_heap_repair(file, &leaked, &error);
  if (result < 0) return kill_says(c, "repair: %s", error.text);
  if (leaked != stats.blocks - owned) return kill_says(c, "repair took back %llu blocks", (unsigned long long)leaked);
  for (uint64_t size = 16; size < 100000; size *= 3) {
    if (mm3_heap_alloc(file, size, 0, &offset) < 0) return kill_says(c, "no block of %llu bytes", (unsigned long long)size);
    if (mm3_heap_free(file, offset) < 0) return kill_says(c, "a block of %llu bytes is lost", (unsigned long long)size);
  }
  return mm3_check(file, NULL, NULL) == 0 ? 0 : kill_says(c, "it is damaged after repair and use");
}

#define ON_HEAP(name, ...)                                                      \
  static int run_##name(struct kill_case *c) {                                  \
    struct mm3_file *file = open_heap(c);                                       \
    if (!file || mm3_lock(file) < 0) return -1;                                 \
    MM3_UNUSED uint64_t *s = slots(file);                                       \
    int failed = 0;                                                             \
    kill_begin();                                                               \
    __VA_ARGS__                                                                 \
    kill_end();                                                                 \
    if (failed || mm3_unlock(file) < 0) return -1;                              \
    return mm3_close(file);                                                     \
  }

/* An owner stores the offset of a new block after it has it, and forgets it before it frees it. */
static int grow_slot(struct mm3_file *file, uint64_t *slot, uint64_t size) {
  uint64_t offset;
  int result = mm3_heap_alloc(file, size, 0, &offset);
  if (result == 0) __atomic_store_n(slot, offset, __ATOMIC_RELEASE);
  return result < 0;
}

static int drop_slot(struct mm3_file *file, uint64_t *slot) {
  uint64_t offset = *slot;
  __atomic_store_n(slot, 0, __ATOMIC_RELEASE);
  return mm3_heap_free(file, offset) < 0;
}

ON_HEAP(first_block, failed |= grow_slot(file, &s[50], 40);)
ON_HEAP(small_blocks, for (unsigned i = 0; i < 3; i++) failed |= grow_slot(file, &s[50 + i], 1000);)
ON_HEAP(large_blocks, for (unsigned i = 0; i < 4; i++) failed |= grow_slot(file, &s[50 + i], 12000 + 4096 * i);)
ON_HEAP(free_small, for (unsigned i = 0; i < 40; i += 3) if (s[i] && i % 8 != 7) failed |= drop_slot(file, &s[i]);)
ON_HEAP(free_large, for (unsigned i = 7; i < 40; i += 8) if (s[i]) failed |= drop_slot(file, &s[i]);)
ON_HEAP(grow_map, failed |= grow_slot(file, &s[50], 2 << 20); failed |= drop_slot(file, &s[50]);)
ON_HEAP(aligned, uint64_t offset; failed |= mm3_heap_alloc(file, 5000, 4096, &offset) < 0;
        if (!failed) __atomic_store_n(&s[50], offset, __ATOMIC_RELEASE); failed |= drop_slot(file, &s[50]);)
ON_HEAP(reserve, failed |= mm3_heap_reserve(file, 1 << 20) < 0;)
ON_HEAP(fill_slab, for (unsigned i = 0; i < 5; i++) failed |= grow_slot(file, &s[60 + i], 4000);
        for (unsigned i = 0; i < 5; i++) failed |= drop_slot(file, &s[60 + i * 2 % 5]);)

static int run_shrink(struct kill_case *c) {
  struct mm3_file *file = open_heap(c);
  if (!file || mm3_lock(file) < 0 || mm3_heap_reserve(file, 1 << 20) < 0) return -1;
  kill_begin();
  int result = mm3_heap_shrink(file);
  kill_end();
  if (result < 0 || mm3_unlock(file) < 0) return -1;
  return mm3_close(file);
}

/* ---- segmented and text ---- */

#define GROWING(FIELD) \
  FIELD(log, segmented(u64)) FIELD(wide, segmented(raw(400))) FIELD(name, text) FIELD(lines, segmented(text))
MM3_STRUCT(growing, GROWING);

static struct mm3_file *open_growing(struct kill_case *c) {
  struct mm3_options options = {.size = sizeof options, .reserve = 64 << 20};
  return mm3_open(c->path, MM3_TYPE(growing), &options, NULL);
}

enum { KEPT = 510, MANY = 60 }; /* the first segment has room for 512 */

static int make_growing(struct kill_case *c) {
  struct mm3_file *file = mm3_create(c->path, MM3_TYPE(growing), NULL, NULL);
  if (!file) return -1;
  struct growing *g = mm3_root(file, growing);
  for (uint64_t i = 0; i < KEPT; i++)
    if (mm3_segmented_append(file, &g->log, i) < 0) return -1;
  uint8_t wide[1][400];
  memset(wide, 1, sizeof wide);
  for (unsigned i = 0; i < 15; i++) /* the first segment has room for 16 */
    if (mm3_segmented_append_from(file, &g->wide, wide) < 0) return -1;
  if (mm3_text_set(file, &g->name, "the old name") < 0) return -1;
  return mm3_close(file);
}

/* Every item below the length is what was appended, and the length moves as the operation has it. */
static int log_model(struct kill_case *c, struct mm3_file *file, uint64_t least, uint64_t most) {
  struct growing *g = mm3_root(file, growing);
  uint64_t length = mm3_segmented_len(&g->log), value = 0;
  if (length < least || length > most) return kill_says(c, "there are %llu items", (unsigned long long)length);
  for (uint64_t i = 0; i < length; i++)
    if (mm3_segmented_get(file, &g->log, i, &value) < 0 || value != i)
      return kill_says(c, "item %llu of %llu is %llu", (unsigned long long)i, (unsigned long long)length,
                       (unsigned long long)value);
  uint8_t wide[1][400];
  for (uint64_t i = 0; i < mm3_segmented_len(&g->wide); i++) {
    if (mm3_segmented_get(file, &g->wide, i, wide) < 0) return kill_says(c, "a wide item cannot be read");
    for (unsigned k = 0; k < 400; k++)
      if (wide[0][k] != wide[0][0] || wide[0][k] == 0) return kill_says(c, "a wide item is torn");
  }
  return 0;
}

static int append_model(struct kill_case *c, struct mm3_file *file) { return log_model(c, file, KEPT, KEPT + 6); }
static int many_model(struct kill_case *c, struct mm3_file *file) {
  uint64_t length = mm3_segmented_len(&mm3_root(file, growing)->log);
  return length == KEPT || length == KEPT + MANY ? log_model(c, file, KEPT, KEPT + MANY)
                                                 : kill_says(c, "a part of the items was appended");
}
static int truncate_model(struct kill_case *c, struct mm3_file *file) {
  uint64_t length = mm3_segmented_len(&mm3_root(file, growing)->log);
  return length == KEPT || length == 600 || length == 0 || length == 100 ? log_model(c, file, 0, 600)
                                                                         : kill_says(c, "it was cut elsewhere");
}

#define ON_GROWING(name, ...)                            \
  static int run_##name(struct kill_case *c) {           \
    struct mm3_file *file = open_growing(c);             \
    if (!file) return -1;                                \
    struct growing *g = mm3_root(file, growing);         \
    int failed = 0;                                      \
    kill_begin();                                        \
    __VA_ARGS__                                          \
    kill_end();                                          \
    return failed ? -1 : mm3_close(file);                \
  }

static uint64_t numbers[MANY];

ON_GROWING(append, for (uint64_t i = KEPT; i < KEPT + 6; i++) failed |= mm3_segmented_append(file, &g->log, i) < 0;)
ON_GROWING(append_wide, uint8_t wide[1][400]; memset(wide, 9, sizeof wide);
           for (int i = 0; i < 2; i++) failed |= mm3_segmented_append_from(file, &g->wide, wide) < 0;)

static int run_append_many(struct kill_case *c) {
  struct mm3_file *file = open_growing(c);
  if (!file) return -1;
  for (uint64_t i = 0; i < MANY; i++) numbers[i] = KEPT + i;
  kill_begin();
  int result = mm3_segmented_append_many(file, &mm3_root(file, growing)->log, numbers, MANY);
  kill_end();
  return result < 0 ? -1 : mm3_close(file);
}

static int make_longer(struct kill_case *c) {
  if (make_growing(c) < 0) return -1;
  struct mm3_file *file = open_growing(c);
  if (!file) return -1;
  for (uint64_t i = KEPT; i < 600; i++)
    if (mm3_segmented_append(file, &mm3_root(file, growing)->log, i) < 0) return -1;
  return mm3_close(file);
}

ON_GROWING(truncate, failed |= mm3_segmented_truncate(file, &g->log, 100) < 0;
           failed |= mm3_segmented_clear(file, &g->log) < 0;)

static const char *const names[] = {"the old name", "a new name that is longer than the old one was", "x", "xyz", ""};

ON_GROWING(text, failed |= mm3_text_set(file, &g->name, names[1]) < 0; failed |= mm3_text_set(file, &g->name, names[2]) < 0;
           failed |= mm3_text_append(file, &g->name, "yz") < 0; failed |= mm3_text_clear(file, &g->name) < 0;)

static int text_model(struct kill_case *c, struct mm3_file *file) {
  char name[100] = "?";
  int result = mm3_text_get(file, &mm3_root(file, growing)->name, name, sizeof name, NULL);
  for (uint64_t i = c->memory[1]; result == 0 && i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0) return c->memory[1] = i, 0;
  return kill_says(c, "the text is '%s' (%s)", name, mm3_error_name(result));
}

ON_GROWING(lines, struct mm3_text empty = {{0}};
           for (int i = 0; i < 2; i++) {
             failed |= mm3_lock(file) < 0;
             failed |= mm3_segmented_append_held(file, &g->lines, empty) < 0;
             failed |= mm3_text_set_held(file, mm3_segmented_at(file, &g->lines, i), "a line") < 0;
             failed |= mm3_unlock(file) < 0;
           })

/* ---- the cases ---- */

static void run(const struct kill_op *op) {
  struct kill_result result;
  CHECK_EQ(owner_register(NULL) | mm3_all_modules_register(NULL), 0);
  if (!CHECK_EQ(kill_run(op, mm3test_path(NULL), &result), 0) || !CHECK_EQ(result.violations, 0))
    printf("  %s\n", result.says);
  CHECK(!kill_can_step() || result.points > 0);
}

#define CASE(area, name, setup, model, flags)                                                  \
  static void killed_##name(void) {                                                      \
    static const struct kill_op op = {area #name, setup, run_##name, model, flags};           \
    run(&op);                                                                            \
  }

CASE("heap: ", first_block, make_heap, heap_model, 0)
CASE("heap: ", small_blocks, make_heap, heap_model, 0)
CASE("heap: ", large_blocks, make_heap, heap_model, 0)
CASE("heap: ", free_small, make_heap, heap_model, 0)
CASE("heap: ", free_large, make_heap, heap_model, 0)
CASE("heap: ", fill_slab, make_heap, heap_model, 0)
CASE("heap: ", aligned, make_heap, heap_model, 0)
CASE("heap: ", grow_map, make_heap, heap_model, 0)
CASE("heap: ", reserve, make_heap, heap_model, 0)
CASE("heap: ", shrink, make_heap, heap_model, KILL_ALONE)
CASE("segmented: ", append, make_growing, append_model, 0)
CASE("segmented: ", append_wide, make_growing, append_model, 0)
CASE("segmented: ", append_many, make_growing, many_model, 0)
CASE("segmented: ", truncate, make_longer, truncate_model, 0)
CASE("", text, make_growing, text_model, 0)
CASE("segmented: ", lines, make_growing, NULL, 0)

MM3_TEST_SUITE("kill_grow", {"a first block of a size", killed_first_block}, {"small blocks", killed_small_blocks},
               {"large blocks", killed_large_blocks}, {"small blocks are freed", killed_free_small},
               {"large blocks are freed", killed_free_large}, {"a slab is filled and emptied", killed_fill_slab},
               {"an aligned block comes and goes", killed_aligned},
               {"the page map grows", killed_grow_map}, {"reserve", killed_reserve}, {"shrink", killed_shrink},
               {"append", killed_append}, {"append of wide items", killed_append_wide},
               {"append of many", killed_append_many}, {"truncate and clear", killed_truncate},
               {"text", killed_text}, {"texts in a list", killed_lines})
