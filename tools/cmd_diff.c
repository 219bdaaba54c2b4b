/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_diff.c: mm3 diff: two files by path, the schema first. */
#include "commands.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct diff {
  struct call *call;
  struct mm3_file *files[2];
  struct mm3j_writer writer;
  double tolerance;
  uint64_t differences;
  char path[1024];
  int result;
};

/* One side of a line: the value in JSON, or nothing. */
static int side(struct diff *d, const char *key, const struct mm3_value *value) {
  struct mm3j_writer *w = &d->writer;
  if (d->call->json) {
    if (!value) return 0;
    int result = out_key(w, key);
    return result ? result : mm3j_send(&w->sink, value);
  }
  if (!value) return mm3j_write(w, "(absent)", 8);
  w->comma = w->after_key = false;
  w->depth = 2; /* quoted as inside of a JSON text */
  int result = mm3j_send(&w->sink, value);
  w->depth = 0;
  w->comma = false;
  return result;
}

static void differ(struct diff *d, const struct mm3_value *a, const struct mm3_value *b) {
  struct mm3j_writer *w = &d->writer;
  int result = d->result;
  d->differences++;
  if (d->call->quiet || result) return;
  if (d->call->json) {
    result = out_open(w, NULL, '{');
    if (!result) result = out_text(w, "path", d->path);
    if (!result) result = side(d, "a", a);
    if (!result) result = side(d, "b", b);
    if (!result) result = out_close(w, '}');
  } else {
    const char *between = d->call->plain ? "\t" : ": ", *arrow = d->call->plain ? "\t" : " -> ";
    result = mm3j_write(w, d->path, strlen(d->path));
    if (!result) result = mm3j_write(w, between, strlen(between));
    if (!result) result = side(d, NULL, a);
    if (!result) result = mm3j_write(w, arrow, strlen(arrow));
    if (!result) result = side(d, NULL, b);
    if (!result) result = mm3j_write(w, "\n", 1);
  }
  d->result = result;
}

static bool same_real(const struct diff *d, double a, double b) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  double larger = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
  return a == b || (isfinite(larger) && fabs(a - b) <= d->tolerance * larger);
}

static bool same_leaf(const struct diff *d, const struct mm3_value *a, const struct mm3_value *b) {
  if (a->is != b->is) return false;
  switch (a->is) {
    case MM3_NULL: return true;
    case MM3_BOOL: return a->as.boolean == b->as.boolean;
    case MM3_INT: return a->as.integer == b->as.integer;
    case MM3_UINT: return a->as.natural == b->as.natural;
    case MM3_REAL: return same_real(d, a->as.real, b->as.real);
    case MM3_TEXT: return a->count == b->count && memcmp(a->as.text, b->as.text, a->count) == 0;
    default: return a->count == 0 && b->count == 0;
  }
}

static bool is_name(const char *text) {
  return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == 0 &&
         !(*text >= '0' && *text <= '9') && *text;
}

/* Adds a step to the path; returns the length to go back to. */
static size_t step(struct diff *d, const char *name, uint64_t index) {
  size_t length = strlen(d->path), left = sizeof d->path - length;
  char *at = d->path + length;
  if (!name) snprintf(at, left, "[%llu]", (unsigned long long)index);
  else if (is_name(name)) snprintf(at, left, "%s%s", length ? "." : "", name);
  else snprintf(at, left, "[\"%s\"]", name);
  return length;
}

static void compare(struct diff *d, const struct mm3_value *a, const struct mm3_value *b);

static void compare_lists(struct diff *d, const struct mm3_value *a, const struct mm3_value *b) {
  struct mm3_value key, x, y;
  void *in_a = NULL, *in_b = NULL;
  for (uint64_t i = 0; i < a->count || i < b->count; i++) {
    bool has_a = a->source->next(a, &in_a, &key, &x), has_b = b->source->next(b, &in_b, &key, &y);
    size_t back = step(d, NULL, i);
    if (has_a && has_b) compare(d, &x, &y);
    else differ(d, has_a ? &x : NULL, has_b ? &y : NULL);
    d->path[back] = 0;
  }
}

static int by_key(const void *a, const void *b) {
  const struct mm3_value *x = a, *y = b;
  int order = memcmp(x->as.text, y->as.text, x->count < y->count ? x->count : y->count);
  return order ? order : (x->count > y->count) - (x->count < y->count);
}

/* Keys and values by turns, in the order of the keys. */
static struct mm3_value *sorted(const struct mm3_value *map) {
  struct mm3_value *pairs = calloc(map->count * 2 + 1, sizeof *pairs);
  void *cursor = NULL;
  for (size_t i = 0; pairs && i < map->count; i++) map->source->next(map, &cursor, &pairs[2 * i], &pairs[2 * i + 1]);
  if (pairs) qsort(pairs, map->count, 2 * sizeof *pairs, by_key);
  return pairs;
}

/* Members of structs keep their order in both files; entries of maps have none. So both are compared as sets. */
static void compare_maps(struct diff *d, const struct mm3_value *a, const struct mm3_value *b) {
  struct mm3_value *x = sorted(a), *y = sorted(b);
  if (!x || !y) d->result = mm3_error_set(&d->call->error, -ENOMEM, "not enough memory to compare");
  for (size_t i = 0, j = 0; x && y && (i < a->count || j < b->count);) {
    int order = i == a->count ? 1 : j == b->count ? -1 : by_key(&x[2 * i], &y[2 * j]);
    size_t back = step(d, order <= 0 ? x[2 * i].as.text : y[2 * j].as.text, 0);
    if (order == 0) compare(d, &x[2 * i + 1], &y[2 * j + 1]);
    else differ(d, order < 0 ? &x[2 * i + 1] : NULL, order < 0 ? NULL : &y[2 * j + 1]);
    d->path[back] = 0;
    i += order <= 0;
    j += order >= 0;
  }
  free(x);
  free(y);
}

static void compare(struct diff *d, const struct mm3_value *a, const struct mm3_value *b) {
  if (d->result) return;
  if (a->is == MM3_LIST && b->is == MM3_LIST) compare_lists(d, a, b);
  else if (a->is == MM3_MAP && b->is == MM3_MAP) compare_maps(d, a, b);
  else if (!same_leaf(d, a, b)) differ(d, a, b);
}

static int visit_field(void *arg, struct mm3_sink *sink) {
  struct mm3_field *field = arg;
  return mm3_field_visit(field, sink, NULL);
}

static int capture(struct diff *d, int which, const char *name, struct mm3j_doc **doc) {
  struct mm3_field field;
  int result = mm3_field_find(d->files[which], name, &field, &d->call->error);
  if (result && result != -MM3_E_MODULE) return result;
  result = mm3j_capture(visit_field, &field, doc, &d->call->error);
  if (result && !d->call->error.text[0])
    mm3_error_set(&d->call->error, result, "field '%s': %s", name, mm3_strerror(result));
  return result;
}

static void compare_field(struct diff *d, const char *name) {
  struct mm3j_doc *a = NULL, *b = NULL;
  d->result = capture(d, 0, name, &a);
  if (!d->result) d->result = capture(d, 1, name, &b);
  snprintf(d->path, sizeof d->path, "%s", name);
  if (!d->result) compare(d, mm3j_value(a), mm3j_value(b));
  mm3j_free(a);
  mm3j_free(b);
}

static bool member(const struct mm3_file *file, const char *name, struct mm3_member_info *info) {
  for (uint32_t i = 0; mm3_file_member(file, i, info) == 0; i++)
    if (strcmp(info->name, name) == 0) return true;
  return false;
}

/* A field whose type differs, or that only one file has. The values of a field that both have are compared anyway. */
static void compare_types(struct diff *d, const char *name, const char *a, const char *b) {
  struct mm3_value x = mm3j_text(a ? a : "", a ? strlen(a) : 0), y = mm3j_text(b ? b : "", b ? strlen(b) : 0);
  snprintf(d->path, sizeof d->path, d->call->json ? "%s" : "%s (type)", name);
  differ(d, a ? &x : NULL, b ? &y : NULL);
}

static int diff_files(struct diff *d) {
  struct mm3_member_info a, b;
  out_begin(d->call, &d->writer);
  if (d->call->json) {
    d->result = out_open(&d->writer, NULL, '{');
    if (!d->result) d->result = out_number(&d->writer, "version", 1);
    if (!d->result) d->result = out_open(&d->writer, "schema", '[');
  }
  for (uint32_t i = 0; mm3_file_member(d->files[0], i, &a) == 0; i++) {
    bool both = member(d->files[1], a.name, &b);
    if (!both || strcmp(a.text, b.text) != 0) compare_types(d, a.name, a.text, both ? b.text : NULL);
  }
  for (uint32_t i = 0; mm3_file_member(d->files[1], i, &b) == 0; i++)
    if (!member(d->files[0], b.name, &a)) compare_types(d, b.name, NULL, b.text);
  if (d->call->json && !d->result) d->result = out_close(&d->writer, ']');
  if (d->call->json && !d->result) d->result = out_open(&d->writer, "values", '[');
  for (uint32_t i = 0; !d->result && mm3_file_member(d->files[0], i, &a) == 0; i++)
    if (member(d->files[1], a.name, &b)) compare_field(d, a.name);
  if (d->call->json && !d->result) d->result = out_close(&d->writer, ']');
  if (d->call->json && !d->result) d->result = out_close(&d->writer, '}');
  if (!d->call->json) d->writer.written = 0; /* its lines are ended already */
  int code = out_end(d->call, &d->writer, d->result);
  return code ? code : d->differences ? EXIT_NO : EXIT_DONE;
}

static const struct option_row options[] = {{'t', "tolerance", "X", "floats may differ by this part of the larger"},
                                            {0, NULL, NULL, NULL}};

static int diff_run(struct call *call) {
  static struct diff diff;
  const char *tolerance = call_option(call, "tolerance");
  diff = (struct diff){.call = call};
  if (tolerance) {
    char *end;
    diff.tolerance = strtod(tolerance, &end);
    if (*end || end == tolerance || !(diff.tolerance >= 0))
      return fail_usage(call, "option '--tolerance' wants a number such as 1e-9, not '%s'", tolerance);
  }
  for (int i = 0; i < 2; i++) {
    diff.files[i] = open_reading(call, call->argv[i]);
    if (!diff.files[i]) return i ? close_file(call, diff.files[0], fail(call)) : fail(call);
  }
  int code = diff_files(&diff);
  code = close_file(call, diff.files[0], code);
  return close_file(call, diff.files[1], code);
}

const struct command command_diff = {
    .name = "diff", .operands = "A B", .brief = "compare two files by path: exit 1 when they differ",
    .detail = "Types first, then values: path: value in A -> value in B. --quiet prints nothing.",
    .options = options, .least = 2, .most = 2, .run = diff_run};
