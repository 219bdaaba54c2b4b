/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A module with no kinds. */
#include "bad.h"

BAD_EXPORT = {.magic = MM3_MODULE_MAGIC, .abi_major = MM3_ABI_MAJOR, .size = sizeof(struct mm3_module),
              .name = "bad", .version = "1", .core = &mm3_core_mark};
