/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* odd.h: a right kind, up to N small numbers behind their count, which the loader takes; the modules beside it spoil it
 * in one place each, and only the conformance kit can tell. */
#include <mm3/module.h>
#include <mm3/testing.h>
#include <string.h>

#define ODD_SIZE(n) (8 + ((n) + 7) / 8 * 8)
#define ODD __attribute__((unused)) static

ODD uint64_t odd_len(const struct mm3_type *type, const void *bytes) {
  uint64_t count = *(const volatile uint64_t *)bytes;
  return count < type->numbers[0] ? count : type->numbers[0];
}

ODD int odd_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_NUMBER || type->args[0].number - 1 >= 64)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted a number from 1 to 64", type->text);
  type->numbers[0] = type->args[0].number;
  type->size = ODD_SIZE(type->numbers[0]);
  type->align = 8;
  return 0;
}

ODD int odd_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint64_t end = 8 + type->numbers[0];
  if (*(const volatile uint64_t *)bytes > type->numbers[0])
    return mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s counts too many", type->text);
  while (end < type->size && ((const uint8_t *)bytes)[end] == 0) end++;
  return end == type->size ? 0 : mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s: the padding is not zero", type->text);
}

ODD int odd_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                  struct mm3_ctx *ctx) {
  (void)ctx;
  *count = odd_len(type, bytes);
  *capacity = type->numbers[0];
  return 0;
}

ODD int odd_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t count = odd_len(type, bytes);
  (void)ctx;
  sink->begin_list(sink, count);
  for (uint64_t i = 0; i < count; i++) sink->integer(sink, ((const uint8_t *)bytes)[8 + i]);
  return sink->end_list(sink);
}

ODD int odd_take(const struct mm3_type *type, void *bytes, const struct mm3_value *value, int really, int saying,
                 struct mm3_ctx *ctx) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int refused = value->is != MM3_LIST || value->count > type->numbers[0];
  for (uint64_t i = 0; !refused && i < value->count && value->source->next(value, &cursor, &key, &item) == 1; i++) {
    refused = item.is != MM3_INT || item.as.integer < 0 || item.as.integer > 255;
    if (!refused && really) ((uint8_t *)bytes)[8 + i] = (uint8_t)item.as.integer;
  }
  if (refused && saying) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants a list of small numbers", type->text);
  if (refused) return -MM3_E_VALUE;
  if (really) *(volatile uint64_t *)bytes = value->count;
  return 0;
}

ODD int odd_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  int result = odd_take(type, bytes, value, 0, 1, ctx);
  return result || ctx->flags & MM3_CTX_DRY ? result : odd_take(type, bytes, value, 1, 1, ctx);
}

#define ODD_MODULE(kind_name, ...)                                                                                  \
  static const struct mm3_kind kind_name = {                                                                        \
      .size = sizeof(struct mm3_kind), .layout_version = 1, .name = #kind_name,                                     \
      .signature = #kind_name "(N): up to N small numbers", .layout = odd_layout, .check = odd_check,               \
      .visit = odd_visit, .count = odd_count, .put = odd_put, __VA_ARGS__};                                         \
  static const struct mm3_kind *const kinds[] = {&kind_name};                                                       \
  MM3_MODULE(kind_name, "1.0", kinds)
