/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One call a row of the kind's table, with the default of rows that a kind leaves out. */
#include "internal.h"
#include "hash.h"

#include <string.h>

const char *mm3_value_name(const struct mm3_value *value) {
  switch (value->is) {
    case MM3_NULL: return "null";
    case MM3_BOOL: return value->as.boolean ? "true" : "false";
    case MM3_INT:
    case MM3_UINT: return "an integer";
    case MM3_REAL: return "a number with a fraction";
    case MM3_TEXT: return "a string";
    case MM3_LIST: return "an array";
    case MM3_MAP: return "an object";
  }
  return "something unknown";
}

int mm3_type_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  return type->kind->init ? type->kind->init(type, bytes, ctx) : 0;
}

int mm3_type_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  return type->kind->check(type, bytes, ctx);
}

int mm3_type_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  return type->kind->recover ? type->kind->recover(type, bytes, certificate, ctx) : 0;
}

int mm3_type_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  return type->kind->visit(type, bytes, sink, ctx);
}

int mm3_type_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  return type->kind->put(type, bytes, value, ctx);
}

int mm3_type_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  if (type->kind->assign) return type->kind->assign(type, to, from, ctx);
  memcpy(to, from, (size_t)type->size);
  return 0;
}

int mm3_type_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  if (type->kind->clear) return type->kind->clear(type, bytes, ctx);
  memset(bytes, 0, (size_t)type->size);
  return mm3_type_init(type, bytes, ctx);
}

int mm3_type_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                    struct mm3_ctx *ctx) {
  return type->kind->blocks ? type->kind->blocks(type, bytes, own, arg, ctx) : 0;
}

uint64_t mm3_type_hash(const struct mm3_type *type, const void *bytes, uint64_t seed) {
  if (type->kind->hash) return type->kind->hash(type, bytes, seed);
  return mm3i_hash64(bytes, (size_t)type->size, seed);
}

int mm3_type_equal(const struct mm3_type *type, const void *a, const void *b) {
  if (type->kind->equal) return type->kind->equal(type, a, b);
  return memcmp(a, b, (size_t)type->size) == 0;
}

int mm3_type_key_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes, struct mm3_ctx *ctx) {
  if (type->kind->key_parse) return type->kind->key_parse(type, text, count, bytes, ctx);
  return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s cannot be written as a key", type->text);
}

int mm3_type_key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size, struct mm3_ctx *ctx) {
  if (type->kind->key_print) return type->kind->key_print(type, bytes, text, size, ctx);
  return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s cannot be written as a key", type->text);
}

/* ---- the root ---- */

int mm3i_root_init(const struct mm3i_schema *schema, void *root, struct mm3_file *file, struct mm3_error *error) {
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE, .file = file, .error = error};
  return mm3_type_init(schema->root, root, &ctx);
}

int mm3i_root_recover(const struct mm3i_schema *schema, void *root, struct mm3_file *file, uint64_t certificate,
                      struct mm3_error *error) {
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE | MM3_CTX_LOCKED, .file = file, .error = error};
  uint32_t field = (uint32_t)(certificate >> 32);
  if (field == UINT32_MAX) return mm3_type_recover(schema->root, root, certificate, &ctx);
  if (field >= schema->root->nmembers) return 0; /* scribbled: no field was at work */
  const struct mm3_member *member = &schema->root->members[field];
  struct mm3_trail trail = {NULL, member->name, 0};
  ctx.trail = &trail;
  ctx.field = field;
  if (!member->type) return 0;
  return mm3_type_recover(member->type, (unsigned char *)root + member->offset, certificate, &ctx);
}
