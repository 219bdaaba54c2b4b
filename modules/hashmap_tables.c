/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_tables.c: new tables, and what else is too rare to be inline. The lock is held. */
#include "hashmap_inside.h"

#include <stdlib.h>

/* Opens what there is. 1: open; 0: no table; -MM3_E_DAMAGED: what is there is not this map's. */
static int tables_open(struct mm3_file *file, const struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                       struct mm3_i_hm_table *t) {
  uint64_t word = __atomic_load_n(&m->table, __ATOMIC_RELAXED);
  if (word == 0) return 0;
  int result = mm3_i_hm_open(file, *s, word, t);
  if (result < 0) return result;
  return mm3i_hashmap_owns(m, s, t) ? 1 : -MM3_E_DAMAGED;
}

static void tables_heal_count(const struct mm3_i_hm_table *t) {
  struct mm3_i_hashmap_head *head = mm3_i_hm_head(t);
  uint64_t pending = __atomic_load_n(&head->pending, __ATOMIC_RELAXED), count = head->count;
  uint64_t slot = (pending & (MM3_I_HM_REMOVAL - 1)) - 1;
  if (pending == 0) return;
  if (pending >> 48 == (count & 0xFFFF) && slot < mm3_i_hm_slots(t)) { /* its count was not stored */
    bool there = mm3_i_hm_used(t, slot);
    if (there && !(pending & MM3_I_HM_REMOVAL)) count++;
    if (!there && (pending & MM3_I_HM_REMOVAL)) count--;
    __atomic_store_n(&head->count, count, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&head->pending, 0, __ATOMIC_RELEASE);
}

/* The journal's value is the slot's since the word was stored: the slot follows. Bears being killed and run again. */
static void tables_heal_journal(const struct mm3_i_hm_shape *s, const struct mm3_i_hm_table *t) {
  uint64_t *journal = &mm3_i_hm_head(t)->journal, word = __atomic_load_n(journal, __ATOMIC_RELAXED);
  uint64_t slot = (word & MM3_I_HM_SLOT_BITS) - 1;
  if (s->kept != MM3_I_HM_WIDE || (word & MM3_I_HM_SLOT_BITS) == 0) return;
  if (slot < mm3_i_hm_slots(t)) {
    mm3_i_hm_bump(*s, t, slot / MM3_I_HM_LANES);
    mm3_copy_in(mm3_i_hm_slot(*s, t, slot) + s->value_at, t->base + mm3_i_hm_journal_at(*s, t->mask),
                (size_t)s->value_size);
  }
  __atomic_store_n(journal, word & ~MM3_I_HM_SLOT_BITS, __ATOMIC_RELEASE);
}

static int tables_heal(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s) {
  struct mm3_i_hm_table t;
  int result = tables_open(file, m, s, &t);
  if (result <= 0) return result;
  tables_heal_count(&t);
  tables_heal_journal(s, &t);
  return 1;
}

/* ---- a new table ---- */

static int tables_new(struct mm3_file *file, const struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                      uint64_t mask, struct mm3_i_hm_table *t) {
  uint64_t offset, generation = m->generation + 1, size = mm3_i_hm_size(*s, mask);
  if (mask > MM3_I_HM_MAX_MASK) return -MM3_E_LIMIT;
  int result = mm3_heap_alloc(file, size, size < 65536 ? 64 : 4096, &offset);
  if (result < 0) return result;
  t->base = offset & ~MM3_I_HM_OFFSET ? NULL : mm3_at(file, offset, size);
  t->word = offset | generation << 48;
  t->mask = mask;
  if (!t->base) {
    mm3_heap_free(file, offset);
    return -MM3_E_LIMIT;
  }
  struct mm3_i_hashmap_head head = {.magic = MM3_I_HM_MAGIC,
                                    .algorithm = 1,
                                    .mask = (uint32_t)mask,
                                    .slot_size = s->slot,
                                    .value_at = s->value_at,
                                    .seed = m->seed,
                                    .generation = generation,
                                    .room = mm3_i_hm_capacity(mask)};
  mm3_copy_in(t->base, &head, sizeof head);
  mm3_copy_zero(mm3_i_hm_control(t, 0), 16 * ((size_t)mask + 1));
  /* Counts of different tables differ, whichever blocks they lie in. */
  uint32_t first = (uint32_t)(generation * UINT32_C(0x9E3779B1));
  for (uint64_t group = 0; group <= mask; group += 4)
    __atomic_store_n(mm3_i_hm_count(*s, t, group), first, __ATOMIC_RELAXED);
  return 0;
}

#define TABLES_BATCH 64

/* Copies a batch of slots, whose records were fetched meanwhile, and empties the list. */
MM3_INLINE int tables_flush(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                            const struct mm3_i_hm_table *to, unsigned char *const *slots, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct mm3_i_arg key;
    struct mm3_i_hm_hit hit;
    int result = mm3_i_hm_key_of(file, s, slots[i], &key);
    if (result < 0) return result;
    uint64_t hash = mm3_i_hm_hash(s, key, m->seed);
    if (!mm3_i_hm_place(s, to, hash, &hit)) return -MM3_E_DAMAGED;
    mm3_copy_in(hit.slot, slots[i], (size_t)s.slot);
    __atomic_store_n(mm3_i_hm_control(to, hit.group) + hit.lane, (unsigned char)mm3_i_hm_tag(hash), __ATOMIC_RELAXED);
  }
  return 0;
}

MM3_INLINE int tables_copy_as(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                              const struct mm3_i_hm_table *from, const struct mm3_i_hm_table *to, uint64_t *count) {
  unsigned char *slots[TABLES_BATCH];
  size_t n = 0;
  *count = 0;
  for (uint64_t group = 0; group <= from->mask; group++) {
    uint32_t used = ~mm3_group_below2(mm3_i_hm_control(from, group)) & 0xFFFF;
    for (; used; used &= used - 1) {
      slots[n] = mm3_i_hm_slot(s, from, 16 * group + mm3_i_hm_lowest(used));
      if (s.key_is == MM3_I_IS_HEAP) {
        uint64_t offset = mm3_i_hm_word(slots[n]) & MM3_I_HM_RECORD_BITS;
        if (offset < file->limit) __builtin_prefetch(file->base + offset);
      }
      n++;
    }
    if (n + MM3_I_HM_LANES <= TABLES_BATCH && group < from->mask) continue;
    *count += n;
    int result = tables_flush(file, m, s, to, slots, n);
    if (result < 0) return result;
    n = 0;
  }
  return 0;
}

/* The common shape is compiled with its sizes as constants. */
static int tables_copy(struct mm3_file *file, const struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                       const struct mm3_i_hm_table *from, const struct mm3_i_hm_table *to, uint64_t *count) {
  if (s->key_is == MM3_I_IS_INTEGER && s->key_size == 8 && s->slot == 16 && s->kept == MM3_I_HM_NARROW)
    return tables_copy_as(file, m, mm3_i_hm_shape_of(MM3_I_IS_INTEGER, 8, 8, MM3_I_IS_INTEGER, 8, 8), from, to, count);
  if (s->key_is == MM3_I_IS_HEAP && s->kept == MM3_I_HM_SHARED)
    return tables_copy_as(file, m, mm3_i_hm_shape_of(MM3_I_IS_HEAP, 8, 8, MM3_I_IS_HEAP, 8, 8), from, to, count);
  return tables_copy_as(file, m, *s, from, to, count);
}

static int tables_replace(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                          const struct mm3_i_hm_table *old, uint64_t mask) {
  struct mm3_i_hm_table t;
  uint64_t count = 0;
  int result = tables_new(file, m, s, mask, &t);
  if (result < 0) return result;
  if (old) result = tables_copy(file, m, s, old, &t, &count);
  if (result < 0) {
    mm3_heap_free(file, mm3i_hashmap_block(t.word));
    return result;
  }
  uint64_t capacity = mm3_i_hm_capacity(mask);
  mm3_i_hm_head(&t)->count = count;
  mm3_i_hm_head(&t)->room = count < capacity ? capacity - count : 0;
  __atomic_store_n(&m->generation, m->generation + 1, __ATOMIC_RELAXED);
  __atomic_store_n(&m->table, t.word, __ATOMIC_RELEASE);
  mm3_copy_begin_write(); /* whoever sees the freed block's next bytes sees the new table's word */
  if (old) mm3_heap_free(file, mm3i_hashmap_block(old->word));
  return 0;
}

static uint64_t tables_mask(uint64_t count) {
  uint64_t mask = 3;
  while (mask < MM3_I_HM_MAX_MASK && mm3_i_hm_capacity(mask) < count) mask = 2 * mask + 1;
  return mask;
}

static int tables_clear(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s);

static int tables_grow(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s, uint64_t count,
                       int shrink) {
  struct mm3_i_hm_table t;
  if (m->print != mm3_i_hm_print(*s)) return -MM3_E_LAYOUT;
  if (count > mm3_i_hm_capacity(MM3_I_HM_MAX_MASK)) return -MM3_E_LIMIT;
  int result = tables_heal(file, m, s);
  if (result == 0) return shrink ? 0 : tables_replace(file, m, s, NULL, tables_mask(count));
  if (result == 1) result = tables_open(file, m, s, &t);
  if (result < 0) return result;
  const struct mm3_i_hashmap_head *head = mm3_i_hm_head(&t);
  uint64_t wanted = tables_mask(count > head->count ? count : head->count);
  if (shrink && head->count == 0) return tables_clear(file, m, s);
  if (shrink) return wanted < t.mask ? tables_replace(file, m, s, &t, wanted) : 0;
  if (count) {
    if (count <= head->count || (wanted <= t.mask && head->room >= count - head->count)) return 0;
    return tables_replace(file, m, s, &t, wanted > t.mask ? wanted : t.mask);
  }
  /* Many slots are free, but passed: the same size does. */
  if (head->count < mm3_i_hm_capacity(t.mask) / 32 * 25) return tables_replace(file, m, s, &t, t.mask);
  return tables_replace(file, m, s, &t, 2 * t.mask + 1);
}

/* ---- all entries ---- */

static bool tables_owns(const struct mm3_i_hm_shape *s) {
  return s->key_is == MM3_I_IS_HEAP || s->kept == MM3_I_HM_RECORD;
}

static int tables_clear(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s) {
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit = {0};
  int result = tables_open(file, m, s, &t);
  if (result <= 0) return result;
  __atomic_store_n(&m->table, 0, __ATOMIC_RELEASE);
  mm3_copy_begin_write();
  if (tables_owns(s))
    for (bool more = mm3i_hashmap_step(s, &t, &hit, true); more; more = mm3i_hashmap_step(s, &t, &hit, false))
      mm3_heap_free(file,
                    mm3_i_hm_word(hit.slot + (s->key_is == MM3_I_IS_HEAP ? 0 : s->value_at)) & MM3_I_HM_RECORD_BITS);
  return mm3_heap_free(file, mm3i_hashmap_block(t.word));
}

void mm3i_hashmap_item(struct mm3_file *file, const struct mm3_i_hm_shape *s, const struct mm3_i_hm_table *t,
                       const struct mm3_i_hm_hit *hit, struct mm3_hashmap_item *item) {
  struct mm3_i_hm_record r;
  struct mm3_i_arg key;
  (void)t;
  memset(item, 0, sizeof *item);
  if (mm3_i_hm_key_of(file, *s, hit->slot, &key) == 0)
    item->key = mm3_str_n(key.ptr, s->key_is == MM3_I_IS_TEXT || s->key_is == MM3_I_IS_HEAP ? (size_t)key.low
                                                                                            : (size_t)s->key_size);
  const unsigned char *value = hit->slot + s->value_at;
  if (s->value_is == MM3_I_IS_TEXT && mm3_i_hm_load(value, 4) <= s->value_max)
    item->value = mm3_str_n(value + 4, (size_t)mm3_i_hm_load(value, 4));
  else if (s->value_is != MM3_I_IS_HEAP && s->value_is != MM3_I_IS_TEXT)
    item->value = mm3_str_n(value, (size_t)s->value_size);
  else if (s->value_is == MM3_I_IS_HEAP && mm3_i_hm_record_at(file, mm3_i_hm_word(value), &r) == 0)
    item->value = mm3_str_n(r.value, r.value_len);
}

static int64_t tables_retain(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                             int (*keep)(const struct mm3_hashmap_item *, void *), void *arg) {
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit = {0};
  int64_t removed = 0;
  int result = tables_heal(file, m, s);
  if (result == 1) result = tables_open(file, m, s, &t);
  if (result <= 0) return result;
  for (bool more = mm3i_hashmap_step(s, &t, &hit, true); more; more = mm3i_hashmap_step(s, &t, &hit, false)) {
    struct mm3_hashmap_item item;
    mm3i_hashmap_item(file, s, &t, &hit, &item);
    result = keep(&item, arg);
    if (result < 0) return result;
    if (result > 0) continue;
    mm3_i_hm_take(file, *s, &t, &hit);
    removed++;
  }
  return removed;
}

static int tables_update(struct mm3_file *file, struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                         struct mm3_i_arg key, int (*change)(void *value, void *), void *arg) {
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit = {0};
  int result = tables_heal(file, m, s);
  if (result == 1) result = tables_open(file, m, s, &t);
  if (result < 0) return result;
  uint64_t hash = mm3_i_hm_hash(*s, key, m->seed);
  if (result == 1) result = mm3_i_hm_probe(file, *s, &t, key, hash, &hit);
  if (result <= 0) return result < 0 ? result : -MM3_E_ABSENT;
  void *copy = malloc((size_t)s->value_size);
  if (!copy) return -ENOMEM;
  memcpy(copy, hit.slot + s->value_at, (size_t)s->value_size);
  result = change(copy, arg);
  if (result >= 0) result = mm3_i_hm_overwrite(file, *s, &t, &hit, key, hash, mm3_i_arg_bytes(copy));
  free(copy);
  return result < 0 ? result : 0;
}

/* ---- figures ---- */

static uint64_t tables_probes(const struct mm3_i_hm_table *t, uint64_t hash, uint64_t wanted) {
  uint64_t group = hash & t->mask, step = 1;
  while (group != wanted && step <= t->mask) group = (group + step++) & t->mask;
  return step;
}

static int tables_measure(struct mm3_file *file, const struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                          struct mm3_hashmap_stats *stats) {
  struct mm3_i_hm_table t;
  struct mm3_i_hm_hit hit = {0};
  uint64_t probes = 0;
  stats->rebuilds = m->generation;
  int result = tables_open(file, m, s, &t);
  if (result <= 0) return result;
  stats->groups = t.mask + 1;
  stats->slots = mm3_i_hm_slots(&t);
  stats->table_bytes = mm3_heap_usable(file, mm3i_hashmap_block(t.word));
  for (bool more = mm3i_hashmap_step(s, &t, &hit, true); more; more = mm3i_hashmap_step(s, &t, &hit, false)) {
    struct mm3_i_arg key;
    if (mm3_i_hm_key_of(file, *s, hit.slot, &key) < 0) return -MM3_E_DAMAGED;
    uint64_t needed = tables_probes(&t, mm3_i_hm_hash(*s, key, m->seed), hit.group);
    probes += needed;
    if (needed > stats->probes_max) stats->probes_max = needed;
    stats->count++;
    if (tables_owns(s))
      stats->record_bytes += mm3_heap_usable(
        file, mm3_i_hm_word(hit.slot + (s->key_is == MM3_I_IS_HEAP ? 0 : s->value_at)) & MM3_I_HM_RECORD_BITS);
  }
  stats->load = (double)stats->count / (double)stats->slots;
  if (stats->count) {
    stats->bytes_an_entry = (double)(stats->table_bytes + stats->record_bytes) / (double)stats->count;
    stats->probes_mean = (double)probes / (double)stats->count;
  }
  return 0;
}

/* As many members as the program knows of. */
static int tables_stats(struct mm3_file *file, const struct mm3_i_hashmap *m, const struct mm3_i_hm_shape *s,
                        struct mm3_hashmap_stats *stats) {
  struct mm3_hashmap_stats all = {0};
  uint32_t known = stats->size < sizeof all ? stats->size : (uint32_t)sizeof all;
  if (known < offsetof(struct mm3_hashmap_stats, count)) return -EINVAL;
  int result = tables_measure(file, m, s, &all);
  all.size = known;
  memcpy(stats, &all, known);
  return result;
}

const struct mm3_hashmap_ops mm3i_hashmap_ops = {
  .size = sizeof(struct mm3_hashmap_ops),
  .version = 1,
  .heal = tables_heal,
  .grow = tables_grow,
  .clear = tables_clear,
  .retain = tables_retain,
  .update = tables_update,
  .stats = tables_stats,
};
