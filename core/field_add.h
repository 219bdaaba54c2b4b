/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* field_add.h: adding to what lies within a value. */
#ifndef MM3_CORE_FIELD_ADD_H
#define MM3_CORE_FIELD_ADD_H

#include "prim.h"

#include <mm3/field.h>

/* The field has deep steps, the lock is held. `result`: the sum in decimal. As mm3_field_add. */
int mm3i_field_add_deep(struct mm3_field *field, const struct mm3_value *delta, char result[48], struct mm3_ctx *ctx);

#endif
