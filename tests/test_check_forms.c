/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* check refuses each corrupt form that the headers of text, segmented, hashmap, json and string_array name, in its own
 * words, at its place; and nothing else: put back, the file has no damage. Those of other kinds are in their own tests.
 */
#include "mm3test.h"

#include <mm3/field.h>
#include <mm3/hashmap.h>
#include <mm3/heap.h>
#include <mm3/json.h>
#include <mm3/segmented.h>
#include <mm3/string_array.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDE(FIELD) FIELD(a, u64) FIELD(flag, bool)
MM3_STRUCT(wide, WIDE);
#define FORMS(FIELD)                                                                                           \
  FIELD(t, text)                                                                                               \
  FIELD(u, text) FIELD(s, segmented(bool)) FIELD(l, segmented(u64)) FIELD(m, hashmap(u32, bool))               \
    FIELD(k, hashmap(string(8), u64)) FIELD(x, hashmap(text, text)) FIELD(n, hashmap(u32, text))               \
      FIELD(y, hashmap(text, u64)) FIELD(w, hashmap(u32, wide)) FIELD(b, hashmap(bool, u8)) FIELD(j, json(16)) \
        FIELD(v, vec(json(16), 2)) FIELD(a, string_array(2, 6))
MM3_STRUCT(forms, FORMS);

static struct mm3_error error;

static struct mm3_file *filled(void) {
  static const char *const names[] = {"ann", "bob", "eve", "joe"};
  struct wide wide = {1, 1};
  uint8_t one = 1;
  struct mm3_file *file = mm3_create(mm3test_path("f.mm3"), MM3_TYPE(forms), NULL, &error);
  if (!CHECK_OK(file ? 0 : error.code, error)) return NULL;
  struct forms *r = mm3_root(file, forms);
  CHECK_EQ(mm3_text_set(file, &r->t, "a text of more than sixteen bytes"), 0);
  CHECK_EQ(mm3_text_set(file, &r->u, "another"), 0);
  for (uint64_t i = 0; i < 600; i++) CHECK_EQ(mm3_segmented_append(file, &r->l, i), 0);
  for (uint32_t i = 0; i < 4; i++) {
    CHECK_EQ(mm3_segmented_append_from(file, &r->s, &one), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->m, i, 1), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->k, names[i], i), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->x, names[i], "value"), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->n, i, "value"), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->y, names[i], i), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->w, i, &wide), 0);
  }
  CHECK_EQ(mm3_hashmap_set(file, &r->b, 1, 5), 0);
  CHECK_OK(mm3_json_set_text(&r->j, "[1, 2]", &error), error);
  CHECK_EQ(mm3_string_array_set(&r->a, 1, "abc"), 0);
  return file;
}

/* One corrupt form: what is done to the bytes, what check says, and where. */
struct form {
  void (*spoil)(struct mm3_file *file, struct forms *r);
  const char *field, *says, *at;
};
#define FORM(name, statements)                               \
  static void name(struct mm3_file *file, struct forms *r) { \
    (void)file, (void)r;                                     \
    statements                                               \
  }

static void try_all(const struct form *all, size_t count) {
  struct mm3_file *file = filled();
  struct mm3_field field;
  if (!file) return;
  struct mm3_file_info info = {.size = sizeof info};
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  void *image = malloc((size_t)info.length);
  if (!CHECK(image != NULL)) return;
  memcpy(image, file->base, (size_t)info.length);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  for (size_t i = 0; i < count; i++) {
    CHECK_OK(mm3_field_find(file, all[i].field, &field, &error), error);
    CHECK_OK(mm3_field_check(&field, &error), error);
    all[i].spoil(file, mm3_root(file, forms));
    int ok = CHECK_FAILS(mm3_field_check(&field, &error), -MM3_E_DAMAGED, error);
    ok &= CHECK_HAS(error.text, all[i].says) & CHECK_HAS(error.field, all[i].at ? all[i].at : all[i].field);
    ok &= CHECK(mm3_check(file, NULL, NULL) > 0);
    if (!ok) fprintf(stderr, "  form %zu: %s\n", i, all[i].says);
    memcpy(file->base, image, (size_t)info.length);
  }
  free(image);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}
#define TRY_ALL(name, ...)                          \
  static void name(void) {                          \
    static const struct form all[] = {__VA_ARGS__}; \
    try_all(all, sizeof all / sizeof all[0]);       \
  }

static void free_block(struct mm3_file *file, uint64_t offset) {
  CHECK(mm3_lock(file) >= 0);
  CHECK_EQ(mm3_heap_free(file, offset), 0);
  CHECK_EQ(mm3_unlock(file), 0);
}

/* ---- text ---- */

static uint64_t text_at(const struct mm3_text *t) { return (t->word & 0xffffffffff) * 16; }
static unsigned char *text_bytes(struct mm3_file *file, const struct mm3_text *t) {
  return mm3_at(file, text_at(t), 16);
}
FORM(text_outside, r->t.word |= 0xffffffffff;)
FORM(text_beyond, memset(text_bytes(file, &r->t), 0x7f, 8);)
FORM(text_longer, text_bytes(file, &r->t)[1] = 1;)
FORM(text_inside, r->t.word++;)
FORM(text_freed, free_block(file, text_at(&r->t));)
FORM(text_unended, text_bytes(file, &r->t)[8 + strlen("a text of more than sixteen bytes")] = 'x';)
FORM(text_bad, text_bytes(file, &r->t)[8 + 2] = 0xff;)
TRY_ALL(texts, {text_outside, "t", "its block is not inside the file", NULL},
        {text_beyond, "t", "its block is not inside the file", NULL},
        {text_longer, "t", "its block is not in use, or too small for it", NULL},
        {text_inside, "t", "a text at offset", NULL},
        {text_freed, "t", "its block is not in use, or too small for it", NULL},
        {text_unended, "t", "no zero byte follows it", NULL}, {text_bad, "t", "it is not UTF-8", NULL})

/* Each is a text on its own; together they are not. */
static void a_block_has_one_owner(void) {
  struct mm3_file *file = filled();
  if (!file) return;
  struct forms *r = mm3_root(file, forms);
  r->t.word = r->u.word;
  CHECK(mm3_check(file, NULL, NULL) > 0);
  CHECK_EQ(mm3_close(file), 0);
}

/* ---- segmented ---- */

FORM(length_beyond, r->l.length = UINT64_MAX;)
FORM(segment_missing, r->l.segment[1] = 0;)
FORM(segment_first_missing, r->l.segment[0] = 0;)
FORM(segment_outside, r->l.segment[1] = UINT64_C(1) << 50;)
FORM(segment_inside, r->l.segment[0] += 64;)
FORM(segment_small, r->l.segment[1] = text_at(&r->t);)
FORM(segment_freed, free_block(file, r->l.segment[0]);)
FORM(segment_waiting, r->l.segment[7] = text_at(&r->t);)
FORM(item_bad, ((unsigned char *)mm3_at(file, r->s.segment[0], 4))[2] = 7;)
TRY_ALL(logs, {length_beyond, "l", "beyond all segments", NULL},
        {segment_missing, "l", "segment 1 is not there, but there are 600 items", NULL},
        {segment_first_missing, "l", "segment 0 is not there", NULL},
        {segment_outside, "l", "segment 1 is said to lie at", NULL},
        {segment_inside, "l", "segment 0 is said to lie at", NULL},
        {segment_small, "l", "segment 1 is said to lie at", NULL},
        {segment_freed, "l", "where a block of 0 bytes is in use", NULL},
        {segment_waiting, "l", "segment 7 is said to lie at", NULL}, {item_bad, "s", "a bool holds the byte 7", "s[2]"})

/* ---- hashmap ---- */

#define TABLE(map) mm3_i_hm_table_of(file, MM3_I_HM(map), MM3_I_HM_SHAPE(map))
static struct mm3_i_hm_table mm3_i_hm_table_of(struct mm3_file *file, const struct mm3_i_hashmap *m,
                                               struct mm3_i_hm_shape s) {
  struct mm3_i_hm_table t = {NULL, 0, 0};
  CHECK_EQ(mm3_i_hm_open(file, s, m->table, &t), 0);
  return t;
}
#define HEAD(map) mm3_i_hm_head(&(struct mm3_i_hm_table){TABLE(map).base, 0, 0})

/* The first entry of a table, or the first free slot of the first (another) group. */
static struct mm3_i_hm_hit first(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, int used) {
  struct mm3_i_hm_hit hit = {0};
  while (mm3_i_hm_index(&hit) < mm3_i_hm_slots(t) && mm3_i_hm_used(t, mm3_i_hm_index(&hit)) != used)
    if (++hit.lane == 16) hit.group++, hit.lane = 0;
  hit.slot = mm3_i_hm_slot(s, t, mm3_i_hm_index(&hit));
  return hit;
}
/* Copies the first entry to a free slot of its own group, or, moved, of another. */
static void copy_entry(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, int moved) {
  struct mm3_i_hm_hit from = first(s, t, 1), to = {.group = moved ? (from.group + 2) & t->mask : from.group};
  while (mm3_i_hm_control(t, to.group)[to.lane]) to.lane++;
  to.slot = mm3_i_hm_slot(s, t, mm3_i_hm_index(&to));
  memcpy(to.slot, from.slot, (size_t)s.slot);
  mm3_i_hm_control(t, to.group)[to.lane] = mm3_i_hm_control(t, from.group)[from.lane];
  if (moved) mm3_i_hm_control(t, from.group)[from.lane] = 0;
}
#define SLOT(map, name)                              \
  struct mm3_i_hm_shape shape = MM3_I_HM_SHAPE(map); \
  struct mm3_i_hm_table table = TABLE(map);          \
  struct mm3_i_hm_hit name = first(shape, &table, 1);
static uint64_t *record_word(struct mm3_i_hm_shape s, const struct mm3_i_hm_hit *hit) {
  return (uint64_t *)(void *)(hit->slot + (s.key_is == MM3_I_IS_HEAP ? 0 : s.value_at));
}
static uint32_t *record(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_hit *hit) {
  return mm3_at(file, *record_word(s, hit) & MM3_I_HM_RECORD_BITS, 8);
}

FORM(table_outside, r->m.table += UINT64_C(1) << 40;)
FORM(table_other_types, r->m.print++;)
FORM(table_magic, HEAD(&r->m)->magic++;)
FORM(table_algorithm, HEAD(&r->m)->algorithm = 2;)
FORM(table_groups, HEAD(&r->m)->mask = 4;)
FORM(table_few_groups, HEAD(&r->m)->mask = 1;)
FORM(table_many_groups, HEAD(&r->m)->mask = UINT32_MAX;)
FORM(table_slots, HEAD(&r->m)->slot_size++;)
FORM(table_values, HEAD(&r->m)->value_at++;)
FORM(table_seed, r->m.mm3_key.seed++;)
FORM(table_count, HEAD(&r->m)->count++;)
/* Another control byte, and neither 0 nor 1, which say that there is no entry. */
FORM(entry_control, SLOT(&r->m, hit) unsigned char *byte = &mm3_i_hm_control(&table, hit.group)[hit.lane];
     *byte = (unsigned char)(*byte < 128 ? *byte + 100 : *byte - 100);)
FORM(entry_new, SLOT(&r->m, hit)(void) hit; hit = first(shape, &table, 0);
     mm3_i_hm_control(&table, hit.group)[hit.lane] = 77;)
FORM(entry_gone, SLOT(&r->m, hit) mm3_i_hm_control(&table, hit.group)[hit.lane] = 0;)
FORM(entry_elsewhere, SLOT(&r->m, hit)(void) hit; copy_entry(shape, &table, 1);)
FORM(entry_twice, SLOT(&r->m, hit)(void) hit; copy_entry(shape, &table, 0);)
FORM(value_bad, SLOT(&r->m, hit) hit.slot[shape.value_at] = 7;)
FORM(wide_value_bad, SLOT(&r->w, hit) hit.slot[shape.value_at + offsetof(struct wide, flag)] = 7;)
FORM(key_bad, SLOT(&r->b, hit) hit.slot[0] = 7;)
FORM(key_long, SLOT(&r->k, hit) hit.slot[0] = 9;)
FORM(key_tail, SLOT(&r->k, hit) hit.slot[4 + 7] = 1;)
FORM(key_not_utf8, SLOT(&r->k, hit) hit.slot[4] = 0xff;)
FORM(record_outside, SLOT(&r->x, hit) * record_word(shape, &hit) |= MM3_I_HM_RECORD_BITS;)
FORM(record_beyond, SLOT(&r->x, hit) record(file, shape, &hit)[1] = UINT32_MAX;)
FORM(record_long, SLOT(&r->x, hit) record(file, shape, &hit)[1] = 1000;)
FORM(record_freed, SLOT(&r->x, hit) free_block(file, *record_word(shape, &hit) & MM3_I_HM_RECORD_BITS);)
FORM(record_key_bad, SLOT(&r->x, hit)((unsigned char *)record(file, shape, &hit))[8] = 0xff;)
FORM(record_value_bad, SLOT(&r->x, hit)((unsigned char *)record(file, shape, &hit))[8 + 3] = 0xff;)
FORM(record_key_other, SLOT(&r->x, hit)((unsigned char *)record(file, shape, &hit))[8] ^= 1;)
FORM(record_mark, SLOT(&r->x, hit) * record_word(shape, &hit) ^= UINT64_C(1) << 48;)
FORM(record_with_key, SLOT(&r->n, hit) record(file, shape, &hit)[0] = 1; record(file, shape, &hit)[1] = 4;)
FORM(record_with_value, SLOT(&r->y, hit) record(file, shape, &hit)[0] = 2; record(file, shape, &hit)[1] = 1;)
FORM(record_of_number_outside, SLOT(&r->n, hit) * record_word(shape, &hit) |= MM3_I_HM_RECORD_BITS;)
TRY_ALL(tables, {table_outside, "m", "does not lie in the file", NULL},
        {table_other_types, "m", "it was made for other types", NULL},
        {table_magic, "m", "its table does not begin as one", NULL},
        {table_algorithm, "m", "wants hash 2; this module has hash 1", NULL},
        {table_groups, "m", "its table has 5 groups; wanted a power of two", NULL},
        {table_few_groups, "m", "its table has 2 groups; wanted a power of two", NULL},
        {table_many_groups, "m", "does not lie in the file", NULL}, {table_slots, "m", "its table has slots of", NULL},
        {table_values, "m", "with the value at", NULL}, {table_seed, "m", "its table was made with another seed", NULL},
        {table_count, "m", "it says 5 entries and has 4", NULL})
TRY_ALL(entries, {entry_control, "m", "; its key wants", "m[0]"}, {entry_new, "m", "slot", "m["},
        {entry_gone, "m", "it says 4 entries and has 3", NULL},
        {entry_elsewhere, "m", "its entry cannot be found by its key", "m["},
        {entry_twice, "m", "hold the same key", "m["}, {value_bad, "m", "a bool holds the byte 7", "m[0]"},
        {wide_value_bad, "w", "a bool holds the byte 7", "w[0].flag"},
        {key_bad, "b", "a bool holds the byte 7", "b[0]"}, {key_long, "k", "the length is above its capacity", "k[0]"},
        {key_tail, "k", "bytes after the text are not zero", "k[0]"},
        {key_not_utf8, "k", "the bytes are not UTF-8", "k[0]"})
TRY_ALL(records, {record_outside, "x", "does not lie in the file", "x[0]"},
        {record_beyond, "x", "does not lie in the file", "x[0]"},
        {record_long, "x", "has 1011 bytes in a block of", "x[0]"}, {record_freed, "x", "in a block of 0", "x[0]"},
        {record_key_bad, "x", "the key of an entry is not valid UTF-8", "x[0]"},
        {record_value_bad, "x", "the value of an entry is not valid UTF-8", "x[0]"},
        {record_key_other, "x", "; its key wants", "x[0]"},
        {record_mark, "x", "its entry cannot be found by its key", "x[0]"},
        {record_with_key, "n", "its record holds more than it should", "n[0]"},
        {record_with_value, "y", "its record holds more than it should", "y[0]"},
        {record_of_number_outside, "n", "does not lie in the file", "n[0]"})

/* ---- json, string_array: a string's forms, and what is no JSON ---- */

static void set_slot(struct forms *r, const char *text) {
  memset(r->j.slot[0], 0, sizeof r->j.slot[0]);
  memcpy(r->j.slot[0], text, strlen(text));
  r->j.word = strlen(text);
}
FORM(json_long, r->j.word = 17;)
FORM(json_not_utf8, set_slot(r, "\"\xff\"");)
FORM(json_tail, set_slot(r, "1"); r->j.slot[0][9] = 1;)
FORM(json_end, r->j.slot[0][16] = 1; /* the other slot */)
FORM(json_padding, ((char *)&r->j)[sizeof r->j - 1] = 1;)
FORM(json_broken, set_slot(r, "[1,");)
FORM(json_two, set_slot(r, "1 2");)
FORM(json_keys, set_slot(r, "{\"a\":1,\"a\":1}");)
FORM(json_zero_key, set_slot(r, "{\"\\u0000\":1}");)
FORM(json_number, set_slot(r, "1e999");)
FORM(item_long, r->v.word = 1; r->v.at[0].length = 17;)
FORM(item_broken, r->v.word = 1; r->v.at[0].length = 1; r->v.at[0].bytes[0] = '[';)
FORM(item_tail, r->v.word = 1; r->v.at[0].bytes[15] = 1;)
FORM(array_long, r->a.words[1][0] = 7;)
FORM(array_not_utf8, ((char *)r->a.words[1])[8 + 7] = '\xff';)
FORM(array_tail, ((char *)r->a.words[0])[8] = 'x';)
FORM(array_end, ((char *)r->a.words[0])[8 + 7 + 6] = 'x';)
FORM(array_padding, ((char *)r->a.words[1])[8 + 14] = 'x';)
TRY_ALL(jsons, {json_long, "j", "the length is above its capacity (length 17", NULL},
        {json_not_utf8, "j", "the bytes are not UTF-8", NULL},
        {json_tail, "j", "bytes after the text are not zero", NULL},
        {json_end, "j", "a slot does not end with a zero byte", NULL},
        {json_padding, "j", "the padding is not zero", NULL}, {json_broken, "j", "not JSON that can be kept", NULL},
        {json_two, "j", "end of file expected", NULL}, {json_keys, "j", "duplicate object key", NULL},
        {json_zero_key, "j", "NUL byte", NULL}, {json_number, "j", "real number overflow", NULL},
        {item_long, "v", "the length is above its capacity", "v[0]"},
        {item_broken, "v", "not JSON that can be kept", "v[0]"},
        {item_tail, "v", "bytes after the text are not zero", "v[0]"})
TRY_ALL(arrays, {array_long, "a", "the length is above its capacity (length 7", "a[1]"},
        {array_not_utf8, "a", "the bytes are not UTF-8", "a[1]"},
        {array_tail, "a", "bytes after the text are not zero", "a[0]"},
        {array_end, "a", "a slot does not end with a zero byte", "a[0]"},
        {array_padding, "a", "the padding is not zero", "a[1]"})

MM3_TEST_SUITE("check-forms", {"texts", texts}, {"a block has one owner", a_block_has_one_owner}, {"segmented", logs},
               {"hashmap: the table", tables}, {"hashmap: entries", entries}, {"hashmap: records", records},
               {"json", jsons}, {"string_array", arrays})
