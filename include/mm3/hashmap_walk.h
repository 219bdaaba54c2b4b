/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_walk.h: what hashmap.h does with more than one entry at a time, and sums. Not for programs. */
#ifndef MM3_HASHMAP_WALK_H
#define MM3_HASHMAP_WALK_H

#include <mm3/hashmap_ops.h>

/* The number of entries: exact also after a writer was killed between an entry and its count. */
MM3_INLINE uint64_t mm3_i_hm_len(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s) {
  struct mm3_i_hm_table t;
  uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
  if (word == 0 || mm3_i_hm_open(file, s, word, &t) < 0) return 0;
  uint64_t pending = __atomic_load_n(&mm3_i_hm_head(&t)->pending, __ATOMIC_ACQUIRE);
  uint64_t count = __atomic_load_n(&mm3_i_hm_head(&t)->count, __ATOMIC_ACQUIRE);
  uint64_t slot = (pending & (MM3_I_HM_REMOVAL - 1)) - 1;
  if (__builtin_expect(pending == 0 || pending >> 48 != (count & 0xFFFF), 1)) return count;
  if (slot >= mm3_i_hm_slots(&t)) return count;
  int there = mm3_i_hm_used(&t, slot);
  if (pending & MM3_I_HM_REMOVAL) return count - (there == 0);
  return count + (there != 0);
}

/* 1: an entry was copied out; 0: the end. */
MM3_INLINE int mm3_i_hm_next(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                             struct mm3_hashmap_cursor *cursor, void *key, void *value) {
  struct mm3_i_hm_table t;
  for (int tries = 0; tries < MM3_COPY_TRIES;) {
    uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
    if (word == 0) return 0;
    int result = mm3_i_hm_open(file, s, word, &t);
    if (__builtin_expect(result < 0, 0)) {
      if (result != -MM3_E_AGAIN && __atomic_load_n(&m->table, __ATOMIC_RELAXED) == word) return result;
      tries++;
      continue;
    }
    if (__builtin_expect(cursor->table != word, 0)) {
      cursor->restarts += cursor->table != 0;
      cursor->table = word;
      cursor->group = 0;
      cursor->lanes = ~mm3_group_below2(mm3_i_hm_control(&t, 0)) & 0xFFFF;
    }
    while (cursor->lanes == 0) {
      if (cursor->group >= t.mask) return 0;
      cursor->group++;
      cursor->lanes = ~mm3_group_below2(mm3_i_hm_control(&t, cursor->group)) & 0xFFFF;
    }
    struct mm3_i_hm_hit hit = {0, cursor->group, mm3_i_hm_lowest(cursor->lanes), 0, 0, 0};
    hit.slot = mm3_i_hm_slot(s, &t, mm3_i_hm_index(&hit));
    hit.count = __atomic_load_n(mm3_i_hm_count(s, &t, hit.group), __ATOMIC_ACQUIRE);
    if (!mm3_i_hm_used(&t, mm3_i_hm_index(&hit))) { /* removed meanwhile */
      cursor->lanes &= cursor->lanes - 1;
      continue;
    }
    result = mm3_i_hm_key_out(file, s, hit.slot, key);
    int second = mm3_i_hm_value_out(file, s, &t, &hit, value);
    if (__builtin_expect(second == 1 || !mm3_i_hm_still(m, s, &t, &hit), 0)) {
      tries++;
      continue;
    }
    if (result < 0 || second < 0) { /* -ERANGE may be tried again, with more room: the cursor stays */
      if (result == -MM3_E_DAMAGED || second == -MM3_E_DAMAGED) cursor->lanes &= cursor->lanes - 1;
      return result < 0 ? result : second;
    }
    cursor->lanes &= cursor->lanes - 1;
    if (mm3_i_hm_valid(s.key_is, key) < 0 || mm3_i_hm_valid(s.value_is, value) < 0) return -MM3_E_DAMAGED;
    return 1;
  }
  return -MM3_E_AGAIN;
}

/* A pointer to a fixed-size value in the mapping, or NULL. */
MM3_INLINE void *mm3_i_hm_view(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                               struct mm3_i_arg key) {
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit;
  uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
  uint64_t hash = mm3_i_hm_hash(s, key, MM3_I_PEEK(m->seed));
  if (word == 0 || mm3_i_hm_open(file, s, word, &t) < 0) return 0;
  if (mm3_i_hm_probe(file, s, &t, key, hash, &hit) != 1) return 0;
  if (s.kept == MM3_I_HM_WIDE &&
      (__atomic_load_n(&mm3_i_hm_head(&t)->journal, __ATOMIC_ACQUIRE) & MM3_I_HM_SLOT_BITS) == mm3_i_hm_index(&hit) + 1)
    return t.base + mm3_i_hm_journal_at(s, t.mask);
  return hit.slot + s.value_at;
}

MM3_INLINE int mm3_i_hm_view_text(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                  struct mm3_i_arg key, struct mm3_str *out) {
  const unsigned char *at = (const unsigned char *)mm3_i_hm_view(file, m, s, key);
  struct mm3_i_hm_record r;
  if (!at) return -MM3_E_ABSENT;
  if (s.value_is == MM3_I_IS_TEXT) {
    *out = mm3_str_n(at + 4, (size_t)mm3_i_hm_load(at, 4));
    return out->len <= s.value_max ? 0 : -MM3_E_DAMAGED;
  }
  if (mm3_i_hm_record_at(file, mm3_i_hm_word(at), &r) < 0) return -MM3_E_DAMAGED;
  *out = mm3_str_n(r.value, r.value_len);
  return 0;
}

/* ---- many at once: each step for all keys, so that the cache misses of all are under way together ---- */

#define MM3_I_HM_BATCH 32

/* A key of an array: `keys` are of the C type, or struct mm3_str for texts. */
MM3_INLINE struct mm3_i_arg mm3_i_hm_key_at(struct mm3_i_hm_shape s, const void *keys, size_t i) {
  if (s.key_is == MM3_I_IS_INTEGER) {
    const unsigned char *at = (const unsigned char *)keys + i * (size_t)s.key_size;
    if (s.key_size < 16) return mm3_i_arg_make(MM3_I_IS_INTEGER, 0, mm3_i_hm_load(at, s.key_size), 0, 0);
    return mm3_i_arg_make(MM3_I_IS_INTEGER, 0, mm3_i_hm_load(at, 8), mm3_i_hm_load(at + 8, 8), 0);
  }
  if (s.key_is == MM3_I_IS_BYTES) return mm3_i_arg_bytes((const unsigned char *)keys + i * (size_t)s.key_size);
  return mm3_i_arg_str(((const struct mm3_str *)keys)[i]);
}

/* Where each key's first likely slot lies, fetched in advance. */
MM3_INLINE void mm3_i_hm_fetch(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                               const uint64_t *hashes, size_t n) {
  unsigned char *slots[MM3_I_HM_BATCH];
  for (size_t i = 0; i < n; i++) {
    uint64_t group = hashes[i] & t->mask;
    uint32_t match = mm3_group_match4(mm3_i_hm_control(t, group), mm3_i_hm_tag(hashes[i]));
    slots[i] = mm3_i_hm_slot(s, t, 16 * group + mm3_i_hm_lowest(match | 0x8000));
    __builtin_prefetch(slots[i]);
  }
  if (s.key_is != MM3_I_IS_HEAP && s.kept != MM3_I_HM_RECORD) return;
  for (size_t i = 0; i < n; i++) {
    uint64_t word = mm3_i_hm_word(slots[i] + (s.key_is == MM3_I_IS_HEAP ? 0 : s.value_at));
    uint64_t limit = __atomic_load_n(&file->limit, __ATOMIC_RELAXED), offset = word & MM3_I_HM_RECORD_BITS;
    if (offset + 128 > limit) continue;
    __builtin_prefetch(file->base + offset);
    __builtin_prefetch(file->base + offset + 64);
  }
}

/* Values of found keys to out[i], found[i] (may be NULL) 1 or 0; the number found, or the first failure. */
MM3_INLINE int64_t mm3_i_hm_get_many(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                     const void *keys, size_t n, void *out, size_t out_size, unsigned char *found) {
  uint64_t seed = MM3_I_PEEK(m->seed), hashes[MM3_I_HM_BATCH];
  int64_t total = 0;
  for (size_t done = 0, now; done < n; done += now) {
    struct mm3_i_hm_table t = {0, 0, 0}; /* gcc does not see that it is used only where it was opened */
    uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
    now = n - done < MM3_I_HM_BATCH ? n - done : MM3_I_HM_BATCH;
    int open = word != 0 && mm3_i_hm_open(file, s, word, &t) == 0;
    if (open) {
      for (size_t i = 0; i < now; i++) {
        hashes[i] = mm3_i_hm_hash(s, mm3_i_hm_key_at(s, keys, done + i), seed);
        __builtin_prefetch(mm3_i_hm_control(&t, hashes[i] & t.mask));
      }
      mm3_i_hm_fetch(file, s, &t, hashes, now);
    }
    for (size_t i = 0; i < now; i++) {
      struct mm3_i_arg key = mm3_i_hm_key_at(s, keys, done + i);
      unsigned char *to = (unsigned char *)out + (done + i) * out_size;
      struct mm3_i_hm_hit hit;
      int result = open ? mm3_i_hm_glance(file, s, &t, key, hashes[i], &hit) : -1;
      if (__builtin_expect(result == 1, 1)) {
        result = mm3_i_hm_found(file, s, &t, &hit, to);
        if (result == 1 || !mm3_i_hm_quiet(m, &t, &hit))
          result = -1;
        else if (result == 0)
          result = mm3_i_hm_valid(s.value_is, to);
      } else if (result == 0) {
        mm3_copy_end_read();
        result = MM3_I_PEEK(m->table) == t.word ? -MM3_E_ABSENT : -1;
      }
      if (__builtin_expect(result == -1, 0))
        result = mm3_i_hm_get_slow(file, m, s, key, mm3_i_hm_hash(s, key, seed), to);
      if (found) found[done + i] = result == 0;
      total += result == 0;
      if (__builtin_expect(result < 0 && result != -MM3_E_ABSENT, 0)) return result;
    }
  }
  return total;
}

#endif
