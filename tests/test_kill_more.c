/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Under the kill harness: json, hashmap, segmented and text through their inline operations, and repair. A run is several
 * operations; a killed file holds exactly what it held after one of them, and never something earlier than was seen.
 */
#include "../modules/all_modules.h"
#include "kill/kill.h"
#include "kill/texts.h"
#include "mm3test.h"

#include <mm3/hashmap.h>
#include <mm3/heap.h>
#include <mm3/json.h>
#include <mm3/repair.h>
#include <mm3/segmented.h>
#include <mm3/string.h>
#include <mm3/text.h>
#include <unistd.h>

#define PLACE(FIELD) FIELD(x, u64) FIELD(y, u64) FIELD(z, u32) FIELD(w, u32)
MM3_STRUCT(place, PLACE);
#define MORE(FIELD)                                                                                              \
  FIELD(doc, json(120)) FIELD(log, segmented(u64)) FIELD(places, segmented(place)) FIELD(name, text)              \
  FIELD(numbers, hashmap(u64, u64)) FIELD(wide, hashmap(u64, place)) FIELD(texts, hashmap(text, text))            \
  FIELD(names, hashmap(string(12), u32)) FIELD(on, bool)
MM3_STRUCT(more, MORE);

static struct mm3_file *open_more(const char *path) {
  struct mm3_options options = {.size = sizeof options, .reserve = 16 << 20};
  return mm3_open(path, MM3_TYPE(more), &options, NULL);
}

static int make_more(const char *path) {
  struct mm3_file *file = mm3_create(path, MM3_TYPE(more), NULL, NULL);
  if (!file) return -1;
  struct more *m = mm3_root(file, more);
  int failed = mm3_json_set_text(&m->doc, "{\"a\": 1, \"b\": [1, 2]}", NULL);
  for (uint64_t i = 0; i < 6; i++) failed |= mm3_segmented_append(file, &m->log, i);
  failed |= mm3_text_set(file, &m->name, "before");
  for (uint64_t i = 0; i < 5; i++) {
    struct place place = {i, i, (uint32_t)i, 7};
    char key[16];
    snprintf(key, sizeof key, "key%d", (int)i);
    failed |= mm3_hashmap_set(file, &m->numbers, i, i * 10) | mm3_hashmap_set(file, &m->wide, i, &place);
    failed |= mm3_hashmap_set(file, &m->texts, key, "a value") | mm3_hashmap_set(file, &m->names, key, 1);
  }
  return mm3_close(file) | failed;
}

/* ---- operations ---- */

typedef int operation(struct mm3_file *file, struct more *m);
#define OP(name, ...)                                         \
  static int name(struct mm3_file *file, struct more *m) {    \
    (void)file, (void)m;                                      \
    return (__VA_ARGS__);                                     \
  }

OP(json_set, mm3_json_set_text(&m->doc, "{\"c\": \"a document that is rather longer than the first one\"}", NULL))
OP(json_clear, (mm3_json_clear(&m->doc), 0))
OP(json_packed, mm3_json_pack(&m->doc, NULL, "{s:i, s:[b, n]}", "n", 5, "l", 1))
static int json_set_at(struct mm3_file *file, struct more *m) {
  (void)file;
  json_t *value = json_pack("[i, s]", 9, "nine");
  int result = mm3_json_set_at(&m->doc, "/b", value, NULL);
  json_decref(value);
  return result;
}
static int json_merge(struct mm3_file *file, struct more *m) {
  (void)file;
  json_t *patch = json_pack("{s:n, s:i}", "a", "d", 4);
  int result = mm3_json_merge(&m->doc, patch, NULL);
  json_decref(patch);
  return result;
}

OP(log_set, mm3_segmented_set(file, &m->log, 3, 0xffffffffffffffffu))
OP(log_reserve, mm3_segmented_reserve(file, &m->log, 2000))
OP(log_append, mm3_segmented_append(file, &m->log, 77))
OP(log_truncate, mm3_segmented_truncate(file, &m->log, 2))
OP(place_append, mm3_segmented_append(file, &m->places, {1, 2, 3, 4}))
static int log_batch(struct mm3_file *file, struct more *m) {
  uint64_t *items, room;
  int result = mm3_segmented_begin(file, &m->log, 3, &items, &room);
  if (result < 0) return result;
  for (uint64_t i = 0; i < room && i < 3; i++) items[i] = 900 + i;
  return mm3_segmented_commit(file, &m->log, room < 3 ? room : 3);
}
static int log_batch_given_up(struct mm3_file *file, struct more *m) {
  uint64_t *items, room;
  int result = mm3_segmented_begin(file, &m->log, 2, &items, &room);
  if (result < 0) return result;
  items[0] = 1;
  return mm3_segmented_commit(file, &m->log, 0);
}

OP(name_print, mm3_text_print(file, &m->name, "%s %d", "printed", 5))
OP(name_append, mm3_text_append_n(file, &m->name, "more of it", 7))
OP(name_set, mm3_text_set(file, &m->name, "a name that is much longer than the ones before, so that it needs another block"))

static int change(void *value, void *arg) { return (void)arg, *(uint64_t *)value += 5, 0; }
static int change_place(void *value, void *arg) { return (void)arg, ((struct place *)value)->w = 99, 0; }
OP(map_set, mm3_hashmap_set(file, &m->numbers, UINT64_C(100), UINT64_C(1)))
OP(map_replace, mm3_hashmap_set(file, &m->numbers, 2u, 222u) == 1 ? 0 : -1)
OP(map_add, mm3_hashmap_add(file, &m->numbers, 3u, 4u) == 1 ? 0 : -1)
OP(map_add_new, mm3_hashmap_add(file, &m->numbers, 101u, 4u))
OP(map_update, mm3_hashmap_update(file, &m->numbers, 1u, change, NULL) < 0)
OP(map_remove, mm3_hashmap_remove(file, &m->numbers, 4u))
OP(map_reserve, mm3_hashmap_reserve(file, &m->numbers, 60))
OP(map_shrink, mm3_hashmap_shrink(file, &m->numbers))
OP(map_clear, mm3_hashmap_clear(file, &m->numbers))
static int map_get_or_insert(struct mm3_file *file, struct more *m) {
  uint64_t out = 0;
  return mm3_hashmap_get_or_insert(file, &m->numbers, 500u, 6u, &out) == 0 ? 0 : -1;
}

static const struct place one = {5, 6, 7, 8}, other = {9, 9, 9, 9};
OP(wide_set, mm3_hashmap_set(file, &m->wide, 50u, &one))
OP(wide_replace, mm3_hashmap_set(file, &m->wide, 2u, &other) == 1 ? 0 : -1)
OP(wide_update, mm3_hashmap_update(file, &m->wide, 3u, change_place, NULL) < 0)
OP(wide_remove, mm3_hashmap_remove(file, &m->wide, 1u))
OP(wide_clear, mm3_hashmap_clear(file, &m->wide))

OP(texts_set, mm3_hashmap_set(file, &m->texts, "a new key", "with a value"))
OP(texts_replace, mm3_hashmap_set(file, &m->texts, "key2", "a value that is longer than the first") == 1 ? 0 : -1)
OP(texts_remove, mm3_hashmap_remove(file, &m->texts, "key3"))
OP(texts_clear, mm3_hashmap_clear(file, &m->texts))
OP(names_set, mm3_hashmap_set(file, &m->names, "twelve bytes", 12u))
OP(names_replace, mm3_hashmap_set(file, &m->names, "key1", 11u) == 1 ? 0 : -1)
OP(names_remove, mm3_hashmap_remove(file, &m->names, "key0"))

/* One insertion each, until the table has grown twice. */
static uint64_t next_key;
OP(map_grow, mm3_hashmap_set(file, &m->numbers, 1000 + next_key++, 5u))
OP(notify, mm3_notify(file))

/* ---- a run of operations ---- */

enum { MOST = 40 };
struct sequence {
  const char *name;
  operation *ops[MOST];
};

static const struct sequence *now;
static struct kill_texts states[MOST + 1];
static unsigned nstates;

static int setup(struct kill_case *c) { return make_more(c->path); }

static int run(struct kill_case *c) {
  struct mm3_file *file = open_more(c->path);
  if (!file) return -1;
  struct more *m = mm3_root(file, more);
  next_key = 0;
  kill_begin();
  for (unsigned i = 0; i < MOST && now->ops[i]; i++)
    if (now->ops[i](file, m) < 0) return -1;
  kill_end();
  return mm3_close(file);
}

static int is_state(const struct kill_texts *texts, unsigned number) {
  for (unsigned i = 0; i < KILL_MEMBERS; i++)
    if (!kill_same(texts->at[i], states[number].at[i])) return 0;
  return 1;
}

/* memory[0]: the last state that was seen. */
static int model(struct kill_case *c, struct mm3_file *file) {
  struct kill_texts texts;
  if (kill_show(file, &texts) < 0) return kill_says(c, "it cannot be read");
  for (uint64_t i = c->memory[0]; i < nstates; i++) {
    if (!is_state(&texts, (unsigned)i)) continue;
    c->memory[0] = i;
    kill_forget(&texts);
    return 0;
  }
  const struct kill_texts *last = &states[c->memory[0]];
  for (unsigned i = 0; i < KILL_MEMBERS; i++)
    if (!kill_same(texts.at[i], last->at[i]))
      return kill_says(c, "after operation %llu: member %u is %.150s, was %.150s", (unsigned long long)c->memory[0], i,
                       texts.at[i], last->at[i]);
  return kill_says(c, "it went back");
}

static int prepare(void) {
  const char *path = mm3test_path("model.mm3");
  unlink(path);
  if (make_more(path) < 0) return -1;
  struct mm3_file *file = open_more(path);
  if (!file) return -1;
  int result = kill_show(file, &states[0]);
  next_key = 0;
  for (nstates = 1; result == 0 && nstates <= MOST && now->ops[nstates - 1]; nstates++) {
    result = now->ops[nstates - 1](file, mm3_root(file, more));
    if (result >= 0) result = kill_show(file, &states[nstates]);
    if (result < 0) printf("%s: operation %u: %s\n", now->name, nstates, mm3_strerror(result));
  }
  mm3_close(file);
  unlink(path);
  return result;
}

static void check_sequence(const struct sequence *sequence) {
  const struct kill_op op = {sequence->name, setup, run, model, 0};
  struct kill_result result;
  now = sequence;
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  if (!CHECK_EQ(prepare(), 0)) return;
  if (!CHECK_EQ(kill_run(&op, mm3test_path(NULL), &result), 0)) printf("%s\n", result.says);
  CHECK_EQ(result.violations, 0);
  CHECK(!kill_can_step() || result.points + 1 >= nstates);
  for (unsigned i = 0; i < nstates; i++) kill_forget(&states[i]);
}

#define SEQUENCE(function, name, ...)                            \
  static void function(void) {                                   \
    static const struct sequence sequence = {name, {__VA_ARGS__}}; \
    check_sequence(&sequence);                                   \
  }
SEQUENCE(json, "json: set, set_at, merge, pack, clear", json_set, json_clear, json_packed, json_set_at, json_merge, json_clear)
SEQUENCE(segmented, "segmented: set, reserve, begin and commit, truncate", log_set, log_reserve, log_batch, log_append,
         log_batch_given_up, log_truncate, log_batch, place_append, place_append)
SEQUENCE(text, "text: print, append, set", name_print, name_append, name_set, name_append, name_print)
SEQUENCE(map, "hashmap(u64, u64): each operation", map_set, map_replace, map_add, map_add_new, map_update, map_remove,
         map_get_or_insert, map_shrink, map_reserve, map_clear, map_set)
SEQUENCE(map_grows, "hashmap(u64, u64): growth", map_grow, map_grow, map_grow, map_grow, map_grow, map_grow, map_grow, map_grow,
         map_grow, map_grow, map_grow, map_grow, map_remove, map_grow, map_grow, map_grow, map_grow)
SEQUENCE(wide, "hashmap(u64, struct): each operation", wide_set, wide_replace, wide_update, wide_remove, wide_replace, wide_clear)
SEQUENCE(texts, "hashmap(text, text): each operation", texts_set, texts_replace, texts_remove, texts_replace, texts_clear, texts_set)
SEQUENCE(names, "hashmap(string(12), u32): each operation", names_set, names_replace, names_remove, names_set)
SEQUENCE(notifies, "notify", notify, notify)

/* ---- retain: entry by entry ---- */

static int keep_even(const struct mm3_hashmap_item *item, void *arg) {
  uint64_t key;
  (void)arg;
  memcpy(&key, item->key.ptr, sizeof key);
  return key % 2 == 0;
}
static int run_retain(struct kill_case *c) {
  struct mm3_file *file = open_more(c->path);
  if (!file) return -1;
  kill_begin();
  int64_t result = mm3_hashmap_retain(file, &mm3_root(file, more)->numbers, keep_even, NULL);
  kill_end();
  return result == 2 ? mm3_close(file) : -1;
}
static int retain_model(struct kill_case *c, struct mm3_file *file) {
  struct more *m = mm3_root(file, more);
  uint64_t left = 0;
  for (uint64_t i = 0; i < 5; i++) {
    uint64_t value = 0;
    int there = mm3_hashmap_get(file, &m->numbers, i, &value) == 0;
    if (there && value != i * 10) return kill_says(c, "entry %d is another one", (int)i);
    if (!there && i % 2 == 0) return kill_says(c, "entry %d is gone", (int)i);
    left += (uint64_t)there;
  }
  if (left != mm3_hashmap_len(file, &m->numbers)) return kill_says(c, "its length is not that of its entries");
  return 0;
}
static void retain(void) {
  static const struct kill_op op = {"hashmap: retain", setup, run_retain, retain_model, 0};
  struct kill_result result;
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  CHECK_EQ(kill_run(&op, mm3test_path(NULL), &result), 0);
  CHECK_EQ(result.violations, 0);
}

/* ---- repair ---- */

static int setup_sick(struct kill_case *c) {
  uint64_t offset;
  if (make_more(c->path) < 0) return -1;
  struct mm3_file *file = open_more(c->path);
  if (!file || mm3_lock(file) < 0) return -1;
  for (int i = 0; i < 6; i++)
    if (mm3_heap_alloc(file, 100 << i, 0, &offset) < 0) return -1; /* nobody's */
  *(volatile uint8_t *)&mm3_root(file, more)->on = 9;
  return mm3_unlock(file) | mm3_close(file);
}

static int run_repair(struct kill_case *c) {
  struct mm3_file *file = open_more(c->path);
  if (!file) return -1;
  kill_begin();
  int result = mm3_repair(file, MM3_REPAIR_RESET | MM3_REPAIR_NO_BACKUP, NULL, NULL, NULL);
  kill_end();
  return result == 0 ? mm3_close(file) : -1;
}

/* Another repair makes it whole, and nothing but the damaged field is lost. */
static int repair_model(struct kill_case *c, struct mm3_file *file) {
  struct kill_texts texts;
  struct mm3_error error = {0};
  int result = mm3_repair(file, MM3_REPAIR_RESET | MM3_REPAIR_NO_BACKUP, NULL, NULL, &error);
  if (result != 0) return kill_says(c, "a repair leaves %d: %s", result, error.text);
  if (mm3_check(file, NULL, NULL) != 0) return kill_says(c, "repaired, it does not pass its check");
  if (kill_show(file, &texts) < 0) return kill_says(c, "it cannot be read");
  for (unsigned i = 0; i < KILL_MEMBERS; i++)
    if (!kill_same(texts.at[i], states[0].at[i]))
      return kill_says(c, "member %u is %.200s, was %.200s", i, texts.at[i], states[0].at[i]);
  kill_forget(&texts);
  return 0;
}

static void repair(void) {
  static const struct kill_op op = {"repair: a damaged field, six lost blocks", setup_sick, run_repair, repair_model, KILL_SICK};
  static const struct sequence nothing = {"", {NULL}};
  struct kill_result result;
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  now = &nothing;
  if (!CHECK_EQ(prepare(), 0)) return;
  CHECK_EQ(kill_run(&op, mm3test_path(NULL), &result), 0);
  CHECK_EQ(result.violations, 0);
  CHECK(!kill_can_step() || result.points > 20);
  kill_forget(&states[0]);
}

MM3_TEST_SUITE("kill_more", {"json", json}, {"segmented", segmented}, {"text", text}, {"hashmap: numbers", map},
               {"hashmap: growth", map_grows}, {"hashmap: wide values", wide}, {"hashmap: texts", texts},
               {"hashmap: strings", names}, {"hashmap: retain", retain}, {"notify", notifies}, {"repair", repair})
