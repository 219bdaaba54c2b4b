/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Its bytes have no version. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("bad_version"), .layout_version = 0};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
