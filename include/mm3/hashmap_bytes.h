/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hashmap_bytes.h: the bytes of a hashmap's table: for hashmap.h and the module, not for programs. Every function takes
 * a shape, which typed operations build of constants, so that the compiler folds it away, and the module of a type.
 */
#ifndef MM3_HASHMAP_BYTES_H
#define MM3_HASHMAP_BYTES_H

#include <errno.h>
#include <mm3/arg.h>
#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/hashing.h>
#include <mm3/heap.h>
#include <mm3/utf8.h>

/* In the root struct. `table` is the one word that publishes: bits 6-47 the table's offset / 64, bits 48-63 the low
 * bits of its generation; 0: no table, no entry. */
struct mm3_i_hashmap {
  uint64_t table;
  uint64_t seed;       /* set once, when the field is made */
  uint64_t generation; /* tables that there were */
  uint64_t print;      /* of K and V, as mm3_i_hm_print says; set when the field is made */
};

/* The first 128 bytes of a table. The first half never changes, the second is for the lock's holder (and len). */
struct mm3_i_hashmap_head {
  uint32_t magic, algorithm;
  uint32_t mask, reserved; /* mask: the number of groups, a power of two from 4, less 1 */
  uint64_t slot_size, value_at, seed, generation;
  uint64_t reserved2[2];
  uint64_t count;
  uint64_t pending; /* what was under way: bits 0-45 slot + 1, 46 set: a removal, 48-63 the count before; 0: nothing */
  uint64_t room;    /* entries that may be added before the table is rebuilt; a hint */
  uint64_t journal; /* wide values: bits 0-45 slot + 1 whose value is the journal's; 46-63 count up; 0: none */
  uint64_t
    moves; /* goes up with each of the table's counts: one look instead of two for readers whom nobody disturbs */
  uint64_t reserved3[3];
};

#define MM3_I_HM_MAGIC       UINT32_C(0x68336d6d) /* "mm3h" */
#define MM3_I_HM_HEAD        128
#define MM3_I_HM_LANES       16 /* slots a group, with a control byte each */
#define MM3_I_HM_FREE        0  /* control bytes: never used since the table was made: a search ends in its group */
#define MM3_I_HM_GONE        1  /* its entry was removed; higher ones are 8 bits of the entry's hash */
#define MM3_I_HM_MAX_MASK    UINT32_C(0x7fffffff)
#define MM3_I_HM_OFFSET      UINT64_C(0x0000FFFFFFFFFFC0)
#define MM3_I_HM_SLOT_BITS   ((UINT64_C(1) << 46) - 1)
#define MM3_I_HM_REMOVAL     (UINT64_C(1) << 46)
#define MM3_I_HM_RECORD_BITS ((UINT64_C(1) << 48) - 1)
#define MM3_I_HM_MAX_TEXT    (UINT32_MAX / 2)

/* How a value is kept: by one store; in several words, overwritten by way of the journal; in a record of its own; in
 * the key's record. */
#define MM3_I_HM_NARROW 1
#define MM3_I_HM_WIDE   2
#define MM3_I_HM_RECORD 3
#define MM3_I_HM_SHARED 4

struct mm3_i_hm_shape {
  int key_is, value_is, kept; /* MM3_I_IS_*, MM3_I_HM_NARROW .. */
  uint64_t key_size, value_size, value_at, slot;
  uint64_t key_max, value_max; /* of string(N): N */
};

/* As laid out; key_is and value_is are MM3_I_IS_* + 8 N (N of string(N), else 0). The key, then the value, each
 * aligned; a value of 1, 2, 4, 8 bytes to its size. */
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

/* ---- where things lie: head, groups, slots, counts (one for four groups), the journal's value ---- */

/* One multiplication, where compilers would make four shifts and additions of a known factor. */
MM3_INLINE uint64_t mm3_i_hm_times(uint64_t n, uint64_t factor) {
#if defined __x86_64__ && defined __OPTIMIZE__
  if (__builtin_constant_p(factor) && factor < 0x7fffffff) {
    __asm__("imulq %2, %1, %0" : "=r"(n) : "r"(n), "i"(factor) : "cc");
    return n;
  }
#endif
  return n * factor;
}

MM3_INLINE uint64_t mm3_i_hm_slots_at(uint64_t mask) { return MM3_I_HM_HEAD + 16 * (mask + 1); }
MM3_INLINE uint64_t mm3_i_hm_counts_at(struct mm3_i_hm_shape s, uint64_t mask) {
  return MM3_I_HM_HEAD + mm3_i_hm_times(mask + 1, 16 + 16 * s.slot);
}
MM3_INLINE uint64_t mm3_i_hm_journal_at(struct mm3_i_hm_shape s, uint64_t mask) {
  return (mm3_i_hm_counts_at(s, mask) + mask + 64) & ~UINT64_C(63);
}
MM3_INLINE uint64_t mm3_i_hm_size(struct mm3_i_hm_shape s, uint64_t mask) {
  if (s.kept == MM3_I_HM_WIDE) return mm3_i_hm_journal_at(s, mask) + s.value_size;
  return mm3_i_hm_counts_at(s, mask) + mask + 4;
}
/* Entries that a table takes before it grows: 7 of 8 slots. */
MM3_INLINE uint64_t mm3_i_hm_capacity(uint64_t mask) { return 14 * (mask + 1); }

/* A table whose bounds were verified, under one value of the root's word. */
struct mm3_i_hm_table {
  unsigned char *base;
  uint64_t word, mask;
};

/* A slot that was found, and the count that guards it as it was before the control byte was read. */
struct mm3_i_hm_hit {
  unsigned char *slot;
  uint64_t group, lane;
  uint64_t count; /* glance: of the table's moves; probe: of its four groups */
  const unsigned char *value; /* of a key in the heap that was found: what follows it in its record */
  size_t value_len;
};

MM3_INLINE struct mm3_i_hashmap_head *mm3_i_hm_head(const struct mm3_i_hm_table *t) {
  return (struct mm3_i_hashmap_head *)(void *)t->base;
}
MM3_INLINE unsigned char *mm3_i_hm_control(const struct mm3_i_hm_table *t, uint64_t group) {
  return t->base + MM3_I_HM_HEAD + 16 * group;
}
MM3_INLINE uint32_t *mm3_i_hm_count(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, uint64_t group) {
  return (uint32_t *)(void *)(t->base + mm3_i_hm_counts_at(s, t->mask) + (group & ~UINT64_C(3)));
}
MM3_INLINE uint64_t mm3_i_hm_index(const struct mm3_i_hm_hit *hit) { return 16 * hit->group + hit->lane; }
MM3_INLINE uint64_t mm3_i_hm_slots(const struct mm3_i_hm_table *t) { return 16 * (t->mask + 1); }
MM3_INLINE unsigned char *mm3_i_hm_slot(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, uint64_t index) {
  return t->base + mm3_i_hm_slots_at(t->mask) + index * s.slot;
}
/* Does this slot hold an entry? The number is smaller than mm3_i_hm_slots. */
MM3_INLINE int mm3_i_hm_used(const struct mm3_i_hm_table *t, uint64_t index) {
  return __atomic_load_n(t->base + MM3_I_HM_HEAD + index, __ATOMIC_ACQUIRE) > MM3_I_HM_GONE;
}

/* A word that others may change, where no order is wanted. gcc keeps the address of an atomic load in a register of its
 * own, which the loops here cannot spare. */
#ifdef MM3_TSAN
#define MM3_I_PEEK(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#else
#define MM3_I_PEEK(x) (*(const volatile __typeof__(x) *)&(x))
#endif

/* Out of line: what is inline has no call. */
MM3_COLD MM3_UNUSED static int mm3_i_hm_why(struct mm3_file *file, uint64_t offset, uint64_t size) {
  return mm3_at_code(file, offset, size);
}

/* Why mm3_at gave nothing: -MM3_E_DAMAGED, -MM3_E_RESERVE, or -MM3_E_AGAIN where the file has grown meanwhile. */
MM3_INLINE int mm3_i_hm_outside(struct mm3_file *file, uint64_t offset, uint64_t size) {
  int code = mm3_i_hm_why(file, offset, size);
  return code < 0 ? code : -MM3_E_AGAIN;
}

/* 1: the word's table lies within what is known of the file, as in mm3_at, and is open. 0: ask mm3_i_hm_open. The first
 * line of a table, aligned to 64, lies in one page with its first byte. */
MM3_INLINE int mm3_i_hm_try(struct mm3_file *file, struct mm3_i_hm_shape s, uint64_t word, struct mm3_i_hm_table *t) {
  uint64_t offset = word & MM3_I_HM_OFFSET, limit = MM3_I_PEEK(file->limit);
  if (__builtin_expect(offset == 0, 0)) return 0;
  if (__builtin_expect(offset >= limit, 0)) return 0;
  t->base = file->base + offset;
  t->mask = MM3_I_PEEK(mm3_i_hm_head(t)->mask);
  t->word = word;
  return __builtin_expect(offset + mm3_i_hm_size(s, t->mask) <= limit, 1) != 0;
}

/* 0, -MM3_E_DAMAGED, -MM3_E_RESERVE. The word is not 0. */
MM3_INLINE int mm3_i_hm_open(struct mm3_file *file, struct mm3_i_hm_shape s, uint64_t word, struct mm3_i_hm_table *t) {
  if (__builtin_expect(mm3_i_hm_try(file, s, word, t), 1)) return 0;
  uint64_t offset = word & MM3_I_HM_OFFSET;
  const struct mm3_i_hashmap_head *head = (const struct mm3_i_hashmap_head *)mm3_at(file, offset, MM3_I_HM_HEAD);
  if (!head) return mm3_i_hm_outside(file, offset, MM3_I_HM_HEAD);
  uint64_t size = mm3_i_hm_size(s, MM3_I_PEEK(head->mask));
  if (!mm3_at(file, offset, size)) return mm3_i_hm_outside(file, offset, size);
  return mm3_i_hm_try(file, s, word, t) ? 0 : -MM3_E_DAMAGED;
}

#endif
