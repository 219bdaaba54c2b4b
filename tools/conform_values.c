/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform_values.c: values in and out of a cell, through the rows of its kind. */
#include "conform.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const conform_candidates[] = {
    "0", "1", "7", "18446744073709551615", "true", "1.5", "\"a\"", "\"\"", "\"abc\"", "\"h\\u00e9\"", "\"010203\"",
    "null", "[]", "[1]", "[1, 2]", "[3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]", "[true]", "[1.5]",
    "[\"a\"]",
    "[\"a\", \"bc\"]", "[\"a\", \"\", \"bc\", \"d\"]", "[\"010203\", \"ffffff\"]", "[\"010203\"]", "[[1], [1, 2]]",
    "[[1, 2], [3, 4]]", "[0, 1, 2]", "[0, 1, 2, 3, 4]", "[0, 1, 2, 3, 4, 5, 6, 7]", "{}", "{\"a\": 1}",
    "{\"a\": 1, \"b\": 2, \"\": 3}", "{\"1\": 1, \"20\": 2}", "{\"a\": \"b\", \"c\": \"\"}", "{\"1\": \"b\"}",
    "{\"010203\": 4}", "{\"a\": [1, 2.5, null]}", "{\"count\": 1}", NULL};

struct mm3_ctx conform_ctx(const struct conform *c, int cell, uint32_t flags, struct mm3_error *error) {
  *error = (struct mm3_error){0};
  return (struct mm3_ctx){.size = sizeof(struct mm3_ctx), .flags = flags | (c->in_file ? MM3_CTX_LOCKED : 0),
                          .file = c->in_file ? c->file : NULL, .error = error,
                          .field = c->in_file ? (uint32_t)cell : UINT32_MAX};
}

/* A negative result comes with a code that there is and a sentence. */
static int answered(struct conform *c, const char *row, int result, const struct mm3_error *error) {
  c->shared->checks++;
  if (result >= 0) return result;
  if (strcmp(mm3_error_name(-result), "?") == 0 && strcmp(mm3_error_name(result), "?") == 0)
    conform_finds(c, "%s returned %d, which is no error code", row, result);
  else if (!error->text[0] && result != -ENOMEM && result != -MM3_E_AGAIN)
    conform_finds(c, "%s failed (%s) without a sentence: it must call mm3_ctx_fail", row, mm3_error_name(result));
  else if (error->text[0] && error->code != result)
    conform_finds(c, "%s returned %s, but its sentence was for %s", row, mm3_error_name(result),
                  mm3_error_name(error->code));
  return result;
}

int conform_fresh(struct conform *c, int cell) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, cell, MM3_CTX_WRITABLE, &error);
  if (c->in_file) return answered(c, "clear", mm3_type_clear(c->type, c->cells[cell], &ctx), &error);
  memset(c->cells[cell], 0, (size_t)c->type->size);
  conform_dirt(c);
  return answered(c, "init", mm3_type_init(c->type, c->cells[cell], &ctx), &error);
}

int conform_check(struct conform *c, int cell) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, cell, 0, &error);
  return answered(c, "check", mm3_type_check(c->type, c->cells[cell], &ctx), &error);
}

typedef int put_row(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);

static int give(struct conform *c, const char *row, put_row *put, int cell, const char *json, uint32_t flags) {
  struct mm3j_doc *doc;
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, cell, flags | MM3_CTX_WRITABLE, &error);
  int result = mm3j_parse(json, strlen(json), &doc, &error);
  if (result) return result;
  conform_dirt(c);
  result = put(c->type, c->cells[cell], mm3j_value(doc), &ctx);
  mm3j_free(doc); /* a kind that kept a pointer into it is found out by the next visit */
  return answered(c, row, result, &error);
}

int conform_put(struct conform *c, int cell, const char *json, uint32_t flags) {
  return give(c, "put", mm3_type_put, cell, json, flags);
}

int conform_push(struct conform *c, int cell, const char *json, uint32_t flags) {
  return give(c, "push", c->type->kind->push, cell, json, flags);
}

/* ---- values out ---- */

struct text {
  char *bytes;
  size_t count;
};

static int take(void *arg, const char *bytes, size_t count) {
  struct text *text = arg;
  char *grown = realloc(text->bytes, text->count + count + 1);
  if (!grown) return -ENOMEM;
  memcpy(grown + text->count, bytes, count);
  *text = (struct text){grown, text->count + count};
  grown[text->count] = 0;
  return 0;
}

int conform_sink(char **to, int (*visit)(void *arg, struct mm3_sink *sink), void *arg) {
  struct text text = {NULL, 0};
  struct mm3j_writer w;
  char buffer[4096];
  mm3j_writer_init(&w, MM3J_JSON, buffer, sizeof buffer, take, &text);
  int result = visit(arg, &w.sink);
  if (result >= 0) result = mm3j_writer_flush(&w);
  if (result < 0) {
    free(text.bytes);
    text.bytes = NULL;
  }
  *to = text.bytes;
  return result;
}

struct visit {
  struct conform *c;
  int cell, ranged;
  uint64_t first, last;
};

static int visit_cell(void *arg, struct mm3_sink *sink) {
  struct visit *v = arg;
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(v->c, v->cell, MM3_CTX_RAW, &error);
  const struct mm3_type *type = v->c->type;
  int result = v->ranged ? type->kind->visit_range(type, v->c->cells[v->cell], v->first, v->last, sink, &ctx)
                         : mm3_type_visit(type, v->c->cells[v->cell], sink, &ctx);
  return answered(v->c, v->ranged ? "visit_range" : "visit", result, &error);
}

int conform_text(struct conform *c, int cell, char **text) {
  struct visit v = {c, cell, 0, 0, 0};
  int result = conform_sink(text, visit_cell, &v);
  if (result >= 0 && !*text) return conform_finds(c, "visit gave nothing to the sink"), -MM3_E_DAMAGED;
  return result;
}

int conform_range(struct conform *c, int cell, uint64_t first, uint64_t last, char **text) {
  struct visit v = {c, cell, 1, first, last};
  return conform_sink(text, visit_cell, &v);
}

static int describe_cell(void *arg, struct mm3_sink *sink) {
  struct visit *v = arg;
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(v->c, v->cell, 0, &error);
  return answered(v->c, "describe", v->c->type->kind->describe(v->c->type, v->c->cells[v->cell], sink, &ctx), &error);
}

int conform_described(struct conform *c, int cell, char **text) {
  struct visit v = {c, cell, 0, 0, 0};
  return conform_sink(text, describe_cell, &v);
}

static int value_equal(const struct mm3_value *a, const struct mm3_value *b);

/* Each pair of one is a pair of the other. */
static int map_in(const struct mm3_value *a, const struct mm3_value *b) {
  struct mm3_value key, item, other_key, other;
  void *cursor = NULL;
  while (a->count && a->source->next(a, &cursor, &key, &item) == 1) {
    void *inner = NULL;
    int found = 0;
    while (!found && b->count && b->source->next(b, &inner, &other_key, &other) == 1)
      found = value_equal(&key, &other_key) && value_equal(&item, &other);
    if (!found) return 0;
  }
  return 1;
}

static int value_equal(const struct mm3_value *a, const struct mm3_value *b) {
  struct mm3_value key, item, other;
  void *at = NULL, *bt = NULL;
  if (a->is != b->is || a->count != b->count) return 0;
  switch (a->is) {
    case MM3_NULL: return 1;
    case MM3_BOOL: return a->as.boolean == b->as.boolean;
    case MM3_INT: return a->as.integer == b->as.integer;
    case MM3_UINT: return a->as.natural == b->as.natural;
    case MM3_REAL: return memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0;
    case MM3_TEXT: return memcmp(a->as.text, b->as.text, a->count) == 0;
    case MM3_LIST:
      for (size_t i = 0; i < a->count; i++)
        if (a->source->next(a, &at, &key, &item) != 1 || b->source->next(b, &bt, &key, &other) != 1 ||
            !value_equal(&item, &other)) return 0;
      return 1;
    case MM3_MAP: return map_in(a, b);
  }
  return 0;
}

int conform_same_text(const char *a, const char *b) {
  struct mm3j_doc *ad, *bd;
  if (!a || !b) return 0;
  if (strcmp(a, b) == 0) return 1;
  if (mm3j_parse(a, strlen(a), &ad, NULL)) return 0;
  int same = 0;
  if (mm3j_parse(b, strlen(b), &bd, NULL) == 0) {
    same = value_equal(mm3j_value(ad), mm3j_value(bd));
    mm3j_free(bd);
  }
  mm3j_free(ad);
  return same;
}
