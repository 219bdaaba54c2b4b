/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* bloom(N, K): see bloom.h for the bytes. As JSON {"added": n, "bits": hex of the words' bytes}. */
#include "bloom.h"
#include <errno.h>
#include <mm3/module.h>
#include <mm3/testing.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(const struct mm3_type *type) { return type->args[0].number; }
static unsigned hashes_of(const struct mm3_type *type) { return (unsigned)type->args[1].number; }
static size_t bytes_of(const struct mm3_type *type) { return (size_t)BLOOM_WORDS(bits_of(type)) * 8; }

static int bloom_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_NUMBER || type->args[1].is != MM3_ARG_NUMBER)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "bloom takes bits and hashes, as in bloom(10000, 7); found %s", type->text);
  uint64_t n = type->args[0].number, k = type->args[1].number;
  if (n < 64 || n > BLOOM_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted from 64 to 2^36 bits", type->text);
  if (k < 1 || k > 32) return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted from 1 to 32 hashes", type->text);
  type->size = 8 + BLOOM_WORDS(n) * 8;
  type->align = 8;
  return 0;
}

static int bloom_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint64_t n = bits_of(type), last = __atomic_load_n(bloom_i_word(bytes, n - 1), __ATOMIC_RELAXED);
  if (n % 64 == 0 || last >> n % 64 == 0) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s has bits beyond its last", type->text);
}

static int send_count(uint64_t count, struct mm3_sink *sink) {
  return count <= INT64_MAX ? sink->integer(sink, (int64_t)count) : sink->natural(sink, count);
}

static int bloom_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t *copy = malloc(bytes_of(type));
  if (!copy) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for a copy of %s", type->text);
  for (size_t i = 0; i < bytes_of(type) / 8; i++)
    copy[i] = __atomic_load_n(bloom_i_word(bytes, i * 64), __ATOMIC_RELAXED);
  int result = sink->begin_map(sink, 2);
  if (result >= 0) result = sink->key(sink, "added", 5);
  if (result >= 0) result = send_count(bloom_i_added(bytes), sink);
  if (result >= 0) result = sink->key(sink, "bits", 4);
  if (result >= 0) result = sink->raw(sink, copy, bytes_of(type));
  free(copy);
  return result < 0 ? result : sink->end_map(sink);
}

static int bloom_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                       struct mm3_ctx *ctx) {
  (void)type, (void)ctx;
  *count = bloom_i_added(bytes);
  *capacity = UINT64_MAX;
  return 0;
}

/* Is it in there? ["text"] or [number]. */
static int bloom_visit_deep(const struct mm3_type *type, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                            struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t number = (uint64_t)steps[0].index;
  if (nsteps != 1 || steps[0].is == MM3_STEP_NAME)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s is asked by [\"text\"] or [number]", type->text);
  int is_text = steps[0].is == MM3_STEP_KEY;
  const void *thing = is_text ? (const void *)steps[0].text : &number;
  return sink->boolean(sink, bloom_i_has(bytes, bits_of(type), hashes_of(type), thing,
                                         is_text ? steps[0].count : sizeof number));
}

static int bloom_push(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint64_t number = value->is == MM3_INT ? (uint64_t)value->as.integer : value->is == MM3_UINT ? value->as.natural : 0;
  if (value->is != MM3_INT && value->is != MM3_UINT && value->is != MM3_TEXT)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s takes strings and integers, found %s", type->text,
                        mm3_value_name(value));
  if (ctx->flags & MM3_CTX_DRY) return 0;
  if (value->is == MM3_TEXT) bloom_i_add(bytes, bits_of(type), hashes_of(type), value->as.text, value->count);
  else bloom_i_add(bytes, bits_of(type), hashes_of(type), &number, sizeof number);
  return 0;
}

static int fact(struct mm3_sink *sink, const char *name, uint64_t value) {
  int result = sink->key(sink, name, strlen(name));
  return result < 0 ? result : send_count(value, sink);
}

/* How full it is, and so how often "yes" is wrong. Tools draw `used` and `of`. */
static int bloom_describe(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t set = 0;
  double wrong = 1e6;
  (void)ctx;
  for (uint64_t i = 0; i < bits_of(type); i += 64)
    set += (uint64_t)__builtin_popcountll(__atomic_load_n(bloom_i_word(bytes, i), __ATOMIC_RELAXED));
  for (unsigned k = 0; k < hashes_of(type); k++) wrong *= (double)set / (double)bits_of(type);
  int result = sink->begin_map(sink, 3);
  if (result >= 0) result = fact(sink, "added", bloom_i_added(bytes));
  if (result >= 0) result = fact(sink, "wrong in a million", (uint64_t)wrong);
  if (result >= 0) result = sink->key(sink, "bits", 4);
  if (result >= 0) result = sink->begin_list(sink, 1);
  if (result >= 0) result = sink->begin_map(sink, 2);
  if (result >= 0) result = fact(sink, "used", set);
  if (result >= 0) result = fact(sink, "of", bits_of(type));
  if (result >= 0) result = sink->end_map(sink);
  if (result >= 0) result = sink->end_list(sink);
  return result < 0 ? result : sink->end_map(sink);
}

/* ---- the whole value ---- */

static int nibble(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static int take_bits(const struct mm3_type *type, const struct mm3_value *value, uint64_t *words, struct mm3_ctx *ctx) {
  size_t size = bytes_of(type);
  unsigned char *to = (unsigned char *)words;
  if (value->is != MM3_TEXT || value->count != 2 * size)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants its bits as %zu hexadecimal digits", type->text, 2 * size);
  for (size_t i = 0; i < size; i++) {
    int high = nibble(value->as.text[2 * i]), low = nibble(value->as.text[2 * i + 1]);
    if (high < 0 || low < 0)
      return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s: the bits are lower-case hexadecimal digits", type->text);
    to[i] = (unsigned char)(high << 4 | low);
  }
  if (bits_of(type) % 64 && words[size / 8 - 1] >> bits_of(type) % 64)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s: there are bits beyond the last", type->text);
  return 0;
}

static int take_added(const struct mm3_type *type, const struct mm3_value *value, uint64_t *added,
                      struct mm3_ctx *ctx) {
  char *end = NULL;
  if (value->is == MM3_INT && value->as.integer >= 0) return *added = (uint64_t)value->as.integer, 0;
  if (value->is == MM3_UINT) return *added = value->as.natural, 0;
  errno = 0; /* JSON has numbers above 2^63 - 1 as texts */
  if (value->is == MM3_TEXT && value->count && value->as.text[0] >= '1' && value->as.text[0] <= '9')
    *added = strtoull(value->as.text, &end, 10);
  if (end && end == value->as.text + value->count && !errno) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s: `added` is a number", type->text);
}

/* Reads {"added": n, "bits": hex} into words[0] and what follows. */
static int take(const struct mm3_type *type, const struct mm3_value *value, uint64_t *words, struct mm3_ctx *ctx) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int have_bits = 0, result = 0;
  if (value->is != MM3_MAP)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants {\"added\": n, \"bits\": hex}, found %s", type->text,
                        mm3_value_name(value));
  words[0] = 0;
  while (result == 0 && value->count && value->source->next(value, &cursor, &key, &item) == 1) {
    if (strcmp(key.as.text, "added") == 0) result = take_added(type, &item, words, ctx);
    else if (strcmp(key.as.text, "bits") == 0) have_bits = 1, result = take_bits(type, &item, words + 1, ctx);
    else result = mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s has no '%.40s'", type->text, key.as.text);
  }
  if (result == 0 && !have_bits) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants its bits", type->text);
  return result;
}

static int bloom_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint64_t *words = calloc(1, type->size);
  if (!words) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for a copy of %s", type->text);
  int result = take(type, value, words, ctx);
  for (size_t i = 0; result == 0 && !(ctx->flags & MM3_CTX_DRY) && i < type->size / 8; i++)
    __atomic_store_n((uint64_t *)bytes + i, words[i], __ATOMIC_RELEASE);
  free(words);
  return result;
}

/* ---- killed at every store by `mm3 modules check` ---- */

static int test_add(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  return bloom_i_add(bytes, bits_of(type), hashes_of(type), "alice", 5) ? 0 : -1;
}

/* Bits only come: what is there was there before, or will be. */
static int only_adds(const char *before, const char *after, const char *now) {
  if (strlen(before) != strlen(now) || strlen(after) != strlen(now)) return 0;
  for (size_t i = 0; now[i]; i++) {
    int a = nibble(before[i]), b = nibble(now[i]), c = nibble(after[i]);
    if (b >= 0 && ((a & ~b) || (b & ~c))) return 0;
  }
  return 1;
}

static int test_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  bloom_i_clear(bytes, bits_of(type));
  return 0;
}

/* And here they only go. */
static int only_takes(const char *before, const char *after, const char *now) { return only_adds(after, before, now); }

static const struct mm3_test_op bloom_test_ops[] = {
    {"bloom add", "bloom(64, 3)", NULL, test_add, only_adds},
    {"bloom clear", "bloom(128, 3)", "{\"added\": 1, \"bits\": \"01000000000000800300000000000000\"}", test_clear,
     only_takes},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct mm3_kind bloom_kind = {
    .size = sizeof(struct mm3_kind),
    .layout_version = 1,
    .name = "bloom",
    .signature = "bloom(N, K): a Bloom filter of N bits and K hashes",
    .layout = bloom_layout,
    .check = bloom_check,
    .visit = bloom_visit,
    .visit_deep = bloom_visit_deep,
    .count = bloom_count,
    .put = bloom_put,
    .push = bloom_push,
    .describe = bloom_describe,
    .test_ops = bloom_test_ops,
};

static const struct mm3_kind *const kinds[] = {&bloom_kind};
MM3_MODULE(bloom, "1.0", kinds);
