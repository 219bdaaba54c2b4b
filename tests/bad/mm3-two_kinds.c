/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two kinds in one object; the second one is found by a link of its name. */
#include "bad.h"

static const struct mm3_kind one = {BAD_KIND("two_kinds")};
static const struct mm3_kind two = {BAD_KIND("second_kind")};
static const struct mm3_kind *const kinds[] = {&one, &two};
BAD_EXPORT = {BAD_MODULE, .nkinds = 2};
