/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Another magic: some other program's plug-in. */
#include "bad.h"

static const struct mm3_kind kind = {BAD_KIND("bad_magic")};
BAD_KINDS(kind);
BAD_EXPORT = {BAD_MODULE, .magic = 0x12345678};
