/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Built for another major ABI. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("bad_major")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE, .abi_major = MM3_ABI_MAJOR + 1};
