/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hashmap_table.h: the bytes of a hashmap's table and how they are found: for hashmap.h and the module, not for programs.
 * Every function takes a shape, which typed operations build of constants, so that the compiler folds it away, and the
 * module of a type.
 */
#ifndef MM3_HASHMAP_TABLE_H
#define MM3_HASHMAP_TABLE_H

#include <errno.h>
#include <mm3/arg.h>
#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/hashing.h>
#include <mm3/heap.h>
#include <mm3/utf8.h>

/* In the root struct. `table` is the one word that publishes: bits 0-5 the binary logarithm of the number of groups, bits
 * 6-47 the table's offset / 64, bits 48-63 the low bits of its generation; 0: no table, no entry. */
struct mm3_i_hashmap {
  uint64_t table;
  uint64_t seed;       /* set once, when the field is made */
  uint64_t generation; /* tables that there were */
  uint64_t print;      /* of K and V, as mm3_i_hm_print says; set when the field is made */
};

/* The first 128 bytes of a table. The first line never changes, the second is for the lock's holder (and len). */
struct mm3_i_hashmap_head {
  uint32_t magic, algorithm;
  uint64_t groups_log2, slot_size, value_at, seed, generation;
  uint64_t reserved[2];
  uint64_t count;
  uint64_t pending; /* what was under way: bits 0-45 slot + 1, 46 set: a removal, 48-63 the count before; 0: nothing */
  uint64_t room;    /* entries that may be added before the table is rebuilt; a hint */
  uint64_t journal; /* wide values: bits 0-45 slot + 1 whose value is the journal's; 46-63 count up; 0: none */
  uint64_t reserved2[4];
};

#define MM3_I_HM_MAGIC UINT32_C(0x68336d6d) /* "mm3h" */
#define MM3_I_HM_HEAD 128
#define MM3_I_HM_LANES 15     /* slots a group; its byte 15 has a bit for hashes that went on to another group */
#define MM3_I_HM_MAX_LOG2 36
#define MM3_I_HM_OFFSET UINT64_C(0x0000FFFFFFFFFFC0)
#define MM3_I_HM_SLOT_BITS ((UINT64_C(1) << 46) - 1)
#define MM3_I_HM_REMOVAL (UINT64_C(1) << 46)
#define MM3_I_HM_RECORD_BITS ((UINT64_C(1) << 48) - 1)
#define MM3_I_HM_MAX_TEXT (UINT32_MAX / 2)

/* How a value is kept: by one store; in several words, overwritten by way of the journal; in a record of its own; in the
 * key's record. */
#define MM3_I_HM_NARROW 1
#define MM3_I_HM_WIDE 2
#define MM3_I_HM_RECORD 3
#define MM3_I_HM_SHARED 4

struct mm3_i_hm_shape {
  int key_is, value_is, kept; /* MM3_I_IS_*, MM3_I_HM_NARROW .. */
  uint64_t key_size, value_size, value_at, slot;
  uint64_t key_max, value_max; /* of string(N): N */
};

/* As laid out; key_is and value_is are MM3_I_IS_* + 8 N (N of string(N), else 0). The key, then the value, each aligned; a value of 1, 2, 4, 8 bytes to its size. */
MM3_INLINE struct mm3_i_hm_shape mm3_i_hm_shape_of(int key_is, uint64_t key_size, uint64_t key_align, int value_is,
                                                   uint64_t value_size, uint64_t value_align) {
  struct mm3_i_hm_shape s = {key_is & 7, value_is & 7, MM3_I_HM_WIDE, key_size, value_size, 0, 0, 0, 0};
  uint64_t align = value_align;
  s.key_max = (uint64_t)(unsigned)key_is >> 3;
  s.value_max = (uint64_t)(unsigned)value_is >> 3;
  key_is &= 7;
  value_is &= 7;
  if (key_is == MM3_I_IS_HEAP) s.key_size = key_align = 8;
  if (value_is == MM3_I_IS_HEAP) {
    s.kept = key_is == MM3_I_IS_HEAP ? MM3_I_HM_SHARED : MM3_I_HM_RECORD;
    s.value_size = align = 8;
  } else if (value_size == 1 || value_size == 2 || value_size == 4 || value_size == 8) {
    s.kept = MM3_I_HM_NARROW;
    align = value_size;
  }
  if (align < key_align) align = key_align;
  if (s.kept == MM3_I_HM_SHARED) {
    s.slot = 8;
    return s;
  }
  uint64_t own = s.kept == MM3_I_HM_WIDE ? value_align : s.value_size;
  s.value_at = (s.key_size + own - 1) & ~(own - 1);
  s.slot = (s.value_at + s.value_size + align - 1) & ~(align - 1);
  return s;
}

/* What K and V are, in one word: a program whose C types say something else is refused when it would make a table. */
MM3_INLINE uint64_t mm3_i_hm_print(struct mm3_i_hm_shape s) {
  return (uint64_t)(s.key_is * 8 + s.value_is) << 56 ^ s.key_size << 42 ^ s.key_max << 28 ^ s.value_size << 8 ^
         s.value_max << 4 ^ (uint64_t)s.kept;
}

/* ---- where things lie: head, sequence counts (one for 16 groups), control bytes, slots, the journal's value ---- */

MM3_INLINE uint64_t mm3_i_hm_counts_size(unsigned log2) { return log2 <= 8 ? 64 : UINT64_C(1) << (log2 - 2); }
MM3_INLINE uint64_t mm3_i_hm_control_at(unsigned log2) { return MM3_I_HM_HEAD + mm3_i_hm_counts_size(log2); }
MM3_INLINE uint64_t mm3_i_hm_slots_at(unsigned log2) {
  return (mm3_i_hm_control_at(log2) + (UINT64_C(16) << log2) + 63) & ~UINT64_C(63);
}
MM3_INLINE uint64_t mm3_i_hm_journal_at(struct mm3_i_hm_shape s, unsigned log2) {
  return (mm3_i_hm_slots_at(log2) + (MM3_I_HM_LANES * s.slot << log2) + 63) & ~UINT64_C(63);
}
MM3_INLINE uint64_t mm3_i_hm_size(struct mm3_i_hm_shape s, unsigned log2) {
  return mm3_i_hm_journal_at(s, log2) + (s.kept == MM3_I_HM_WIDE ? s.value_size : 0);
}
/* Entries that a table takes before it grows. */
MM3_INLINE uint64_t mm3_i_hm_capacity(unsigned log2) {
  return log2 == 0 ? 13 : (UINT64_C(105) << log2) >> 3;
}

/* A table whose bounds were verified, under one value of the root's word. */
struct mm3_i_hm_table {
  unsigned char *base, *control, *slots;
  uint32_t *counts;
  uint64_t word, mask;
  unsigned log2;
};

/* A slot that was found, and the count that guards it as it was before its control byte was read. */
struct mm3_i_hm_hit {
  unsigned char *slot;
  uint64_t group;
  unsigned lane;
  uint32_t count;
};

MM3_INLINE struct mm3_i_hashmap_head *mm3_i_hm_head(const struct mm3_i_hm_table *t) {
  return (struct mm3_i_hashmap_head *)(void *)t->base;
}

/* 1: inside the file, so only outside this handle's reserve. */
MM3_COLD MM3_UNUSED static int mm3_i_hm_inside(const struct mm3_file *file, uint64_t offset, uint64_t size) {
  struct mm3_file_info info;
  info.size = sizeof info;
  return mm3_file_describe(file, &info) == 0 && offset <= info.length && size <= info.length - offset;
}

MM3_INLINE int mm3_i_hm_outside(const struct mm3_file *file, uint64_t offset, uint64_t size) {
  return mm3_i_hm_inside(file, offset, size) ? -MM3_E_RESERVE : -MM3_E_DAMAGED;
}

/* 0, -MM3_E_DAMAGED, -MM3_E_RESERVE. The word is not 0. */
MM3_INLINE int mm3_i_hm_open(struct mm3_file *file, struct mm3_i_hm_shape s, uint64_t word, struct mm3_i_hm_table *t) {
  unsigned log2 = (unsigned)(word & 63);
  uint64_t offset = word & MM3_I_HM_OFFSET;
  if (__builtin_expect(log2 > MM3_I_HM_MAX_LOG2, 0)) return -MM3_E_DAMAGED;
  uint64_t size = mm3_i_hm_size(s, log2);
  t->base = (unsigned char *)mm3_at(file, offset, size);
  if (__builtin_expect(!t->base, 0)) return mm3_i_hm_outside(file, offset, size);
  t->word = word;
  t->log2 = log2;
  t->mask = (UINT64_C(1) << log2) - 1;
  t->counts = (uint32_t *)(void *)(t->base + MM3_I_HM_HEAD);
  t->control = t->base + mm3_i_hm_control_at(log2);
  t->slots = t->base + mm3_i_hm_slots_at(log2);
  return 0;
}

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

/* Bits of a hash: 0-35 the group, 37-52 a text's mark in the slot, 53-55 the bit of byte 15, 56-63 the control byte. */
MM3_INLINE unsigned char mm3_i_hm_tag(uint64_t hash) {
  unsigned char tag = (unsigned char)(hash >> 56);
  return (unsigned char)(tag + (tag == 0));
}
MM3_INLINE unsigned char mm3_i_hm_passed(uint64_t hash) { return (unsigned char)(1u << (hash >> 53 & 7)); }
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

MM3_INLINE uint64_t mm3_i_hm_word(const void *at) { return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE); }

/* ---- keys ---- */

/* An integer of that size as it lies. */
MM3_INLINE uint64_t mm3_i_hm_load(const unsigned char *at, uint64_t size) {
  if (size == 1) return __atomic_load_n(at, __ATOMIC_RELAXED);
  if (size == 2) return __atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_RELAXED);
  if (size == 4) return __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_RELAXED);
  return __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_RELAXED);
}

MM3_INLINE void mm3_i_hm_store(unsigned char *at, uint64_t size, uint64_t word) {
  if (size == 1) __atomic_store_n(at, (unsigned char)word, __ATOMIC_RELEASE);
  else if (size == 2) __atomic_store_n((uint16_t *)(void *)at, (uint16_t)word, __ATOMIC_RELEASE);
  else if (size == 4) __atomic_store_n((uint32_t *)(void *)at, (uint32_t)word, __ATOMIC_RELEASE);
  else __atomic_store_n((uint64_t *)(void *)at, word, __ATOMIC_RELEASE);
}

/* 1: the slot holds this key; 0: another; -MM3_E_DAMAGED. */
MM3_INLINE int mm3_i_hm_equal(struct mm3_file *file, struct mm3_i_hm_shape s, const unsigned char *slot,
                              struct mm3_i_arg key, uint64_t hash) {
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

/* ---- probing ---- */

/* 1: found; 0: not in this table, as it was read; -MM3_E_DAMAGED. What it says holds only if the hit's count (for 0 the
 * root's word) is still the same afterwards. */
MM3_INLINE int mm3_i_hm_probe(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                              struct mm3_i_arg key, uint64_t hash, struct mm3_i_hm_hit *hit) {
  unsigned char tag = mm3_i_hm_tag(hash), passed = mm3_i_hm_passed(hash);
  uint64_t group = hash & t->mask;
  for (uint64_t step = 1;; group = (group + step++) & t->mask) {
    const unsigned char *control = t->control + 16 * group;
    hit->count = __atomic_load_n(&t->counts[group >> 4], __ATOMIC_ACQUIRE);
    uint32_t match = mm3_group_match(control, tag) & 0x7FFF;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    for (; match; match &= match - 1) {
      unsigned lane = (unsigned)__builtin_ctz(match);
      unsigned char *slot = t->slots + (MM3_I_HM_LANES * group + lane) * s.slot;
      int equal = mm3_i_hm_equal(file, s, slot, key, hash);
      if (__builtin_expect(equal != 0, 1)) {
        hit->slot = slot;
        hit->group = group;
        hit->lane = lane;
        return equal;
      }
    }
    if (__builtin_expect(!(__atomic_load_n(control + 15, __ATOMIC_RELAXED) & passed), 1)) return 0;
    if (__builtin_expect(step > t->mask, 0)) return 0;
  }
}

/* The first free slot for a hash; marks the groups that it passes. 0: there is none. For the lock's holder. */
MM3_INLINE int mm3_i_hm_place(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, uint64_t hash,
                              struct mm3_i_hm_hit *hit) {
  uint64_t group = hash & t->mask;
  for (uint64_t step = 1; step <= t->mask + 1; group = (group + step++) & t->mask) {
    unsigned char *control = t->control + 16 * group;
    uint32_t free = mm3_group_match(control, 0) & 0x7FFF;
    if (__builtin_expect(free != 0, 1)) {
      hit->group = group;
      hit->lane = (unsigned)__builtin_ctz(free);
      hit->slot = t->slots + (MM3_I_HM_LANES * group + hit->lane) * s.slot;
      return 1;
    }
    unsigned char passed = (unsigned char)(control[15] | mm3_i_hm_passed(hash));
    __atomic_store_n(control + 15, passed, __ATOMIC_RELEASE);
  }
  return 0;
}

/* Moves the count that guards a slot: what was copied from it before is then known to be old. */
MM3_INLINE void mm3_i_hm_bump(const struct mm3_i_hm_table *t, uint64_t group) {
  uint32_t *count = &t->counts[group >> 4];
  __atomic_store_n(count, *count + 1, __ATOMIC_RELEASE);
  mm3_copy_begin_write();
}

MM3_INLINE int mm3_i_hm_still(const struct mm3_i_hashmap *m, const struct mm3_i_hm_table *t,
                              const struct mm3_i_hm_hit *hit) {
  mm3_copy_end_read();
  return __atomic_load_n(&t->counts[hit->group >> 4], __ATOMIC_RELAXED) == hit->count &&
         __atomic_load_n(&m->table, __ATOMIC_RELAXED) == t->word;
}

MM3_INLINE uint64_t mm3_i_hm_index(const struct mm3_i_hm_hit *hit) { return MM3_I_HM_LANES * hit->group + hit->lane; }

#endif
