/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Hashmaps under the kill harness: each operation by itself, on each way in which keys and values are kept. */
#include "kill/sequence.h"

#include <mm3/hashmap.h>
#include <mm3/string.h>
#include <mm3/text.h>
#include <stdbool.h>

#define PLACE(FIELD) FIELD(x, u64) FIELD(y, u64) FIELD(z, u32) FIELD(w, u32)
MM3_STRUCT(place, PLACE);
#define CARD(FIELD) FIELD(at, place) FIELD(marks, raw(40)) FIELD(number, u64)
MM3_STRUCT(card, CARD);

#define MAPS(FIELD)                  \
  FIELD(name, text)                  \
  FIELD(numbers, hashmap(u64, u64))  \
  FIELD(wide, hashmap(u64, place))   \
  FIELD(texts, hashmap(text, text))  \
  FIELD(counts, hashmap(text, u32))  \
  FIELD(places, hashmap(text, card)) \
  FIELD(notes, hashmap(i32, text))   \
  FIELD(names, hashmap(string(12), card))
MM3_STRUCT(maps, MAPS);

static struct mm3_file *open_maps(const char *path) {
  struct mm3_options options = {.size = sizeof options, .reserve = 16 << 20};
  return mm3_open(path, MM3_TYPE(maps), &options, NULL);
}

/* ---- keys and values number i; `way` 0, 1, 2: other values of other lengths ---- */

static uint64_t as_number(uint64_t i, unsigned way) { return i * 1000 + way; }

static const struct place *as_place(uint64_t i, unsigned way) {
  static struct place place;
  place = (struct place){i, i + way, (uint32_t)i, way};
  return &place;
}

static const struct card *as_card(uint64_t i, unsigned way) {
  static struct card card;
  card = (struct card){.at = *as_place(i, way), .number = i ^ way};
  memset(card.marks, (int)(i + way), sizeof card.marks);
  return &card;
}

static const char *as_text(uint64_t i, unsigned way) {
  static char text[100];
  snprintf(text, sizeof text, "%s number %d", way == 1 ? "a value that is longer and has another block," : "a", (int)i);
  if (way == 2) text[0] = 'b'; /* of the same length */
  return text;
}

static const char *as_word(uint64_t i) {
  static char word[20];
  snprintf(word, sizeof word, "key %d", (int)i);
  return word;
}

/* Entries with odd numbers go. */
static int odd_goes(const struct mm3_hashmap_item *item, void *arg) {
  const char *bytes = item->key.ptr;
  int is_text = *(int *)arg;
  return (is_text ? bytes[item->key.len - 1] : bytes[0]) % 2 == 0;
}

static int change_number(void *value, void *arg) { return (void)arg, *(uint64_t *)value += 5, 0; }
static int change_count(void *value, void *arg) { return (void)arg, *(uint32_t *)value += 5, 0; }
static int change_place(void *value, void *arg) { return (void)arg, ((struct place *)value)->w = 99, 0; }
static int change_card(void *value, void *arg) {
  struct card *card = value;
  (void)arg;
  card->number = 77, card->at.x = 78, card->marks[39] = 79;
  return 0;
}

/* ---- the operations of each map ---- */

enum { SOME = 6, NEW = 100, NEARLY_FULL = 54 }; /* the least table has room for 56 */

#define OP(name, ...)                          \
  static int name(struct mm3_file *file) {     \
    struct maps *m = mm3_root(file, maps);     \
    return (__VA_ARGS__);                      \
  }

static int fill_name(struct mm3_file *file) { return mm3_text_set(file, &mm3_root(file, maps)->name, "beside it"); }

/* map: the member; KEY(i), VALUE(i, way): what is passed; room: an `out` that receives a value; texty: 1, 0 */
#define OPERATIONS(map, KEY, VALUE, room, texty)                                                              \
  static int map##_fill(const char *path, uint64_t count, uint64_t reserve) {                                 \
    struct mm3_file *file = mm3_create(path, MM3_TYPE(maps), NULL, NULL);                                     \
    if (!file) return -1;                                                                                     \
    struct maps *m = mm3_root(file, maps);                                                                    \
    int failed = fill_name(file);                                                                             \
    if (reserve) failed |= mm3_hashmap_reserve(file, &m->map, reserve);                                       \
    for (uint64_t i = 0; i < count; i++) failed |= mm3_hashmap_set(file, &m->map, KEY(i), VALUE(i, 0));       \
    return mm3_close(file) | failed;                                                                          \
  }                                                                                                           \
  static int map##_some(const char *path) { return map##_fill(path, SOME, 0); }                               \
  static int map##_full(const char *path) { return map##_fill(path, NEARLY_FULL, 0); }                        \
  static int map##_roomy(const char *path) { return map##_fill(path, SOME, 100); }                            \
  static int map##_bare(const char *path) { return map##_fill(path, 0, 100); }                                \
  static int map##_none(const char *path) { return map##_fill(path, 0, 0); }                                  \
  OP(map##_insert, mm3_hashmap_set(file, &m->map, KEY(NEW), VALUE(NEW, 0)) == 0 ? 0 : -1)                     \
  OP(map##_longer, mm3_hashmap_set(file, &m->map, KEY(2), VALUE(2, 1)) == 1 ? 0 : -1)                         \
  OP(map##_like_it, mm3_hashmap_set(file, &m->map, KEY(3), VALUE(3, 2)) == 1 ? 0 : -1)                        \
  OP(map##_remove, mm3_hashmap_remove(file, &m->map, KEY(4)))                                                 \
  OP(map##_clear, mm3_hashmap_clear(file, &m->map))                                                           \
  OP(map##_reserve, mm3_hashmap_reserve(file, &m->map, 100))                                                  \
  OP(map##_shrink, mm3_hashmap_shrink(file, &m->map))                                                         \
  static int map##_get_or_insert(struct mm3_file *file) {                                                     \
    room;                                                                                                     \
    return mm3_hashmap_get_or_insert(file, &mm3_root(file, maps)->map, KEY(NEW), VALUE(NEW, 0), &out) == 0 ? 0 : -1; \
  }                                                                                                           \
  static int map##_get_old(struct mm3_file *file) {                                                           \
    room;                                                                                                     \
    return mm3_hashmap_get_or_insert(file, &mm3_root(file, maps)->map, KEY(1), VALUE(1, 1), &out) == 1 ? 0 : -1; \
  }                                                                                                           \
  static int map##_retain(struct mm3_file *file) {                                                            \
    int is_text = texty;                                                                                      \
    return mm3_hashmap_retain(file, &mm3_root(file, maps)->map, odd_goes, &is_text) == SOME / 2 ? 0 : -1;     \
  }                                                                                                           \
  static int map##_grow(struct mm3_file *file) {                                                              \
    struct maps *m = mm3_root(file, maps);                                                                    \
    uint64_t i = mm3_hashmap_len(file, &m->map);                                                              \
    return mm3_hashmap_set(file, &m->map, KEY(i), VALUE(i, 0));                                               \
  }                                                                                                           \
  static int map##_has_grown(struct mm3_file *file) {                                                         \
    struct mm3_hashmap_stats stats = {.size = sizeof stats};                                                  \
    int failed = mm3_hashmap_stats(file, &mm3_root(file, maps)->map, &stats);                                 \
    return failed || stats.rebuilds != 2 || stats.slots != 128 ? -1 : 0;                                      \
  }                                                                                                           \
  static int map##_use(struct mm3_file *file) {                                                               \
    struct maps *m = mm3_root(file, maps);                                                                    \
    int bad = mm3_hashmap_set_held(file, &m->map, KEY(200), VALUE(200, 0)) != 0;                              \
    bad |= mm3_hashmap_set_held(file, &m->map, KEY(200), VALUE(200, 1)) != 1;                                 \
    return bad || mm3_hashmap_remove_held(file, &m->map, KEY(200)) < 0 ? -1 : 0;                              \
  }

#define NUMBER(i) (i)
#define WORD(i) as_word(i)
#define TEXT_ROOM char text[100]; struct mm3_buf out = mm3_buf_of(text, sizeof text)
#define CARD_ROOM struct card out

OPERATIONS(numbers, NUMBER, as_number, uint64_t out, 0)
OPERATIONS(wide, NUMBER, as_place, struct place out, 0)
OPERATIONS(texts, WORD, as_text, TEXT_ROOM, 1)
OPERATIONS(counts, WORD, as_number, uint32_t out, 1)
OPERATIONS(places, WORD, as_card, CARD_ROOM, 1)
OPERATIONS(notes, NUMBER, as_text, TEXT_ROOM, 0)
OPERATIONS(names, WORD, as_card, CARD_ROOM, 1)

OP(numbers_update, mm3_hashmap_update(file, &m->numbers, 1u, change_number, NULL))
OP(wide_update, mm3_hashmap_update(file, &m->wide, 1u, change_place, NULL))
OP(counts_update, mm3_hashmap_update(file, &m->counts, "key 1", change_count, NULL))
OP(places_update, mm3_hashmap_update(file, &m->places, "key 1", change_card, NULL))
OP(names_update, mm3_hashmap_update(file, &m->names, "key 1", change_card, NULL))
OP(numbers_add, mm3_hashmap_add(file, &m->numbers, 1u, 4u) == 1 ? 0 : -1)
OP(numbers_add_new, mm3_hashmap_add(file, &m->numbers, 101u, 4u))
OP(counts_add, mm3_hashmap_add(file, &m->counts, "key 1", 4u) == 1 ? 0 : -1)
OP(counts_add_new, mm3_hashmap_add(file, &m->counts, "key 101", 4u))

/* ---- each of them killed ---- */

/* One block may leak, of what is emptied the table and all records. */
#define RUN(map, type, what, setup, many, part, ...)                                                              \
  do {                                                                                                            \
    static const struct kill_sequence sequence = {                                                                \
        type ": " what, map##_##setup, open_maps, {__VA_ARGS__}, map##_use, (many) ? SOME + 1 : 1, part};        \
    kill_check_sequence(&sequence);                                                                               \
  } while (0)

/* ThreadSanitizer makes hundreds of steps of each byte, and a new table has many. */
static bool is_slow(void) { return strcmp(mm3test_tool(), "tsan") == 0; }

#define COMMON(map, type)                                                                      \
  do {                                                                                         \
    RUN(map, type, "insert", some, 0, 0, map##_insert);                                        \
    RUN(map, type, "insert the first", none, 0, 0, map##_insert);                              \
    RUN(map, type, "overwrite", some, 0, 0, map##_longer, map##_like_it, map##_longer);        \
    RUN(map, type, "get_or_insert", some, 0, 0, map##_get_or_insert, map##_get_old);           \
    RUN(map, type, "remove", some, 0, 0, map##_remove);                                        \
    RUN(map, type, "retain", some, 0, 1, map##_retain);                                        \
    RUN(map, type, "clear", some, 1, 0, map##_clear, map##_insert);                            \
    if (is_slow()) break;                                                                      \
    RUN(map, type, "growth", full, 0, 0, map##_grow, map##_grow, map##_grow, map##_has_grown); \
    RUN(map, type, "reserve", some, 0, 0, map##_reserve);                                      \
    RUN(map, type, "shrink", roomy, 0, 0, map##_shrink);                                       \
    RUN(map, type, "shrink to nothing", bare, 0, 0, map##_shrink);                             \
  } while (0)

static void numbers(void) {
  COMMON(numbers, "hashmap(u64, u64)");
  RUN(numbers, "hashmap(u64, u64)", "update", some, 0, 0, numbers_update);
  RUN(numbers, "hashmap(u64, u64)", "add", some, 0, 0, numbers_add, numbers_add_new);
}
static void wide(void) {
  COMMON(wide, "hashmap(u64, struct)");
  RUN(wide, "hashmap(u64, struct)", "update", some, 0, 0, wide_update);
}
static void texts(void) { COMMON(texts, "hashmap(text, text)"); }
static void counts(void) {
  COMMON(counts, "hashmap(text, u32)");
  RUN(counts, "hashmap(text, u32)", "update", some, 0, 0, counts_update);
  RUN(counts, "hashmap(text, u32)", "add", some, 0, 0, counts_add, counts_add_new);
}
static void places(void) {
  COMMON(places, "hashmap(text, struct)");
  RUN(places, "hashmap(text, struct)", "update", some, 0, 0, places_update);
}
static void notes(void) { COMMON(notes, "hashmap(i32, text)"); }
static void names(void) {
  COMMON(names, "hashmap(string(12), struct)");
  RUN(names, "hashmap(string(12), struct)", "update", some, 0, 0, names_update);
}

/* ---- what must be caught ---- */

static int in_place(struct mm3_file *file) {
  struct place *place = (struct place *)(uintptr_t)mm3_hashmap_view(file, &mm3_root(file, maps)->wide, 1u);
  if (!place) return -1;
  ((volatile struct place *)place)->x = 5;
  ((volatile struct place *)place)->y = 6;
  return 0;
}
static int two_leaks(struct mm3_file *file) {
  uint64_t offset;
  if (mm3_lock(file) < 0) return -1;
  int failed = mm3_heap_alloc(file, 100, 0, &offset) | mm3_heap_alloc(file, 200, 0, &offset);
  return mm3_unlock(file) | failed;
}
static int takes_an_even_one(struct mm3_file *file) {
  int failed = mm3_hashmap_remove(file, &mm3_root(file, maps)->wide, 2u);
  return failed | mm3_hashmap_set(file, &mm3_root(file, maps)->wide, 2u, as_place(2, 0)) | wide_retain(file);
}

static void doubles_are_caught(void) {
  static const struct kill_sequence doubles[] = {
      {"double: writes in place", wide_some, open_maps, {in_place}, NULL, 0, 0},
      {"double: leaks two blocks", wide_some, open_maps, {two_leaks}, NULL, 1, 0},
      {"double: removes what is to stay", wide_some, open_maps, {takes_an_even_one}, NULL, 1, 1},
  };
  static const char *const says[] = {"after operation 0: member 2", "2 blocks leaked", "after operation 0: member 2"};
  struct kill_result result;
  if (!kill_can_step()) {
    mm3test_skip("processes cannot be stepped here");
    return;
  }
  for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
    CHECK_EQ(kill_run_sequence(&doubles[i], &result), 0);
    CHECK(result.violations > 0);
    CHECK_HAS(result.says, says[i]);
  }
}

MM3_TEST_SUITE("kill_map", {"numbers for numbers: each operation, and growth", numbers},
               {"structs for numbers: the same", wide}, {"texts for texts: the same", texts},
               {"numbers for texts: the same", counts}, {"structs for texts: the same", places},
               {"texts for numbers: the same", notes}, {"structs for strings: the same", names},
               {"doubles are caught", doubles_are_caught})
