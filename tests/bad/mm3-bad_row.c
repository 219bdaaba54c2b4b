/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A kind without a required operation. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("bad_row"), .visit = NULL};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
