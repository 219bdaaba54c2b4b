/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* diff_places.c: a place that both files have: equal bytes are an end, and what is long is looked at a part at a time. */
#include "diff.h"
#include <errno.h>
#include <mm3/guard.h>
#include <string.h>

enum { WINDOW = 4096 /* items */, WINDOW_BYTES = 65536, TAPE_LIMIT = 1 << 20, LARGE = 65536 };

int diff_visit(struct diff *d, const struct mm3_field *field, struct tape *tape) {
  struct mm3_error *error = &d->call->error;
  tape_clear(tape);
  error->code = 0;
  error->text[0] = 0;
  int result = mm3_field_visit(field, &tape->sink, error);
  if (result == -EOVERFLOW && tape->limit) return result;
  if (result && !error->text[0]) mm3_error_set(error, result, "field '%s': %s", d->path, mm3_strerror(result));
  return d->result = result;
}

/* ---- bytes ---- */

struct bytes {
  const struct mm3_field *a, *b;
};

static int compare_bytes(void *arg) {
  const struct bytes *bytes = arg;
  return memcmp(bytes->a->bytes, bytes->b->bytes, (size_t)bytes->a->size) == 0;
}

static int compare_guarded(void *arg) {
  const struct bytes *bytes = arg;
  return mm3_guard_run_file(bytes->b->file, compare_bytes, arg);
}

/* The same bytes of the same type, all of it in one place, are the same value. A page that has fallen away is told by the
 * visit that follows. */
static bool same_bytes(const struct mm3_field *a, const struct mm3_field *b) {
  struct bytes bytes = {a, b};
  if (a->size != b->size || !a->type != !b->type) return false;
  if (a->type && (strcmp(a->type->text, b->type->text) != 0 || a->type->flags & MM3_TYPE_HEAP)) return false;
  return mm3_guard_run_file(a->file, compare_guarded, &bytes) == 1;
}

/* ---- structs ---- */

static bool has_member(const struct mm3_type *type, const char *name) {
  for (uint32_t i = 0; i < type->nmembers; i++)
    if (strcmp(type->members[i].name, name) == 0) return true;
  return false;
}

/* A member that only one of two structs has. */
static void compare_one(struct diff *d, int which) {
  struct mm3_field field;
  struct tape tape;
  tape_init(&tape);
  d->result = mm3_field_find(d->files[which], d->path, &field, &d->call->error);
  if ((!d->result || d->result == -MM3_E_MODULE) && diff_visit(d, &field, &tape) == 0) {
    struct diff_side there = {&tape, 0}, none = {NULL, 0};
    diff_differ(d, which ? none : there, which ? there : none);
  }
  tape_free(&tape);
}

static void compare_structs(struct diff *d, const struct mm3_type *a, const struct mm3_type *b) {
  for (uint32_t i = 0; i < a->nmembers && !d->result; i++) {
    size_t back = diff_step_name(d, a->members[i].name);
    if (has_member(b, a->members[i].name)) diff_places(d);
    else compare_one(d, 0);
    diff_step_back(d, back);
  }
  for (uint32_t i = 0; i < b->nmembers && !d->result; i++) {
    if (has_member(a, b->members[i].name)) continue;
    size_t back = diff_step_name(d, b->members[i].name);
    compare_one(d, 1);
    diff_step_back(d, back);
  }
}

/* ---- lists ---- */

static bool is_list(const struct mm3_field *field) {
  return field->type && field->type->kind->count && field->type->kind->visit_range;
}

static int visit_window(struct diff *d, struct mm3_field *field, uint64_t count, uint64_t first, uint64_t last,
                        struct tape *tape) {
  field->sliced = 1;
  field->first = first < count ? first : count;
  field->last = last < count ? last : count;
  tape->limit = last - first > 1 ? TAPE_LIMIT : 0; /* one item is held whatever it takes */
  return diff_visit(d, field, tape);
}

/* The items from `from` on, some at a time: fewer where they turn out to be long. */
static void compare_items(struct diff *d, struct mm3_field fields[2], const uint64_t counts[2], uint64_t from, uint64_t item) {
  struct tape tapes[2];
  uint64_t end = counts[0] > counts[1] ? counts[0] : counts[1], most = item > WINDOW_BYTES / WINDOW ? WINDOW_BYTES / item : WINDOW;
  uint64_t window = most ? most : 1;
  tape_init(&tapes[0]);
  tape_init(&tapes[1]);
  while (from < end && !d->result) {
    uint64_t last = end - from < window ? end : from + window;
    int result = visit_window(d, &fields[0], counts[0], from, last, &tapes[0]);
    if (!result) result = visit_window(d, &fields[1], counts[1], from, last, &tapes[1]);
    if (result == -EOVERFLOW && last - from > 1) {
      window = (last - from) / 8 + 1;
      continue;
    }
    if (!result && !tape_same(&tapes[0], &tapes[1]))
      diff_items(d, (struct diff_side){&tapes[0], 0}, (struct diff_side){&tapes[1], 0}, from);
    from = last;
  }
  tape_free(&tapes[0]);
  tape_free(&tapes[1]);
}

static void compare_long_items(struct diff *d, uint64_t count) {
  for (uint64_t i = 0; i < count && !d->result; i++) {
    size_t back = diff_step_index(d, i);
    diff_places(d);
    diff_step_back(d, back);
  }
}

static void compare_lists(struct diff *d, struct mm3_field fields[2]) {
  uint64_t counts[2] = {0, 0}, capacity, item = 0, from = 0;
  struct mm3_field first;
  for (int k = 0; k < 2 && !d->result; k++) d->result = mm3_field_count(&fields[k], &counts[k], &capacity);
  size_t back = diff_step_index(d, 0);
  if (counts[0] && counts[1] && mm3_field_find(d->files[0], d->path, &first, NULL) == 0) item = first.size;
  diff_step_back(d, back);
  if (item > LARGE && (is_list(&first) || first.type->nmembers)) {
    from = counts[0] < counts[1] ? counts[0] : counts[1];
    compare_long_items(d, from);
  }
  compare_items(d, fields, counts, from, item);
}

static void compare_whole(struct diff *d, const struct mm3_field *a, const struct mm3_field *b) {
  struct tape tapes[2];
  tape_init(&tapes[0]);
  tape_init(&tapes[1]);
  if (diff_visit(d, a, &tapes[0]) == 0 && diff_visit(d, b, &tapes[1]) == 0)
    diff_values(d, (struct diff_side){&tapes[0], 0}, (struct diff_side){&tapes[1], 0});
  tape_free(&tapes[0]);
  tape_free(&tapes[1]);
}

void diff_places(struct diff *d) {
  struct mm3_field fields[2];
  for (int k = 0; k < 2; k++) {
    int result = mm3_field_find(d->files[k], d->path, &fields[k], &d->call->error);
    if (result == -MM3_E_ABSENT) return; /* it was taken away meanwhile */
    if (result && result != -MM3_E_MODULE) d->result = result;
    if (d->result) return;
  }
  if (same_bytes(&fields[0], &fields[1])) return;
  if (fields[0].type && fields[1].type && fields[0].type->nmembers && fields[1].type->nmembers)
    compare_structs(d, fields[0].type, fields[1].type);
  else if (is_list(&fields[0]) && is_list(&fields[1])) compare_lists(d, fields);
  else if (diff_keyed(&fields[0]) && diff_keyed(&fields[1])) diff_maps(d, fields);
  else compare_whole(d, &fields[0], &fields[1]);
}
