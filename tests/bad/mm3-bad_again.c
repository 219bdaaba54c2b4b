/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Brings a kind of its own, and one that mm3-two_kinds.so gives too. */
#include "bad.h"

static const struct mm3_kind own = {BAD_KIND("bad_again")};
static const struct mm3_kind taken = {BAD_KIND("second_kind")};
static const struct mm3_kind *const kinds[] = {&own, &taken};
BAD_EXPORT = {BAD_MODULE, .nkinds = 2};
