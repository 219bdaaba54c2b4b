/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Cannot make an empty value. */
#include "bad.h"

static int init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)bytes;
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s never begins", type->text);
}

static const struct mm3_kind kind = {BAD_KIND("bad_init"), .init = init};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
