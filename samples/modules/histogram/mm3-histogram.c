/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* histogram(M, B): see histogram.h for the bytes. As JSON {"count": n, "sum": n, "max": n, "buckets": {value: n}}, a
 * bucket's value being the least that it counts; h.count, h.sum, h.max, h.mean, h.p50, h["p99.9"] are its parts. */
#include "histogram.h"
#include <errno.h>
#include <inttypes.h>
#include <mm3/module.h>
#include <mm3/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* b and n, as the inline functions take them. */
#define SHAPE(type) (unsigned)(type)->args[1].number, (type)->numbers[0]

static int histogram_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_NUMBER || type->args[1].is != MM3_ARG_NUMBER)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "histogram takes the bits of its largest value and the bits that are kept, "
                                            "as in histogram(32, 5); found %s", type->text);
  uint64_t m = type->args[0].number, b = type->args[1].number;
  if (b > 14 || m <= b || m > 64)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted at most 64 bits, of which 0 to 14, but not all, are kept",
                        type->text);
  type->numbers[0] = HISTOGRAM_BUCKETS(m, b);
  type->size = 16 + 8 * type->numbers[0];
  type->align = 8;
  return 0;
}

static int counts_fit(const struct mm3_type *type, const void *bytes, int code, struct mm3_ctx *ctx) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < type->numbers[0]; i++) {
    uint64_t bucket = __atomic_load_n(histogram_i_bucket(bytes, i), __ATOMIC_RELAXED);
    if (__builtin_add_overflow(count, bucket, &count) || count > INT64_MAX)
      return mm3_ctx_fail(ctx, code, "%s counts 2^63 values or more", type->text);
  }
  return 0;
}

static int histogram_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  return counts_fit(type, bytes, -MM3_E_DAMAGED, ctx);
}

/* ---- values out ---- */

static int send(struct mm3_sink *sink, uint64_t number) {
  return number <= INT64_MAX ? sink->integer(sink, (int64_t)number) : sink->natural(sink, number);
}

static int send_pair(struct mm3_sink *sink, const char *key, uint64_t number) {
  int result = sink->key(sink, key, strlen(key));
  return result < 0 ? result : send(sink, number);
}

static uint64_t sum_of(const void *bytes) { return __atomic_load_n((const uint64_t *)bytes, __ATOMIC_RELAXED); }
static uint64_t max_of(const void *bytes) { return __atomic_load_n((const uint64_t *)bytes + 1, __ATOMIC_RELAXED); }

static int histogram_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  char key[24];
  (void)ctx;
  int result = sink->begin_map(sink, 4);
  if (result >= 0) result = send_pair(sink, "count", histogram_i_count(bytes, SHAPE(type)));
  if (result >= 0) result = send_pair(sink, "sum", sum_of(bytes));
  if (result >= 0) result = send_pair(sink, "max", max_of(bytes));
  if (result >= 0) result = sink->key(sink, "buckets", 7);
  if (result >= 0) result = sink->begin_map(sink, 0);
  for (uint64_t i = 0; i < type->numbers[0] && result >= 0; i++) {
    uint64_t count = __atomic_load_n(histogram_i_bucket(bytes, i), __ATOMIC_RELAXED);
    snprintf(key, sizeof key, "%" PRIu64, histogram_i_value((unsigned)type->args[1].number, i));
    if (count) result = send_pair(sink, key, count);
  }
  if (result >= 0) result = sink->end_map(sink);
  return result < 0 ? result : sink->end_map(sink);
}

static int histogram_visit_deep(const struct mm3_type *type, const void *bytes, const struct mm3_step *steps,
                                size_t nsteps, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  const char *name = steps[0].text;
  char *end = NULL;
  if (nsteps == 1 && steps[0].is != MM3_STEP_INDEX) {
    if (strcmp(name, "count") == 0) return send(sink, histogram_i_count(bytes, SHAPE(type)));
    if (strcmp(name, "sum") == 0) return send(sink, sum_of(bytes));
    if (strcmp(name, "max") == 0) return send(sink, max_of(bytes));
    if (strcmp(name, "mean") == 0) return sink->real(sink, histogram_i_mean(bytes, SHAPE(type)), 64);
    double p = name[0] == 'p' && name[1] >= '0' && name[1] <= '9' ? strtod(name + 1, &end) : 0;
    if (end && !*end && p <= 100) return send(sink, histogram_i_percentile(bytes, SHAPE(type), p));
  }
  return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has the parts count, sum, max, mean, and percentiles: p50, [\"p99.9\"]",
                      type->text);
}

static int histogram_count_row(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                               struct mm3_ctx *ctx) {
  (void)ctx;
  *count = histogram_i_count(bytes, SHAPE(type));
  *capacity = UINT64_MAX;
  return 0;
}

/* ---- values in ---- */

/* A number, or its digits: so JSON has those above 2^63 - 1, and keys. */
static int number_of(const struct mm3_value *value, uint64_t *number) {
  char *end = NULL;
  if (value->is == MM3_INT && value->as.integer >= 0) return *number = (uint64_t)value->as.integer, 0;
  if (value->is == MM3_UINT) return *number = value->as.natural, 0;
  errno = 0;
  if (value->is == MM3_TEXT && value->count && value->as.text[0] >= '0' && value->as.text[0] <= '9')
    *number = strtoull(value->as.text, &end, 10);
  return end == value->as.text + value->count && end && !errno ? 0 : -MM3_E_VALUE;
}

static int histogram_push(const struct mm3_type *type, void *bytes, const struct mm3_value *value,
                          struct mm3_ctx *ctx) {
  uint64_t number;
  if (number_of(value, &number))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s records integers from 0 on, found %s", type->text,
                        mm3_value_name(value));
  if (!(ctx->flags & MM3_CTX_DRY)) histogram_i_record(bytes, SHAPE(type), number, 1);
  return 0;
}

static int take_buckets(const struct mm3_type *type, uint64_t *words, const struct mm3_value *map,
                        struct mm3_ctx *ctx) {
  struct mm3_value key, item;
  void *cursor = NULL;
  uint64_t value, count;
  if (map->is != MM3_MAP)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s: the buckets are an object, found %s", type->text, mm3_value_name(map));
  while (map->count && map->source->next(map, &cursor, &key, &item) == 1) {
    if (number_of(&key, &value) || number_of(&item, &count))
      return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s: buckets are {\"value\": count}; found '%.40s': %s", type->text,
                          key.as.text, mm3_value_name(&item));
    uint64_t *bucket = histogram_i_bucket(words, histogram_i_index(SHAPE(type), value));
    if (__builtin_add_overflow(*bucket, count, bucket))
      return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s cannot count so many of %.40s", type->text, key.as.text);
  }
  return 0;
}

/* An object of the parts that visit gives. What follows from the buckets is not asked for. */
static int take(const struct mm3_type *type, uint64_t *words, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_value key, item;
  void *cursor = NULL;
  uint64_t count;
  int result = 0;
  if (value->is != MM3_MAP)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants {\"sum\": n, \"max\": n, \"buckets\": {...}}, found %s",
                        type->text, mm3_value_name(value));
  while (result == 0 && value->count && value->source->next(value, &cursor, &key, &item) == 1) {
    const char *name = key.as.text;
    uint64_t *to = strcmp(name, "sum") == 0 ? &words[0] : strcmp(name, "max") == 0 ? &words[1] : &count;
    if (strcmp(name, "buckets") == 0) result = take_buckets(type, words, &item, ctx);
    else if (to == &count && strcmp(name, "count") != 0)
      result = mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s has no '%.40s'", type->text, name);
    else if (number_of(&item, to)) result = mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s: '%s' is a number", type->text, name);
  }
  return result ? result : counts_fit(type, words, -MM3_E_VALUE, ctx);
}

static int histogram_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint64_t *words = calloc(1, type->size);
  if (!words) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for a copy of %s", type->text);
  int result = take(type, words, value, ctx);
  for (size_t i = 0; result == 0 && !(ctx->flags & MM3_CTX_DRY) && i < type->size / 8; i++)
    __atomic_store_n((uint64_t *)bytes + i, words[i], __ATOMIC_RELAXED);
  free(words);
  return result;
}

/* ---- killed at every store by `mm3 modules check` ---- */

static int test_record(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  histogram_i_record(bytes, SHAPE(type), 100, 1);
  return 0;
}

/* Another one, that counts 3 and 100 once each, is added. */
static int test_merge(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  uint64_t other[2 + HISTOGRAM_BUCKETS(16, 2)] = {0};
  (void)ctx;
  histogram_i_record(other, SHAPE(type), 3, 1);
  histogram_i_record(other, SHAPE(type), 100, 1);
  histogram_i_merge(bytes, SHAPE(type), other);
  return 0;
}

static int test_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  histogram_i_clear(bytes, SHAPE(type));
  return 0;
}

#define ONE "{\"3\": 1}"
#define BOTH "{\"3\": 1, \"96\": 1}"
#define MORE "{\"3\": 2, \"96\": 1}"
#define SHOWS(now, count, sum, max, buckets) \
  (strcmp(now, "{\"count\": " #count ", \"sum\": " #sum ", \"max\": " #max ", \"buckets\": " buckets "}") == 0)

/* Counted, and sum and max not yet. */
static int may_lag(const char *before, const char *after, const char *now) {
  return strcmp(now, before) == 0 || strcmp(now, after) == 0 || SHOWS(now, 2, 3, 3, BOTH) || SHOWS(now, 2, 103, 3, BOTH);
}

/* Bucket by bucket, then the sum, then the maximum. */
static int may_half_merge(const char *before, const char *after, const char *now) {
  return strcmp(now, before) == 0 || strcmp(now, after) == 0 || SHOWS(now, 2, 3, 3, "{\"3\": 2}") ||
         SHOWS(now, 3, 3, 3, MORE) || SHOWS(now, 3, 106, 3, MORE);
}

/* The sum, then the maximum, then bucket by bucket. */
static int may_half_clear(const char *before, const char *after, const char *now) {
  return strcmp(now, before) == 0 || strcmp(now, after) == 0 || SHOWS(now, 2, 0, 100, BOTH) ||
         SHOWS(now, 2, 0, 0, BOTH) || SHOWS(now, 1, 0, 0, "{\"96\": 1}");
}

static const struct mm3_test_op histogram_test_ops[] = {
    {"histogram record", "histogram(16, 2)", "{\"sum\": 3, \"max\": 3, \"buckets\": " ONE "}", test_record, may_lag},
    {"histogram merge", "histogram(16, 2)", "{\"sum\": 3, \"max\": 3, \"buckets\": " ONE "}", test_merge, may_half_merge},
    {"histogram clear", "histogram(16, 2)", "{\"sum\": 103, \"max\": 100, \"buckets\": " BOTH "}", test_clear,
     may_half_clear},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct mm3_kind histogram_kind = {
    .size = sizeof(struct mm3_kind),
    .layout_version = 1,
    .name = "histogram",
    .signature = "histogram(M, B): how often values below 2^M came, to B bits",
    .layout = histogram_layout,
    .check = histogram_check,
    .visit = histogram_visit,
    .visit_deep = histogram_visit_deep,
    .count = histogram_count_row,
    .put = histogram_put,
    .push = histogram_push,
    .test_ops = histogram_test_ops,
};

static const struct mm3_kind *const kinds[] = {&histogram_kind};
MM3_MODULE(histogram, "1.0", kinds);
