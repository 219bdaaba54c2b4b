/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* all_modules.h: for programs that link libmm3modules.a: registers every module in it. 0 or as mm3_module_register. */
#ifndef MM3_ALL_MODULES_H
#define MM3_ALL_MODULES_H

#include <mm3/module.h>

int mm3_all_modules_register(struct mm3_error *error);

#endif
