/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* text.h: the second kind of mm3-string; see mm3/text.h. */
#ifndef MM3_MODULES_TEXT_H
#define MM3_MODULES_TEXT_H

#include <mm3/module.h>

extern const struct mm3_kind mm3i_text_kind;

#endif
