/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Throws its arguments away, and its own name with them. */
#include "bad.h"

static int layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  type->nargs = 1000000;
  type->args = NULL;
  type->text = "nonsense(";
  type->element = type;
  type->nmembers = 7;
  type->kind = NULL;
  return bad_layout(type, ctx);
}

static const struct mm3_kind kind = {BAD_KIND("bad_args"), .layout = layout};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
