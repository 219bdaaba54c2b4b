/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What workers of test_torture do and what they must see: one function an operation. */
#include "torture.h"

/* ---- values that say whether they are whole ---- */

/* Its length in decimal, a colon, one letter all the way; or as much of that as there is room for. */
static void whole_text(char *to, uint64_t letter, size_t length) {
  int head = snprintf(to, 12, "%zu:", length);
  memset(to + head, 'a' + (int)(letter % 26), length);
  to[length] = 0;
}

/* `letter`: what it must be, or -1. Only what was empty at first, or is cleared, may be empty. */
static void text_is_whole(struct worker *w, const char *text, size_t length, int letter, bool may_be_empty) {
  char head[12], wanted[2016];
  size_t before = (size_t)snprintf(head, sizeof head, "%zu:", length);
  if (length == 0 && !may_be_empty) violation(w, "an empty text");
  if (length == 0) return;
  if (length >= 2000) {
    violation(w, "a text that nobody wrote");
    return;
  }
  if (letter < 0) letter = length > before ? text[before] - 'a' : 0;
  whole_text(wanted, (uint64_t)letter, length);
  if (letter < 0 || letter >= 26 || memcmp(text, wanted, length) != 0) violation(w, "a torn text");
}

uint64_t whole_number(uint64_t n) { return (n & 0xffffffff) | (~n & 0xffffffff) << 32; }

static void number_is_whole(struct worker *w, uint64_t n) {
  if ((n >> 32) != (~n & 0xffffffff)) violation(w, "a torn number");
}

/* ---- the log ---- */

uint64_t log_item(int worker, uint32_t life, uint32_t number) {
  return (uint64_t)worker << 56 | (uint64_t)life << 32 | number;
}

void follow_log(struct worker *w, struct log_state *state) {
  uint64_t item;
  int result;
  while ((result = mm3_segmented_get(w->file, &w->root->log, state->at, &item)) == 0) {
    uint32_t worker = (uint32_t)(item >> 56), life = (uint32_t)(item >> 32) & 0xffffff;
    if (worker >= WORKERS || life >= LIVES) {
      violation(w, "an item of nobody");
      return;
    }
    if ((uint32_t)item != state->have[worker][life]++) {
      violation(w, "an item out of its order");
      return;
    }
    state->at++;
  }
  if (result != -MM3_E_ABSENT && result != -MM3_E_AGAIN) answered(w, "the log", result);
}

/* ---- one operation each ---- */

void add_atomic(struct worker *w) {
  bool looks = worth_a_sum(w);
  uint64_t by = 1 + next(w) % 5, least = looks ? sum_of(w->board, offsetof(struct life, added)) : 0, old;
  if (least < w->last_sum) least = w->last_sum;
  STORE(life_of(w)->adding, life_of(w)->adding + by);
  old = mm3_atomic_fetch_add(&w->root->sum, by);
  STORE(life_of(w)->added, life_of(w)->added + by);
  if (old < least || (looks && old + by > sum_of(w->board, offsetof(struct life, adding))))
    violation(w, "a sum that cannot be");
  w->last_sum = old + by;
}

void add_plain(struct worker *w) {
  bool looks = worth_a_sum(w);
  if (!take(w)) return;
  uint64_t total = w->root->total;
  if (looks && (total < sum_of(w->board, offsetof(struct life, counted)) ||
                total > sum_of(w->board, offsetof(struct life, counting))))
    violation(w, "a total that cannot be");
  STORE(life_of(w)->counting, life_of(w)->counting + 1);
  w->root->total = total + 1;
  STORE(life_of(w)->counted, life_of(w)->counted + 1);
  give(w);
}

void append_log(struct worker *w) {
  uint64_t done = worth_a_sum(w) ? sum_of(w->board, offsetof(struct life, appended)) : 0;
  if (mm3_segmented_len(&w->root->log) < done) violation(w, "a log shorter than what was appended");
  uint32_t number = life_of(w)->appending;
  STORE(life_of(w)->appending, number + 1);
  if (answered(w, "append", mm3_segmented_append(w->file, &w->root->log, log_item(w->number, w->life, number))))
    STORE(life_of(w)->appended, number + 1);
  else
    STORE(life_of(w)->appending, number);
}

void raise_version(struct worker *w) {
  uint64_t key = next(w) % KEYS, value = 0;
  struct version *v = &w->board->versions[key];
  if (!take(w)) return;
  int found = mm3_hashmap_get(w->file, &w->root->versions, key, &value);
  uint64_t version = found == 0 ? value >> 16 : 0;
  if (found != 0 && found != -MM3_E_ABSENT) answered(w, "get", found);
  if (version < LOAD(v->done) || version > LOAD(v->begun)) violation(w, "a version that the lock's holder cannot see");
  STORE(v->begun, version + 1);
  if (answered(w, "set", mm3_hashmap_set_held(w->file, &w->root->versions, key, (version + 1) << 16 | key)))
    STORE(v->done, version + 1);
  give(w);
}

void read_version(struct worker *w) {
  uint64_t key = next(w) % KEYS, value = 0, least = LOAD(w->board->versions[key].done);
  int result = mm3_hashmap_get(w->file, &w->root->versions, key, &value);
  if (result == -MM3_E_AGAIN) return;
  if (result != 0 && result != -MM3_E_ABSENT) answered(w, "get", result);
  uint64_t most = LOAD(w->board->versions[key].begun), version = result == 0 ? value >> 16 : 0;
  if (result == 0 && (value & 0xffff) != key) violation(w, "another key's value");
  if (version < least || version > most || version < w->seen[key]) violation(w, "a version out of its time");
  w->seen[key] = version;
}

void change_texts(struct worker *w) {
  char text[2000];
  uint64_t n = next(w);
  if (!take(w)) return;
  whole_text(text, n, 40);
  if (answered(w, "string", mm3_string_set(&w->root->name, text))) STORE(w->board->named, 1);
  whole_text(text, n, 24);
  answered(w, "string_array", mm3_string_array_set(&w->root->tags, n % 6, text));
  whole_text(text, n, 1 + n % 1500);
  answered(w, "text", mm3_text_set_held(w->file, &w->root->title, text));
  char key[16];
  unsigned number = (unsigned)(n >> 8) % NOTES; /* its texts are of its own letter */
  snprintf(key, sizeof key, "key %u", number);
  whole_text(text, number, 1 + n % 1500);
  if (n & 1)
    answered(w, "texts", mm3_hashmap_set_held(w->file, &w->root->notes, key, text));
  else if (mm3_hashmap_remove_held(w->file, &w->root->notes, key) == -MM3_E_DAMAGED)
    violation(w, "a damaged map of texts");
  give(w);
}

static void change_shape(struct worker *w) { /* tables are replaced, the heap moves */
  uint64_t n = next(w) % 8;
  if (!take(w)) return;
  if (n == 0) answered(w, "reserve", mm3_hashmap_reserve_held(w->file, &w->root->versions, 2 * KEYS));
  if (n == 1) answered(w, "shrink", mm3_hashmap_shrink_held(w->file, &w->root->versions));
  if (n == 2) answered(w, "shrink", mm3_hashmap_shrink_held(w->file, &w->root->notes));
  if (n == 3) answered(w, "clear", mm3_hashmap_clear_held(w->file, &w->root->notes));
  if (n == 4) answered(w, "clear", mm3_text_clear_held(w->file, &w->root->title));
  if (n == 5)
    answered(w, "reserve", mm3_segmented_reserve_held(w->file, &w->root->log, mm3_segmented_len(&w->root->log) + 500));
  give(w);
}

/* What the vec answers, and what it is afterwards, is known before. */
static int change_model(struct vec_model *m, unsigned how, uint64_t at, uint64_t item) {
  if (how < 3) { /* push, push, insert */
    if (at > m->length) return -MM3_E_ABSENT;
    if (m->length == VEC) return -MM3_E_FULL;
    memmove(m->items + at + 1, m->items + at, (m->length++ - at) * sizeof item);
    m->items[at] = item;
    return 0;
  }
  if (at >= m->length) return -MM3_E_ABSENT;
  if (how == 5)
    m->items[at] = m->items[--m->length]; /* swap_remove */
  else
    memmove(m->items + at, m->items + at + 1, (--m->length - at) * sizeof item);
  return 0;
}

static void change_vec(struct worker *w) {
  uint64_t n = next(w), taken = 0, item = whole_number(n);
  unsigned how = (unsigned)(n % 6);
  if (!take(w)) return;
  unsigned done = settle_vec(w);
  const struct vec_model *is = &w->board->vecs[done];
  struct vec_model *will = &w->board->vecs[!done];
  uint64_t at = how < 2    ? is->length
                : how == 4 ? is->length - 1
                           : (n >> 8) % (VEC + 2),
           last = is->length ? is->items[is->length - 1] : 0;
  *will = *is;
  int wanted = change_model(will, how, at, item), result;
  STORE(w->board->vec_state, done | 2);
  if (how < 2)
    result = mm3_vec_push(&w->root->recent, item);
  else if (how == 2)
    result = mm3_vec_insert_held(w->file, &w->root->recent, at, item);
  else if (how == 3)
    result = mm3_vec_remove_held(w->file, &w->root->recent, at);
  else if (how == 4)
    result = mm3_vec_pop(&w->root->recent, &taken);
  else
    result = mm3_vec_swap_remove_held(w->file, &w->root->recent, at);
  STORE(w->board->vec_state, !done);
  if (result != wanted) violation(w, "another answer of a vec");
  if (how == 4 && result == 0 && taken != last) violation(w, "another item popped");
  settle_vec(w);
  give(w);
}

static void change_grid(struct worker *w) {
  uint64_t n = next(w);
  unsigned cell = (unsigned)(n % (GRID * GRID));
  struct version *v = &w->board->grid[cell];
  if (!take(w)) return;
  settle_cell(w, cell);
  STORE(v->begun, whole_number(n));
  STORE(*mm3_ndarray_at(&w->root->grid, cell / GRID, cell % GRID), whole_number(n));
  STORE(v->done, whole_number(n));
  give(w);
}

/* A document that says its version twice, with a text between. */
void change_page(struct worker *w) {
  char text[100];
  struct mm3_error error = {0};
  struct version *v = &w->board->page;
  if (!take(w)) return;
  settle_page(w);
  long long version = (long long)LOAD(v->done) + 1;
  whole_text(text, (uint64_t)version, (size_t)next(w) % 90);
  STORE(v->begun, (uint64_t)version);
  if (answered(w, "json",
               mm3_json_pack(&w->root->page, &error, "{s:I,s:s,s:I}", "first", version, "text", text, "last", version)))
    STORE(v->done, (uint64_t)version);
  give(w);
}

/* 0 for the empty value. */
static uint64_t page_version(struct worker *w) {
  struct mm3_error error = {0};
  json_t *page = NULL;
  if (!answered(w, "read of json", mm3_json_get(&w->root->page, &page, &error))) return 0;
  json_int_t first = json_integer_value(json_object_get(page, "first")),
             last = json_integer_value(json_object_get(page, "last"));
  const char *text = json_string_value(json_object_get(page, "text"));
  if (text) text_is_whole(w, text, strlen(text), (int)(first % 26), true);
  if (first != last || (!text && !json_is_null(page))) violation(w, "a torn document");
  json_decref(page);
  return (uint64_t)first;
}

void read_page(struct worker *w) {
  uint64_t least = LOAD(w->board->page.done), version = page_version(w), most = LOAD(w->board->page.begun);
  if (version < least || version > most || version < w->seen_page) violation(w, "a document out of its time");
  w->seen_page = version;
}

void read_note(struct worker *w, unsigned number) {
  char text[2000], key[16];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  snprintf(key, sizeof key, "key %u", number);
  int result = mm3_hashmap_get(w->file, &w->root->notes, key, &buf);
  if (result == 0)
    text_is_whole(w, text, buf.len, buf.len > 5 ? (int)(number % 26) : -1, false);
  else if (result != -MM3_E_ABSENT && result != -MM3_E_AGAIN)
    answered(w, "read of a map of texts", result);
}

void read_others(struct worker *w) {
  char text[2000];
  size_t length = 0;
  uint64_t n = next(w), item;
  int named = LOAD(w->board->named);
  if (answered(w, "read of a string", mm3_string_get(&w->root->name, text, sizeof text, &length)))
    text_is_whole(w, text, length, -1, !named);
  if (answered(w, "read of a string_array", mm3_string_array_get(&w->root->tags, n % 6, text, sizeof text, &length)))
    text_is_whole(w, text, length, -1, true);
  if (answered(w, "read of a text", mm3_text_get(w->file, &w->root->title, text, sizeof text, &length)))
    text_is_whole(w, text, length, -1, true);
  read_note(w, (unsigned)(n >> 8) % NOTES);
  int result = mm3_vec_get(&w->root->recent, n % VEC, &item);
  if (result == 0)
    number_is_whole(w, item);
  else if (result != -MM3_E_ABSENT)
    answered(w, "read of a vec", result);
  item = LOAD(*mm3_ndarray_at(&w->root->grid, n % GRID, n / GRID % GRID));
  if (item != 0) number_is_whole(w, item);
}

void one_operation(struct worker *w) {
  static void (*const all[])(struct worker *) = {add_atomic,   add_atomic,   add_plain,    append_log, raise_version,
                                                 read_version, read_version, change_texts, change_vec, change_grid,
                                                 change_page,  read_others,  read_others,  read_page};
  uint64_t n = next(w) % (20 * sizeof all / sizeof *all);
  if (n < 2)
    change_shape(w);
  else
    all[n % (sizeof all / sizeof *all)](w);
  COUNT(w->board->operations);
}
