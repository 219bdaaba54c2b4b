/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* enum(base, word, word=5, ...): an unsigned integer that takes only the values of its words. */
#include "internal.h"
#include "prim.h"

#include <string.h>

static int enum_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  const struct mm3_arg *args = type->args;
  uint64_t next = 0;
  if (type->nargs < 2 || args[0].is != MM3_ARG_TYPE || args[0].type->kind->name[0] != 'u' || args[0].type->size > 8)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "enum wants u8, u16, u32 or u64 and at least one word, as in enum(u8, off, on)");
  type->size = args[0].type->size;
  type->align = args[0].type->align;
  for (uint32_t i = 1; i < type->nargs; i++) {
    struct mm3_arg *arg = (struct mm3_arg *)&args[i]; /* the core built it: writable until layout returns */
    if (arg->is != MM3_ARG_WORD)
      return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "argument %u of enum is no word; wanted: enum(base, word, word=5, ...)", i + 1);
    if (!arg->has_number) arg->number = next;
    if (!mm3i_int_fits((struct mm3i_int){arg->number, 0}, type->size, 0) || (i > 1 && !arg->has_number && next == 0))
      return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "word '%s' of enum does not fit %s", arg->word, args[0].type->text);
    next = arg->number + 1;
    for (uint32_t k = 1; k < i; k++) {
      if (strcmp(args[k].word, arg->word) == 0)
        return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "enum names '%s' twice", arg->word);
      if (args[k].number == arg->number)
        return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "enum gives %llu to both '%s' and '%s'",
                            (unsigned long long)arg->number, args[k].word, arg->word);
    }
  }
  return 0;
}

static const char *word_of(const struct mm3_type *type, uint64_t number) {
  for (uint32_t i = 1; i < type->nargs; i++)
    if (type->args[i].number == number) return type->args[i].word;
  return NULL;
}

static uint64_t enum_load(const struct mm3_type *type, const void *bytes) {
  return (uint64_t)mm3i_int_load(bytes, type->size, 0).magnitude;
}

static int enum_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint64_t number = enum_load(type, bytes);
  if (word_of(type, number)) return 0;
  return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "holds %llu, which is no word of %s", (unsigned long long)number, type->text);
}

static int enum_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t number = enum_load(type, bytes);
  const char *word = word_of(type, number);
  (void)ctx;
  if (word) return sink->text(sink, word, strlen(word));
  return mm3i_int_sink((struct mm3i_int){number, 0}, sink);
}

static int enum_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx; /* zero when it has a word, as in C; the first word otherwise */
  uint64_t number = word_of(type, 0) ? 0 : type->args[1].number;
  mm3i_int_store((struct mm3i_int){number, 0}, bytes, type->size);
  return 0;
}

static int enum_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (value->is == MM3_TEXT) {
    for (uint32_t i = 1; i < type->nargs; i++) {
      const char *word = type->args[i].word;
      if (strlen(word) != value->count || memcmp(word, value->as.text, value->count) != 0) continue;
      if (!(ctx->flags & MM3_CTX_DRY)) mm3i_int_store((struct mm3i_int){type->args[i].number, 0}, bytes, type->size);
      return 0;
    }
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "'%.*s' is no word of %s", value->count > 80 ? 80 : (int)value->count,
                        value->as.text, type->text);
  }
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants one of its words, found %s", type->text, mm3_value_name(value));
}

const struct mm3_kind mm3i_enum_kind = {
    .size = sizeof(struct mm3_kind), .layout_version = 1, .name = "enum",
    .signature = "enum(base, word, word=5, ...): an unsigned integer that takes only the words' values",
    .layout = enum_layout, .init = enum_init, .check = enum_check, .visit = enum_visit, .put = enum_put,
};
