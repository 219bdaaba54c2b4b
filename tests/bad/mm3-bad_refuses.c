/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Refuses its arguments. */
#include "bad.h"

static int refuse(struct mm3_type *type, struct mm3_ctx *ctx) {
  return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s is never to its taste", type->text);
}
static const struct mm3_kind kind = {BAD_KIND("bad_refuses"), .layout = refuse};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
