/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Built when kinds had fewer rows and modules an older minor: goes on working. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("old_minor"), .size = offsetof(struct mm3_kind, push)};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE, .abi_minor = 0};
