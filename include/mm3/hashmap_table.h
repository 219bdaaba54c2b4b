/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_table.h: how an entry is found in a hashmap's table, and a place for a new one. Not for programs. */
#ifndef MM3_HASHMAP_TABLE_H
#define MM3_HASHMAP_TABLE_H

#include <mm3/hashmap_bytes.h>
#include <mm3/item.h>

/* ---- hashes ---- */

MM3_INLINE uint64_t mm3_i_hm_mask(uint64_t word, uint64_t size) {
  return size < 8 ? word & ((UINT64_C(1) << (8 * size & 63)) - 1) : word;
}

MM3_INLINE uint64_t mm3_i_hm_hash(struct mm3_i_hm_shape s, struct mm3_i_arg key, uint64_t seed) {
  if (s.key_is == MM3_I_IS_INTEGER) {
    if (s.key_size == 16) return mm3_hash_wide(key.low, key.high, seed);
    return mm3_hash_word(mm3_i_hm_mask(key.low, s.key_size), seed);
  }
  return mm3_hash_bytes(key.ptr, s.key_is == MM3_I_IS_BYTES ? (size_t)s.key_size : (size_t)key.low, seed);
}

/* Bits of a hash: 0-31 the group, 37-52 a text's mark in the slot, 56-63 the control byte (0 and 1 become 2 and 3). */
#define MM3_I_HM_TAG(n)    (((n) | ((n) < 2 ? 2u : 0u)) * 0x01010101u)
#define MM3_I_HM_TAGS4(n)  MM3_I_HM_TAG(n), MM3_I_HM_TAG((n) + 1), MM3_I_HM_TAG((n) + 2), MM3_I_HM_TAG((n) + 3)
#define MM3_I_HM_TAGS16(n) MM3_I_HM_TAGS4(n), MM3_I_HM_TAGS4((n) + 4), MM3_I_HM_TAGS4((n) + 8), MM3_I_HM_TAGS4((n) + 12)
#define MM3_I_HM_TAGS64(n) \
  MM3_I_HM_TAGS16(n), MM3_I_HM_TAGS16((n) + 16), MM3_I_HM_TAGS16((n) + 32), MM3_I_HM_TAGS16((n) + 48)
/* The control byte of each top byte, four times: one load where a few instructions would be. */
MM3_UNUSED static const uint32_t mm3_i_hm_tags[256] = {MM3_I_HM_TAGS64(0u), MM3_I_HM_TAGS64(64u), MM3_I_HM_TAGS64(128u),
                                                       MM3_I_HM_TAGS64(192u)};
#undef MM3_I_HM_TAG
#undef MM3_I_HM_TAGS4
#undef MM3_I_HM_TAGS16
#undef MM3_I_HM_TAGS64
MM3_INLINE uint32_t mm3_i_hm_tag(uint64_t hash) { return mm3_i_hm_tags[hash >> 56]; }
MM3_INLINE uint64_t mm3_i_hm_mark(uint64_t hash) { return hash >> 37 & 0xFFFF; }

/* ---- records: { key's length: 4, value's length: 4, key, value } ---- */

struct mm3_i_hm_record {
  const unsigned char *key, *value;
  size_t key_len, value_len;
};

/* What a slot's word leads to; 0, or -MM3_E_DAMAGED: nothing inside the file. The bytes may change meanwhile. */
MM3_INLINE int mm3_i_hm_record_at(struct mm3_file *file, uint64_t word, struct mm3_i_hm_record *r) {
  uint64_t offset = word & MM3_I_HM_RECORD_BITS;
  const unsigned char *at = (const unsigned char *)mm3_at(file, offset, 8);
  if (__builtin_expect(!at || (offset & 3), 0)) return -MM3_E_DAMAGED;
  r->key_len = __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_RELAXED);
  r->value_len = __atomic_load_n((const uint32_t *)(const void *)(at + 4), __ATOMIC_RELAXED);
  if (__builtin_expect(!mm3_at(file, offset, 8 + (uint64_t)r->key_len + r->value_len), 0)) return -MM3_E_DAMAGED;
  r->key = at + 8;
  r->value = r->key + r->key_len;
  return 0;
}

MM3_INLINE uint64_t mm3_i_hm_word(const void *at) {
  return __atomic_load_n((const mm3_i_word64 *)at, __ATOMIC_ACQUIRE);
}

/* ---- keys ---- */

/* An integer of that size as it lies. */
MM3_INLINE uint64_t mm3_i_hm_load(const unsigned char *at, uint64_t size) {
  if (size == 1) return __atomic_load_n(at, __ATOMIC_RELAXED);
  if (size == 2) return __atomic_load_n((const mm3_i_word16 *)(const void *)at, __ATOMIC_RELAXED);
  if (size == 4) return __atomic_load_n((const mm3_i_word32 *)(const void *)at, __ATOMIC_RELAXED);
  return __atomic_load_n((const mm3_i_word64 *)(const void *)at, __ATOMIC_RELAXED);
}

MM3_INLINE void mm3_i_hm_store(unsigned char *at, uint64_t size, uint64_t word) {
  if (size == 1) __atomic_store_n(at, (unsigned char)word, __ATOMIC_RELEASE);
  if (size == 2) __atomic_store_n((mm3_i_word16 *)(void *)at, (uint16_t)word, __ATOMIC_RELEASE);
  if (size == 4) __atomic_store_n((mm3_i_word32 *)(void *)at, (uint32_t)word, __ATOMIC_RELEASE);
  if (size >= 8) __atomic_store_n((mm3_i_word64 *)(void *)at, word, __ATOMIC_RELEASE);
}

/* 1: the hit's slot holds this key; 0: another; -MM3_E_DAMAGED. */
MM3_INLINE int mm3_i_hm_equal(struct mm3_file *file, struct mm3_i_hm_shape s, struct mm3_i_hm_hit *hit,
                              struct mm3_i_arg key, uint64_t hash) {
  const unsigned char *slot = hit->slot;
  hit->value = 0; /* or compilers, which do not see what 1 means, warn */
  hit->value_len = 0;
  if (s.key_is == MM3_I_IS_INTEGER) {
    if (s.key_size < 16) return mm3_i_hm_load(slot, s.key_size) == mm3_i_hm_mask(key.low, s.key_size);
    return mm3_i_hm_load(slot, 8) == key.low && mm3_i_hm_load(slot + 8, 8) == key.high;
  }
  if (s.key_is == MM3_I_IS_BYTES) return mm3_bytes_equal(slot, key.ptr, (size_t)s.key_size);
  if (s.key_is == MM3_I_IS_TEXT)
    return mm3_i_hm_load(slot, 4) == key.low && key.low <= s.key_max &&
           mm3_bytes_equal(slot + 4, key.ptr, (size_t)key.low);
  struct mm3_i_hm_record r;
  uint64_t word = mm3_i_hm_word(slot);
  if (word >> 48 != mm3_i_hm_mark(hash)) return 0;
  if (mm3_i_hm_record_at(file, word, &r) < 0) return -MM3_E_DAMAGED;
  hit->value = r.value;
  hit->value_len = r.value_len;
  return r.key_len == key.low && mm3_bytes_equal(r.key, key.ptr, (size_t)key.low);
}

/* The key of a slot as an argument; for a rebuild and for checks. */
MM3_INLINE int mm3_i_hm_key_of(struct mm3_file *file, struct mm3_i_hm_shape s, const unsigned char *slot,
                               struct mm3_i_arg *key) {
  struct mm3_i_hm_record r;
  *key = mm3_i_arg_make(s.key_is, slot, 0, 0, 0);
  if (s.key_is == MM3_I_IS_INTEGER) {
    key->low = mm3_i_hm_load(slot, s.key_size < 8 ? s.key_size : 8);
    if (s.key_size == 16) key->high = mm3_i_hm_load(slot + 8, 8);
  } else if (s.key_is == MM3_I_IS_TEXT) {
    key->low = mm3_i_hm_load(slot, 4);
    key->ptr = slot + 4;
    if (key->low > s.key_max) return -MM3_E_DAMAGED;
  } else if (s.key_is == MM3_I_IS_HEAP) {
    if (mm3_i_hm_record_at(file, mm3_i_hm_word(slot), &r) < 0) return -MM3_E_DAMAGED;
    key->ptr = r.key;
    key->low = r.key_len;
  }
  return 0;
}

/* The number of the lowest bit that is set. */
MM3_INLINE uint64_t mm3_i_hm_lowest(uint64_t bits) { return (uint64_t)(unsigned)__builtin_ctzll(bits); }

/* ---- probing: groups hash & mask, then 1, 3, 6, ... further, until one has a byte that is FREE ---- */

/* 1: found; 0: not in this table, as it was read; -MM3_E_DAMAGED; -MM3_E_AGAIN. What it says holds only if the hit's count
 * (for 0 the root's word) is still the same afterwards. A key in the heap that differs may be another's by now, in a
 * record that was freed under the comparison: then the group is looked at again. */
MM3_INLINE int mm3_i_hm_probe(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                              struct mm3_i_arg key, uint64_t hash, struct mm3_i_hm_hit *hit) {
  uint64_t group = hash & t->mask;
  for (uint64_t step = 1;; group = (group + step++) & t->mask) {
    const unsigned char *control = mm3_i_hm_control(t, group);
    uint32_t *count = mm3_i_hm_count(s, t, group);
    int tries = 0;
    do {
      if (tries++ == MM3_COPY_TRIES) return -MM3_E_AGAIN;
      hit->count = __atomic_load_n(count, __ATOMIC_ACQUIRE);
      uint32_t match = mm3_group_match4(control, mm3_i_hm_tag(hash));
      __atomic_thread_fence(__ATOMIC_ACQUIRE);
      for (; match; match &= match - 1) {
        hit->group = group;
        hit->lane = mm3_i_hm_lowest(match);
        hit->slot = mm3_i_hm_slot(s, t, mm3_i_hm_index(hit));
        int equal = mm3_i_hm_equal(file, s, hit, key, hash);
        if (equal != 0) return equal;
      }
      mm3_copy_end_read();
    } while (s.key_is == MM3_I_IS_HEAP && MM3_I_PEEK(*count) != hit->count);
    if (mm3_group_match4(control, MM3_I_HM_FREE)) return 0;
    if (step > t->mask) return 0;
  }
}

/* The same for most look-ups: the first likely slot of the first group, without a loop. -1: ask mm3_i_hm_probe. What it
 * says holds if mm3_i_hm_quiet says so afterwards. */
MM3_INLINE int mm3_i_hm_glance(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                               struct mm3_i_arg key, uint64_t hash, struct mm3_i_hm_hit *hit) {
  hit->group = hash & t->mask;
  const unsigned char *control = mm3_i_hm_control(t, hit->group);
  hit->count = __atomic_load_n(&mm3_i_hm_head(t)->moves, __ATOMIC_ACQUIRE);
  uint32_t match = mm3_group_match4(control, mm3_i_hm_tag(hash));
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  if (!match) return mm3_group_match4(control, MM3_I_HM_FREE) ? 0 : -1;
  hit->lane = mm3_i_hm_lowest(match);
  hit->slot = mm3_i_hm_slot(s, t, mm3_i_hm_index(hit));
  return mm3_i_hm_equal(file, s, hit, key, hash) == 1 ? 1 : -1;
}

/* The first slot for a new entry. 0: there is none. For the lock's holder. */
MM3_INLINE int mm3_i_hm_place(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, uint64_t hash,
                              struct mm3_i_hm_hit *hit) {
  hit->group = hash & t->mask;
  for (uint64_t step = 1; step <= t->mask + 1; hit->group = (hit->group + step++) & t->mask) {
    uint32_t free = mm3_group_below2(mm3_i_hm_control(t, hit->group));
    if (__builtin_expect(free == 0, 0)) continue;
    hit->lane = mm3_i_hm_lowest(free);
    hit->slot = mm3_i_hm_slot(s, t, mm3_i_hm_index(hit));
    return 1;
  }
  return 0;
}

/* Moves the count that guards a slot: what was copied from it before is then known to be old. */
MM3_INLINE void mm3_i_hm_bump(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, uint64_t group) {
  uint32_t *count = mm3_i_hm_count(s, t, group);
  uint64_t *moves = &mm3_i_hm_head(t)->moves;
  __atomic_store_n(count, *count + 1, __ATOMIC_RELEASE);
  __atomic_store_n(moves, *moves + 1, __ATOMIC_RELEASE);
  mm3_copy_begin_write();
}

/* After a copy. still: the four groups around a hit of probe are as they were. quiet: all are, after glance. */
MM3_INLINE int mm3_i_hm_still(const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                              const struct mm3_i_hm_hit *hit) {
  mm3_copy_end_read();
  return MM3_I_PEEK(*mm3_i_hm_count(s, t, hit->group)) == hit->count && MM3_I_PEEK(m->table) == t->word;
}

MM3_INLINE int mm3_i_hm_quiet(const struct mm3_i_hashmap *m, const struct mm3_i_hm_table *t,
                              const struct mm3_i_hm_hit *hit) {
  mm3_copy_end_read();
  return __builtin_expect(MM3_I_PEEK(mm3_i_hm_head(t)->moves) == hit->count, 1) &&
         __builtin_expect(MM3_I_PEEK(m->table) == t->word, 1);
}

#endif
