/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Loads, but gives another kind than its file's name says. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("something_else")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE};
