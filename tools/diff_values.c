/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* diff_values.c: two recorded values, and the lines that tell what differs. */
#include "diff.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One side of a line: the value in JSON, or nothing. */
static int print_side(struct diff *d, const char *key, struct diff_side side) {
  struct mm3j_writer *w = &d->writer;
  if (d->call->json) {
    if (!side.tape) return 0;
    int result = out_key(w, key);
    return result ? result : tape_send(side.tape, side.at, &w->sink);
  }
  if (!side.tape) return mm3j_write(w, "(absent)", 8);
  w->comma = w->after_key = false;
  w->depth = 2; /* quoted as inside of a JSON text */
  int result = tape_send(side.tape, side.at, &w->sink);
  w->depth = 0;
  w->comma = false;
  return result;
}

void diff_differ(struct diff *d, struct diff_side a, struct diff_side b) {
  struct mm3j_writer *w = &d->writer;
  if (d->result) return;
  d->differences++;
  if (d->call->quiet || d->probing) {
    d->result = DIFF_ENOUGH;
    return;
  }
  int result;
  if (d->call->json) {
    result = out_open(w, NULL, '{');
    if (!result) result = out_text(w, "path", d->path);
    if (!result) result = print_side(d, "a", a);
    if (!result) result = print_side(d, "b", b);
    if (!result) result = out_close(w, '}');
  } else {
    const char *between = d->call->plain ? "\t" : ": ", *arrow = d->call->plain ? "\t" : " -> ";
    result = mm3j_write(w, d->path, strlen(d->path));
    if (!result) result = mm3j_write(w, between, strlen(between));
    if (!result) result = print_side(d, NULL, a);
    if (!result) result = mm3j_write(w, arrow, strlen(arrow));
    if (!result) result = print_side(d, NULL, b);
    if (!result) result = mm3j_write(w, "\n", 1);
  }
  d->result = result;
}

bool diff_probe(struct diff *d, struct diff_side a, struct diff_side b) {
  uint64_t before = d->differences;
  d->probing = true;
  diff_values(d, a, b);
  d->probing = false;
  bool differ = d->differences > before;
  d->differences = before;
  if (d->result == DIFF_ENOUGH) d->result = 0;
  return differ;
}

/* ---- the path ---- */

size_t diff_step_index(struct diff *d, uint64_t index) {
  size_t length = strlen(d->path);
  snprintf(d->path + length, sizeof d->path - length, "[%llu]", (unsigned long long)index);
  return length;
}

size_t diff_step_name(struct diff *d, const char *name) {
  size_t length = strlen(d->path);
  snprintf(d->path + length, sizeof d->path - length, "%s%s", length ? "." : "", name);
  return length;
}

size_t diff_step_key(struct diff *d, const struct tape *tape, size_t at, bool member) {
  size_t length = strlen(d->path), left = sizeof d->path - length, count = tape->events[at].count;
  char buffer[4096];
  struct mm3j_memory key = {0};
  struct mm3j_writer writer;
  if (member && tape->events[at].is == MM3_TEXT && mm3j_is_name(tape_text(tape, at), count)) {
    snprintf(d->path + length, left, "%s%.*s", length ? "." : "", (int)(count < 1024 ? count : 1024), tape_text(tape, at));
    return length;
  }
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, mm3j_emit_memory, &key);
  int result = tape_send(tape, at, &writer.sink);
  if (!result) result = mm3j_writer_flush(&writer);
  if (result && !d->result) d->result = mm3_error_set(&d->call->error, result, "%s", mm3_strerror(result));
  size_t room = mm3_utf8_cut(key.text ? key.text : "", key.used, left > 3 ? left - 3 : 0);
  snprintf(d->path + length, left, "[%.*s]", (int)room, key.text ? key.text : "");
  free(key.text);
  return length;
}

void diff_step_back(struct diff *d, size_t length) { d->path[length] = 0; }

/* ---- values ---- */

static bool same_real(const struct diff *d, double a, double b) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  double larger = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
  return a == b || (isfinite(larger) && fabs(a - b) <= d->tolerance * larger);
}

static bool same_leaf(const struct diff *d, struct diff_side a, struct diff_side b) {
  const struct tape_event *x = &a.tape->events[a.at], *y = &b.tape->events[b.at];
  if (x->is != y->is) return false;
  if (x->is == MM3_REAL) return same_real(d, x->as.real, y->as.real);
  return tape_order(a.tape, a.at, b.tape, b.at) == 0;
}

static bool is_leaf(struct diff_side side) { return side.tape->events[side.at].is < MM3_LIST; }

void diff_items(struct diff *d, struct diff_side a, struct diff_side b, uint64_t first) {
  size_t end_a = a.tape->events[a.at].next, end_b = b.tape->events[b.at].next;
  a.at++, b.at++;
  for (uint64_t i = first; !d->result && (a.at < end_a || b.at < end_b); i++) {
    bool has_a = a.at < end_a, has_b = b.at < end_b;
    if (!has_a || !has_b || !is_leaf(a) || !is_leaf(b) || !same_leaf(d, a, b)) {
      size_t back = diff_step_index(d, i);
      if (has_a && has_b) diff_values(d, a, b);
      else diff_differ(d, has_a ? a : (struct diff_side){NULL, 0}, has_b ? b : (struct diff_side){NULL, 0});
      diff_step_back(d, back);
    }
    if (has_a) a.at = a.tape->events[a.at].next;
    if (has_b) b.at = b.tape->events[b.at].next;
  }
}

static int by_key(const void *a, const void *b) {
  const struct diff_side *x = a, *y = b;
  return tape_order(x->tape, x->at, y->tape, y->at);
}

/* The keys of a map, or of a list of pairs, in order. */
static struct diff_side *sorted(struct diff_side map) {
  const struct tape_event *events = map.tape->events;
  size_t count = (size_t)events[map.at].count, i = 0, pair = events[map.at].is == MM3_LIST;
  struct diff_side *keys = calloc(count + 1, sizeof *keys);
  for (size_t at = map.at + 1; keys && i < count; at = events[events[at + pair].next].next)
    keys[i++] = (struct diff_side){map.tape, at + pair};
  if (keys) qsort(keys, count, sizeof *keys, by_key);
  return keys;
}

static struct diff_side value_of(struct diff_side key) {
  key.at = key.tape->events[key.at].next;
  return key;
}

/* Entries of maps have no order, and members may come in another one: both are compared as sets. */
static void compare_sets(struct diff *d, struct diff_side a, struct diff_side b, bool members) {
  struct diff_side *x = sorted(a), *y = sorted(b), none = {NULL, 0};
  size_t count_a = (size_t)a.tape->events[a.at].count, count_b = (size_t)b.tape->events[b.at].count;
  if (!x || !y) d->result = mm3_error_set(&d->call->error, -ENOMEM, "not enough memory to compare");
  for (size_t i = 0, j = 0; !d->result && (i < count_a || j < count_b);) {
    int order = i == count_a ? 1 : j == count_b ? -1 : by_key(&x[i], &y[j]);
    struct diff_side key = order <= 0 ? x[i] : y[j];
    size_t back = diff_step_key(d, key.tape, key.at, members);
    if (order == 0) diff_values(d, value_of(x[i]), value_of(y[j]));
    else diff_differ(d, order < 0 ? value_of(key) : none, order < 0 ? none : value_of(key));
    diff_step_back(d, back);
    i += order <= 0;
    j += order >= 0;
  }
  free(x);
  free(y);
}

void diff_pairs(struct diff *d, struct diff_side a, struct diff_side b) { compare_sets(d, a, b, false); }

static bool same_keys(struct diff_side a, struct diff_side b) {
  size_t end_a = a.tape->events[a.at].next, end_b = b.tape->events[b.at].next;
  for (a.at++, b.at++; a.at < end_a && b.at < end_b;) {
    if (by_key(&a, &b) != 0) return false;
    a.at = a.tape->events[a.at + 1].next;
    b.at = b.tape->events[b.at + 1].next;
  }
  return a.at == end_a && b.at == end_b;
}

/* The usual case: structs of one type. */
static void compare_members(struct diff *d, struct diff_side a, struct diff_side b) {
  size_t end = a.tape->events[a.at].next;
  for (a.at++, b.at++; a.at < end && !d->result;) {
    size_t back = diff_step_key(d, a.tape, a.at, true);
    diff_values(d, value_of(a), value_of(b));
    diff_step_back(d, back);
    a.at = a.tape->events[a.at + 1].next;
    b.at = b.tape->events[b.at + 1].next;
  }
}

void diff_values(struct diff *d, struct diff_side a, struct diff_side b) {
  enum mm3_value_is is = a.tape->events[a.at].is, other = b.tape->events[b.at].is;
  if (d->result) return;
  if (is == MM3_LIST && other == MM3_LIST) diff_items(d, a, b, 0);
  else if (is != MM3_MAP || other != MM3_MAP) {
    if (!same_leaf(d, a, b)) diff_differ(d, a, b);
  } else if (same_keys(a, b)) compare_members(d, a, b);
  else compare_sets(d, a, b, true);
}
