/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform_parts.c: items, ranges and keys of a value, and one more item pushed. */
#include "conform.h"
#include <stdlib.h>
#include <string.h>

struct place_of {
  struct conform *c;
  struct mm3_place place;
};

static int visit_place(void *arg, struct mm3_sink *sink) {
  struct place_of *p = arg;
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(p->c, 0, MM3_CTX_RAW, &error);
  return mm3_type_visit(p->place.type, p->place.bytes, sink, &ctx);
}

struct deep {
  struct conform *c;
  struct mm3_step step;
};

static int visit_deep(void *arg, struct mm3_sink *sink) {
  struct deep *d = arg;
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(d->c, 0, MM3_CTX_RAW, &error);
  return d->c->type->kind->visit_deep(d->c->type, d->c->cells[0], &d->step, 1, sink, &ctx);
}

/* Item `index` as text, by the row that steps. The code; -MM3_E_PATH when the kind has no such steps. */
static int item_text(struct conform *c, int64_t index, char **text) {
  const struct mm3_kind *kind = c->type->kind;
  struct mm3_step step = {.is = MM3_STEP_INDEX, .text = "", .index = index};
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, MM3_CTX_WRITABLE, &error);
  struct place_of p = {c, {NULL, NULL}};
  struct deep d = {c, step};
  *text = NULL;
  if (kind->visit_deep) return conform_sink(text, visit_deep, &d);
  if (!kind->at) return -MM3_E_PATH;
  int result = kind->at(c->type, c->cells[0], &step, &p.place, &ctx);
  if (result < 0) return result;
  if (!p.place.type || !p.place.bytes) return -MM3_E_ABSENT;
  if (!c->in_file && ((unsigned char *)p.place.bytes < c->cells[0] ||
                      (unsigned char *)p.place.bytes + p.place.type->size > c->cells[0] + c->type->size))
    return conform_finds(c, "at leads outside the value"), -MM3_E_PATH;
  return conform_sink(text, visit_place, &p);
}

/* The text of a list, put together from its items. */
static char *from_items(struct conform *c, uint64_t count, int64_t first) {
  size_t used = 1;
  char *all = malloc(3); /* brackets and the end; each item makes room for itself */
  if (all) strcpy(all, "[");
  for (uint64_t i = 0; i < count && all; i++) {
    char *item = NULL;
    if (item_text(c, first + (int64_t)i, &item) < 0 || !item) {
      free(all);
      return NULL;
    }
    size_t length = strlen(item);
    char *grown = realloc(all, used + length + 4);
    if (grown) used += (size_t)snprintf(grown + used, length + 4, "%s%s", i ? ", " : "", item);
    all = grown;
    free(item);
  }
  if (all) strcat(all, "]");
  return all;
}

/* No item lies in another one's bytes, each is aligned. Its first items, against each other. */
static void apart(struct conform *c, uint64_t count) {
  enum { MOST = 64 };
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, MM3_CTX_WRITABLE, &error);
  struct mm3_place places[MOST];
  if (c->type->kind->visit_deep || !c->type->kind->at) return;
  for (uint64_t i = 0; i < count && i < MOST; i++) {
    const struct mm3_step step = {.is = MM3_STEP_INDEX, .text = "", .index = (int64_t)i};
    if (c->type->kind->at(c->type, c->cells[0], &step, &places[i], &ctx) < 0 || !places[i].bytes) return;
    uintptr_t at = (uintptr_t)places[i].bytes, size = (uintptr_t)places[i].type->size;
    c->shared->checks += 2;
    if (at % places[i].type->align)
      conform_finds(c, "item %d lies at an address that %s cannot have, which wants multiples of %d", (int)i,
                    places[i].type->text, (int)places[i].type->align);
    for (uint64_t k = 0; k < i; k++)
      if (at < (uintptr_t)places[k].bytes + places[k].type->size && (uintptr_t)places[k].bytes < at + size)
        conform_finds(c, "items %d and %d lie in the same bytes", (int)k, (int)i);
  }
}

static void items(struct conform *c, const char *text, uint64_t count) {
  char *item = NULL, *list;
  conform_does(c, "stepping to its items");
  if (item_text(c, 0, &item) == -MM3_E_PATH) return;
  free(item);
  apart(c, count);
  c->shared->checks += 4;
  for (int negative = 0; negative < 2; negative++) {
    list = from_items(c, count, negative ? -(int64_t)count : 0);
    if (!list) conform_finds(c, "%s of the %llu items cannot be reached", negative ? "from the end, some" : "some",
                             (unsigned long long)count);
    else if (!conform_same_text(list, text))
      conform_finds(c, "item by item it is %.120s; as a whole %.120s", list, text);
    free(list);
  }
  for (int i = 0; i < 4; i++) {
    const int64_t beyond[] = {(int64_t)count, -(int64_t)count - 1, INT64_MAX, INT64_MIN};
    int result = item_text(c, beyond[i], &item);
    if (result != -MM3_E_ABSENT)
      conform_finds(c, "a step to item %lld of %llu gives %s; MM3_E_ABSENT is wanted", (long long)beyond[i],
                    (unsigned long long)count, result < 0 ? mm3_error_name(result) : "something");
    free(item);
  }
}

static void ranges(struct conform *c, const char *text, uint64_t count) {
  char *all = NULL, *none = NULL;
  if (!c->type->kind->visit_range) return;
  conform_does(c, "visiting a range");
  c->shared->checks += 2;
  if (conform_range(c, 0, 0, count, &all) < 0 || !conform_same_text(all, text))
    conform_finds(c, "visit_range over everything gives %.120s, visit %.120s", all ? all : "nothing", text);
  if (conform_range(c, 0, count, count, &none) < 0 || !none || strcmp(none, "[]") != 0)
    conform_finds(c, "visit_range over nothing gives %.120s", none ? none : "nothing");
  free(all);
  free(none);
}

/* One more item, of any kind that it takes: counted, or the oldest one went. */
static void pushes(struct conform *c) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, 0, &error);
  uint64_t before = 0, capacity = 0, after = 0;
  char *text = NULL, *now = NULL;
  if (!c->type->kind->push) return;
  for (const char *const *json = conform_candidates; *json; json++) {
    conform_does(c, "pushing %.80s", *json);
    c->type->kind->count(c->type, c->cells[0], &before, &capacity, &ctx);
    if (conform_text(c, 0, &text) < 0) return;
    int dry = conform_push(c, 0, *json, MM3_CTX_DRY), real = conform_push(c, 0, *json, 0);
    c->type->kind->count(c->type, c->cells[0], &after, &capacity, &ctx);
    if (conform_text(c, 0, &now) < 0) now = NULL;
    c->shared->checks += 3;
    if ((dry < 0) != (real < 0)) conform_finds(c, "push of %.80s: dry %d, real %d", *json, dry, real);
    if (real < 0 && !conform_same_text(text, now)) conform_finds(c, "a push that was refused changed the value");
    if (real >= 0 && after != before + 1 && before != capacity && !conform_same_text(text, now)) /* a set has it once */
      conform_finds(c, "push makes %llu items of %llu", (unsigned long long)after, (unsigned long long)before);
    if (conform_check(c, 0) < 0) conform_finds(c, "check refuses the value after a push");
    free(text);
    free(now);
    text = now = NULL;
  }
}

/* The value in cell 1, over what other values leave there. */
static int put_over_others(struct conform *c, const char *text) {
  if (conform_fresh(c, 1) < 0) return -1;
  for (const char *const *json = conform_candidates; *json; json++) conform_put(c, 1, *json, 0);
  return conform_put(c, 1, text, 0);
}

/* Equal values are equal and hash alike, whatever lay there before; a key's text leads back to it. */
static void keys(struct conform *c, const char *text) {
  const struct mm3_kind *kind = c->type->kind;
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 1, MM3_CTX_WRITABLE, &error);
  if (!!kind->hash != !!kind->equal) conform_finds(c, "hash and equal come together");
  if (!!kind->key_parse != !!kind->key_print) conform_finds(c, "key_parse and key_print come together");
  if (c->in_file) return;
  conform_does(c, "comparing it");
  if (((kind->hash && kind->equal) || kind->key_parse) && put_over_others(c, text) >= 0) {
    c->shared->checks += 2;
    if (!mm3_type_equal(c->type, c->cells[0], c->cells[1])) conform_finds(c, "equal does not know %.80s again", text);
    if (mm3_type_hash(c->type, c->cells[0], 1) != mm3_type_hash(c->type, c->cells[1], 1))
      conform_finds(c, "the same value %.80s has two hashes", text);
  }
  if (!kind->key_print || !kind->key_parse) return;
  char key[4096];
  conform_does(c, "writing it as a key");
  int length = kind->key_print(c->type, c->cells[0], key, sizeof key, &ctx);
  if (length < 0 || (size_t)length >= sizeof key || conform_fresh(c, 1) < 0) return;
  c->shared->checks++;
  if (kind->key_parse(c->type, key, (size_t)length, c->cells[1], &ctx) < 0 ||
      !mm3_type_equal(c->type, c->cells[0], c->cells[1]))
    conform_finds(c, "as a key it is '%.80s', which does not lead back to it", key);
}

static void described(struct conform *c) {
  char *facts = NULL;
  if (!c->type->kind->describe) return;
  conform_does(c, "describing it");
  c->shared->checks++;
  if (conform_described(c, 0, &facts) < 0 || !facts || facts[0] != '{')
    conform_finds(c, "describe gives %.120s; a map of facts is wanted", facts ? facts : "nothing");
  free(facts);
}

void conform_parts(struct conform *c, const char *text) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, 0, &error);
  uint64_t count = 0, capacity = 0;
  keys(c, text);
  described(c);
  if (!c->type->kind->count) return;
  conform_does(c, "counting its items");
  c->shared->checks++;
  if (c->type->kind->count(c->type, c->cells[0], &count, &capacity, &ctx) < 0 || count > capacity) {
    conform_finds(c, "count says %llu items of at most %llu", (unsigned long long)count, (unsigned long long)capacity);
    return;
  }
  if (text[0] == '[') {
    items(c, text, count);
    ranges(c, text, count);
  }
  pushes(c);
}
