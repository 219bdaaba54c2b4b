/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ring(T, N): see ring.h for the bytes. The table's rows work through the same inline functions as programs do. */
#include "ring.h"
#include <errno.h>
#include <mm3/module.h>
#include <mm3/testing.h>
#include <stdlib.h>

#define RING_BYTES (UINT64_C(1) << 40) /* the largest field there is */

/* What layout keeps in type->numbers. */
enum { COUNT, SLOTS, SLOT, OFFSET };

static struct ring_shape shape_of(const struct mm3_type *type) {
  return ring_i_shape((size_t)type->element->size, (size_t)type->numbers[SLOTS], (size_t)type->numbers[SLOT],
                      (size_t)type->numbers[OFFSET], type->numbers[COUNT]);
}

static uint64_t round_up(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }

static int ring_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_TYPE || type->args[1].is != MM3_ARG_NUMBER)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "ring takes a type and a number, as in ring(u64, 8); found %s", type->text);
  const struct mm3_type *item = type->args[0].type;
  uint64_t n = type->args[1].number;
  if (n < 1 || n > RING_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted a number from 1 to %u", type->text, RING_MAX);
  if (item->flags & (MM3_TYPE_HEAP | MM3_TYPE_RECOVER))
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: an event has a fixed size; %s keeps bytes elsewhere", type->text,
                        item->text);
  uint64_t align = item->align > 8 ? item->align : 8;
  if (item->size > RING_BYTES / n)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: a field has at most 2^40 bytes", type->text);
  type->numbers[COUNT] = n;
  type->numbers[SLOTS] = type->numbers[OFFSET] = round_up(16, align);
  type->numbers[SLOT] = round_up(type->numbers[OFFSET] + item->size, align);
  type->size = type->numbers[SLOTS] + n * type->numbers[SLOT];
  type->align = align;
  return 0;
}

/* Private memory for one item, aligned for it. */
static void *item_new(const struct mm3_type *type, struct mm3_ctx *ctx) {
  const struct mm3_type *item = type->element;
  void *bytes = NULL;
  int error = posix_memalign(&bytes, item->align > sizeof(void *) ? item->align : sizeof(void *), item->size);
  if (error) mm3_ctx_fail(ctx, -error, "no memory for one %s", item->text);
  return error ? NULL : bytes;
}

/* ---- check ---- */

static int all_zero(const unsigned char *at, uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    if (mm3_copy_byte(at + i)) return 0;
  return 1;
}

/* What is wrong with the slot, or NULL; the item's own check fills *result. */
static const char *slot_fault(const struct mm3_type *type, const void *bytes, uint64_t index, uint64_t now, void *item,
                              int *result, struct mm3_ctx *ctx) {
  struct ring_shape s = shape_of(type);
  const unsigned char *slot = (const unsigned char *)ring_i_stamp(bytes, s, index);
  uint64_t turn = now & RING_TURN, sum;
  if (!all_zero(slot + 16, s.offset - 16) || !all_zero(slot + s.offset + s.item, s.slot - s.offset - s.item))
    return "the padding is not zero";
  if (now == 0) return all_zero(slot, s.slot) ? NULL : "a slot that was never written is not zero";
  if (turn == 0 || (turn - 1) % s.n != index) return "a slot has the stamp of another one";
  if (turn > ring_i_end(bytes)) return "a slot has a number that was never given out";
  if (now & (RING_BUSY | RING_SPOILT)) return NULL; /* lost: nobody reads it */
  mm3_copy_out(item, slot + s.offset, s.item);
  memcpy(&sum, slot + 8, sizeof sum);
  if (sum != ring_i_sum(turn, item, s.item)) return "an event's bytes do not have its sum";
  struct mm3_trail trail = {ctx->trail, NULL, index};
  struct mm3_ctx inner = *ctx;
  inner.trail = &trail;
  *result = mm3_type_check(type->element, item, &inner);
  return NULL;
}

static int ring_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct ring_shape s = shape_of(type);
  uint64_t base = __atomic_load_n((const uint64_t *)bytes + 1, __ATOMIC_ACQUIRE);
  uint64_t end = __atomic_load_n((const uint64_t *)bytes, __ATOMIC_ACQUIRE);
  if (end > RING_TURN || base > end)
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s counts its events from %llu to %llu", type->text,
                        (unsigned long long)base, (unsigned long long)end);
  if (!all_zero((const unsigned char *)bytes + 16, s.slots - 16))
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s: the padding is not zero", type->text);
  void *item = item_new(type, ctx);
  int result = item ? 0 : -ENOMEM;
  for (uint64_t i = 0; i < s.n && result == 0; i++) {
    const uint64_t *stamp = ring_i_stamp(bytes, s, i);
    const char *fault = NULL;
    int moved = 1;
    for (int tries = 0; moved && tries < MM3_COPY_TRIES; tries++) { /* a fault counts when nobody was writing */
      uint64_t now = __atomic_load_n(stamp, __ATOMIC_ACQUIRE);
      fault = slot_fault(type, bytes, i, now, item, &result, ctx);
      mm3_copy_end_read();
      moved = (fault || result) && __atomic_load_n(stamp, __ATOMIC_RELAXED) != now;
      if (moved) result = 0;
    }
    if (moved) result = mm3_ctx_fail(ctx, -MM3_E_AGAIN, "slot %llu kept changing", (unsigned long long)i);
    else if (fault) result = mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "slot %llu: %s", (unsigned long long)i, fault);
  }
  free(item);
  return result;
}

/* ---- reading ---- */

static int ring_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                      struct mm3_ctx *ctx) {
  (void)ctx;
  struct ring_shape s = shape_of(type);
  *count = ring_i_len(bytes, s);
  *capacity = s.n;
  return 0;
}

/* Events of the numbers [from, to), those that are there. */
static int visit_numbers(const struct mm3_type *type, const void *bytes, uint64_t from, uint64_t to,
                         struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct ring_shape s = shape_of(type);
  void *item = item_new(type, ctx);
  int result = item ? sink->begin_list(sink, to - from) : -ENOMEM;
  for (uint64_t number = from; number < to && result >= 0; number++) {
    if (ring_i_get(bytes, s, number, item)) continue;
    struct mm3_trail trail = {ctx->trail, NULL, number - from};
    struct mm3_ctx inner = *ctx;
    inner.trail = &trail;
    result = mm3_type_visit(type->element, item, sink, &inner);
  }
  free(item);
  return result < 0 ? result : sink->end_list(sink);
}

static int ring_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct ring_shape s = shape_of(type);
  uint64_t end = ring_i_end(bytes);
  return visit_numbers(type, bytes, ring_i_first(bytes, s.n, end), end, sink, ctx);
}

static int ring_visit_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                            struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t begin = ring_i_begin(bytes, shape_of(type));
  return visit_numbers(type, bytes, begin + first, begin + last, sink, ctx);
}

/* An event has no place that stands still: it is copied, and the path's further steps go on in the copy. */
static int ring_visit_deep(const struct mm3_type *type, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                           struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct ring_shape s = shape_of(type);
  uint64_t end = ring_i_end(bytes), first = ring_i_first(bytes, s.n, end), count = end - first;
  if (steps[0].is != MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has events by number, as in [0] or [-1]", type->text);
  int64_t index = steps[0].index;
  uint64_t from_end = index < 0 ? 0 - (uint64_t)index : 0;
  uint64_t number = index < 0 ? end - from_end : first + (uint64_t)index;
  if (index < 0 ? from_end > count : (uint64_t)index >= count)
    return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "%s has %llu events", type->text, (unsigned long long)count);
  struct mm3_place place = {type->element, item_new(type, ctx)};
  void *item = place.bytes;
  if (!item) return -ENOMEM;
  int result = ring_i_get(bytes, s, number, item);
  if (result) result = mm3_ctx_fail(ctx, -MM3_E_ABSENT, "this event was lost or overwritten");
  for (size_t i = 1; i < nsteps && result == 0; i++) {
    struct mm3_place from = place;
    const struct mm3_kind *kind = from.type->kind;
    result = kind->at ? kind->at(from.type, from.bytes, &steps[i], &place, ctx)
                      : mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no parts", from.type->text);
    if (result == 0 && !place.bytes) result = mm3_ctx_fail(ctx, -MM3_E_ABSENT, "there is no such entry");
  }
  if (result == 0) result = mm3_type_visit(place.type, place.bytes, sink, ctx);
  free(item);
  return result;
}

/* ---- writing ---- */

/* Makes an item of a value, in private memory: nothing of the ring is touched when it is refused. */
static int item_fill(const struct mm3_type *type, void *item, const struct mm3_value *value, uint64_t index,
                     struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, index};
  struct mm3_ctx inner = {.size = sizeof inner, .flags = MM3_CTX_WRITABLE, .error = ctx->error, .trail = &trail};
  memset(item, 0, type->element->size);
  int result = mm3_type_init(type->element, item, &inner);
  return result ? result : mm3_type_put(type->element, item, value, &inner);
}

static int ring_push_value(const struct mm3_type *type, void *bytes, const struct mm3_value *value,
                           struct mm3_ctx *ctx) {
  void *item = item_new(type, ctx);
  int result = item ? item_fill(type, item, value, ring_i_len(bytes, shape_of(type)), ctx) : -ENOMEM;
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) ring_i_push(bytes, shape_of(type), item);
  free(item);
  return result;
}

/* The list's items through `item`; pushed when `real`. */
static int each_item(const struct mm3_type *type, void *bytes, const struct mm3_value *list, void *item, int real,
                     struct mm3_ctx *ctx) {
  struct mm3_value key, value;
  void *cursor = NULL;
  int result = 0;
  for (uint64_t i = 0; result == 0 && list->count && list->source->next(list, &cursor, &key, &value) == 1; i++) {
    result = item_fill(type, item, &value, i, ctx);
    if (result == 0 && real) ring_i_push(bytes, shape_of(type), item);
  }
  return result;
}

static int ring_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint64_t n = type->numbers[COUNT];
  if (value->is != MM3_LIST)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array, found %s", type->text, mm3_value_name(value));
  if (value->count > n)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%zu events do not fit %s", value->count, type->text);
  void *item = item_new(type, ctx);
  if (!item) return -ENOMEM;
  int result = each_item(type, bytes, value, item, 0, ctx);
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) {
    ring_i_clear(bytes);
    result = each_item(type, bytes, value, item, 1, ctx);
  }
  free(item);
  return result;
}

static int ring_put_deep(const struct mm3_type *type, void *bytes, const struct mm3_step *steps, size_t nsteps,
                         const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)bytes, (void)steps, (void)nsteps, (void)value;
  return mm3_ctx_fail(ctx, -MM3_E_PATH, "an event of %s does not change; push another", type->text);
}

static int ring_clear_all(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)ctx;
  ring_i_clear(bytes);
  return 0;
}

/* Event by event: slots that are being written are not copied. */
static int ring_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct ring_shape s = shape_of(type);
  void *item = item_new(type, ctx);
  if (!item) return -ENOMEM;
  ring_i_clear(to);
  uint64_t end = ring_i_end(from);
  for (uint64_t number = ring_i_first(from, s.n, end); number < end; number++)
    if (ring_i_get(from, s, number, item) == 0) ring_i_push(to, s, item);
  free(item);
  return 0;
}

/* ---- killed at every store by `mm3 modules check` ---- */

static int test_push(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const uint64_t five = 5;
  (void)ctx;
  ring_i_push(bytes, shape_of(type), &five);
  return 0;
}

static int test_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return ring_clear_all(type, bytes, ctx);
}

/* The event on its way is there or lost, and so is the one that it overwrites. */
static int may_lose_the_oldest(const char *before, const char *after, const char *now) {
  return strcmp(now, before) == 0 || strcmp(now, after) == 0 || strcmp(now, "[2, 3, 4]") == 0;
}

static const struct mm3_test_op ring_test_ops[] = {
    {"ring push", "ring(u64, 4)", "[1, 2]", test_push, NULL},
    {"ring push to a full ring", "ring(u64, 4)", "[1, 2, 3, 4]", test_push, may_lose_the_oldest},
    {"ring clear", "ring(u64, 4)", "[1, 2, 3, 4]", test_clear, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct mm3_kind ring_kind = {
    .size = sizeof(struct mm3_kind),
    .layout_version = 1,
    .name = "ring",
    .signature = "ring(T, N): the last N events of type T",
    .layout = ring_layout,
    .check = ring_check,
    .visit = ring_visit,
    .visit_range = ring_visit_range,
    .visit_deep = ring_visit_deep,
    .count = ring_count,
    .put = ring_put,
    .put_deep = ring_put_deep,
    .push = ring_push_value,
    .assign = ring_assign,
    .clear = ring_clear_all,
    .test_ops = ring_test_ops,
};

static const struct mm3_kind *const kinds[] = {&ring_kind};
MM3_MODULE(ring, "1.0", kinds);
