/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform_holes.c: every byte of a value means something, and comes from somewhere.
 *
 * A byte is accounted for when a change of it is refused by check or seen by visit or count, in any of the values that
 * were put; when the values differ in it; or when it belongs to a word that counts. What is left is a hole: files would
 * keep whatever lies there, which no check vouches for, so that no later version can ever use it. That is said only of
 * types that were filled, as far as they hold items and texts: an item that was never there says nothing about its
 * bytes. One slot beside the items may be a free one. */
#include "conform.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 16384, BUDGET = 4 << 20, EDGE = 64, SCAN = 256, MOST_ITEMS = 1 << 16, SOME_ITEMS = 20 };

void conform_dirt(const struct conform *c) {
  unsigned char below[16384];
  for (size_t i = 0; c->dirt && i < sizeof below; i++) ((volatile unsigned char *)below)[i] = (unsigned char)c->dirt;
#ifdef M_PERTURB
  mallopt(M_PERTURB, c->dirt);
#endif
}

/* ---- which bytes are told apart ---- */

static uint64_t count_of(struct conform *c, uint64_t *capacity) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, 0, &error);
  uint64_t count = 0;
  *capacity = UINT64_MAX;
  if (!c->type->kind->count || c->type->kind->count(c->type, c->cells[0], &count, capacity, &ctx) < 0) return 0;
  return count;
}

static int is_noticed(struct conform *c, size_t at, unsigned char change, const char *text, uint64_t count) {
  char *other = NULL;
  uint64_t capacity;
  conform_does(c, "changing its byte %zu, to see who notices", at);
  c->cells[0][at] ^= change;
  int noticed = conform_check(c, 0) < 0 || conform_text(c, 0, &other) < 0 || strcmp(text, other) != 0 ||
                count_of(c, &capacity) != count;
  c->cells[0][at] ^= change;
  free(other);
  return noticed;
}

/* Larger types are looked at in some places: the same ones each time, with both ends. */
static int is_looked_at(const struct conform *c, size_t at) {
  size_t size = (size_t)c->type->size, most = BUDGET / size + 1;
  return at < EDGE || size - at <= EDGE || at % (size / most + 1) == 0;
}

/* Texts in it that may be longer than they are: not those of a fixed shape, which even the empty value has. */
static int has_texts(const struct conform *c, const char *text) {
  const char *from, *to;
  int empty = 0, any = 0;
  for (from = strchr(text, '"'); from; from = strchr(to + 1, '"')) {
    for (to = from + 1; *to && *to != '"'; to++) to += *to == '\\';
    if (!*to) break;
    if (to[1] == ':') continue;
    any = 1;
    empty |= to == from + 1;
  }
  return empty || (any && strlen(text) != c->empty_length);
}

static int is_filled(struct conform *c, const char *text, int texts_are_full) {
  uint64_t capacity, count = count_of(c, &capacity);
  if (strcmp(text, "null") == 0 || (!texts_are_full && has_texts(c, text))) return 0;
  return !c->type->kind->count || (capacity == UINT64_MAX ? count > 0 : count == capacity);
}

/* Items are accounted for by themselves; a slot on either side of them may be free. */
static void note_items(struct conform *c) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, 0, &error);
  uint64_t capacity, count = count_of(c, &capacity);
  const int64_t ends[] = {0, (int64_t)count - 1};
  for (int i = 0; i < 2 && count && c->type->kind->at && !c->in_file; i++) {
    const struct mm3_step step = {.is = MM3_STEP_INDEX, .text = "", .index = ends[i]};
    struct mm3_place place = {NULL, NULL};
    if (c->type->kind->at(c->type, c->cells[0], &step, &place, &ctx) < 0 || !place.type || !place.bytes) return;
    size_t width = (size_t)place.type->size, size = (size_t)c->type->size;
    size_t at = (size_t)((unsigned char *)place.bytes - c->cells[0]);
    for (size_t k = at < width ? 0 : at - width; at < size && k < size && k < at + 2 * width; k++) c->told[k] = 1;
  }
}

static void note(struct conform *c, int texts_are_full) {
  size_t size = (size_t)c->type->size;
  uint64_t capacity, count;
  char *text = NULL;
  if (!c->told || conform_check(c, 0) < 0 || conform_text(c, 0, &text) < 0) return;
  count = count_of(c, &capacity);
  for (size_t at = 0; at < size; at++)
    if (!c->told[at] && is_looked_at(c, at))
      c->told[at] = c->cells[0][at] != c->empty[at] || is_noticed(c, at, 0xff, text, count) ||
                    is_noticed(c, at, 1, text, count);
  note_items(c);
  if (is_filled(c, text, texts_are_full)) c->full = 1;
  free(text);
}

/* ---- values that fill it ---- */

struct shape {
  const char *item; /* of a list; NULL: texts of `length` */
  size_t items, length;
  int is_list, is_map;
};

static char *write_shape(const struct shape *s) {
  size_t each = s->length + 40 + (s->item ? strlen(s->item) : 0), used = 0;
  char *text = malloc(s->items * each + 3);
  if (!text) return NULL;
  if (s->is_list || s->is_map) text[used++] = s->is_map ? '{' : '[';
  for (size_t i = 0; i < s->items; i++) {
    if (i) text[used++] = ',';
    if (s->is_map) used += (size_t)sprintf(text + used, "\"%zu\":", i + 1);
    if (s->item) used += (size_t)sprintf(text + used, "%s", s->item);
    else {
      text[used++] = '"';
      memset(text + used, 'a', s->length);
      used += s->length;
      text[used++] = '"';
    }
  }
  if (s->is_list || s->is_map) text[used++] = s->is_map ? '}' : ']';
  text[used] = 0;
  return text;
}

static int is_taken(struct conform *c, const struct shape *s) {
  char *text = write_shape(s);
  int result = text ? conform_put(c, 0, text, MM3_CTX_DRY) : -1;
  free(text);
  return result >= 0;
}

/* What grows without an end is not filled. */
static size_t most_items(struct conform *c) {
  uint64_t capacity;
  count_of(c, &capacity);
  return capacity < MOST_ITEMS ? (size_t)capacity : capacity == UINT64_MAX ? SOME_ITEMS : MOST_ITEMS;
}

/* The largest number in *what, a member of *s, with which put takes it; 0 with *what as it was: none. */
static int grow(struct conform *c, struct shape *s, size_t *what, size_t most) {
  size_t was = *what, best = SIZE_MAX, step;
  for (*what = 0; *what <= SCAN && *what <= most; ++*what)
    if (is_taken(c, s)) best = *what;
  for (step = SCAN; best != SIZE_MAX && best + step > SCAN && step; ) { /* from there by ever larger, then smaller steps */
    *what = best + step;
    int taken = *what <= most && is_taken(c, s);
    if (taken) best = *what;
    step = taken ? step * 2 : step / 2;
  }
  *what = best == SIZE_MAX ? was : best;
  return best != SIZE_MAX;
}

/* Its first item goes. */
static void stir(struct conform *c, const char *text) {
  const struct mm3_kind *kind = c->type->kind;
  const struct mm3_step first = {.is = MM3_STEP_INDEX, .text = "", .index = 0};
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, MM3_CTX_WRITABLE, &error);
  if (!kind->erase || text[0] != '[' || kind->erase(c->type, c->cells[0], &first, &ctx) < 0) return;
  note(c, 0);
}

/* The value over and over. Both places of what is written aside have it then, and what still differs from time to time
 * is a count: all of its word. */
void conform_holes_put(struct conform *c, const char *text, int texts_are_full) {
  size_t size = (size_t)c->type->size;
  unsigned char *last = c->told ? malloc(size) : NULL;
  for (int round = 0; last && round < 5; round++) {
    if ((round == 0 && conform_fresh(c, 0) < 0) || conform_put(c, 0, text, 0) < 0) break;
    for (size_t at = 0; round > 2 && at < size; at++)
      if (c->cells[0][at] != last[at]) memset(c->told + at / 8 * 8, 1, at / 8 * 8 + 8 > size ? size - at / 8 * 8 : 8);
    memcpy(last, c->cells[0], size);
    note(c, texts_are_full);
    stir(c, text);
  }
  free(last);
}

static void fill_with(struct conform *c, const struct shape *s) {
  char *text = write_shape(s);
  if (text) conform_holes_put(c, text, s->length > 0);
  free(text);
}

static void fill_with_texts(struct conform *c) {
  uint64_t capacity, count;
  size_t most = (size_t)c->type->size * 2 + 2;
  struct shape one = {.items = 1}, list = {.items = 1, .is_list = 1};
  conform_fresh(c, 0);
  count = count_of(c, &capacity);
  if (grow(c, &one, &one.length, most) || (one.length = most, is_taken(c, &one))) fill_with(c, &one);
  if (count && count < MOST_ITEMS) list.items = (size_t)count; /* of a fixed shape */
  if (grow(c, &list, &list.length, most) && grow(c, &list, &list.items, most_items(c)) &&
      grow(c, &list, &list.length, most))
    fill_with(c, &list);
}

static void fill_with_items(struct conform *c) {
  static const char *const items[] = {"1", "true", "1.5", "[1]"};
  for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
    for (int map = 0; map < 2; map++) {
      struct shape s = {.item = items[i], .items = 1, .length = 1, .is_list = !map, .is_map = map};
      conform_fresh(c, 0);
      if (grow(c, &s, &s.items, most_items(c)) && s.items) fill_with(c, &s);
    }
}

/* One item after the other, of the first sort that it takes, until it takes no more or has gone round. */
static void fill_by_pushing(struct conform *c) {
  uint64_t capacity, before, after;
  if (!c->type->kind->push || c->in_file) return;
  for (const char *const *json = conform_candidates; *json; json++) {
    if (conform_fresh(c, 0) < 0 || conform_push(c, 0, *json, 0) < 0) continue;
    after = count_of(c, &capacity);
    for (int i = 0; i < MOST_ITEMS; i++) {
      before = after;
      if (conform_push(c, 0, *json, 0) < 0) break;
      if ((after = count_of(c, &capacity)) == before) break;
    }
    note(c, 0);
    if (conform_push(c, 0, *json, 0) >= 0) note(c, 0);
    return;
  }
}

/* ---- the form as a whole ---- */

void conform_holes_begin(struct conform *c) {
  size_t size = (size_t)c->type->size;
  char *text = NULL;
  c->full = 0;
  c->told = size <= LARGEST ? calloc(2, size) : NULL;
  if (!c->told) return;
  c->empty = c->told + size;
  memcpy(c->empty, c->cells[0], size); /* it was made just now */
  if (conform_text(c, 0, &text) >= 0) c->empty_length = strlen(text);
  free(text);
  note(c, 0);
}

void conform_holes_end(struct conform *c) {
  size_t size = (size_t)c->type->size, told = 0, end;
  if (c->told && !c->shared->findings) {
    fill_with_items(c);
    fill_with_texts(c);
    fill_by_pushing(c);
  }
  for (size_t at = 0; c->told && c->full && at < size; at = end + 1) {
    for (end = at; end < size && !c->told[end] && is_looked_at(c, end); end++) continue;
    told += end < size && c->told[end];
    if (end > at)
      conform_finds(c, "a hole at byte %zu, of %zu bytes: no value writes there, and check takes anything; "
                       "wanted no such bytes, or a check that refuses all but zeroes", at, end - at);
  }
  c->shared->checks += c->told != NULL;
  c->shared->told += told;
  free(c->told);
  c->told = NULL;
}

/* The same value is the same bytes, whatever lay on the stack and the heap before. */
void conform_repeats(struct conform *c, const char *json) {
  size_t size = (size_t)c->type->size, at = 0;
  unsigned char *once = c->in_file ? NULL : malloc(size);
  if (!once) return;
  conform_does(c, "putting %.80s twice", json);
  c->shared->checks++;
  c->dirt = 0xaa;
  int result = conform_fresh(c, 1) < 0 ? -1 : conform_put(c, 1, json, 0);
  memcpy(once, c->cells[1], size);
  c->dirt = 0x55;
  if (result >= 0) result = conform_fresh(c, 1) < 0 ? -1 : conform_put(c, 1, json, 0);
  c->dirt = 0;
  while (at < size && once[at] == c->cells[1][at]) at++;
  if (result >= 0 && at < size)
    conform_finds(c, "%.80s put twice into zeroed bytes differs at byte %zu: it was not initialised", json, at);
  free(once);
}
