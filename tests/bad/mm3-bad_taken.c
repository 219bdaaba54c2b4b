/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Wants a name that the core has. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("u64")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
