/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A kind whose name would be a path. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("../bad")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
