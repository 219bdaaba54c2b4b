/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* prim.h: the core's own kinds: scalars, raw, enum, struct. */
#ifndef MM3_CORE_PRIM_H
#define MM3_CORE_PRIM_H

#include <mm3/module.h>
#include <mm3/scalar.h>

const struct mm3_kind *mm3i_prim_find(const char *name);
const struct mm3_kind *mm3i_prim_next(const struct mm3_kind *previous); /* NULL: the first; NULL after the last */

extern const struct mm3_kind mm3i_integer_kinds[12], mm3i_other_kinds[4];
extern const struct mm3_kind mm3i_raw_kind, mm3i_enum_kind, mm3i_struct_kind;

/* An integer of any width and sign on its way between bytes, text and values. */
struct mm3i_int {
  mm3_u128 magnitude;
  int negative;
};

/* 0 or -MM3_E_VALUE: a number, or its decimal spelling as a text. */
int mm3i_int_from_value(const struct mm3_value *value, struct mm3i_int *out);
int mm3i_int_from_text(const char *text, size_t count, struct mm3i_int *out);
size_t mm3i_int_print(struct mm3i_int value, char out[48]);
int mm3i_int_sum(struct mm3i_int a, struct mm3i_int b, struct mm3i_int *sum); /* 0, or -MM3_E_VALUE above 128 bits */
int mm3i_int_sink(struct mm3i_int value, struct mm3_sink *sink);

/* Integers as they lie in memory: `size` bytes, little-endian. */
int mm3i_int_fits(struct mm3i_int value, uint64_t size, int is_signed);
struct mm3i_int mm3i_int_load(const void *bytes, uint64_t size, int is_signed);
void mm3i_int_store(struct mm3i_int value, void *bytes, uint64_t size);
int mm3i_int_limit_fail(struct mm3i_int value, const char *type, uint64_t size, int is_signed, struct mm3_ctx *ctx);

#endif
