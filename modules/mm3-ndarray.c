/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ndarray(T, d1, ..., dk): its rows; the bytes are drawn in mm3/ndarray.h. A step of a path leads to a row or plane, so
 * layout makes a type for each: the same kind with the first dimension gone and no padding.
 */
#include "kind_tests.h"
#include "ndarray_inside.h"

#include <errno.h>
#include <stdio.h>

enum { INNER, STRIDE, ELEMENTS }; /* type->numbers: the type of at[0], NULL for an element; its bytes; elements in all */

static const struct mm3_type *element_type(const struct mm3_type *type) { return type->args[0].type; }

static const struct mm3_type *inner_type(const struct mm3_type *type) {
  return (const struct mm3_type *)(uintptr_t)type->numbers[INNER];
}

/* What a step leads to. */
static const struct mm3_type *part_type(const struct mm3_type *type) {
  return inner_type(type) ? inner_type(type) : element_type(type);
}

static uint64_t extent(const struct mm3_type *type) { return type->args[1].number; }

static uint64_t data_bytes(const struct mm3_type *type) { return extent(type) * type->numbers[STRIDE]; }

static unsigned char *part_at(const struct mm3_type *type, const void *bytes, uint64_t index) {
  return (unsigned char *)(uintptr_t)bytes + index * type->numbers[STRIDE];
}

/* ---- layout ---- */

static int check_arguments(const struct mm3_type *type, struct mm3_ctx *ctx) {
  int good = type->nargs >= 2 && type->nargs <= 1 + MM3_NDARRAY_RANKS && type->args[0].is == MM3_ARG_TYPE;
  for (uint32_t i = 1; i < type->nargs && good; i++) good = type->args[i].is == MM3_ARG_NUMBER && type->args[i].number > 0;
  if (good) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_SCHEMA,
                      "ndarray wants a type and 1 to 16 dimensions of at least 1, as in ndarray(u8, 256, 256); found %s",
                      type->text);
}

/* "ndarray(u8, 5, 6)" for the planes of ndarray(u8, 4, 5, 6). */
static const char *print_inner(const struct mm3_type *type, struct mm3_ctx *ctx) {
  size_t size = strlen(type->text) + 1, used = 0;
  char *text = mm3_ctx_alloc(ctx, size);
  if (!text) return NULL;
  used = (size_t)snprintf(text, size, "ndarray(%s", element_type(type)->text);
  for (uint32_t i = 2; i < type->nargs && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, ", %llu", (unsigned long long)type->args[i].number);
  if (used < size) snprintf(text + used, size - used, ")");
  return text;
}

static struct mm3_type *make_inner(const struct mm3_type *type, struct mm3_ctx *ctx) {
  struct mm3_type *inner = mm3_ctx_alloc(ctx, sizeof *inner);
  struct mm3_arg *args = mm3_ctx_alloc(ctx, (type->nargs - 1) * sizeof *args);
  const char *text = print_inner(type, ctx);
  if (!inner || !args || !text) return NULL;
  args[0] = type->args[0];
  memcpy(args + 1, type->args + 2, (type->nargs - 2) * sizeof *args);
  *inner = *type;
  inner->text = text;
  inner->args = args;
  inner->nargs = type->nargs - 1;
  return inner;
}

static int ndarray_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  int result = check_arguments(type, ctx);
  if (result < 0) return result;
  const struct mm3_type *element = element_type(type);
  uint64_t bytes = element->size;
  for (uint32_t i = 1; i < type->nargs; i++)
    if (__builtin_mul_overflow(bytes, type->args[i].number, &bytes) || bytes > UINT64_C(1) << 40)
      return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s has more than 2^40 bytes", type->text);
  type->flags |= element->flags;
  type->align = element->align;
  for (struct mm3_type *at = type;; at = (struct mm3_type *)(uintptr_t)at->numbers[INNER]) {
    at->size = bytes;
    at->numbers[ELEMENTS] = bytes / element->size;
    bytes /= at->args[1].number;
    at->numbers[STRIDE] = bytes;
    at->numbers[INNER] = 0;
    if (at->nargs == 2) break;
    at->numbers[INNER] = (uintptr_t)make_inner(at, ctx);
    if (!at->numbers[INNER]) return mm3_ctx_fail(ctx, -ENOMEM, "out of memory");
  }
  if (type->align < 8) type->align = 8;
  type->size = (type->size + type->align - 1) / type->align * type->align;
  return 0;
}

/* ---- all elements ---- */

typedef int element_fn(const struct mm3_type *element, void *bytes, void *arg, struct mm3_ctx *ctx);

static int each_element(const struct mm3_type *type, const void *bytes, element_fn *fn, void *arg, struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  const struct mm3_type *inner = inner_type(type), *element = element_type(type);
  int result = 0;
  ctx->trail = &trail;
  for (; trail.index < extent(type) && result >= 0; trail.index++) {
    unsigned char *part = part_at(type, bytes, trail.index);
    result = inner ? each_element(inner, part, fn, arg, ctx) : fn(element, part, arg, ctx);
  }
  ctx->trail = trail.up;
  return result < 0 ? result : 0;
}

static int element_init(const struct mm3_type *element, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_init(element, bytes, ctx);
}

static int ndarray_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return element_type(type)->kind->init ? each_element(type, bytes, element_init, NULL, ctx) : 0;
}

static int element_check(const struct mm3_type *element, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_check(element, bytes, ctx);
}

/* Numbers take any bits: nothing to look at, and tables of them are large. */
static int takes_any_bits(const struct mm3_type *element) {
  static const char *const words[] = {"u8",  "u16", "u32",  "u64", "u128", "i8",    "i16",  "i32",
                                      "i64", "i128", "f32", "f64", "usize", "isize", "raw"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(element->kind->name, words[i]) == 0) return 1;
  return 0;
}

static int ndarray_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  for (uint64_t i = data_bytes(type); i < type->size; i++)
    if (((const unsigned char *)bytes)[i])
      return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "byte %llu is padding and holds 0x%02x; wanted 0", (unsigned long long)i,
                          ((const unsigned char *)bytes)[i]);
  return takes_any_bits(element_type(type)) ? 0 : each_element(type, bytes, element_check, NULL, ctx);
}

static int element_recover(const struct mm3_type *element, void *bytes, void *arg, struct mm3_ctx *ctx) {
  return mm3_type_recover(element, bytes, *(uint64_t *)arg, ctx);
}

static int ndarray_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  if (!(element_type(type)->flags & MM3_TYPE_RECOVER)) return 0;
  return each_element(type, bytes, element_recover, &certificate, ctx);
}

/* ---- visit, steps ---- */

static int ndarray_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx);

static int ndarray_visit_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                               struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, first};
  const struct mm3_type *part = part_type(type);
  int result = sink->begin_list(sink, last - first);
  ctx->trail = &trail;
  for (; trail.index < last && trail.index < extent(type) && result >= 0; trail.index++)
    result = mm3_type_visit(part, part_at(type, bytes, trail.index), sink, ctx);
  ctx->trail = trail.up;
  return result < 0 ? result : sink->end_list(sink);
}

static int ndarray_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  return ndarray_visit_range(type, bytes, 0, extent(type), sink, ctx);
}

static int ndarray_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                         struct mm3_ctx *ctx) {
  (void)bytes, (void)ctx;
  *count = *capacity = extent(type);
  return 0;
}

static int ndarray_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                      struct mm3_ctx *ctx) {
  if (step->is != MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s is reached by an index as in [0]; found '%.*s'", type->text,
                        step->count > 80 ? 80 : (int)step->count, step->text);
  uint64_t index = step->index < 0 ? extent(type) + (uint64_t)step->index : (uint64_t)step->index;
  if (index >= extent(type))
    return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "index %lld is beyond the end: %s has %llu there", (long long)step->index,
                        type->text, (unsigned long long)extent(type));
  *place = (struct mm3_place){part_type(type), part_at(type, bytes, index)};
  return 0;
}

/* ---- values coming in ---- */

/* An element that one store holds is made aside, from the old value, and stored: a text or a struct would take several. */
static int put_element(const struct mm3_type *element, void *at, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (!mm3_i_item_narrow((size_t)element->size) || element->flags & MM3_TYPE_HEAP)
    return mm3_type_put(element, at, value, ctx);
  uint64_t aside = mm3_i_item_word(at, (size_t)element->size);
  int result = mm3_type_put(element, &aside, value, ctx);
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY)) mm3_i_item_store(at, &aside, (size_t)element->size);
  return result;
}

static int ndarray_put_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step,
                          const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_place place = {NULL, NULL};
  int result = ndarray_at(type, bytes, step, &place, ctx);
  if (result < 0) return result;
  return inner_type(type) ? mm3_type_put(place.type, place.bytes, value, ctx)
                          : put_element(place.type, place.bytes, value, ctx);
}

static int put_parts(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  struct mm3_value key, part;
  void *cursor = NULL;
  int result = 0;
  if (value->is != MM3_LIST)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array of %llu, found %s", type->text,
                        (unsigned long long)extent(type), mm3_value_name(value));
  if (value->count != extent(type))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array of exactly %llu, found one of %zu", type->text,
                        (unsigned long long)extent(type), value->count);
  ctx->trail = &trail;
  for (; trail.index < extent(type) && result >= 0; trail.index++) {
    result = value->source->next(value, &cursor, &key, &part);
    if (result <= 0) break;
    unsigned char *at = part_at(type, bytes, trail.index);
    result = inner_type(type) ? put_parts(inner_type(type), at, &part, ctx) : put_element(element_type(type), at, &part, ctx);
  }
  ctx->trail = trail.up;
  return result < 0 ? result : 0;
}

/* All of it is tried dry before the first store. */
static int ndarray_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  uint32_t flags = ctx->flags;
  ctx->flags |= MM3_CTX_DRY;
  int result = put_parts(type, bytes, value, ctx);
  ctx->flags = flags;
  return result < 0 || (flags & MM3_CTX_DRY) ? result : put_parts(type, bytes, value, ctx);
}

/* ---- whole values ---- */

static int element_clear(const struct mm3_type *element, void *bytes, void *arg, struct mm3_ctx *ctx) {
  (void)arg;
  return mm3_type_clear(element, bytes, ctx);
}

static int ndarray_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  if (!element_type(type)->kind->clear) {
    memset(bytes, 0, (size_t)data_bytes(type));
    return ndarray_init(type, bytes, ctx);
  }
  return each_element(type, bytes, element_clear, NULL, ctx);
}

static int ndarray_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  const struct mm3_type *element = element_type(type);
  int result = 0;
  if (!element->kind->assign) {
    memcpy(to, from, (size_t)data_bytes(type));
    return 0;
  }
  for (uint64_t i = 0; i < type->numbers[ELEMENTS] && result == 0; i++)
    result = mm3_type_assign(element, (unsigned char *)to + i * element->size, (const unsigned char *)from + i * element->size, ctx);
  return result;
}

static uint64_t ndarray_hash(const struct mm3_type *type, const void *bytes, uint64_t seed) {
  const struct mm3_type *element = element_type(type);
  for (uint64_t i = 0; i < type->numbers[ELEMENTS]; i++)
    seed = mm3_type_hash(element, (const unsigned char *)bytes + i * element->size, seed);
  return seed;
}

static int ndarray_equal(const struct mm3_type *type, const void *a, const void *b) {
  const struct mm3_type *element = element_type(type);
  if (!element->kind->equal) return memcmp(a, b, (size_t)data_bytes(type)) == 0;
  for (uint64_t i = 0; i < type->numbers[ELEMENTS]; i++)
    if (!mm3_type_equal(element, (const unsigned char *)a + i * element->size, (const unsigned char *)b + i * element->size))
      return 0;
  return 1;
}

struct owner {
  int (*own)(void *arg, uint64_t offset);
  void *arg;
};

static int element_blocks(const struct mm3_type *element, void *bytes, void *arg, struct mm3_ctx *ctx) {
  struct owner *owner = arg;
  return mm3_type_blocks(element, bytes, owner->own, owner->arg, ctx);
}

static int ndarray_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                          struct mm3_ctx *ctx) {
  struct owner owner = {own, arg};
  return element_type(type)->flags & MM3_TYPE_HEAP ? each_element(type, bytes, element_blocks, &owner, ctx) : 0;
}

static const struct mm3_ndarray_ops ndarray_ops = {
    .size = sizeof ndarray_ops, .version = 1, .fill = mm3i_ndarray_fill, .copy_out = mm3i_ndarray_copy_out,
    .copy_in = mm3i_ndarray_copy_in, .copy = mm3i_ndarray_copy, .combine = mm3i_ndarray_combine,
    .popcount = mm3i_ndarray_popcount, .next_bit = mm3i_ndarray_next_bit,
};

static const struct mm3_kind ndarray_kind = {
    .size = sizeof ndarray_kind, .layout_version = 1, .name = "ndarray",
    .signature = "ndarray(T, d1, d2 to d16): a table of 1 to 16 dimensions", .layout = ndarray_layout, .init = ndarray_init,
    .check = ndarray_check, .recover = ndarray_recover, .visit = ndarray_visit, .visit_range = ndarray_visit_range,
    .count = ndarray_count, .at = ndarray_at, .put = ndarray_put, .put_at = ndarray_put_at,
    .assign = ndarray_assign, .clear = ndarray_clear,
    .hash = ndarray_hash, .equal = ndarray_equal, .blocks = ndarray_blocks, .ops = &ndarray_ops,
    .test_ops = mm3i_ndarray_test_ops,
};

static const struct mm3_kind *const kinds[] = {&ndarray_kind};
MM3_MODULE(ndarray, "1.0", kinds);
