/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* skeleton(T, N): see skeleton.h for the bytes. mm3/module.h says for each row of the table when it is called. */
#include "skeleton.h"
#include <mm3/module.h>
#include <mm3/testing.h>

/* What layout keeps in type->numbers. */
enum { COUNT, OFFSET };

static size_t capacity_of(const struct mm3_type *type) { return (size_t)type->numbers[COUNT]; }

static size_t len_of(const struct mm3_type *type, const void *bytes) {
  return skeleton_i_len(bytes, capacity_of(type));
}

/* Item `index`, below the capacity. */
static void *item_at(const struct mm3_type *type, const void *bytes, uint64_t index) {
  return (unsigned char *)(uintptr_t)bytes + type->numbers[OFFSET] + index * type->element->size;
}

/* The context for work on item `index`: messages then name it. */
static struct mm3_ctx inside(const struct mm3_ctx *ctx, struct mm3_trail *trail, uint64_t index) {
  struct mm3_ctx inner = *ctx;
  *trail = (struct mm3_trail){ctx->trail, NULL, index};
  inner.trail = trail;
  return inner;
}

/* The arguments, and what they mean for the size. Same arguments, same answer, for ever. */
static int skeleton_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_TYPE || type->args[1].is != MM3_ARG_NUMBER)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "skeleton takes a type and a number, as in skeleton(u32, 8); found %s",
                        type->text);
  const struct mm3_type *item = type->args[0].type;
  uint64_t n = type->args[1].number;
  if (n < 1 || n > SKELETON_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted a number from 1 to %d", type->text, SKELETON_MAX);
  if (item->flags & MM3_TYPE_HEAP)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: %s keeps bytes elsewhere", type->text, item->text);
  if (item->size > (UINT64_C(1) << 40) / n)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: a field has at most 2^40 bytes", type->text);
  type->flags = item->flags;
  type->align = item->align > 8 ? item->align : 8;
  type->numbers[COUNT] = n;
  type->numbers[OFFSET] = item->align > 8 ? item->align : 8;
  type->size = (type->numbers[OFFSET] + n * item->size + type->align - 1) / type->align * type->align;
  return 0;
}

static int is_zero(const unsigned char *from, const unsigned char *to) {
  while (from < to && *from == 0) from++;
  return from == to;
}

/* Bytes of unknown origin: every promise of the header, in words that say what was found. */
static int skeleton_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  const unsigned char *at = bytes, *items = at + type->numbers[OFFSET];
  uint64_t count = __atomic_load_n((const uint64_t *)bytes, __ATOMIC_ACQUIRE);
  if (count > capacity_of(type))
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s counts %llu items", type->text, (unsigned long long)count);
  if (!is_zero(at + 8, items) || !is_zero(item_at(type, bytes, capacity_of(type)), at + type->size))
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s: the padding is not zero", type->text);
  for (uint64_t i = 0; i < count; i++) {
    struct mm3_trail trail;
    struct mm3_ctx inner = inside(ctx, &trail, i);
    int result = mm3_type_check(type->element, item_at(type, bytes, i), &inner);
    if (result) return result;
  }
  return 0;
}

static int skeleton_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                          struct mm3_ctx *ctx) {
  (void)ctx;
  *count = len_of(type, bytes);
  *capacity = capacity_of(type);
  return 0;
}

/* One step of a path, as in samples[3] or samples[-1]. */
static int skeleton_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                       struct mm3_ctx *ctx) {
  size_t count = len_of(type, bytes);
  if (step->is != MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has items by number, as in [0] or [-1]", type->text);
  uint64_t index = step->index < 0 ? count + (uint64_t)step->index : (uint64_t)step->index; /* wraps above count */
  if (index >= count) return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "%s has %zu items", type->text, count);
  *place = (struct mm3_place){type->element, item_at(type, bytes, index)};
  return 0;
}

/* The value goes out: as JSON, as text, to whatever the sink is. */
static int skeleton_visit_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                                struct mm3_sink *sink, struct mm3_ctx *ctx) {
  int result = sink->begin_list(sink, last - first);
  for (uint64_t i = first; i < last && result >= 0; i++) {
    struct mm3_trail trail;
    struct mm3_ctx inner = inside(ctx, &trail, i);
    result = mm3_type_visit(type->element, item_at(type, bytes, i), sink, &inner);
  }
  return result < 0 ? result : sink->end_list(sink);
}

static int skeleton_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  return skeleton_visit_range(type, bytes, 0, len_of(type, bytes), sink, ctx);
}

/* A value comes in. Dry: only whether it would. An item that is refused was written where nothing counts it. */
static int item_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, uint64_t index,
                    struct mm3_ctx *ctx) {
  struct mm3_trail trail;
  struct mm3_ctx inner = inside(ctx, &trail, index);
  void *item = item_at(type, bytes, index);
  int result = inner.flags & MM3_CTX_DRY ? 0 : mm3_type_clear(type->element, item, &inner);
  return result ? result : mm3_type_put(type->element, item, value, &inner);
}

static int skeleton_push_value(const struct mm3_type *type, void *bytes, const struct mm3_value *value,
                               struct mm3_ctx *ctx) {
  size_t count = len_of(type, bytes);
  if (count == capacity_of(type))
    return mm3_ctx_fail(ctx, -MM3_E_FULL, "%s has %zu items, no more fit", type->text, count);
  int result = item_put(type, bytes, value, count, ctx);
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) skeleton_i_set_len(bytes, count + 1);
  return result;
}

static int each_item(const struct mm3_type *type, void *bytes, const struct mm3_value *list, struct mm3_ctx *ctx) {
  struct mm3_value key, value;
  void *cursor = NULL;
  int result = 0;
  for (size_t i = 0; i < list->count && result == 0 && list->source->next(list, &cursor, &key, &value) == 1; i++) {
    result = item_put(type, bytes, &value, i, ctx);
    if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) skeleton_i_set_len(bytes, i + 1);
  }
  return result;
}

/* All of it or nothing: everything is tried before the first byte is changed. */
static int skeleton_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_ctx dry = *ctx;
  dry.flags |= MM3_CTX_DRY;
  if (value->is != MM3_LIST)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array, found %s", type->text, mm3_value_name(value));
  if (value->count > capacity_of(type))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%zu items do not fit %s", value->count, type->text);
  int result = each_item(type, bytes, value, &dry);
  if (result || ctx->flags & MM3_CTX_DRY) return result;
  skeleton_i_set_len(bytes, 0);
  return each_item(type, bytes, value, ctx);
}

static int skeleton_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)ctx;
  skeleton_i_set_len(bytes, 0);
  return 0;
}

/* Operations that `mm3 modules check` kills at every store: the value must then be the old one or the new one. */
static int test_push(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const uint32_t five = 5;
  (void)ctx;
  return skeleton_i_push(bytes, (size_t)type->numbers[OFFSET], sizeof five, capacity_of(type), &five);
}

static const struct mm3_test_op skeleton_test_ops[] = {
    {"skeleton push", "skeleton(u32, 4)", "[1, 2]", test_push, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* The table. Rows that are left out have the default that mm3/module.h names. */
static const struct mm3_kind skeleton_kind = {
    .size = sizeof(struct mm3_kind),
    .layout_version = 1,
    .name = "skeleton",
    .signature = "skeleton(T, N): up to N items of type T",
    .layout = skeleton_layout,
    .check = skeleton_check,
    .visit = skeleton_visit,
    .visit_range = skeleton_visit_range,
    .count = skeleton_count,
    .at = skeleton_at,
    .put = skeleton_put,
    .push = skeleton_push_value,
    .clear = skeleton_clear,
    .test_ops = skeleton_test_ops,
};

static const struct mm3_kind *const kinds[] = {&skeleton_kind};
MM3_MODULE(skeleton, "1.0", kinds);
