/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Lies in the words that lead to what grows, each by name, and arguments and limits that cannot be: the operations
 * return codes, check names the lie, the other fields go on, and when the word is as it was every element is there.
 * test_flips and test_scribble lie at random; test_heap_hostile has the heap's own words.
 */
#include "mm3maps.h"

#include <mm3/segmented.h>
#include <mm3/text.h>
#include <unistd.h>

#define SCENE(FIELD)                                                                        \
  FIELD(log, segmented(u64)) FIELD(name, text) FIELD(title, text)                           \
  FIELD(numbers, hashmap(u64, u64)) FIELD(wide, hashmap(u64, point))                        \
  FIELD(texts, hashmap(text, text)) FIELD(names, hashmap(string(12), u64))                  \
  FIELD(others, hashmap(u64, u64))
MM3_STRUCT(scene, SCENE);

enum { ITEMS = 2000, ENTRIES = 60 }; /* items in three segments: 512, 1024, 2048 */

static const char *key_of(uint64_t i) {
  static char key[32];
  snprintf(key, sizeof key, "key %d", (int)i);
  return key;
}

static struct point point_of(uint64_t i) { return (struct point){(uint32_t)i, (uint32_t)i + 1, i * 5}; }

static int fill(struct mm3_file *file) {
  struct scene *s = mm3_root(file, scene);
  int failed = mm3_text_set(file, &s->name, "a name") | mm3_text_set(file, &s->title, "a title");
  for (uint64_t i = 0; i < ITEMS; i++) failed |= mm3_segmented_append(file, &s->log, i * 3);
  for (uint64_t i = 0; i < ENTRIES; i++) {
    struct point p = point_of(i);
    failed |= mm3_hashmap_set(file, &s->numbers, i, i * 7) | mm3_hashmap_set(file, &s->others, i, i * 9);
    failed |= mm3_hashmap_set(file, &s->wide, i, &p);
    failed |= mm3_hashmap_set(file, &s->texts, key_of(i), "a value") | mm3_hashmap_set(file, &s->names, key_of(i), i);
  }
  return failed;
}

/* ---- what is there, field by field ---- */

enum field { LOG = 1, NAME = 2, TITLE = 4, NUMBERS = 8, WIDE = 16, TEXTS = 32, NAMES = 64, OTHERS = 128, ALL = 255 };

static unsigned log_is_whole(struct mm3_file *file, const struct scene *s) {
  uint64_t value, right = 0;
  for (uint64_t i = 0; i < ITEMS; i++) right += mm3_segmented_get(file, &s->log, i, &value) == 0 && value == i * 3;
  return right == ITEMS && mm3_segmented_len(&s->log) == ITEMS ? LOG : 0;
}

/* Those that have all their elements, and no others. */
static unsigned whole_fields(struct mm3_file *file) {
  const struct scene *s = mm3_root_const(file, scene);
  uint64_t numbers = 0, wide = 0, texts = 0, names = 0, others = 0, value;
  char text[40];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  struct point p;
  for (uint64_t i = 0; i < ENTRIES; i++) {
    struct point wanted = point_of(i);
    numbers += mm3_hashmap_get(file, &s->numbers, i, &value) == 0 && value == i * 7;
    others += mm3_hashmap_get(file, &s->others, i, &value) == 0 && value == i * 9;
    wide += mm3_hashmap_get(file, &s->wide, i, &p) == 0 && memcmp(&p, &wanted, sizeof p) == 0;
    texts += mm3_hashmap_get(file, &s->texts, key_of(i), &buf) == 0 && strcmp(text, "a value") == 0;
    names += mm3_hashmap_get(file, &s->names, key_of(i), &value) == 0 && value == i;
  }
  unsigned whole = log_is_whole(file, s);
  if (mm3_text_equal(file, &s->name, "a name") == 1) whole |= NAME;
  if (mm3_text_equal(file, &s->title, "a title") == 1) whole |= TITLE;
  if (numbers == ENTRIES && mm3_hashmap_len(file, &s->numbers) == ENTRIES) whole |= NUMBERS;
  if (wide == ENTRIES && mm3_hashmap_len(file, &s->wide) == ENTRIES) whole |= WIDE;
  if (texts == ENTRIES && mm3_hashmap_len(file, &s->texts) == ENTRIES) whole |= TEXTS;
  if (names == ENTRIES && mm3_hashmap_len(file, &s->names) == ENTRIES) whole |= NAMES;
  if (others == ENTRIES && mm3_hashmap_len(file, &s->others) == ENTRIES) whole |= OTHERS;
  return whole;
}

/* ---- what is tried: each returns a code ---- */

typedef int attempt(struct mm3_file *file, struct scene *s);
#define TRY(name, ...) \
  static int name(struct mm3_file *file, struct scene *s) { return (__VA_ARGS__); }

static uint64_t any;
static const uint64_t some[3] = {1, 2, 3};
static char a_text[40];
static struct mm3_buf *a_buf(void) {
  static struct mm3_buf buf;
  buf = mm3_buf_of(a_text, sizeof a_text);
  return &buf;
}
static int change(void *value, void *arg) { return (void)value, (void)arg, 0; }

TRY(log_get, mm3_segmented_get(file, &s->log, 1999, &any))
TRY(log_last, mm3_segmented_last(file, &s->log, &any))
TRY(log_beyond, mm3_segmented_get(file, &s->log, UINT64_C(1) << 49, &any))
TRY(log_set, mm3_segmented_set(file, &s->log, 1999, 5))
TRY(log_append, mm3_segmented_append(file, &s->log, 5))
TRY(log_append_many, mm3_segmented_append_many(file, &s->log, some, 3))
TRY(name_get, mm3_text_get(file, &s->name, a_text, sizeof a_text, NULL))
TRY(name_append, mm3_text_append(file, &s->name, "x"))
TRY(number_get, mm3_hashmap_get(file, &s->numbers, 5u, &any))
TRY(number_set, mm3_hashmap_set(file, &s->numbers, 5u, 1u))
TRY(number_insert, mm3_hashmap_set(file, &s->numbers, 500u, 1u))
TRY(number_get_or_insert, mm3_hashmap_get_or_insert(file, &s->numbers, 5u, 1u, &any))
TRY(number_add, mm3_hashmap_add(file, &s->numbers, 5u, 1u))
TRY(number_update, mm3_hashmap_update(file, &s->numbers, 5u, change, NULL))
TRY(number_remove, mm3_hashmap_remove(file, &s->numbers, 5u))
TRY(number_reserve, mm3_hashmap_reserve(file, &s->numbers, 5000))
TRY(number_shrink, mm3_hashmap_shrink(file, &s->numbers))
TRY(number_clear, mm3_hashmap_clear(file, &s->numbers))
TRY(text_get, mm3_hashmap_get(file, &s->texts, "key 5", a_buf()))
TRY(text_remove, mm3_hashmap_remove(file, &s->texts, "key 5"))
#define LOG_ATTEMPTS {log_get, log_last, log_set, log_append, log_append_many}
#define TABLE_ATTEMPTS {number_get, WRITE_ATTEMPTS}
#define WRITE_ATTEMPTS                                                                                              \
  number_set, number_insert, number_get_or_insert, number_add, number_update, number_remove, number_reserve, \
   number_shrink, number_clear
/* A head that lies about what no find reads: those that take the table as a whole look. */
#define HEAD_ATTEMPTS {number_update, number_reserve, number_shrink, number_clear}

/* ---- lies ---- */

static struct {
  void *at;
  unsigned char old[8];
  size_t size;
} undo;

static void poke(void *at, uint64_t value, size_t size) {
  undo.at = at, undo.size = size;
  memcpy(undo.old, at, size);
  memcpy(at, &value, size);
}

static void take_back(void) { memcpy(undo.at, undo.old, undo.size); }

static uint64_t length_of(struct mm3_file *file) {
  struct mm3_file_info info = {.size = sizeof info};
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  return info.length;
}

static struct mm3_i_hashmap_head *head_of(struct mm3_file *file, uint64_t table) {
  return (struct mm3_i_hashmap_head *)(void *)(file->base + (table & MM3_I_HM_OFFSET));
}

/* The entry's place in a table, as the kind finds it: `hit`, in `table` of `shape`. */
#define HASH(map, key) mm3_i_hm_hash(MM3_I_HM_SHAPE(map), MM3_I_ARG(key), (map)->mm3_key.seed)
#define PROBE(map, key) CHECK_EQ(mm3_i_hm_probe(file, shape, &table, MM3_I_ARG(key), HASH(map, key), &hit), 1)
#define FIND(map, key)                                               \
  struct mm3_i_hm_shape shape = MM3_I_HM_SHAPE(map);                 \
  struct mm3_i_hm_table table = {0};                                 \
  struct mm3_i_hm_hit hit = {0};                                     \
  CHECK_EQ(mm3_i_hm_open(file, shape, (map)->table, &table), 0);     \
  PROBE(map, key)
#define RECORD(slot) (mm3_i_hm_word(slot) & MM3_I_HM_RECORD_BITS)
#define MARK(slot) (mm3_i_hm_word(slot) & ~MM3_I_HM_RECORD_BITS)

typedef void lie(struct mm3_file *file, struct scene *s);
#define LIE(name, ...) \
  static void name(struct mm3_file *file, struct scene *s) { (void)file; __VA_ARGS__; }

LIE(segment_gone, poke(&s->log.segment[2], 0, 8))
LIE(segment_at_the_end, poke(&s->log.segment[2], length_of(file), 8))
LIE(segment_far_away, poke(&s->log.segment[2], UINT64_C(1) << 62, 8))
LIE(segment_wraps, poke(&s->log.segment[2], UINT64_MAX - 7, 8))
LIE(segment_shared, poke(&s->log.segment[2], s->log.segment[1], 8))
LIE(segment_within_another, poke(&s->log.segment[0], s->log.segment[2] + 4096, 8))
LIE(segment_in_a_table, poke(&s->log.segment[0], s->numbers.table & MM3_I_HM_OFFSET, 8))
LIE(length_beyond, poke(&s->log.length, UINT64_C(1) << 50, 8))
LIE(length_most, poke(&s->log.length, UINT64_MAX, 8))
LIE(text_beyond, poke(&s->name.word, length_of(file) / 16, 8))
LIE(text_far_away, poke(&s->name.word, (UINT64_C(1) << 40) - 1, 8))
LIE(text_shared, poke(&s->name.word, s->title.word, 8))
LIE(text_in_a_table, poke(&s->name.word, (s->numbers.table & MM3_I_HM_OFFSET) >> 4, 8))
LIE(text_too_long, poke(mm3_at(file, (s->name.word & 0xffffffffff) << 4, 8), length_of(file), 8))
LIE(text_longest, poke(mm3_at(file, (s->name.word & 0xffffffffff) << 4, 8), UINT64_MAX, 8))
LIE(table_beyond, poke(&s->numbers.table, (s->numbers.table & ~MM3_I_HM_OFFSET) | length_of(file), 8))
LIE(table_old, poke(&s->numbers.table, s->numbers.table + (UINT64_C(1) << 48), 8))
LIE(table_shared, poke(&s->numbers.table, s->wide.table, 8))
LIE(table_of_its_like, poke(&s->numbers.table, s->others.table, 8))
LIE(table_huge, poke(&head_of(file, s->numbers.table)->mask, UINT32_MAX, 4))
LIE(table_no_magic, poke(&head_of(file, s->numbers.table)->magic, 0, 4))
LIE(table_other_slots, poke(&head_of(file, s->numbers.table)->slot_size, 8, sizeof(head_of(file, 0)->slot_size)))
LIE(count_wrong, poke(&head_of(file, s->numbers.table)->count, ENTRIES + 1, 8))
LIE(control_free, FIND(&s->numbers, 5u); poke(mm3_i_hm_control(&table, hit.group) + hit.lane, 0, 1))
LIE(control_other, FIND(&s->numbers, 5u); unsigned char *at = mm3_i_hm_control(&table, hit.group) + hit.lane;
    poke(at, *at ^ 0x80u, 1))
LIE(control_of_nothing, FIND(&s->numbers, 5u); unsigned lane = 0;
    while (lane < 15 && mm3_i_hm_control(&table, hit.group)[lane] >= 2) lane++;
    poke(mm3_i_hm_control(&table, hit.group) + lane, 77, 1))
LIE(record_beyond, FIND(&s->texts, "key 5"); poke(hit.slot, MARK(hit.slot) | length_of(file), 8))
LIE(record_of_another, FIND(&s->texts, "key 5"); unsigned char *slot = hit.slot; PROBE(&s->texts, "key 6");
    poke(slot, MARK(slot) | RECORD(hit.slot), 8))
LIE(record_too_long, FIND(&s->texts, "key 5"); poke(file->base + RECORD(hit.slot) + 4, UINT32_MAX, 4))

static const struct {
  const char *name;
  lie *plant;
  unsigned hurt;               /* fields that need not be whole meanwhile */
  attempt *attempts[12];       /* each must return a code, and do nothing */
  const char *says;            /* check, of it */
} lies[] = {
    {"a directory without a segment", segment_gone, LOG, LOG_ATTEMPTS, "segment 2 is not there"},
    {"a directory that leads behind the end", segment_at_the_end, LOG, LOG_ATTEMPTS, "segment 2"},
    {"a directory that leads far away", segment_far_away, LOG, LOG_ATTEMPTS, "segment 2"},
    {"a directory that wraps", segment_wraps, LOG, LOG_ATTEMPTS, "segment 2"},
    {"two segments in one block", segment_shared, LOG, {NULL}, "segment"},
    {"a segment within another", segment_within_another, LOG, {NULL}, "segment"},
    {"a segment in the table of a map", segment_in_a_table, LOG, {NULL}, "segment"},
    {"a length beyond the heap", length_beyond, LOG, {log_last, log_beyond, log_append, log_append_many}, "items"},
    {"the greatest length", length_most, LOG, {log_last, log_beyond, log_append, log_append_many}, "beyond all segments"},
    {"a text behind the end", text_beyond, NAME, {name_get, name_append}, "a text at offset"},
    {"a text far away", text_far_away, NAME, {name_get, name_append}, "a text at offset"},
    {"two texts in one block", text_shared, NAME, {NULL}, "owns a block"},
    {"a text in the table of a map", text_in_a_table, NAME, {name_get, name_append}, "a text at offset"},
    {"a text longer than the heap", text_too_long, NAME, {name_get, name_append}, "a text at offset"},
    {"a text of the greatest length", text_longest, NAME, {name_get, name_append}, "a text at offset"},
    {"a table behind the end", table_beyond, NUMBERS, TABLE_ATTEMPTS, "its table at offset"},
    {"a table of another generation", table_old, NUMBERS, HEAD_ATTEMPTS, "its table is of generation"},
    {"two maps with one table", table_shared, NUMBERS, {WRITE_ATTEMPTS}, "its table"},
    {"two maps of one type with one table", table_of_its_like, NUMBERS, {WRITE_ATTEMPTS}, "another seed"},
    {"a table of too many groups", table_huge, NUMBERS, TABLE_ATTEMPTS, "does not lie in the file"},
    {"a table that does not begin as one", table_no_magic, NUMBERS, HEAD_ATTEMPTS, "does not begin as one"},
    {"a table of other slots", table_other_slots, NUMBERS, HEAD_ATTEMPTS, "its table has slots"},
    {"a count that is wrong", count_wrong, NUMBERS, {NULL}, "entries and has"},
    {"a control byte that says free", control_free, NUMBERS, {number_get, number_remove, number_update}, "entr"},
    {"a control byte of another key", control_other, NUMBERS, {number_get, number_remove, number_update}, "its control byte"},
    {"a control byte of no entry", control_of_nothing, NUMBERS, {NULL}, "slot"},
    {"a record behind the end", record_beyond, TEXTS, {text_get, text_remove}, "does not lie in the file"},
    {"a record of another entry", record_of_another, TEXTS, {text_get, text_remove}, "slot"},
    {"a record longer than the heap", record_too_long, TEXTS, {text_get}, "slot"},
};

/* ---- each of them ---- */

struct listening {
  const char *says;
  int heard;
  struct mm3_error last;
};

static void listen(void *arg, const struct mm3_error *finding) {
  struct listening *l = arg;
  l->heard += strstr(finding->text, l->says) != NULL;
  l->last = *finding;
}

static struct mm3_file *new_scene(uint64_t limit, uint64_t reserve) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .limit = limit, .reserve = reserve};
  unlink(mm3test_path("a.mm3"));
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(scene), &options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  if (file) CHECK_EQ(fill(file), 0);
  return file;
}

/* What was refused works when nothing stands in its way. */
static void goes_on(struct mm3_file *file) {
  struct scene *s = mm3_root(file, scene);
  CHECK_EQ(mm3_segmented_append(file, &s->log, 5) | mm3_segmented_truncate(file, &s->log, ITEMS), 0);
  CHECK_EQ(mm3_text_append(file, &s->name, "!") | mm3_text_set(file, &s->name, "a name"), 0);
  CHECK_EQ(mm3_hashmap_set(file, &s->numbers, 500u, 1u) | mm3_hashmap_remove(file, &s->numbers, 500u), 0);
  CHECK_EQ(mm3_hashmap_set(file, &s->texts, "key 500", "x") | mm3_hashmap_remove(file, &s->texts, "key 500"), 0);
  CHECK_EQ(whole_fields(file), ALL);
  CHECK_SOUND(file);
}

static void tell(size_t i) {
  struct listening l = {lies[i].says, 0, {0}};
  struct mm3_file *file = new_scene(0, 0);
  if (!file) return;
  struct scene *s = mm3_root(file, scene);
  lies[i].plant(file, s);
  int good = CHECK(mm3_check(file, listen, &l) > 0) & CHECK(l.heard > 0);
  for (unsigned n = 0; lies[i].attempts[n]; n++)
    if (!CHECK(lies[i].attempts[n](file, s) < 0)) good = 0, fprintf(stderr, "  attempt %u\n", n);
  good &= CHECK_EQ(whole_fields(file) | lies[i].hurt, ALL);
  take_back();
  good &= CHECK_EQ(whole_fields(file), ALL);
  good &= CHECK_EQ(mm3_check(file, maps_finding, NULL), 0);
  if (!good) fprintf(stderr, "%s: %s\n", lies[i].name, l.last.text);
  else goes_on(file);
  CHECK_EQ(mm3_close(file), 0);
}

static void each_lie_is_a_code_and_takes_nothing_with_it(void) {
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) tell(i);
}

/* ---- arguments that cannot be ---- */

static void keys_and_values_that_are_too_long(void) {
  struct mm3_file *file = new_scene(0, 0);
  static const char long_key[] = "thirteen byte";
  if (!file) return;
  struct scene *s = mm3_root(file, scene);
  struct mm3_str huge = mm3_str_n(long_key, (size_t)UINT32_MAX);
  CHECK_EQ(mm3_hashmap_set(file, &s->names, long_key, 1u), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &s->names, long_key, 1u, &any), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_add(file, &s->names, long_key, 1u), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_update(file, &s->names, long_key, change, NULL), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_remove(file, &s->names, long_key), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_get(file, &s->names, long_key, &any), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_contains(file, &s->names, long_key), 0);
  CHECK_EQ(mm3_hashmap_set(file, &s->texts, huge, "x"), -MM3_E_VALUE); /* whose bytes are not there: it is not read */
  CHECK_EQ(mm3_hashmap_set(file, &s->texts, "key 5", huge), -MM3_E_VALUE);
  CHECK(mm3_segmented_append_many(file, &s->log, some, UINT64_MAX) < 0);
  CHECK(mm3_segmented_reserve(file, &s->log, UINT64_MAX) < 0);
  CHECK(mm3_hashmap_reserve(file, &s->numbers, UINT64_MAX) < 0);
  struct mm3_field field;
  struct mm3_error error = {0};
  const struct mm3_value one = {.is = MM3_INT, .as.integer = 1};
  int result = mm3_field_find(file, "names[\"thirteen byte\"]", &field, &error);
  if (result == 0) result = mm3_field_put(&field, &one, &error);
  CHECK_EQ(result, -MM3_E_VALUE);
  CHECK_HAS(error.text, "string(12) takes 12 bytes");
  CHECK_EQ(whole_fields(file), ALL);
  goes_on(file);
  CHECK_EQ(mm3_close(file), 0);
}

/* ---- limits ---- */

static char megabyte[1 << 20];

/* Everything that grows is refused with this code, and takes nothing. */
static void nothing_grows(struct mm3_file *file, int code) {
  struct scene *s = mm3_root(file, scene);
  static uint64_t items[1 << 17];
  struct mm3_str value = mm3_str_n(megabyte, sizeof megabyte);
  memset(megabyte, 'x', sizeof megabyte);
  CHECK_EQ(mm3_segmented_append_many(file, &s->log, items, 1 << 17), code);
  CHECK_EQ(mm3_segmented_reserve(file, &s->log, 1 << 20), code);
  CHECK_EQ(mm3_text_set_n(file, &s->name, megabyte, sizeof megabyte), code);
  CHECK_EQ(mm3_text_append_n(file, &s->name, megabyte, sizeof megabyte), code);
  CHECK_EQ(mm3_hashmap_set(file, &s->texts, "key 5", value), code);
  CHECK_EQ(mm3_hashmap_set(file, &s->texts, "a new key", value), code);
  CHECK_EQ(mm3_hashmap_set(file, &s->texts, value, "a long key"), code);
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &s->texts, value, "x", a_buf()), code);
  CHECK_EQ(mm3_hashmap_reserve(file, &s->numbers, 1 << 20), code);
  CHECK_EQ(mm3_hashmap_reserve(file, &s->wide, 1 << 20), code);
  CHECK_EQ(whole_fields(file), ALL);
  goes_on(file);
}

static void the_heaps_limit_takes_nothing(void) {
  struct mm3_file *file = new_scene(1 << 20, 0);
  if (file) nothing_grows(file, -MM3_E_LIMIT);
  CHECK_EQ(mm3_close(file), 0);
}

static void a_reserve_that_is_too_small_takes_nothing(void) {
  struct mm3_file *file = new_scene(0, 1 << 20);
  if (file) nothing_grows(file, -MM3_E_RESERVE);
  CHECK_EQ(mm3_close(file), 0);
  struct mm3_options options = {.size = sizeof options, .reserve = 64 << 20};
  file = mm3_open(mm3test_path("a.mm3"), MM3_TYPE(scene), &options, NULL);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_text_set_n(file, &mm3_root(file, scene)->name, megabyte, sizeof megabyte), 0); /* a larger one helps */
  CHECK_EQ(whole_fields(file), (ALL & ~NAME));
  CHECK_EQ(mm3_text_set(file, &mm3_root(file, scene)->name, "a name"), 0);
  goes_on(file);
  CHECK_EQ(mm3_close(file), 0);
}

MM3_TEST_SUITE("hostile", {"each lie is a code, and takes nothing with it", each_lie_is_a_code_and_takes_nothing_with_it},
               {"keys, values and counts that are too long change nothing", keys_and_values_that_are_too_long},
               {"the heap's limit takes nothing", the_heaps_limit_takes_nothing},
               {"a reserve that is too small takes nothing", a_reserve_that_is_too_small_takes_nothing})
