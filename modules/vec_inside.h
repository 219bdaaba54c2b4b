/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vec_inside.h: what the files of module vec share. The inline machinery, out of line and for sizes that are not
 * constants: each does what its namesake in mm3/vec_inline.h does. */
#ifndef MM3_VEC_INSIDE_H
#define MM3_VEC_INSIDE_H

#include <mm3/testing.h>
#include <mm3/vec.h>

/* The four arguments of the inline functions. */
#define V(ref) (ref).vec, (size_t)(ref).item, (size_t)(ref).offset, (ref).capacity

uint64_t mm3i_vec_settle(struct mm3_vec_ref v);
int mm3i_vec_get(struct mm3_vec_ref v, uint64_t i, void *out);
int mm3i_vec_set(struct mm3_vec_ref v, uint64_t i, const void *value);

/* The slot of item i < length, which is the second. */
void *mm3i_vec_slot(struct mm3_vec_ref v, uint64_t i);
void *mm3i_vec_place(struct mm3_vec_ref v, uint64_t slot);
uint64_t mm3i_vec_len(struct mm3_vec_ref v);

/* Removes items that are there. `file` (may be NULL) gets a certificate for its field `field`; UINT32_MAX: look for it. */
void mm3i_vec_cut(struct mm3_file *file, uint32_t field, struct mm3_vec_ref v, uint64_t index, uint64_t count);

static inline const struct mm3_type *item_type(const struct mm3_type *type) { return type->args[0].type; }

static inline struct mm3_vec_ref ref_of(const struct mm3_type *type, const void *bytes) {
  struct mm3_vec_ref v = {(void *)(uintptr_t)bytes, item_type(type)->size, type->numbers[0], type->args[1].number};
  return v;
}

typedef int mm3i_vec_item_fn(const struct mm3_type *item, void *bytes, void *arg, struct mm3_ctx *ctx);

/* Calls `fn` for a copy of each item of [first, last), or for what owns blocks itself: whole, whoever writes. Items that
 * are gone meanwhile are left out. each_item: from `first` on, in place, for the holder of the lock. */
int mm3i_vec_each_copy(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last, mm3i_vec_item_fn *fn,
                       void *arg, struct mm3_ctx *ctx);
int mm3i_vec_each_item(const struct mm3_type *type, const void *bytes, uint64_t first, mm3i_vec_item_fn *fn, void *arg,
                       struct mm3_ctx *ctx);

/* Rows. */
int mm3i_vec_find(const struct mm3_type *type, const void *bytes, const struct mm3_step *step, uint64_t *index,
                  struct mm3_ctx *ctx);
int mm3i_vec_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);
int mm3i_vec_push(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);
int mm3i_vec_put_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, const struct mm3_value *value,
                    struct mm3_ctx *ctx);
int mm3i_vec_erase(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_ctx *ctx);
int mm3i_vec_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx);
int mm3i_vec_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);

extern const struct mm3_vec_ops mm3i_vec_ops;
extern const struct mm3_test_op mm3i_vec_test_ops[];

#endif
