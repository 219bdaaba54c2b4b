/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* bad.h: a module that would be right, for the awkward ones beside it to spoil in one place each. */
#include <mm3/module.h>

static inline int bad_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  (void)ctx;
  type->size = type->align = 4;
  return 0;
}
static inline int bad_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return 0;
}
static inline int bad_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return sink->null(sink);
}
static inline int bad_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)value, (void)ctx;
  return 0;
}

#define BAD_KIND(kind_name)                                                                        \
  .size = sizeof(struct mm3_kind), .layout_version = 1, .name = kind_name, .layout = bad_layout, \
  .check = bad_check, .visit = bad_visit, .put = bad_put

#define BAD_MODULE                                                                                           \
  .magic = MM3_MODULE_MAGIC, .abi_major = MM3_ABI_MAJOR, .abi_minor = MM3_ABI_MINOR,                         \
  .size = sizeof(struct mm3_module), .nkinds = 1, .name = "bad", .version = "1", .core = &mm3_core_mark, .kinds = kinds

#define BAD_KINDS(kind) static const struct mm3_kind *const kinds[] = {&kind}
#define BAD_EXPORT MM3_API extern const struct mm3_module mm3_module; const struct mm3_module mm3_module
