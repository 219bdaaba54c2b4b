/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Speaks for another core. */
#include "bad.h"

static const char other_core;
static const struct mm3_kind kind = {BAD_KIND("bad_core")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE, .core = &other_core};
