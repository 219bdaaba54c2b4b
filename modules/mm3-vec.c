/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vec(T, N): its rows. The bytes are drawn in mm3/vec.h; values come in in vec_put.c; what C programs
 * reach through `ops` is in vec_ops.c. */
#include "vec_inside.h"

static uint64_t round_up(uint64_t size, uint64_t align) { return (size + align - 1) / align * align; }

static int vec_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  uint64_t bytes;
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_TYPE || type->args[1].is != MM3_ARG_NUMBER ||
      type->args[1].number == 0 || type->args[1].number > MM3_VEC_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA,
                        "vec wants a type and the most items that it takes, 1 to 2147483646, as in vec(u32, 10); found %s",
                        type->text);
  const struct mm3_type *item = item_type(type);
  if (__builtin_mul_overflow(item->size, type->args[1].number + 1, &bytes) || bytes > UINT64_C(1) << 40)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: %llu items and a free slot of %llu bytes each are more than 2^40 bytes",
                        type->text, (unsigned long long)type->args[1].number, (unsigned long long)item->size);
  type->align = item->align > 8 ? item->align : 8;
  type->numbers[0] = round_up(16, item->align);
  type->size = round_up(type->numbers[0] + bytes, type->align);
  type->flags |= MM3_TYPE_RECOVER;
  return 0;
}

/* ---- check, recover, visit ---- */

static int item_check(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_check(item, bytes, ctx);
}

static int zeros_check(const unsigned char *bytes, uint64_t first, uint64_t last, struct mm3_ctx *ctx) {
  for (uint64_t i = first; i < last; i++)
    if (bytes[i]) return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "byte %llu is padding and holds 0x%02x; wanted 0",
                                      (unsigned long long)i, bytes[i]);
  return 0;
}

static int state_check(uint64_t word, uint64_t sequence, uint64_t n, struct mm3_ctx *ctx) {
  uint64_t length = (uint32_t)word, state = word >> 32 & MM3_I_VEC_WIDTH, width = sequence & MM3_I_VEC_WIDTH;
  if (length > n)
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the length is %llu; at most %llu was wanted", (unsigned long long)length,
                        (unsigned long long)n);
  if (width > n)
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "the gap's width is %llu; at most %llu was wanted", (unsigned long long)width,
                        (unsigned long long)n);
  if (word & MM3_I_VEC_PARKED)
    return state < length ? 0 : mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "item %llu is in the free slot, of a length of %llu",
                                             (unsigned long long)state, (unsigned long long)length);
  if (state > length)
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "a gap starts at item %llu, of a length of %llu", (unsigned long long)state - 1,
                        (unsigned long long)length);
  if (state && (width == 0 || width > n + 1 - length))
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "a gap of %llu slots; 1 to %llu were wanted", (unsigned long long)width,
                        (unsigned long long)(n + 1 - length));
  return 0;
}

/* A writer may be at work: the words are looked at again before they are called damaged. */
static int vec_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  uint64_t word, sequence;
  unsigned tries = 0;
  do {
    sequence = __atomic_load_n(mm3_i_vec_sequence(bytes), __ATOMIC_ACQUIRE);
    word = mm3_i_vec_word(bytes);
    mm3_copy_end_read();
  } while (__atomic_load_n(mm3_i_vec_sequence(bytes), __ATOMIC_RELAXED) != sequence && ++tries < MM3_COPY_TRIES);
  int result = state_check(word, sequence, v.capacity, ctx);
  if (result == 0) result = zeros_check(bytes, 16, v.offset, ctx);
  if (result == 0) result = zeros_check(bytes, v.offset + (v.capacity + 1) * v.item, type->size, ctx);
  return result < 0 ? result : mm3i_vec_each_copy(type, bytes, 0, mm3i_vec_len(v), item_check, NULL, ctx);
}

static int item_recover(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  return mm3_type_recover(item, bytes, *(uint64_t *)arg, ctx);
}

static int vec_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  mm3i_vec_settle(ref_of(type, bytes));
  if (!(item_type(type)->flags & MM3_TYPE_RECOVER)) return 0;
  return mm3i_vec_each_item(type, bytes, 0, item_recover, &certificate, ctx);
}

static int item_visit(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  return mm3_type_visit(item, bytes, arg, ctx);
}

static int vec_visit_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                           struct mm3_sink *sink, struct mm3_ctx *ctx) {
  int result = sink->begin_list(sink, last - first);
  if (result >= 0) result = mm3i_vec_each_copy(type, bytes, first, last, item_visit, sink, ctx);
  return result < 0 ? result : sink->end_list(sink);
}

static int vec_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  return vec_visit_range(type, bytes, 0, mm3i_vec_len(ref_of(type, bytes)), sink, ctx);
}

/* ---- steps ---- */

static int vec_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                     struct mm3_ctx *ctx) {
  (void)ctx;
  *count = mm3i_vec_len(ref_of(type, bytes));
  *capacity = type->args[1].number;
  return 0;
}

static int vec_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                  struct mm3_ctx *ctx) {
  uint64_t index;
  int result = mm3i_vec_find(type, bytes, step, &index, ctx);
  if (result < 0) return result;
  *place = (struct mm3_place){item_type(type), mm3i_vec_slot(ref_of(type, bytes), index)};
  return 0;
}

/* ---- whole values ---- */

static uint64_t vec_hash(const struct mm3_type *type, const void *bytes, uint64_t seed) {
  struct mm3_vec_ref v = ref_of(type, bytes);
  uint64_t length = mm3i_vec_len(v);
  seed = (seed ^ length) * UINT64_C(0x9E3779B97F4A7C15);
  for (uint64_t i = 0; i < length; i++) seed = mm3_type_hash(item_type(type), mm3i_vec_slot(v, i), seed);
  return seed;
}

static int vec_equal(const struct mm3_type *type, const void *a, const void *b) {
  struct mm3_vec_ref va = ref_of(type, a), vb = ref_of(type, b);
  uint64_t length = mm3i_vec_len(va);
  if (length != mm3i_vec_len(vb)) return 0;
  for (uint64_t i = 0; i < length; i++)
    if (!mm3_type_equal(item_type(type), mm3i_vec_slot(va, i), mm3i_vec_slot(vb, i))) return 0;
  return 1;
}

struct owner {
  int (*own)(void *arg, uint64_t offset);
  void *arg;
};

static int item_blocks(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx) {
  struct owner *owner = arg;
  return mm3_type_blocks(item, bytes, owner->own, owner->arg, ctx);
}

static int vec_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                      struct mm3_ctx *ctx) {
  struct owner owner = {own, arg};
  return item_type(type)->flags & MM3_TYPE_HEAP ? mm3i_vec_each_item(type, bytes, 0, item_blocks, &owner, ctx) : 0;
}

static const struct mm3_kind vec_kind = {
    .size = sizeof vec_kind, .layout_version = 1, .name = "vec", .signature = "vec(T, N): up to N items of T",
    .layout = vec_layout, .check = vec_check, .recover = vec_recover, .visit = vec_visit, .visit_range = vec_visit_range,
    .count = vec_count, .at = vec_at, .put = mm3i_vec_put, .push = mm3i_vec_push, .put_at = mm3i_vec_put_at, .erase = mm3i_vec_erase,
    .assign = mm3i_vec_assign, .clear = mm3i_vec_clear, .hash = vec_hash, .equal = vec_equal, .blocks = vec_blocks,
    .ops = &mm3i_vec_ops, .test_ops = mm3i_vec_test_ops,
};

static const struct mm3_kind *const kinds[] = {&vec_kind};
MM3_MODULE(vec, "1.0", kinds);
