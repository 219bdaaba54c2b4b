/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A struct as a value: its members in schema order. */
#include "hash.h"
#include "internal.h"
#include "prim.h"

#include <string.h>

#define EACH_MEMBER(type, m) \
  for (const struct mm3_member *m = (type)->members; m < (type)->members + (type)->nmembers; m++)

/* Members without a module have no type; they are passed over, and are raw bytes where they are visited or compared. */

/* The core fills in a struct's size and members itself (type.c); a schema cannot name this kind. */
static int struct_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  (void)type;
  return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "'struct' is no type; use the struct's own name");
}

static struct mm3_trail step_into(struct mm3_ctx *ctx, const char *name) {
  struct mm3_trail trail = {ctx->trail, name, 0};
  return trail;
}

#define WITH_TRAIL(ctx, step_name, call)                \
  do {                                                  \
    struct mm3_trail trail = step_into(ctx, step_name); \
    ctx->trail = &trail;                                \
    result = (call);                                    \
    ctx->trail = trail.up;                              \
    if (result < 0) return result;                      \
  } while (0)

static int struct_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  int result;
  EACH_MEMBER(type, m)
    if (m->type) WITH_TRAIL(ctx, m->name, mm3_type_init(m->type, (unsigned char *)bytes + m->offset, ctx));
  return 0;
}

static int struct_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  int result;
  EACH_MEMBER(type, m)
    if (m->type) WITH_TRAIL(ctx, m->name, mm3_type_check(m->type, (const unsigned char *)bytes + m->offset, ctx));
  return 0;
}

static int struct_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  int result;
  EACH_MEMBER(type, m)
    if (m->type)
      WITH_TRAIL(ctx, m->name, mm3_type_recover(m->type, (unsigned char *)bytes + m->offset, certificate, ctx));
  return 0;
}

static uint64_t member_size(const struct mm3_type *type, const struct mm3_member *m) {
  uint64_t end = m + 1 < type->members + type->nmembers ? m[1].offset : type->size;
  return m->type ? m->type->size : end - m->offset;
}

static int struct_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  int result = sink->begin_map(sink, type->nmembers);
  if (result < 0) return result;
  EACH_MEMBER(type, m) {
    const unsigned char *at = (const unsigned char *)bytes + m->offset;
    result = sink->key(sink, m->name, strlen(m->name));
    if (result < 0) return result;
    if (m->type) WITH_TRAIL(ctx, m->name, mm3_type_visit(m->type, at, sink, ctx));
    else WITH_TRAIL(ctx, m->name, sink->raw(sink, at, (size_t)member_size(type, m)));
  }
  return sink->end_map(sink);
}

static const struct mm3_member *find_member(const struct mm3_type *type, const char *name, size_t count) {
  EACH_MEMBER(type, m)
    if (strlen(m->name) == count && memcmp(m->name, name, count) == 0) return m;
  return NULL;
}

static int unknown_member(const struct mm3_type *type, const char *name, size_t count, struct mm3_ctx *ctx) {
  char known[200] = "";
  size_t at = 0;
  EACH_MEMBER(type, m) {
    size_t length = strlen(m->name);
    if (at + length + 6 > sizeof known) {
      memcpy(known + at, ", ...", 6);
      break;
    }
    if (at) memcpy(known + at, ", ", 3), at += 2;
    memcpy(known + at, m->name, length + 1), at += length;
  }
  return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no field '%.*s'; it has: %s", type->text, count > 80 ? 80 : (int)count,
                      name, known);
}

static int put_members(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int result, more;
  while ((more = value->source->next(value, &cursor, &key, &item)) > 0) {
    const struct mm3_member *m = find_member(type, key.as.text, key.count);
    if (!m) return unknown_member(type, key.as.text, key.count, ctx);
    if (!m->type)
      WITH_TRAIL(ctx, m->name, mm3_ctx_fail(ctx, -MM3_E_MODULE, "the module of this field is missing"));
    WITH_TRAIL(ctx, m->name, mm3_type_put(m->type, (unsigned char *)bytes + m->offset, &item, ctx));
  }
  return more;
}

/* Any subset of the members; tried dry before the first store, so that it is all or nothing. */
static int struct_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (value->is != MM3_MAP)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants an object, found %s", type->text, mm3_value_name(value));
  uint32_t flags = ctx->flags;
  int result = 0;
  if (!(flags & MM3_CTX_TRIED)) {
    ctx->flags |= MM3_CTX_DRY;
    result = put_members(type, bytes, value, ctx);
    ctx->flags = flags;
  }
  if (result < 0 || (flags & MM3_CTX_DRY)) return result;
  ctx->flags |= MM3_CTX_TRIED;
  result = put_members(type, bytes, value, ctx);
  ctx->flags = flags;
  return result;
}

static int struct_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                     struct mm3_ctx *ctx) {
  if (step->is != MM3_STEP_NAME)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s is a struct: its fields are reached by .name", type->text);
  const struct mm3_member *m = find_member(type, step->text, step->count);
  if (!m) return unknown_member(type, step->text, step->count, ctx);
  *place = (struct mm3_place){m->type, (unsigned char *)bytes + m->offset};
  return 0;
}

static int struct_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  int result;
  EACH_MEMBER(type, m)
    if (m->type)
      WITH_TRAIL(ctx, m->name, mm3_type_assign(m->type, (unsigned char *)to + m->offset, (const unsigned char *)from + m->offset, ctx));
  return 0;
}

static int struct_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  int result;
  EACH_MEMBER(type, m)
    if (m->type) WITH_TRAIL(ctx, m->name, mm3_type_clear(m->type, (unsigned char *)bytes + m->offset, ctx));
  return 0;
}

static int struct_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                         struct mm3_ctx *ctx) {
  int result;
  EACH_MEMBER(type, m)
    if (m->type)
      WITH_TRAIL(ctx, m->name, mm3_type_blocks(m->type, (const unsigned char *)bytes + m->offset, own, arg, ctx));
  return 0;
}

static uint64_t struct_hash(const struct mm3_type *type, const void *bytes, uint64_t seed) {
  EACH_MEMBER(type, m) {
    const unsigned char *at = (const unsigned char *)bytes + m->offset;
    seed = m->type ? mm3_type_hash(m->type, at, seed) : mm3i_hash64(at, (size_t)member_size(type, m), seed);
  }
  return seed;
}

static int struct_equal(const struct mm3_type *type, const void *a, const void *b) {
  EACH_MEMBER(type, m) {
    const unsigned char *one = (const unsigned char *)a + m->offset, *two = (const unsigned char *)b + m->offset;
    if (m->type ? !mm3_type_equal(m->type, one, two) : memcmp(one, two, (size_t)member_size(type, m)) != 0) return 0;
  }
  return 1;
}

const struct mm3_kind mm3i_struct_kind = {
    .size = sizeof(struct mm3_kind), .layout_version = 1, .name = "struct",
    .signature = "NAME: a struct of an earlier block, nested", .layout = struct_layout, .init = struct_init,
    .check = struct_check, .recover = struct_recover, .visit = struct_visit, .put = struct_put, .at = struct_at,
    .assign = struct_assign, .clear = struct_clear, .blocks = struct_blocks, .hash = struct_hash, .equal = struct_equal,
};
