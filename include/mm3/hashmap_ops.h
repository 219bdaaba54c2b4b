/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_ops.h: reading an entry of hashmap.h, and what the module does for it. Not for programs. */
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
  uint64_t rebuilds; /* tables that there were */
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

#define MM3_I_HM_CALL(function, ...) (mm3_i_hm_ops() ? mm3_i_hm_ops()->function(__VA_ARGS__) : -MM3_E_MODULE)

/* The shape goes by value: had inline code taken its address, the compiler would keep it in memory. */
MM3_COLD MM3_UNUSED static int mm3_i_hm_heal(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s) {
  return MM3_I_HM_CALL(heal, file, m, &s);
}

MM3_COLD MM3_UNUSED static int mm3_i_hm_grow_held(struct mm3_file *file, struct mm3_i_hashmap *m,
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
MM3_INLINE int mm3_i_hm_wide_out(struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                                 const struct mm3_i_hm_hit *hit, void *out) {
  const uint64_t *journal = &mm3_i_hm_head(t)->journal;
  uint64_t word = __atomic_load_n(journal, __ATOMIC_ACQUIRE);
  if (__builtin_expect((word & MM3_I_HM_SLOT_BITS) != mm3_i_hm_index(hit) + 1, 1))
    return mm3_i_hm_fixed_out(s.value_is, s.value_max, hit->slot + s.value_at, s.value_size, out);
  int result =
    mm3_i_hm_fixed_out(s.value_is, s.value_max, t->base + mm3_i_hm_journal_at(s, t->mask), s.value_size, out);
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

/* What was found, to *out; then its place must still be as it was. */
MM3_INLINE int mm3_i_hm_found(struct mm3_file *file, struct mm3_i_hm_shape s, const struct mm3_i_hm_table *t,
                              const struct mm3_i_hm_hit *hit, void *out) {
  if (!out) return 0;
  if (s.kept == MM3_I_HM_SHARED) return mm3_i_hm_text_out(hit->value, hit->value_len, out);
  return mm3_i_hm_value_out(file, s, t, hit, out);
}

/* Every get that the first look did not settle. */
MM3_UNUSED __attribute__((noinline)) static int mm3_i_hm_get_slow(struct mm3_file *file, const struct mm3_i_hashmap *m,
                                                                  struct mm3_i_hm_shape s, struct mm3_i_arg key,
                                                                  uint64_t hash, void *out) {
  for (int tries = 0; tries < MM3_COPY_TRIES; tries++) {
    struct mm3_i_hm_table t;
    struct mm3_i_hm_hit hit;
    uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
    if (word == 0) return -MM3_E_ABSENT;
    int result = mm3_i_hm_open(file, s, word, &t);
    if (result == 0) {
      result = mm3_i_hm_probe(file, s, &t, key, hash, &hit);
      if (result == -MM3_E_AGAIN) return result;
      if (result == 0) {
        mm3_copy_end_read();
        if (MM3_I_PEEK(m->table) == word) return -MM3_E_ABSENT;
        continue;
      }
      if (result == 1) result = mm3_i_hm_found(file, s, &t, &hit, out);
      if (result == 1 || !mm3_i_hm_still(m, s, &t, &hit)) continue;
      return result == 0 && out ? mm3_i_hm_valid(s.value_is, out) : result;
    } else if (result != -MM3_E_AGAIN && __atomic_load_n(&m->table, __ATOMIC_RELAXED) == word) {
      return result;
    }
  }
  return -MM3_E_AGAIN;
}

/* out NULL: only whether it is there. 0, -MM3_E_ABSENT, -ERANGE, -MM3_E_DAMAGED, -MM3_E_RESERVE, -MM3_E_AGAIN. */
MM3_INLINE int mm3_i_hm_get(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                            struct mm3_i_arg key, void *out) {
  uint64_t hash = mm3_i_hm_hash(s, key, MM3_I_PEEK(m->seed));
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit;
  if (__builtin_expect(mm3_i_hm_try(file, s, __atomic_load_n(&m->table, __ATOMIC_ACQUIRE), &t), 1)) {
    int result = mm3_i_hm_glance(file, s, &t, key, hash, &hit);
    if (result == 0) {
      mm3_copy_end_read();
      if (__builtin_expect(MM3_I_PEEK(m->table) == t.word, 1)) return -MM3_E_ABSENT;
    }
    if (__builtin_expect(result == 1, 1)) {
      result = mm3_i_hm_found(file, s, &t, &hit, out);
      if (__builtin_expect(result != 1, 1) && mm3_i_hm_quiet(m, &t, &hit))
        return result == 0 && out ? mm3_i_hm_valid(s.value_is, out) : result;
    }
  }
  if (s.kept != MM3_I_HM_NARROW || s.value_is == MM3_I_IS_TEXT || !out)
    return mm3_i_hm_get_slow(file, m, s, key, hash, out);
  uint64_t aside; /* so that *out, whose address goes nowhere, may live in a register */
  int result = mm3_i_hm_get_slow(file, m, s, key, hash, &aside);
  if (result == 0) memcpy(out, &aside, (size_t)s.value_size);
  return result;
}

#endif
