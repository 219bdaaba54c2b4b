/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_ops.h: what the operations of hashmap.h do, over the bytes of hashmap_table.h. Not for programs. */
#ifndef MM3_HASHMAP_OPS_H
#define MM3_HASHMAP_OPS_H

#include <mm3/hashmap_table.h>
#include <mm3/module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One entry, for callbacks: the key and the value as texts, or as the bytes of their C types. Only until it returns. */
struct mm3_hashmap_item {
  struct mm3_str key, value;
};

struct mm3_hashmap_stats {
  uint32_t size;
  uint64_t count, slots, groups;
  uint64_t table_bytes, record_bytes; /* blocks of the heap, as large as they are */
  double load;                        /* count / slots */
  double bytes_an_entry;              /* (table_bytes + record_bytes) / count; 0 when empty */
  double probes_mean;                 /* groups looked at to find an entry; 1 is the least */
  uint64_t probes_max;
  uint64_t rebuilds;                  /* tables that there were */
};

/* The cold functions of the module. Those that change something want the lock to be held. */
struct mm3_hashmap_ops {
  uint32_t size, version;
  int (*heal)(struct mm3_file *, struct mm3_i_hashmap *, const struct mm3_i_hm_shape *);
  /* a table for one entry more (count 0) or for `count` in all, or (shrink) for those that there are */
  int (*grow)(struct mm3_file *, struct mm3_i_hashmap *, const struct mm3_i_hm_shape *, uint64_t count, int shrink);
  int (*clear)(struct mm3_file *, struct mm3_i_hashmap *, const struct mm3_i_hm_shape *);
  int64_t (*retain)(struct mm3_file *, struct mm3_i_hashmap *, const struct mm3_i_hm_shape *,
                    int (*keep)(const struct mm3_hashmap_item *, void *), void *);
  int (*update)(struct mm3_file *, struct mm3_i_hashmap *, const struct mm3_i_hm_shape *, struct mm3_i_arg key,
                int (*change)(void *value, void *), void *);
  int (*stats)(struct mm3_file *, const struct mm3_i_hashmap *, const struct mm3_i_hm_shape *,
               struct mm3_hashmap_stats *);
};

/* Where a walk over a map stands. Zeroed is the start. */
struct mm3_hashmap_cursor {
  uint64_t table, group;
  uint32_t lanes, restarts; /* restarts: how often the table was replaced under the walk */
};

#ifdef __cplusplus
}
#endif

MM3_COLD MM3_UNUSED static const struct mm3_hashmap_ops *mm3_i_hm_ops(void) {
  return (const struct mm3_hashmap_ops *)mm3_kind_ops("hashmap");
}

#define MM3_I_HM_CALL(function, ...) \
  (mm3_i_hm_ops() ? mm3_i_hm_ops()->function(__VA_ARGS__) : -MM3_E_MODULE)

/* The shape goes by value: had inline code taken its address, the compiler would keep it in memory. */
MM3_COLD MM3_UNUSED static int mm3_i_hm_heal(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s) {
  return MM3_I_HM_CALL(heal, file, m, &s);
}

MM3_COLD MM3_UNUSED static int mm3_i_hm_grow_now(struct mm3_file *file, struct mm3_i_hashmap *m,
                                                  struct mm3_i_hm_shape s, uint64_t count, int shrink) {
  return MM3_I_HM_CALL(grow, file, m, &s, count, shrink);
}

/* ---- out of the table ---- */

MM3_INLINE int mm3_i_hm_text_out(const void *shared, size_t len, void *out) {
  struct mm3_buf *buf = (struct mm3_buf *)out;
  buf->len = len;
  if (len >= buf->size) return -ERANGE;
  mm3_copy_out(buf->ptr, shared, len);
  buf->ptr[len] = 0;
  return 0;
}

/* A fixed-size value that lies at `at`; `is` and `max` say of what kind. */
MM3_INLINE int mm3_i_hm_fixed_out(int is, uint64_t max, const unsigned char *at, uint64_t size, void *out) {
  if (is == MM3_I_IS_TEXT) {
    uint32_t len = __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_RELAXED);
    return len <= max ? mm3_i_hm_text_out(at + 4, len, out) : -MM3_E_DAMAGED;
  }
  if (size == 1 || size == 2 || size == 4 || size == 8) {
    uint64_t word = mm3_i_hm_load(at, size);
    memcpy(out, &word, (size_t)size);
  } else {
    mm3_copy_out(out, at, (size_t)size);
  }
  return 0;
}

MM3_INLINE int mm3_i_hm_key_out(struct mm3_file *file, struct mm3_i_hm_shape s, const unsigned char *slot, void *out) {
  struct mm3_i_hm_record r;
  if (s.key_is == MM3_I_IS_HEAP) {
    if (mm3_i_hm_record_at(file, mm3_i_hm_word(slot), &r) < 0) return -MM3_E_DAMAGED;
    return mm3_i_hm_text_out(r.key, r.key_len, out);
  }
  if (s.key_is == MM3_I_IS_BYTES) {
    mm3_copy_out(out, slot, (size_t)s.key_size);
    return 0;
  }
  return mm3_i_hm_fixed_out(s.key_is, s.key_max, slot, s.key_size, out);
}

/* A wide value: from the journal while its slot is being overwritten. 1: it moved, read again. */
MM3_INLINE int mm3_i_hm_wide_out(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t, const struct mm3_i_hm_hit *hit,
                                 void *out) {
  const uint64_t *journal = &mm3_i_hm_head(t)->journal;
  uint64_t word = __atomic_load_n(journal, __ATOMIC_ACQUIRE);
  if (__builtin_expect((word & MM3_I_HM_SLOT_BITS) != mm3_i_hm_index(hit) + 1, 1))
    return mm3_i_hm_fixed_out(s.value_is, s.value_max, hit->slot + s.value_at, s.value_size, out);
  int result = mm3_i_hm_fixed_out(s.value_is, s.value_max, t->base + mm3_i_hm_journal_at(s, t->log2), s.value_size, out);
  mm3_copy_end_read();
  return __atomic_load_n(journal, __ATOMIC_RELAXED) == word ? result : 1;
}

MM3_INLINE int mm3_i_hm_value_out(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                                  const struct mm3_i_hm_hit *hit, void *out) {
  struct mm3_i_hm_record r;
  if (s.kept == MM3_I_HM_WIDE) return mm3_i_hm_wide_out(s, t, hit, out);
  if (s.kept == MM3_I_HM_NARROW) {
    uint64_t word = mm3_i_hm_load(hit->slot + s.value_at, s.value_size);
    if (s.value_is == MM3_I_IS_TEXT)
      return mm3_i_hm_fixed_out(s.value_is, s.value_max, (const unsigned char *)&word, s.value_size, out);
    memcpy(out, &word, (size_t)s.value_size);
    return 0;
  }
  if (mm3_i_hm_record_at(file, mm3_i_hm_word(hit->slot + s.value_at), &r) < 0) return -MM3_E_DAMAGED;
  return mm3_i_hm_text_out(r.value, r.value_len, out);
}

/* What was copied, once it is known to be whole: texts must be UTF-8. */
MM3_INLINE int mm3_i_hm_valid(int is, const void *out) {
  const struct mm3_buf *buf = (const struct mm3_buf *)out;
  if (is != MM3_I_IS_TEXT && is != MM3_I_IS_HEAP) return 0;
  return mm3_utf8_ok(buf->ptr, buf->len) ? 0 : -MM3_E_DAMAGED;
}

/* One look at a table. 1: it moved meanwhile, look again. */
MM3_INLINE int mm3_i_hm_get_once(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                 const struct mm3_i_hm_table *t, struct mm3_i_arg key, uint64_t hash, void *out) {
  struct mm3_i_hm_hit hit;
  int result = mm3_i_hm_probe(file, s, t, key, hash, &hit);
  if (result == 0) {
    mm3_copy_end_read();
    return __atomic_load_n(&m->table, __ATOMIC_RELAXED) == t->word ? -MM3_E_ABSENT : 1;
  }
  if (result == 1) result = out ? mm3_i_hm_value_out(file, s, t, &hit, out) : 0;
  if (__builtin_expect(result == 1 || !mm3_i_hm_still(m, t, &hit), 0)) return 1;
  return result == 0 && out ? mm3_i_hm_valid(s.value_is, out) : result;
}

/* out NULL: only whether it is there. 0, -MM3_E_ABSENT, -ERANGE, -MM3_E_DAMAGED, -MM3_E_RESERVE, -MM3_E_AGAIN. */
MM3_INLINE int mm3_i_hm_get(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                            struct mm3_i_arg key, void *out) {
  uint64_t hash = mm3_i_hm_hash(s, key, __atomic_load_n(&m->seed, __ATOMIC_RELAXED));
  for (int tries = 0; tries < MM3_COPY_TRIES; tries++) {
    struct mm3_i_hm_table t;
    uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
    if (__builtin_expect(word == 0, 0)) return -MM3_E_ABSENT;
    int result = mm3_i_hm_open(file, s, word, &t);
    if (__builtin_expect(result == 0, 1)) {
      result = mm3_i_hm_get_once(file, m, s, &t, key, hash, out);
      if (__builtin_expect(result <= 0, 1)) return result;
    } else if (__atomic_load_n(&m->table, __ATOMIC_RELAXED) == word) {
      return result;
    }
  }
  return -MM3_E_AGAIN;
}

/* ---- into the table: the lock is held ---- */

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
    if (size == 8) mm3_copy_in(at, &wide, 8);
    else mm3_copy_in(at, &narrow, 4);
  } else if (is == MM3_I_IS_INTEGER && arg.is != MM3_I_IS_BYTES) {
    mm3_i_hm_store(at, size, arg.low);
    if (size == 16) mm3_i_hm_store(at + 8, 8, arg.high);
  } else if (arg.ptr) {
    mm3_copy_in(at, arg.ptr, (size_t)size);
  }
}

/* A value of 1, 2, 4 or 8 bytes as one word. */
MM3_INLINE uint64_t mm3_i_hm_narrow(struct mm3_i_hm_shape s, struct mm3_i_arg value) {
  uint64_t word = 0;
  if (s.value_is == MM3_I_IS_INTEGER && value.is != MM3_I_IS_BYTES) return value.low;
  mm3_i_hm_put(s.value_is, (unsigned char *)&word, s.value_size, value);
  return word;
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
    unsigned char *aside = t->base + mm3_i_hm_journal_at(s, t->log2);
    uint64_t next = (__atomic_load_n(journal, __ATOMIC_RELAXED) & ~MM3_I_HM_SLOT_BITS) + MM3_I_HM_SLOT_BITS + 1;
    mm3_copy_begin_write();
    mm3_i_hm_put(s.value_is, aside, s.value_size, value);
    __atomic_store_n(journal, next | (mm3_i_hm_index(hit) + 1), __ATOMIC_RELEASE);
    mm3_i_hm_bump(t, hit->group);
    mm3_copy_in(at, aside, (size_t)s.value_size);
    __atomic_store_n(journal, next, __ATOMIC_RELEASE);
    return 1;
  }
  uint64_t word = 0, old = mm3_i_hm_word(at);
  int result = mm3_i_hm_record_new(file, s, key, hash, value, &word);
  if (result < 0) return result;
  mm3_i_hm_store(at, 8, word);
  mm3_i_hm_bump(t, hit->group);
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
  mm3_i_hm_bump(t, hit->group);
  if (s.key_is == MM3_I_IS_HEAP) mm3_i_hm_store(hit->slot, 8, word);
  else mm3_i_hm_put(s.key_is, hit->slot, s.key_size, key);
  if (s.kept == MM3_I_HM_NARROW) mm3_i_hm_store(hit->slot + s.value_at, s.value_size, mm3_i_hm_narrow(s, value));
  else if (s.kept == MM3_I_HM_WIDE) mm3_i_hm_put(s.value_is, hit->slot + s.value_at, s.value_size, value);
  else if (s.kept == MM3_I_HM_RECORD) mm3_i_hm_store(hit->slot + s.value_at, 8, word);
  __atomic_store_n(t->control + 16 * hit->group + hit->lane, mm3_i_hm_tag(hash), __ATOMIC_RELEASE);
  mm3_i_hm_end(head, 1);
  __atomic_store_n(&head->room, __atomic_load_n(&head->room, __ATOMIC_RELAXED) - 1, __ATOMIC_RELAXED);
  return 0;
}

/* Opens the table for a change: finishes what a killed process left. 1: open; 0: there is none. */
MM3_INLINE int mm3_i_hm_enter(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                              struct mm3_i_hm_table *t) {
  uint64_t word = __atomic_load_n(&m->table, __ATOMIC_RELAXED);
  if (word == 0) return 0;
  int result = mm3_i_hm_open(file, s, word, t);
  if (__builtin_expect(result < 0, 0)) return result;
  uint64_t unfinished = __atomic_load_n(&mm3_i_hm_head(t)->pending, __ATOMIC_RELAXED);
  if (s.kept == MM3_I_HM_WIDE)
    unfinished |= __atomic_load_n(&mm3_i_hm_head(t)->journal, __ATOMIC_RELAXED) & MM3_I_HM_SLOT_BITS;
  if (__builtin_expect(unfinished != 0, 0)) {
    result = mm3_i_hm_heal(file, m, s);
    if (result < 0) return result;
  }
  return 1;
}

/* Adds or replaces. keep: an entry that is there stays, and its value goes to `out` (may be NULL). 1: it was there. */
MM3_INLINE int mm3_i_hm_set_held(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                 struct mm3_i_arg key, struct mm3_i_arg value, int keep, void *out) {
  if (__builtin_expect(mm3_i_hm_takes(s.key_is, s.key_max, key) < 0, 0)) return -MM3_E_VALUE;
  if (__builtin_expect(mm3_i_hm_takes(s.value_is, s.value_max, value) < 0, 0)) return -MM3_E_VALUE;
  uint64_t hash = mm3_i_hm_hash(s, key, __atomic_load_n(&m->seed, __ATOMIC_RELAXED));
  for (int rounds = 0; rounds < 3; rounds++) {
    struct mm3_i_hm_table t;
    struct mm3_i_hm_hit hit;
    int result = mm3_i_hm_enter(file, m, s, &t);
    if (__builtin_expect(result < 0, 0)) return result;
    if (__builtin_expect(result, 1)) {
      result = mm3_i_hm_probe(file, s, &t, key, hash, &hit);
      if (result < 0) return result;
      if (result == 1) {
        if (!keep) return mm3_i_hm_overwrite(file, s, &t, &hit, key, hash, value);
        result = out ? mm3_i_hm_value_out(file, s, &t, &hit, out) : 0;
        if (result == 0 && out) result = mm3_i_hm_valid(s.value_is, out);
        return result < 0 ? result : 1;
      }
      if (__builtin_expect(__atomic_load_n(&mm3_i_hm_head(&t)->room, __ATOMIC_RELAXED) > 0, 1) &&
          mm3_i_hm_place(s, &t, hash, &hit))
        return mm3_i_hm_insert(file, s, &t, &hit, key, hash, value);
    }
    result = mm3_i_hm_grow_now(file, m, s, 0, 0);
    if (result < 0) return result;
  }
  return -MM3_E_DAMAGED;
}

/* An entry that was found goes: one control byte. */
MM3_INLINE void mm3_i_hm_take(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                              const struct mm3_i_hm_hit *hit, unsigned char passed) {
  struct mm3_i_hashmap_head *head = mm3_i_hm_head(t);
  unsigned char *control = t->control + 16 * hit->group;
  mm3_i_hm_begin(head, mm3_i_hm_index(hit), MM3_I_HM_REMOVAL);
  __atomic_store_n(control + hit->lane, (unsigned char)0, __ATOMIC_RELEASE);
  mm3_i_hm_end(head, ~UINT64_C(0));
  /* A slot of a group that others have passed is not counted as room again: so the passes are cleared in time. */
  if (!(control[15] & passed))
    __atomic_store_n(&head->room, __atomic_load_n(&head->room, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
  if (s.key_is == MM3_I_IS_HEAP || s.kept == MM3_I_HM_RECORD) {
    mm3_i_hm_bump(t, hit->group);
    mm3_heap_free(file, mm3_i_hm_word(hit->slot + (s.key_is == MM3_I_IS_HEAP ? 0 : s.value_at)) & MM3_I_HM_RECORD_BITS);
  }
}

MM3_INLINE int mm3_i_hm_remove_held(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                    struct mm3_i_arg key) {
  uint64_t hash = mm3_i_hm_hash(s, key, __atomic_load_n(&m->seed, __ATOMIC_RELAXED));
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit;
  int result = mm3_i_hm_enter(file, m, s, &t);
  if (__builtin_expect(result <= 0, 0)) return result < 0 ? result : -MM3_E_ABSENT;
  result = mm3_i_hm_probe(file, s, &t, key, hash, &hit);
  if (result <= 0) return result < 0 ? result : -MM3_E_ABSENT;
  mm3_i_hm_take(file, s, &t, &hit, mm3_i_hm_passed(hash));
  return 0;
}

#endif
