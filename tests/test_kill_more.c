/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Under the kill harness: json, segmented and text through their inline operations, and repair. test_kill_map has maps. */
#include "kill/sequence.h"

#include <mm3/hashmap.h>
#include <mm3/json.h>
#include <mm3/repair.h>
#include <mm3/segmented.h>
#include <mm3/string.h>
#include <mm3/text.h>

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

#define OP(name, ...)                             \
  static int name(struct mm3_file *file) {        \
    struct more *m = mm3_root(file, more);        \
    (void)m;                                      \
    return (__VA_ARGS__);                         \
  }

OP(json_set, mm3_json_set_text(&m->doc, "{\"c\": \"a document that is rather longer than the first one\"}", NULL))
OP(json_clear, (mm3_json_clear(&m->doc), 0))
OP(json_packed, mm3_json_pack(&m->doc, NULL, "{s:i, s:[b, n]}", "n", 5, "l", 1))
static int json_set_at(struct mm3_file *file) {
  json_t *value = json_pack("[i, s]", 9, "nine");
  int result = mm3_json_set_at(&mm3_root(file, more)->doc, "/b", value, NULL);
  json_decref(value);
  return result;
}
static int json_merge(struct mm3_file *file) {
  json_t *patch = json_pack("{s:n, s:i}", "a", "d", 4);
  int result = mm3_json_merge(&mm3_root(file, more)->doc, patch, NULL);
  json_decref(patch);
  return result;
}

OP(log_set, mm3_segmented_set(file, &m->log, 3, 0xffffffffffffffffu))
OP(log_reserve, mm3_segmented_reserve(file, &m->log, 2000))
OP(log_append, mm3_segmented_append(file, &m->log, 77))
OP(log_truncate, mm3_segmented_truncate(file, &m->log, 2))
OP(log_clear, mm3_segmented_clear(file, &m->log))
OP(place_append, mm3_segmented_append(file, &m->places, {1, 2, 3, 4}))
static const uint64_t many[] = {31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42};
OP(log_append_many, mm3_segmented_append_many(file, &m->log, many, 12))
static int log_batch(struct mm3_file *file) {
  struct more *m = mm3_root(file, more);
  uint64_t *items, room;
  int result = mm3_segmented_begin(file, &m->log, 3, &items, &room);
  if (result < 0) return result;
  for (uint64_t i = 0; i < room && i < 3; i++) items[i] = 900 + i;
  return mm3_segmented_commit(file, &m->log, room < 3 ? room : 3);
}
static int log_batch_given_up(struct mm3_file *file) {
  struct more *m = mm3_root(file, more);
  uint64_t *items, room;
  int result = mm3_segmented_begin(file, &m->log, 2, &items, &room);
  if (result < 0) return result;
  items[0] = 1;
  return mm3_segmented_commit(file, &m->log, 0);
}

OP(name_print, mm3_text_print(file, &m->name, "%s %d", "printed", 5))
OP(name_append, mm3_text_append_n(file, &m->name, "more of it", 7))
OP(name_set, mm3_text_set(file, &m->name, "a name that is much longer than the ones before, so that it needs another block"))
OP(name_set_short, mm3_text_set(file, &m->name, "x"))
OP(name_clear, mm3_text_clear(file, &m->name))
OP(notify, mm3_notify(file))

/* The first segment has room for 512 items: `full` has so many, `longer` three segments. */
static int make_with(const char *path, uint64_t length) {
  if (make_more(path) < 0) return -1;
  struct mm3_file *file = open_more(path);
  if (!file) return -1;
  struct more *m = mm3_root(file, more);
  int failed = 0;
  for (uint64_t i = mm3_segmented_len(&m->log); i < length; i++) failed |= mm3_segmented_append(file, &m->log, i);
  return mm3_close(file) | failed;
}
static int make_full(const char *path) { return make_with(path, 512); }
static int make_longer(const char *path) { return make_with(path, 1600); }

/* Work goes on: what grows grows, and takes it back. */
static int use_more(struct mm3_file *file) {
  struct more *m = mm3_root(file, more);
  uint64_t length = mm3_segmented_len(&m->log), value = 0;
  int bad = mm3_segmented_append_held(file, &m->log, 5) | mm3_segmented_append_many_held(file, &m->log, many, 12);
  bad |= mm3_segmented_get(file, &m->log, length + 12, &value) | (value != many[11]);
  bad |= mm3_segmented_truncate_held(file, &m->log, length);
  bad |= mm3_text_set_held(file, &m->name, "after a kill") | mm3_text_append_held(file, &m->name, ", used");
  return bad || !mm3_text_equal(file, &m->name, "after a kill, used") ? -1 : 0;
}

/* ---- runs of them ---- */

#define RUN(name, make, leaks, ...)                                                                           \
  do {                                                                                                        \
    static const struct kill_sequence sequence = {name, make, open_more, {__VA_ARGS__}, use_more, leaks, 0};  \
    kill_check_sequence(&sequence);                                                                           \
  } while (0)

static void json(void) {
  RUN("json: set, set_at, merge, pack, clear", make_more, 0, json_set, json_clear, json_packed, json_set_at, json_merge,
      json_clear);
}
static void segmented(void) {
  RUN("segmented: set", make_more, 0, log_set);
  RUN("segmented: append", make_more, 0, log_append, log_append);
  RUN("segmented: append the first", make_more, 1, place_append, place_append);
  RUN("segmented: append into a new segment", make_full, 1, log_append, log_append);
  RUN("segmented: append_many", make_more, 0, log_append_many);
  RUN("segmented: append_many into a new segment", make_full, 1, log_append_many);
  RUN("segmented: reserve, then fill", make_more, 1, log_reserve, log_append, log_append_many);
  RUN("segmented: begin and commit", make_more, 0, log_batch, log_batch_given_up, log_append);
  RUN("segmented: begin and commit in a new segment", make_full, 1, log_batch_given_up, log_batch);
  RUN("segmented: truncate", make_more, 0, log_truncate, log_append);
  RUN("segmented: truncate that gives segments back", make_longer, 1, log_truncate, log_append);
  RUN("segmented: clear", make_longer, 1, log_clear, log_append);
}
static void text(void) {
  RUN("text: set", make_more, 1, name_set, name_set_short);
  RUN("text: append", make_more, 1, name_append, name_append);
  RUN("text: print", make_more, 1, name_print);
  RUN("text: clear", make_more, 1, name_clear);
  RUN("text: set after clear", make_more, 1, name_clear, name_set, name_append);
}
static void notifies(void) { RUN("notify", make_more, 0, notify, notify); }

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
    if (!kill_same(texts.at[i], kill_states[0].at[i]))
      return kill_says(c, "member %u is %.200s, was %.200s", i, texts.at[i], kill_states[0].at[i]);
  kill_forget(&texts);
  return 0;
}

static void repair(void) {
  static const struct kill_op op = {"repair: a damaged field, six lost blocks", setup_sick, run_repair, repair_model, KILL_SICK};
  static const struct kill_sequence nothing = {"", make_more, open_more, {NULL}, NULL, 0, 0};
  struct kill_result result;
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  if (!CHECK_EQ(kill_sequence_prepare(&nothing), 0)) return;
  CHECK_EQ(kill_run(&op, mm3test_path(NULL), &result), 0);
  CHECK_EQ(result.violations, 0);
  CHECK(!kill_can_step() || result.points > 20);
  kill_forget(&kill_states[0]);
}

MM3_TEST_SUITE("kill_more", {"json", json}, {"segmented", segmented}, {"text", text}, {"notify", notifies}, {"repair", repair})
