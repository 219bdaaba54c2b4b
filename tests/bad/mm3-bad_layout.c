/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lays itself out as nonsense: three bytes aligned to three. */
#include "bad.h"

static int nonsense(struct mm3_type *type, struct mm3_ctx *ctx) {
  (void)ctx;
  type->size = type->align = 3;
  return 0;
}
static const struct mm3_kind kind = {BAD_KIND("bad_layout"), .layout = nonsense};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
