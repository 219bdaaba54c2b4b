/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_values.h: room for one entry outside the file, whatever K and V are. */
#ifndef MM3_HASHMAP_VALUES_H
#define MM3_HASHMAP_VALUES_H

#include "hashmap_inside.h"

struct hashmap_entry {
  struct mm3_i_hm_shape s;
  const struct mm3_type *key_type, *value_type;
  void *key, *value;                 /* of fixed-size types, as they lie in a slot */
  struct mm3_buf key_buf, value_buf; /* of strings and texts */
};

HASHMAP_OWN int mm3i_hashmap_entry_new(struct hashmap_entry *, const struct mm3_type *type);
HASHMAP_OWN void mm3i_hashmap_entry_free(struct hashmap_entry *);
HASHMAP_OWN int mm3i_hashmap_entry_grow(struct hashmap_entry *);

/* What inline operations take and fill. */
HASHMAP_OWN void *mm3i_hashmap_key_room(struct hashmap_entry *);
HASHMAP_OWN void *mm3i_hashmap_value_room(struct hashmap_entry *);
HASHMAP_OWN struct mm3_i_arg mm3i_hashmap_key_arg(const struct hashmap_entry *);
HASHMAP_OWN struct mm3_i_arg mm3i_hashmap_value_arg(const struct hashmap_entry *);

/* string and text: they lie in the entry's buffers. */
HASHMAP_OWN bool mm3i_hashmap_texty(int is);
/* Objects where JSON has such keys: strings, integers, raw. */
HASHMAP_OWN bool mm3i_hashmap_as_object(const struct hashmap_entry *);

/* fresh: from nothing, else over the value that is in the entry. */
HASHMAP_OWN int mm3i_hashmap_value_put(struct hashmap_entry *, bool fresh, const struct mm3_value *, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_key_put(struct hashmap_entry *, const struct mm3_value *, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_key_parse(struct hashmap_entry *, const char *text, size_t count, struct mm3_ctx *);
HASHMAP_OWN int mm3i_hashmap_part_visit(const struct mm3_type *, int is, const struct mm3_buf *, const void *bytes,
                                        struct mm3_sink *, struct mm3_ctx *);

#endif
