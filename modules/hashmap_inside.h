/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_inside.h: what the parts of the hashmap module share. */
#ifndef MM3_HASHMAP_INSIDE_H
#define MM3_HASHMAP_INSIDE_H

#include <mm3/hashmap_change.h>
#include <mm3/hashmap_walk.h>
#include <mm3/module.h>
#include <stdbool.h>

/* What only this module's files see, also where all modules are linked into one program. */
#define HASHMAP_OWN __attribute__((visibility("hidden")))

/* mm3-hashmap.c: K and V of a type, as laid out. */
HASHMAP_OWN struct mm3_i_hm_shape mm3i_hashmap_shape(const struct mm3_type *type);

/* hashmap_tables.c */
HASHMAP_OWN extern const struct mm3_hashmap_ops mm3i_hashmap_ops;
HASHMAP_OWN void mm3i_hashmap_item(struct mm3_file *, const struct mm3_i_hm_shape *, const struct mm3_i_hm_table *,
                                   const struct mm3_i_hm_hit *, struct mm3_hashmap_item *);

/* The block that a table lies in. */
static inline uint64_t mm3i_hashmap_block(uint64_t word) { return word & MM3_I_HM_OFFSET; }

/* Is this table this map's? Another map's has another seed. */
static inline bool mm3i_hashmap_owns(const struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                                     const struct mm3_i_hm_table *t) {
  const struct mm3_i_hashmap_head *head = mm3_i_hm_head(t);
  return head->magic == MM3_I_HM_MAGIC && head->algorithm == 1 && head->slot_size == s->slot &&
         head->value_at == s->value_at && head->seed == m->seed && (head->generation & 0xFFFF) == t->word >> 48;
}

/* Steps through the occupied slots. *hit starts zeroed; 0 at the end. */
static inline bool mm3i_hashmap_step(const struct mm3_i_hm_shape *s, const struct mm3_i_hm_table *t,
                                     struct mm3_i_hm_hit *hit, bool first) {
  if (!first) hit->lane++;
  for (; hit->group <= t->mask; hit->group++, hit->lane = 0) {
    uint32_t used = ~mm3_group_below2(mm3_i_hm_control(t, hit->group)) & 0xFFFF & (UINT32_MAX << hit->lane);
    if (!used) continue;
    hit->lane = mm3_i_hm_lowest(used);
    hit->slot = mm3_i_hm_slot(*s, t, mm3_i_hm_index(hit));
    return true;
  }
  return false;
}

/* hashmap_check.c */
HASHMAP_OWN int mm3i_hashmap_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx);
HASHMAP_OWN int mm3i_hashmap_blocks(const struct mm3_type *type, const void *bytes,
                                    int (*own)(void *arg, uint64_t offset), void *arg, struct mm3_ctx *ctx);

/* hashmap_describe.c */
HASHMAP_OWN int mm3i_hashmap_describe(const struct mm3_type *, const void *bytes, struct mm3_sink *, struct mm3_ctx *);

/* hashmap_visit.c, hashmap_values.c, hashmap_steps.c: whole maps as values, and entries by their keys' text */
HASHMAP_OWN int mm3i_hashmap_visit(const struct mm3_type *, const void *bytes, struct mm3_sink *, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_put(const struct mm3_type *, void *bytes, const struct mm3_value *, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_assign(const struct mm3_type *, void *to, const void *from, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_visit_deep(const struct mm3_type *, const void *bytes, const struct mm3_step *steps,
                                        size_t nsteps, struct mm3_sink *, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_put_deep(const struct mm3_type *, void *bytes, const struct mm3_step *steps, size_t nsteps,
                                      const struct mm3_value *, struct mm3_ctx *);

#endif
