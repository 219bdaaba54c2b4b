/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3-hashmap.c: the kind hashmap(K, V): its types and its table. */
#include "hashmap_inside.h"
#include "kind_tests.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static bool hashmap_is(const struct mm3_type *type, const char *names) {
  size_t length = strlen(type->kind->name);
  for (const char *at = strstr(names, type->kind->name); at; at = strstr(at + 1, type->kind->name))
    if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0)) return true;
  return false;
}

#define HASHMAP_INTEGERS "u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 usize isize bool char enum"

/* MM3_I_IS_* + 8 N, as the C side's notes say it. */
static int hashmap_note(const struct mm3_type *type) {
  if (strcmp(type->kind->name, "string") == 0) return MM3_I_IS_TEXT + 8 * (int)type->args[0].number;
  if (strcmp(type->kind->name, "text") == 0) return MM3_I_IS_HEAP;
  if (hashmap_is(type, HASHMAP_INTEGERS)) return MM3_I_IS_INTEGER;
  return hashmap_is(type, "f32 f64") ? MM3_I_IS_REAL : MM3_I_IS_BYTES;
}

struct mm3_i_hm_shape mm3i_hashmap_shape(const struct mm3_type *type) {
  const struct mm3_type *key = type->args[0].type, *value = type->args[1].type;
  return mm3_i_hm_shape_of(hashmap_note(key), key->size, key->align, hashmap_note(value), value->size, value->align);
}

/* Inside a struct that is a key, equal values must be equal bytes: plain members, and no gap between them. */
static int hashmap_plain(const struct mm3_type *map, const struct mm3_type *type, struct mm3_ctx *ctx) {
  uint64_t end = 0;
  if (hashmap_is(type, HASHMAP_INTEGERS " raw")) return 0;
  if (type->nmembers == 0)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA,
                        "%s: a key, or a member of one, cannot be %s; wanted integers, enum, bool, char, raw",
                        map->text, type->text);
  for (uint32_t i = 0; i < type->nmembers; i++) {
    const struct mm3_member *m = &type->members[i];
    if (!m->type) return mm3_ctx_fail(ctx, -MM3_E_MODULE, "%s: the module of '%s' is missing", map->text, m->name);
    int result = hashmap_plain(map, m->type, ctx);
    if (result < 0) return result;
    if (m->offset != end)
      return mm3_ctx_fail(ctx, -MM3_E_SCHEMA,
                          "%s: %s cannot be a key: there are unused bytes before '%s'; wanted a struct without",
                          map->text, type->text, m->name);
    end = m->offset + m->type->size;
  }
  if (end != type->size)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA,
                        "%s: %s cannot be a key: there are unused bytes at its end; wanted a struct without", map->text,
                        type->text);
  return 0;
}

static int hashmap_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || type->args[0].is != MM3_ARG_TYPE || type->args[1].is != MM3_ARG_TYPE)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "hashmap wants two types, as in hashmap(string(32), u64)");
  if (type->form != MM3_FORM_FIELD)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s cannot be an element of another kind; it is a field", type->text);
  const struct mm3_type *key = type->args[0].type, *value = type->args[1].type;
  int key_is = hashmap_note(key) & 7, value_is = hashmap_note(value) & 7;
  if (key_is == MM3_I_IS_BYTES || key_is == MM3_I_IS_REAL) {
    int result = hashmap_plain(type, key, ctx);
    if (result < 0) return result;
  }
  if (key->size > 4096)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: a key of %llu bytes; wanted at most 4096", type->text,
                        (unsigned long long)key->size);
  if (value_is != MM3_I_IS_HEAP && (value->flags & MM3_TYPE_HEAP))
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: a value cannot be %s; wanted a type of a fixed size, or text",
                        type->text, value->text);
  if (value->size > UINT64_C(1) << 20 || value->align > 64)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: a value of %llu bytes, aligned to %llu; wanted at most 1048576 and 64",
                        type->text, (unsigned long long)value->size, (unsigned long long)value->align);
  type->size = sizeof(struct mm3_i_hashmap);
  type->align = 8;
  type->flags = MM3_TYPE_HEAP | MM3_TYPE_RECOVER;
  return 0;
}

static int hashmap_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct mm3_i_hashmap *m = (struct mm3_i_hashmap *)bytes;
  (void)ctx;
  memset(m, 0, sizeof *m);
  if (getentropy(&m->seed, sizeof m->seed) != 0) { /* no kernel since 3.17: any seed is right, a secret one is better */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    m->seed = mm3_hash_wide((uint64_t)now.tv_nsec, (uint64_t)(uintptr_t)&now, (uint64_t)now.tv_sec);
  }
  m->print = mm3_i_hm_print(mm3i_hashmap_shape(type));
  return 0;
}

static int hashmap_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  struct mm3_i_hm_shape s = mm3i_hashmap_shape(type);
  (void)certificate;
  if (!ctx->file) return 0;
  int result = mm3i_hashmap_ops.heal(ctx->file, (struct mm3_i_hashmap *)bytes, &s);
  return result < 0 ? mm3_ctx_fail(ctx, result, "%s: its table does not lie in the file", type->text) : 0;
}

static int hashmap_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                         struct mm3_ctx *ctx) {
  const struct mm3_i_hashmap *m = (const struct mm3_i_hashmap *)bytes;
  *count = ctx->file ? mm3_i_hm_len(ctx->file, m, mm3i_hashmap_shape(type)) : 0;
  *capacity = UINT64_MAX;
  return 0;
}

/* Rows that change are called with the lock held or take it. */
static int hashmap_locked(struct mm3_ctx *ctx, int *locked) {
  *locked = 0;
  if (!ctx->file) return mm3_ctx_fail(ctx, -EINVAL, "a hashmap works in a file only");
  if (ctx->flags & MM3_CTX_LOCKED) return 0;
  int result = mm3_lock(ctx->file);
  if (result < 0) return mm3_ctx_fail(ctx, result, "the file's lock was not to be had: %s", mm3_strerror(result));
  *locked = 1;
  return 0;
}

static int hashmap_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  struct mm3_i_hm_shape s = mm3i_hashmap_shape(type);
  int locked, result;
  if (((struct mm3_i_hashmap *)bytes)->table == 0) return 0;
  result = hashmap_locked(ctx, &locked);
  if (result < 0) return result;
  result = mm3i_hashmap_ops.clear(ctx->file, (struct mm3_i_hashmap *)bytes, &s);
  if (locked) mm3_unlock(ctx->file);
  return result < 0 ? mm3_ctx_fail(ctx, result, "%s could not be cleared: %s", type->text, mm3_strerror(result)) : 0;
}

static int hashmap_grow(const struct mm3_type *type, void *bytes, uint64_t count, struct mm3_ctx *ctx) {
  struct mm3_i_hm_shape s = mm3i_hashmap_shape(type);
  int locked, result = hashmap_locked(ctx, &locked);
  if (result < 0) return result;
  if (count) result = mm3i_hashmap_ops.grow(ctx->file, (struct mm3_i_hashmap *)bytes, &s, count, 0);
  if (locked) mm3_unlock(ctx->file);
  return result < 0 ? mm3_ctx_fail(ctx, result, "no room for %llu entries in all: %s", (unsigned long long)count,
                                   mm3_strerror(result))
                    : 0;
}

static const struct mm3_kind hashmap_kind = {
  .size = sizeof(struct mm3_kind),
  .layout_version = 1,
  .name = "hashmap",
  .signature =
    "hashmap(K, V): entries found by key; K integers, raw, string, text, plain structs; V of a fixed size, or text",
  .layout = hashmap_layout,
  .init = hashmap_init,
  .check = mm3i_hashmap_check,
  .recover = hashmap_recover,
  .describe = mm3i_hashmap_describe,
  .visit = mm3i_hashmap_visit,
  .count = hashmap_count,
  .put = mm3i_hashmap_put,
  .visit_deep = mm3i_hashmap_visit_deep,
  .put_deep = mm3i_hashmap_put_deep,
  .assign = mm3i_hashmap_assign,
  .clear = hashmap_clear,
  .blocks = mm3i_hashmap_blocks,
  .grow = hashmap_grow,
  .ops = &mm3i_hashmap_ops,
  .test_ops = mm3i_hashmap_test_ops,
};

static const struct mm3_kind *const kinds[] = {&hashmap_kind};
MM3_MODULE(hashmap, "1.0", kinds);
