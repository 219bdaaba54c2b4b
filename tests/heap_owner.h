/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* heap_owner.h: owner(N): a kind of the tests: N offsets of heap blocks, 0: none. A file has a heap without a real kind. */
#ifndef MM3_HEAP_OWNER_H
#define MM3_HEAP_OWNER_H

#include <mm3/file.h>
#include <mm3/heap.h>
#include <mm3/module.h>

static int owner_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_NUMBER) return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "owner(N)");
  type->size = 8 * type->args[0].number;
  type->align = 8;
  type->flags = MM3_TYPE_HEAP;
  return 0;
}

static int owner_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  const uint64_t *offsets = bytes;
  for (uint64_t i = 0; i < type->args[0].number; i++)
    if (offsets[i] % 2) return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "an odd offset");
  return 0;
}

static int owner_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)ctx;
  return sink->raw(sink, bytes, (size_t)type->size);
}

static int owner_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)value;
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "takes nothing");
}

static int owner_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                        struct mm3_ctx *ctx) {
  const uint64_t *offsets = bytes;
  (void)ctx;
  for (uint64_t i = 0; i < type->args[0].number; i++) {
    int result = offsets[i] ? own(arg, offsets[i]) : 0;
    if (result < 0) return result;
  }
  return 0;
}

static const struct mm3_kind owner_kind = {
    .size = sizeof owner_kind,
    .layout_version = 1,
    .name = "owner",
    .signature = "owner(N): N offsets of blocks",
    .layout = owner_layout,
    .check = owner_check,
    .visit = owner_visit,
    .put = owner_put,
    .blocks = owner_blocks,
};

static int owner_register(struct mm3_error *error) {
  static const struct mm3_kind *const kinds[] = {&owner_kind};
  static const struct mm3_module module = {MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, sizeof module, 1,
                                           "owner", "1", &mm3_core_mark, kinds};
  return mm3_module_register(&module, error);
}

/* A new file with `blocks: owner(4096)`; its root is the offsets. */
MM3_UNUSED static struct mm3_file *owner_create(const char *path, const struct mm3_options *options, struct mm3_error *error) {
  if (owner_register(error) < 0) return NULL;
  return mm3_create_schema(path, "struct t { blocks: owner(4096) }", options, error);
}

#endif
