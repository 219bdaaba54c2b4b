/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* string_array(COUNT, LEN): its entries are strings in their field form, and their rows those of string_rows.h. */
#include "kind_tests.h"
#include "string_rows.h"

#include <mm3/string_array.h>
#include <stdio.h>

enum { COUNT, STRIDE, LEN }; /* what layout keeps in type->numbers */

#define MOST_BYTES (UINT64_C(1) << 40)

/* The kind of an entry, for paths that lead to one. Zeros after the table are rows of a later ABI that it lacks. */
static const struct {
  struct mm3_kind kind;
  void *later[32];
} entry_kind = {.kind = {STRING_ROWS}};

/* string(LEN), by LEN: types live as long as the process, one for each LEN that some path asked for. */
struct entry_type {
  struct entry_type *next;
  struct mm3_type type;
  struct mm3_arg argument;
  char text[32];
};

static struct entry_type *entry_types[64];

static void entry_type_init(struct entry_type *entry, uint64_t len) {
  *entry = (struct entry_type){.argument = {.is = MM3_ARG_NUMBER, .number = len},
                               .type = {.kind = &entry_kind.kind, .form = MM3_FORM_FIELD, .nargs = 1}};
  snprintf(entry->text, sizeof entry->text, "string(%llu)", (unsigned long long)len);
  entry->type.text = entry->text;
  entry->type.args = &entry->argument;
  string_sizes(&entry->type, len);
}

static const struct mm3_type *entry_type_of(uint64_t len) {
  struct entry_type **head = &entry_types[len % 64], *fresh = NULL;
  struct entry_type *first = __atomic_load_n(head, __ATOMIC_ACQUIRE);
  for (;;) {
    for (struct entry_type *entry = first; entry; entry = entry->next)
      if (entry->type.numbers[0] == len) return free(fresh), &entry->type;
    if (!fresh) {
      if (!(fresh = malloc(sizeof *fresh))) return NULL;
      entry_type_init(fresh, len);
    }
    fresh->next = first;
    if (__atomic_compare_exchange_n(head, &first, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return &fresh->type;
  }
}

static int strings_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_NUMBER || type->args[1].is != MM3_ARG_NUMBER)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "string_array takes two numbers, as in string_array(5, 16); found %s",
                        type->text);
  uint64_t count = type->args[0].number, len = type->args[1].number;
  if (count < 1 || count > MM3_STRING_ARRAY_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted 1 to 4294967295 entries", type->text);
  if (len < 1 || len > MM3_STRING_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted entries of 1 to %d bytes", type->text, MM3_STRING_MAX);
  type->numbers[COUNT] = count;
  type->numbers[STRIDE] = MM3_I_STRING_SIZE(len);
  type->numbers[LEN] = len;
  if (type->numbers[STRIDE] > MOST_BYTES / count)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: larger than 2^40 bytes", type->text);
  type->size = count * type->numbers[STRIDE];
  type->align = 8;
  return 0;
}

/* One entry at a time, with its index in the messages' paths. */
struct walk {
  struct entry_type entry; /* not the shared one: a walk needs no memory */
  struct mm3_trail trail;
  struct mm3_ctx ctx;
};

static void walk_begin(struct walk *walk, const struct mm3_type *type, const struct mm3_ctx *ctx) {
  entry_type_init(&walk->entry, type->numbers[LEN]);
  walk->trail = (struct mm3_trail){.up = ctx->trail};
  walk->ctx = *ctx;
  walk->ctx.trail = &walk->trail;
}

static const void *entry_at(const struct mm3_type *type, const void *bytes, uint64_t index) {
  return (const char *)bytes + index * type->numbers[STRIDE];
}

static int strings_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct walk walk;
  int result = 0;
  walk_begin(&walk, type, ctx);
  for (walk.trail.index = 0; result == 0 && walk.trail.index < type->numbers[COUNT]; walk.trail.index++)
    result = string_check(&walk.entry.type, entry_at(type, bytes, walk.trail.index), &walk.ctx);
  return result;
}

static int strings_visit_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                               struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct walk walk;
  walk_begin(&walk, type, ctx);
  int result = sink->begin_list(sink, last - first);
  for (walk.trail.index = first; result == 0 && walk.trail.index < last; walk.trail.index++)
    result = string_visit(&walk.entry.type, entry_at(type, bytes, walk.trail.index), sink, &walk.ctx);
  return result ? result : sink->end_list(sink);
}

static int strings_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  return strings_visit_range(type, bytes, 0, type->numbers[COUNT], sink, ctx);
}

static int strings_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                         struct mm3_ctx *ctx) {
  (void)bytes, (void)ctx;
  *count = *capacity = type->numbers[COUNT];
  return 0;
}

static int strings_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                      struct mm3_ctx *ctx) {
  uint64_t count = type->numbers[COUNT];
  if (step->is != MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s wants an index in brackets, found '%s'", type->text, step->text);
  int64_t index = step->index < 0 ? step->index + (int64_t)count : step->index;
  if (index < 0 || (uint64_t)index >= count)
    return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "index %lld is beyond %s, which has %llu entries", (long long)step->index,
                        type->text, (unsigned long long)count);
  place->type = entry_type_of(type->numbers[LEN]);
  if (!place->type) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for the type of an entry");
  place->bytes = (char *)bytes + (uint64_t)index * type->numbers[STRIDE];
  return 0;
}

/* Every item in turn: tried dry first, so that a refused one leaves all as they were. */
static int strings_put_all(const struct mm3_type *type, void *bytes, const struct mm3_value *value, uint32_t flags,
                           const struct mm3_ctx *ctx) {
  struct walk walk;
  struct mm3_value key, item;
  void *cursor = NULL;
  int result = 0;
  walk_begin(&walk, type, ctx);
  walk.ctx.flags |= flags;
  for (walk.trail.index = 0; result == 0 && walk.trail.index < type->numbers[COUNT]; walk.trail.index++) {
    if (value->source->next(value, &cursor, &key, &item) != 1)
      return mm3_ctx_fail(&walk.ctx, -MM3_E_VALUE, "the list ended before its count");
    result = string_put(&walk.entry.type, (char *)bytes + walk.trail.index * type->numbers[STRIDE], &item, &walk.ctx);
  }
  return result;
}

static int strings_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (value->is != MM3_LIST)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array, found %s", type->text, mm3_value_name(value));
  if (value->count != type->numbers[COUNT])
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an array of exactly %llu strings, found %zu", type->text,
                        (unsigned long long)type->numbers[COUNT], value->count);
  int result = strings_put_all(type, bytes, value, MM3_CTX_DRY, ctx);
  if (result || (ctx->flags & MM3_CTX_DRY)) return result;
  return strings_put_all(type, bytes, value, 0, ctx);
}

static int strings_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct walk walk;
  int result = 0;
  walk_begin(&walk, type, ctx);
  for (walk.trail.index = 0; result == 0 && walk.trail.index < type->numbers[COUNT]; walk.trail.index++)
    result = string_assign(&walk.entry.type, (char *)to + walk.trail.index * type->numbers[STRIDE],
                           entry_at(type, from, walk.trail.index), &walk.ctx);
  return result;
}

static int strings_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  mm3_i_strings_clear_all(bytes, (size_t)type->numbers[COUNT], (size_t)type->numbers[LEN]);
  return 0;
}

static uint64_t strings_hash(const struct mm3_type *type, const void *bytes, uint64_t seed) {
  struct mm3_ctx none = {.size = sizeof none};
  struct walk walk;
  walk_begin(&walk, type, &none);
  for (uint64_t i = 0; i < type->numbers[COUNT]; i++)
    seed = string_hash(&walk.entry.type, entry_at(type, bytes, i), seed);
  return seed;
}

static int strings_equal(const struct mm3_type *type, const void *a, const void *b) {
  struct mm3_ctx none = {.size = sizeof none};
  struct walk walk;
  walk_begin(&walk, type, &none);
  for (uint64_t i = 0; i < type->numbers[COUNT]; i++)
    if (!string_equal(&walk.entry.type, entry_at(type, a, i), entry_at(type, b, i))) return 0;
  return 1;
}

static const struct mm3_kind string_array_kind = {
    .size = sizeof(struct mm3_kind),
    .layout_version = 1,
    .name = "string_array",
    .signature = "string_array(COUNT, LEN): COUNT strings of at most LEN bytes each",
    .layout = strings_layout,
    .check = strings_check,
    .visit = strings_visit,
    .visit_range = strings_visit_range,
    .count = strings_count,
    .at = strings_at,
    .put = strings_put,
    .assign = strings_assign,
    .clear = strings_clear,
    .hash = strings_hash,
    .equal = strings_equal,
    .test_ops = mm3i_string_array_test_ops,
};

static const struct mm3_kind *const kinds[] = {&string_array_kind};
MM3_MODULE(string_array, "1.0", kinds);
