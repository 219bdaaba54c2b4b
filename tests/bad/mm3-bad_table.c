/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A kind's table that ends before its rows. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("bad_table"), .size = 8};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
