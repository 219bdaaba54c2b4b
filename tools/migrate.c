/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * migrate.c: every value goes out through its kind's visit and in through the other kind's put; then it is read back and
 * compared. So no kind needs a rule for what it may become: what comes back the same was carried over.
 */
#include "migrate.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 4096 /* items of a log at a time */ };

static struct migrate_row *report(struct migrate *m, enum migrate_action action, const char *path,
                                  const struct mm3_type *from, const struct mm3_type *to) {
  static struct migrate_row nowhere;
  if (m->count == m->room) {
    size_t room = m->room ? m->room * 2 : 64;
    struct migrate_row *rows = realloc(m->rows, room * sizeof *rows);
    if (!rows) return &nowhere;
    m->rows = rows;
    m->room = room;
  }
  struct migrate_row *row = &m->rows[m->count++];
  *row = (struct migrate_row){.action = action};
  snprintf(row->path, sizeof row->path, "%s", path);
  snprintf(row->from, sizeof row->from, "%s", from ? from->text : "");
  snprintf(row->to, sizeof row->to, "%s", to ? to->text : "");
  m->lost += action >= MIGRATE_DROPPED;
  return row;
}

/* ---- one value ----------------------------------------------------------------------------------------------------- */

struct reading {
  const struct mm3_field *field;
  const struct mm3_type *other;
  char *left_out;
  size_t size;
  struct mm3_error *error;
};

static int read_shaped(void *arg, struct mm3_sink *sink) {
  struct reading *r = arg;
  struct shape shape;
  shape_init(&shape, r->field->type, r->other, sink);
  shape.left_out = r->left_out;
  shape.size = r->size;
  return mm3_field_visit(r->field, &shape.sink, r->error);
}

/* The value as far as the other type has names for it. */
static int capture(const struct mm3_field *field, const struct mm3_type *other, char *left_out, size_t size,
                   struct mm3j_doc **doc, struct mm3_error *error) {
  return mm3j_capture(read_shaped, &(struct reading){field, other, left_out, size, error}, doc, error);
}

static int step_path(char *path, size_t size, const char *base, uint64_t first, uint64_t last) {
  int length = last ? snprintf(path, size, "%s[%llu:%llu]", base, (unsigned long long)first, (unsigned long long)last)
                    : snprintf(path, size, "%s[%llu]", base, (unsigned long long)first);
  return length < (int)size ? 0 : -ENAMETOOLONG;
}

/* Items of a list, one by one, where it does not go in whole. Returns how many were not taken, or a negative code. */
static int64_t put_items(struct migrate *m, const char *path, const struct mm3_value *list, struct mm3_error *why) {
  struct mm3_value key, item;
  struct mm3_field to;
  struct mm3_error error = {0};
  void *cursor = NULL;
  char inner[300];
  int64_t refused = 0;
  for (uint64_t i = 0; list->source->next(list, &cursor, &key, &item); i++) {
    int result = step_path(inner, sizeof inner, path, i, 0);
    if (!result) result = mm3_field_find(m->to, inner, &to, &error);
    if (!result) result = mm3_field_put(&to, &item, &error);
    else if (result == -MM3_E_ABSENT && !(result = mm3_field_find(m->to, path, &to, &error)))
      result = mm3_field_push(&to, &item, &error);
    if (result && !refused++) *why = error;
  }
  return refused;
}

/* Whole, or else its items. 0: all of it went in, 1: a part, *why says what the first refusal was; negative: nothing. */
static int put_value(struct migrate *m, const char *path, struct mm3_field *to, const struct mm3j_doc *doc,
                     struct mm3_error *why) {
  const struct mm3_value *value = mm3j_value(doc);
  int result = mm3_field_put(to, value, why);
  if (!result || value->is != MM3_LIST) return result;
  return put_items(m, path, value, why) ? 1 : 0;
}

/* The same all the way down: then what was put is what is there, and a map's pairs may come in another order. */
static bool same_type(const struct mm3_type *a, const struct mm3_type *b) {
  if (a == b) return true;
  if (!a || !b || strcmp(a->text, b->text) != 0 || a->nmembers != b->nmembers || a->nargs != b->nargs) return false;
  for (uint32_t i = 0; i < a->nmembers; i++)
    if (strcmp(a->members[i].name, b->members[i].name) != 0 || !same_type(a->members[i].type, b->members[i].type)) return false;
  for (uint32_t i = 0; i < a->nargs; i++)
    if (a->args[i].is == MM3_ARG_TYPE && !same_type(a->args[i].type, b->args[i].type)) return false;
  return true;
}

static int verify(const struct mm3_field *from, const struct mm3_field *to, const struct mm3j_doc *sent,
                  struct mm3_error *error) {
  struct mm3j_doc *back;
  if (same_type(from->type, to->type)) return 0;
  int result = capture(to, from->type, NULL, 0, &back, error);
  if (result) return result;
  bool same = mm3j_same(sent, back);
  mm3j_free(back);
  return same ? 0 : mm3_error_set(error, -MM3_E_VALUE, "the value comes back as another one");
}

static void say_lost(struct migrate *m, const char *path, const struct mm3_field *from, const struct mm3_field *to,
                     const struct mm3_error *error) {
  struct migrate_row *row = report(m, MIGRATE_LOST, path, from->type, to->type);
  const char *text = error->text[0] ? error->text : mm3_strerror(error->code), *at;
  if (error->file[0] && strncmp(text, error->file, strlen(error->file)) == 0) text += strlen(error->file) + 2;
  if (strncmp(text, "field '", 7) == 0 && (at = strstr(text, "': "))) text = at + 3; /* the row says which */
  snprintf(row->note, sizeof row->note, "%.*s", (int)sizeof row->note - 1, text);
}

/* ---- a log: in pieces, so that memory stays flat -------------------------------------------------------------------- */

static int push_all(struct mm3_field *to, const struct mm3_value *list, struct mm3_error *error) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int result = 0;
  while (!result && list->source->next(list, &cursor, &key, &item)) result = mm3_field_push(to, &item, error);
  return result;
}

static int copy_chunk(struct migrate *m, const char *path, uint64_t first, uint64_t last, char *left_out, size_t size,
                      struct mm3_error *error) {
  struct mm3_field from, to, whole;
  struct mm3j_doc *doc = NULL;
  char inner[300];
  int result = step_path(inner, sizeof inner, path, first, last);
  if (!result) result = mm3_field_find(m->from, inner, &from, error);
  if (!result) result = mm3_field_find(m->to, path, &whole, error);
  if (!result) result = capture(&from, whole.type, left_out, size, &doc, error);
  if (!result) result = push_all(&whole, mm3j_value(doc), error);
  if (!result) result = mm3_field_find(m->to, inner, &to, error);
  if (!result) result = verify(&from, &to, doc, error);
  mm3j_free(doc);
  return result;
}

/* Both grow without end, and have slices. */
static bool is_log(struct migrate *m, const char *path, const struct mm3_field *from, const struct mm3_field *to,
                   uint64_t *count) {
  struct mm3_field slice;
  uint64_t capacity, other;
  char inner[300];
  return mm3_field_count(from, count, &capacity) == 0 && *count > CHUNK && mm3_field_count(to, &other, &capacity) == 0 &&
         capacity == UINT64_MAX && step_path(inner, sizeof inner, path, 0, 1) == 0 &&
         mm3_field_find(m->from, inner, &slice, NULL) == 0 && slice.sliced && mm3_field_find(m->to, inner, &slice, NULL) == 0;
}

/* ---- a field ------------------------------------------------------------------------------------------------------- */

static void step(struct migrate *m) {
  struct stat now;
  if (m->progress.wanted && stat(mm3_file_path(m->to), &now) == 0) progress_step(&m->progress, (uint64_t)now.st_size);
}

static void copy_field(struct migrate *m, const char *path, const struct mm3_field *from, struct mm3_field *to) {
  struct mm3_error error = {0};
  struct mm3j_doc *doc = NULL;
  char left_out[300] = "";
  uint64_t count, at = 0;
  int result = 0;
  if (is_log(m, path, from, to, &count)) {
    for (; !result && at < count; at += CHUNK, step(m))
      result = copy_chunk(m, path, at, count - at < CHUNK ? count : at + CHUNK, left_out, sizeof left_out, &error);
  } else {
    result = capture(from, to->type, left_out, sizeof left_out, &doc, &error);
    if (!result) result = put_value(m, path, to, doc, &error);
    if (!result) result = verify(from, to, doc, &error);
    mm3j_free(doc);
  }
  step(m);
  if (result) say_lost(m, path, from, to, &error);
  else if (left_out[0])
    snprintf(report(m, MIGRATE_DROPPED, path, from->type, to->type)->note, 400, "its structs have no %s any more", left_out);
  else
    report(m, strcmp(from->type->text, to->type->text) ? MIGRATE_CHANGED : MIGRATE_KEPT, path, from->type, to->type);
}

static const struct mm3_type *member_type(const struct mm3_type *type, const char *name) {
  for (uint32_t i = 0; i < type->nmembers; i++)
    if (strcmp(type->members[i].name, name) == 0) return type->members[i].type;
  return NULL;
}

static int copy_path(struct migrate *m, const char *path, struct mm3_error *error);

static int copy_members(struct migrate *m, const char *path, const struct mm3_type *from, const struct mm3_type *to,
                        struct mm3_error *error) {
  char inner[200];
  int result = 0;
  for (uint32_t i = 0; i < to->nmembers && !result; i++) {
    const char *name = to->members[i].name;
    if (snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", name) >= (int)sizeof inner) return -ENAMETOOLONG;
    if (member_type(from, name)) result = copy_path(m, inner, error);
    else report(m, MIGRATE_NEW, inner, NULL, to->members[i].type);
  }
  for (uint32_t i = 0; i < from->nmembers && !result; i++) {
    const char *name = from->members[i].name;
    snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", name);
    if (!member_type(to, name)) report(m, MIGRATE_DROPPED, inner, from->members[i].type, NULL);
  }
  return result;
}

static int copy_path(struct migrate *m, const char *path, struct mm3_error *error) {
  struct mm3_field from, to;
  int result = mm3_field_find(m->from, path, &from, error);
  if (!result) result = mm3_field_find(m->to, path, &to, error);
  if (result) return result;
  if (from.type->nmembers && to.type->nmembers) return copy_members(m, path, from.type, to.type, error);
  copy_field(m, path, &from, &to);
  return 0;
}

int migrate_values(struct migrate *m, struct mm3_error *error) { return copy_path(m, "", error); }
