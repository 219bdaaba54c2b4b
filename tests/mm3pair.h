/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * mm3pair.h: a kind for tests of the lock and of recovery: two words that must be the same. No single store can change
 * both, so a change certifies itself, and recovery finishes it from the first intent word.
 *
 *     pair   offset 0: u64 a    offset 8: u64 b     promise: a == b whenever nobody holds the lock
 */
#ifndef MM3PAIR_H
#define MM3PAIR_H

#include <mm3/file.h>
#include <mm3/module.h>

struct pair {
  uint64_t a, b;
};
typedef struct pair MM3_C1_pair, MM3_C2_pair, MM3_C3_pair, MM3_C4_pair;
#define MM3_A1_pair MM3_ITEM_KIND(1)
#define MM3_A2_pair MM3_ITEM_KIND(1)
#define MM3_A3_pair MM3_ITEM_KIND(1)
#define MM3_A4_pair MM3_ITEM_KIND(1)

enum { PAIR_SET = 1, PAIR_WRITING = 1 };

static int pair_refuses; /* tests: recovery fails */
static int pair_recoveries;

static int pair_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs) return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "pair takes no arguments");
  type->size = sizeof(struct pair);
  type->align = 8;
  type->flags = MM3_TYPE_RECOVER;
  return 0;
}

static int pair_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct pair pair = *(const struct pair *)bytes;
  (void)type;
  if (pair.a == pair.b) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the halves differ: %llu and %llu", (unsigned long long)pair.a,
                      (unsigned long long)pair.b);
}

static int pair_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  volatile struct pair *pair = (volatile struct pair *)bytes;
  (void)type;
  if (pair_refuses) return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the test says no");
  if ((certificate & 0xffffffff) != ((uint32_t)PAIR_SET << 16 | PAIR_WRITING)) return 0;
  pair_recoveries++;
  uint64_t value = mm3_intents(ctx->file)[0];
  pair->a = value;
  pair->b = value;
  return 0;
}

static int pair_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)type, (void)ctx;
  return sink->integer(sink, (int64_t)((const struct pair *)bytes)->a);
}

static int pair_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)value;
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "a pair is set by tests only");
}

static const struct mm3_kind pair_kind = {
    .size = sizeof pair_kind,
    .layout_version = 1,
    .name = "pair",
    .signature = "pair: two equal words",
    .layout = pair_layout,
    .check = pair_check,
    .recover = pair_recover,
    .visit = pair_visit,
    .put = pair_put,
};
static const struct mm3_kind *const pair_kinds[] = {&pair_kind};
static const struct mm3_module pair_module = {
    MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, sizeof pair_module, 1, "pair", "1.0", &mm3_core_mark, pair_kinds};

/* The lock is held. `field`: the pair's number in the root. */
MM3_UNUSED static void pair_set_held(struct mm3_file *file, uint32_t field, volatile struct pair *pair, uint64_t value) {
  mm3_intents(file)[0] = value;
  mm3_certify(file, field, PAIR_SET, PAIR_WRITING);
  pair->a = value;
  pair->b = value;
  mm3_certify(file, field, 0, 0);
}

#endif
