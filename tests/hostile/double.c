/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A kind with one fault for each way in: it trusts a length in the file (visit), a number in the schema (layout), an index in
 * a path (at), the size of a value (put), and the size of a kind's table (victim_double_check). Each test that looks for
 * such faults must find the one that is its own.
 */
#include "victims.h"

#include <string.h>

static int trusting_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  (void)ctx;
  if (type->nargs && type->args[0].is == MM3_ARG_NUMBER && ((const volatile char *)type->text)[type->args[0].number << 16] == 1)
    return -MM3_E_SCHEMA;
  type->size = 16;
  type->align = 8;
  return 0;
}

static int trusting_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return 0;
}

static int trusting_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t length = *(const uint64_t *)bytes;
  volatile unsigned sum = 0;
  (void)type, (void)ctx;
  for (uint64_t i = 0; i < length && i < 1 << 20; i++) sum += ((const unsigned char *)bytes)[8 + i];
  return sink->integer(sink, (int64_t)sum);
}

static int trusting_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)type;
  if (value->is == MM3_TEXT || value->is == MM3_LIST) ((volatile char *)bytes)[8 + value->count * 65536] = 1;
  if (!(ctx->flags & MM3_CTX_DRY)) memcpy(bytes, "\3\0\0\0\0\0\0\0abc", 11);
  return 0;
}

static int trusting_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                       struct mm3_ctx *ctx) {
  if (step->is != MM3_STEP_INDEX) return mm3_ctx_fail(ctx, -MM3_E_PATH, "wanted an index");
  *place = (struct mm3_place){type, (char *)bytes + (step->index > 100 ? step->index * 4096 : 0)};
  return 0;
}

static const struct mm3_kind trusting = {.size = sizeof trusting, .layout_version = 1, .name = "trusting", .layout = trusting_layout,
                                         .check = trusting_check, .visit = trusting_visit, .put = trusting_put,
                                         .at = trusting_at};
static const struct mm3_kind *const trusting_kinds[] = {&trusting};
static const struct mm3_module trusting_module = {MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, sizeof trusting_module, 1,
                                                  "trusting", "1", &mm3_core_mark, trusting_kinds};

const struct victim victim_double = {"(double)", "struct s { t: trusting }", {"put t 1"}};

int victim_double_register(struct mm3_error *error) { return mm3_module_register(&trusting_module, error); }

void victim_double_check(const struct mm3_module *module) {
  volatile unsigned sum = 0; /* read only: what is written beyond a variable may become the loop's own counter */
  if (module->magic != MM3_MODULE_MAGIC || module->size < sizeof *module || !module->kinds) return;
  for (uint32_t i = 0; i < module->nkinds; i++)
    for (uint32_t at = 0; module->kinds[i] && at < module->kinds[i]->size; at++)
      sum += ((const unsigned char *)module->kinds[i])[at];
}
