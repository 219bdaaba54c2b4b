/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_change.h: changing an entry of hashmap.h, with the lock held. Not for programs. */
#ifndef MM3_HASHMAP_CHANGE_H
#define MM3_HASHMAP_CHANGE_H

#include <mm3/hashmap_ops.h>

MM3_INLINE int mm3_i_hm_takes(int is, uint64_t max, struct mm3_i_arg arg) {
  if ((is != MM3_I_IS_TEXT && is != MM3_I_IS_HEAP) || arg.is == MM3_I_IS_BYTES) return 0;
  if (arg.low > (is == MM3_I_IS_TEXT ? max : MM3_I_HM_MAX_TEXT)) return -MM3_E_VALUE;
  return mm3_utf8_ok(arg.ptr, (size_t)arg.low) ? 0 : -MM3_E_VALUE;
}

/* An argument as it lies in a slot. */
MM3_INLINE void mm3_i_hm_put(int is, unsigned char *at, uint64_t size, struct mm3_i_arg arg) {
  if (is == MM3_I_IS_TEXT && arg.is == MM3_I_IS_TEXT) {
    mm3_i_hm_store(at, 4, arg.low);
    mm3_copy_in(at + 4, arg.ptr, (size_t)arg.low);
    mm3_copy_zero(at + 4 + arg.low, (size_t)(size - 4 - arg.low));
  } else if (is == MM3_I_IS_REAL && arg.is != MM3_I_IS_BYTES) {
    double wide = arg.real;
    float narrow = (float)wide;
    if (size == 8)
      mm3_copy_in(at, &wide, 8);
    else
      mm3_copy_in(at, &narrow, 4);
  } else if (is == MM3_I_IS_INTEGER && arg.is != MM3_I_IS_BYTES) {
    mm3_i_hm_store(at, size, arg.low);
    if (size == 16) mm3_i_hm_store(at + 8, 8, arg.high);
  } else if (arg.ptr) {
    mm3_copy_in(at, arg.ptr, (size_t)size);
  }
}

/* A value of 1, 2, 4 or 8 bytes as one word. */
MM3_INLINE uint64_t mm3_i_hm_narrow(struct mm3_i_hm_shape s, struct mm3_i_arg value) {
  uint64_t word[2] = {0, 0}; /* the second is never stored, which gcc -O0 does not see */
  if (s.value_is == MM3_I_IS_INTEGER && value.is != MM3_I_IS_BYTES) return value.low;
  mm3_i_hm_put(s.value_is, (unsigned char *)word, s.value_size, value);
  return word[0];
}

/* A new record; *word is what its slot will hold. */
MM3_INLINE int mm3_i_hm_record_new(struct mm3_file *file, struct mm3_i_hm_shape s, struct mm3_i_arg key, uint64_t hash,
                                   struct mm3_i_arg value, uint64_t *word) {
  uint64_t key_len = s.key_is == MM3_I_IS_HEAP ? key.low : 0;
  uint64_t value_len = s.value_is == MM3_I_IS_HEAP ? value.low : 0;
  uint64_t offset, size = 8 + key_len + value_len;
  int result = mm3_heap_alloc(file, size, 0, &offset);
  if (result < 0) return result;
  unsigned char *at = (unsigned char *)mm3_at(file, offset, size);
  if (!at || offset > MM3_I_HM_RECORD_BITS) {
    mm3_heap_free(file, offset);
    return at ? -MM3_E_LIMIT : mm3_i_hm_outside(file, offset, size);
  }
  mm3_i_hm_store(at, 4, key_len);
  mm3_i_hm_store(at + 4, 4, value_len);
  if (key_len) mm3_copy_in(at + 8, key.ptr, (size_t)key_len);
  if (value_len) mm3_copy_in(at + 8 + key_len, value.ptr, (size_t)value_len);
  *word = offset | (s.key_is == MM3_I_IS_HEAP ? mm3_i_hm_mark(hash) << 48 : 0);
  return 0;
}

/* The value of a found entry: old or new at every store. */
MM3_INLINE int mm3_i_hm_overwrite(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                                  const struct mm3_i_hm_hit *hit, struct mm3_i_arg key, uint64_t hash,
                                  struct mm3_i_arg value) {
  unsigned char *at = hit->slot + s.value_at;
  if (s.kept == MM3_I_HM_NARROW) {
    mm3_i_hm_store(at, s.value_size, mm3_i_hm_narrow(s, value));
    return 1;
  }
  if (s.kept == MM3_I_HM_WIDE) {
    uint64_t *journal = &mm3_i_hm_head(t)->journal;
    unsigned char *aside = t->base + mm3_i_hm_journal_at(s, t->mask);
    uint64_t next = (__atomic_load_n(journal, __ATOMIC_RELAXED) & ~MM3_I_HM_SLOT_BITS) + MM3_I_HM_SLOT_BITS + 1;
    mm3_copy_begin_write();
    mm3_i_hm_put(s.value_is, aside, s.value_size, value);
    __atomic_store_n(journal, next | (mm3_i_hm_index(hit) + 1), __ATOMIC_RELEASE);
    mm3_i_hm_bump(s, t, hit->group);
    mm3_copy_in(at, aside, (size_t)s.value_size);
    __atomic_store_n(journal, next, __ATOMIC_RELEASE);
    return 1;
  }
  uint64_t word = 0, old = mm3_i_hm_word(at);
  int result = mm3_i_hm_record_new(file, s, key, hash, value, &word);
  if (result < 0) return result;
  mm3_i_hm_store(at, 8, word);
  mm3_i_hm_bump(s, t, hit->group);
  mm3_heap_free(file, old & MM3_I_HM_RECORD_BITS);
  return 1;
}

MM3_INLINE void mm3_i_hm_begin(struct mm3_i_hashmap_head *head, uint64_t index, uint64_t removal) {
  uint64_t count = __atomic_load_n(&head->count, __ATOMIC_RELAXED);
  __atomic_store_n(&head->pending, (index + 1) | removal | count << 48, __ATOMIC_RELEASE);
}

MM3_INLINE void mm3_i_hm_end(struct mm3_i_hashmap_head *head, uint64_t by) {
  uint64_t count = __atomic_load_n(&head->count, __ATOMIC_RELAXED);
  __atomic_store_n(&head->count, count + by, __ATOMIC_RELEASE);
  __atomic_store_n(&head->pending, 0, __ATOMIC_RELEASE);
}

/* A new entry into a free slot. */
MM3_INLINE int mm3_i_hm_insert(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                               const struct mm3_i_hm_hit *hit, struct mm3_i_arg key, uint64_t hash,
                               struct mm3_i_arg value) {
  struct mm3_i_hashmap_head *head = mm3_i_hm_head(t);
  uint64_t word = 0;
  if (s.key_is == MM3_I_IS_HEAP || s.kept == MM3_I_HM_RECORD) {
    int result = mm3_i_hm_record_new(file, s, key, hash, value, &word);
    if (result < 0) return result;
  }
  mm3_i_hm_begin(head, mm3_i_hm_index(hit), 0);
  mm3_i_hm_bump(s, t, hit->group);
  if (s.key_is == MM3_I_IS_HEAP)
    mm3_i_hm_store(hit->slot, 8, word);
  else
    mm3_i_hm_put(s.key_is, hit->slot, s.key_size, key);
  if (s.kept == MM3_I_HM_NARROW)
    mm3_i_hm_store(hit->slot + s.value_at, s.value_size, mm3_i_hm_narrow(s, value));
  else if (s.kept == MM3_I_HM_WIDE)
    mm3_i_hm_put(s.value_is, hit->slot + s.value_at, s.value_size, value);
  else if (s.kept == MM3_I_HM_RECORD)
    mm3_i_hm_store(hit->slot + s.value_at, 8, word);
  unsigned char *control = mm3_i_hm_control(t, hit->group) + hit->lane;
  uint64_t taken = *control == MM3_I_HM_FREE;
  __atomic_store_n(control, (unsigned char)mm3_i_hm_tag(hash), __ATOMIC_RELEASE);
  mm3_i_hm_end(head, 1);
  __atomic_store_n(&head->room, __atomic_load_n(&head->room, __ATOMIC_RELAXED) - taken, __ATOMIC_RELAXED);
  return 0;
}

/* The table is this map's, which has a seed of its own: no write goes into another's, whatever the root's word says. */
MM3_INLINE int mm3_i_hm_is_own(const struct mm3_i_hashmap *m, const struct mm3_i_hm_table *t) {
  return __builtin_expect(MM3_I_PEEK(mm3_i_hm_head(t)->seed) == MM3_I_PEEK(m->seed), 1) != 0;
}

/* Opens the table for a change: finishes what a killed process left. 1: open; 0: there is none. */
MM3_INLINE int mm3_i_hm_enter(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                              struct mm3_i_hm_table *t) {
  uint64_t word = __atomic_load_n(&m->table, __ATOMIC_RELAXED);
  if (word == 0) return 0;
  int result = mm3_i_hm_open(file, s, word, t);
  if (__builtin_expect(result < 0, 0)) return result;
  if (!mm3_i_hm_is_own(m, t)) return -MM3_E_DAMAGED;
  uint64_t unfinished = __atomic_load_n(&mm3_i_hm_head(t)->pending, __ATOMIC_RELAXED);
  if (s.kept == MM3_I_HM_WIDE)
    unfinished |= __atomic_load_n(&mm3_i_hm_head(t)->journal, __ATOMIC_RELAXED) & MM3_I_HM_SLOT_BITS;
  if (__builtin_expect(unfinished != 0, 0)) {
    result = mm3_i_hm_heal(file, m, s);
    if (result < 0) return result;
  }
  return 1;
}

/* Every set that is not settled by the home group. keep: an entry that is there stays, its value goes to `out`. */
MM3_UNUSED __attribute__((noinline)) static int mm3_i_hm_set_slow(struct mm3_file *file, struct mm3_i_hashmap *m,
                                                                  struct mm3_i_hm_shape s, struct mm3_i_arg key,
                                                                  struct mm3_i_arg value, uint64_t hash, int keep,
                                                                  void *out) {
  for (int rounds = 0; rounds < 3; rounds++) {
    struct mm3_i_hm_table t;
    struct mm3_i_hm_hit hit;
    int result = mm3_i_hm_enter(file, m, s, &t);
    if (result < 0) return result;
    if (result) {
      result = mm3_i_hm_probe(file, s, &t, key, hash, &hit);
      if (result < 0) return result;
      if (result == 1) {
        if (!keep) return mm3_i_hm_overwrite(file, s, &t, &hit, key, hash, value);
        result = out ? mm3_i_hm_value_out(file, s, &t, &hit, out) : 0;
        if (result == 0 && out) result = mm3_i_hm_valid(s.value_is, out);
        return result < 0 ? result : 1;
      }
      if (__atomic_load_n(&mm3_i_hm_head(&t)->room, __ATOMIC_RELAXED) > 0 && mm3_i_hm_place(s, &t, hash, &hit))
        return mm3_i_hm_insert(file, s, &t, &hit, key, hash, value);
    }
    result = mm3_i_hm_grow_held(file, m, s, 0, 0);
    if (result < 0) return result;
  }
  return -MM3_E_DAMAGED;
}

/* Adds (0) or replaces (1). */
MM3_INLINE int mm3_i_hm_set_held(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                 struct mm3_i_arg key, struct mm3_i_arg value, int keep, void *out) {
  if (__builtin_expect(mm3_i_hm_takes(s.key_is, s.key_max, key) < 0, 0)) return -MM3_E_VALUE;
  if (__builtin_expect(mm3_i_hm_takes(s.value_is, s.value_max, value) < 0, 0)) return -MM3_E_VALUE;
  uint64_t hash = mm3_i_hm_hash(s, key, MM3_I_PEEK(m->seed));
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit;
  if (s.kept == MM3_I_HM_NARROW && s.key_is != MM3_I_IS_HEAP && !keep &&
      __builtin_expect(mm3_i_hm_try(file, s, __atomic_load_n(&m->table, __ATOMIC_RELAXED), &t), 1) &&
      mm3_i_hm_is_own(m, &t) && __builtin_expect(__atomic_load_n(&mm3_i_hm_head(&t)->pending, __ATOMIC_RELAXED) == 0, 1)) {
    int result = mm3_i_hm_glance(file, s, &t, key, hash, &hit);
    if (result == 1) return mm3_i_hm_overwrite(file, s, &t, &hit, key, hash, value);
    uint32_t free = mm3_group_below2(mm3_i_hm_control(&t, hit.group));
    if (__builtin_expect(result == 0 && free && __atomic_load_n(&mm3_i_hm_head(&t)->room, __ATOMIC_RELAXED) > 0, 1)) {
      hit.lane = mm3_i_hm_lowest(free);
      hit.slot = mm3_i_hm_slot(s, &t, mm3_i_hm_index(&hit));
      return mm3_i_hm_insert(file, s, &t, &hit, key, hash, value);
    }
  }
  return mm3_i_hm_set_slow(file, m, s, key, value, hash, keep, out);
}

/* An entry that was found goes: one control byte. */
MM3_INLINE void mm3_i_hm_take(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                              const struct mm3_i_hm_hit *hit) {
  struct mm3_i_hashmap_head *head = mm3_i_hm_head(t);
  unsigned char *control = mm3_i_hm_control(t, hit->group);
  /* Searches end in this group already, or else must go on. */
  uint64_t ends = mm3_group_match4(control, MM3_I_HM_FREE) != 0;
  mm3_i_hm_begin(head, mm3_i_hm_index(hit), MM3_I_HM_REMOVAL);
  __atomic_store_n(control + hit->lane, (unsigned char)(ends ? MM3_I_HM_FREE : MM3_I_HM_GONE), __ATOMIC_RELEASE);
  mm3_i_hm_end(head, ~UINT64_C(0));
  __atomic_store_n(&head->room, __atomic_load_n(&head->room, __ATOMIC_RELAXED) + ends, __ATOMIC_RELAXED);
  if (s.key_is == MM3_I_IS_HEAP || s.kept == MM3_I_HM_RECORD) {
    mm3_i_hm_bump(s, t, hit->group);
    mm3_heap_free(file, mm3_i_hm_word(hit->slot + (s.key_is == MM3_I_IS_HEAP ? 0 : s.value_at)) & MM3_I_HM_RECORD_BITS);
  }
}

MM3_INLINE int mm3_i_hm_remove_held(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                    struct mm3_i_arg key) {
  uint64_t hash = mm3_i_hm_hash(s, key, MM3_I_PEEK(m->seed));
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit;
  int result = mm3_i_hm_enter(file, m, s, &t);
  if (__builtin_expect(result <= 0, 0)) return result < 0 ? result : -MM3_E_ABSENT;
  result = mm3_i_hm_glance(file, s, &t, key, hash, &hit);
  if (__builtin_expect(result < 0, 0)) result = mm3_i_hm_probe(file, s, &t, key, hash, &hit);
  if (result <= 0) return result < 0 ? result : -MM3_E_ABSENT;
  mm3_i_hm_take(file, s, &t, &hit);
  return 0;
}

/* Adds to the integer of an entry, or makes one of `by`. 1: it was there. The lock is held. */
MM3_INLINE int mm3_i_hm_add_held(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                 struct mm3_i_arg key, struct mm3_i_arg by) {
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit;
  uint64_t hash = mm3_i_hm_hash(s, key, MM3_I_PEEK(m->seed));
  int result = mm3_i_hm_enter(file, m, s, &t);
  if (__builtin_expect(result < 0, 0)) return result;
  if (result) {
    result = mm3_i_hm_probe(file, s, &t, key, hash, &hit);
    if (result < 0) return result;
    if (result == 1) {
      unsigned char *at = hit.slot + s.value_at;
      mm3_i_hm_store(at, s.value_size, mm3_i_hm_load(at, s.value_size) + by.low);
      return 1;
    }
  }
  return mm3_i_hm_set_held(file, m, s, key, by, 0, 0);
}

#endif
