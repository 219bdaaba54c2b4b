/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Gives one name to two kinds. */
#include "bad.h"

static const struct mm3_kind one = {BAD_KIND("bad_twice")};
static const struct mm3_kind two = {BAD_KIND("bad_twice")};
static const struct mm3_kind *const kinds[] = {&one, &two};
BAD_EXPORT = {BAD_MODULE, .nkinds = 2};
