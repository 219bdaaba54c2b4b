/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * diff_maps.c: maps that may be larger than memory. The entries of one come as they lie, and each key is looked up in the
 * other. Only the keys of entries that differ are kept, so that they can be told in order.
 */
#include "diff.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct maps {
  struct diff *d;
  const struct mm3_field *other; /* where keys are looked up */
  struct tape entry, found, keys;
  uint64_t common;               /* entries of the first that the second has, too */
  bool second;                   /* looking for what only the second has */
};

/* A container whose entries are reached by keys, and may be many. */
bool diff_keyed(const struct mm3_field *field) {
  const struct mm3_type *type = field->type;
  return type && type->flags & MM3_TYPE_HEAP && type->kind->count && type->kind->visit_deep && !type->kind->visit_range;
}

/* The key of an entry, as JSON spells it in an object. -ENOTSUP: such keys cannot be looked up. */
static int key_text(const struct tape *tape, size_t at, char number[32], const char **text, size_t *count) {
  const struct tape_event *key = &tape->events[at];
  *text = number;
  switch ((enum mm3_value_is)key->is) {
    case MM3_TEXT: *text = tape_text(tape, at), *count = (size_t)key->count; return 0;
    case MM3_BOOL: *count = (size_t)snprintf(number, 32, "%s", key->as.integer ? "true" : "false"); return 0;
    case MM3_INT: *count = (size_t)snprintf(number, 32, "%lld", (long long)key->as.integer); return 0;
    case MM3_UINT: *count = (size_t)snprintf(number, 32, "%llu", (unsigned long long)key->as.natural); return 0;
    default: return -ENOTSUP;
  }
}

/* The value of an entry by its key, into the tape. 1: it is there, 0: it is not. */
static int look_up(const struct mm3_field *field, const struct tape *keys, size_t at, struct tape *tape) {
  char number[32];
  const char *text;
  size_t count;
  struct mm3_error error = {0};
  int result = key_text(keys, at, number, &text, &count);
  tape_clear(tape);
  if (!result) result = mm3_field_visit_key(field, text, count, &tape->sink, &error);
  if (result == -MM3_E_VALUE || result == -MM3_E_PATH) return -ENOTSUP;
  return result == -MM3_E_ABSENT ? 0 : result < 0 ? result : 1;
}

/* A map comes with keys, or as a list of pairs. */
static void parts(const struct tape *tape, size_t *key, size_t *value) {
  *key = tape->events[0].is == MM3_MAP ? 1 : 2;
  *value = tape->events[*key].next;
}

static int take_entry(void *arg) {
  struct maps *m = arg;
  size_t key, value;
  parts(&m->entry, &key, &value);
  int there = look_up(m->other, &m->entry, key, &m->found);
  if (there < 0) return there;
  m->common += there == 1;
  if (there && (m->second || !diff_probe(m->d, (struct diff_side){&m->entry, value}, (struct diff_side){&m->found, 0})))
    return m->d->result;
  if (m->d->call->quiet) return m->d->differences++, DIFF_ENOUGH;
  return tape_send(&m->entry, key, &m->keys.sink);
}

static int walk(struct maps *m, const struct mm3_field *from, const struct mm3_field *other) {
  m->other = other;
  tape_clear(&m->entry);
  return mm3_field_visit(from, &m->entry.sink, &m->d->call->error);
}

/* One key that differs: both sides once more, because only the key was kept. */
static void tell(struct maps *m, struct mm3_field fields[2], size_t key) {
  int there_a = look_up(&fields[0], &m->keys, key, &m->entry);
  int there_b = look_up(&fields[1], &m->keys, key, &m->found);
  struct diff_side a = {there_a > 0 ? &m->entry : NULL, 0}, b = {there_b > 0 ? &m->found : NULL, 0};
  size_t back = diff_step_key(m->d, &m->keys, key, false);
  if (a.tape && b.tape) diff_values(m->d, a, b);
  else if (a.tape || b.tape) diff_differ(m->d, a, b);
  diff_step_back(m->d, back);
}

static const struct tape *ordered; /* for qsort */

static int by_key(const void *a, const void *b) { return tape_order(ordered, *(const uint32_t *)a, ordered, *(const uint32_t *)b); }

static int tell_all(struct maps *m, struct mm3_field fields[2]) {
  size_t count = m->keys.used;
  uint32_t *order = calloc(count + 1, sizeof *order);
  if (!order) return -ENOMEM;
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  ordered = &m->keys;
  qsort(order, count, sizeof *order, by_key);
  m->entry.item = NULL;
  for (size_t i = 0; i < count && !m->d->result; i++) tell(m, fields, order[i]);
  free(order);
  return 0;
}

/* Keys that cannot be looked up: both whole, in memory. */
static void compare_whole(struct maps *m, struct mm3_field fields[2]) {
  m->entry.item = NULL;
  if (diff_visit(m->d, &fields[0], &m->entry) == 0 && diff_visit(m->d, &fields[1], &m->found) == 0)
    diff_pairs(m->d, (struct diff_side){&m->entry, 0}, (struct diff_side){&m->found, 0});
}

void diff_maps(struct diff *d, struct mm3_field fields[2]) {
  struct maps m = {.d = d};
  uint64_t count = 0, capacity;
  tape_init(&m.entry);
  tape_init(&m.found);
  tape_init(&m.keys);
  m.entry.item = take_entry;
  m.entry.arg = &m;
  int result = walk(&m, &fields[0], &fields[1]);
  if (!result) result = mm3_field_count(&fields[1], &count, &capacity);
  m.second = true;
  if (!result && m.common != count) result = walk(&m, &fields[1], &fields[0]);
  if (result == -ENOTSUP) compare_whole(&m, fields);
  else if (!result) result = tell_all(&m, fields);
  if (result && result != -ENOTSUP && !d->result) {
    d->result = result;
    if (result != DIFF_ENOUGH && d->call->error.code != result)
      mm3_error_set(&d->call->error, result, "field '%s': %s", d->path, mm3_strerror(result));
  }
  tape_free(&m.entry);
  tape_free(&m.found);
  tape_free(&m.keys);
}
