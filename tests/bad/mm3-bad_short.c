/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A module table that ends early. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("bad_short")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE, .size = 8};
