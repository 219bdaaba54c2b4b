/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Built when kinds and modules will have had more rows than today: goes on working. */
#include "bad.h"

static const struct {
  struct mm3_kind kind;
  void (*later[4])(void);
} kind = {{BAD_KIND("new_minor"), .size = sizeof kind}, {0}};
static const struct mm3_kind *const kinds[] = {&kind.kind};
BAD_EXPORT = {BAD_MODULE, .abi_minor = MM3_ABI_MINOR + 9, .size = sizeof(struct mm3_module) + 16};
