/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_describe.c: how full a map's table is, and how far from their first groups its entries lie. */
#include "describe.h"
#include "hashmap_inside.h"

enum { BUCKETS = 16 /* the last counts all that are farther */ };

struct figures {
  uint64_t slots, entries, removed, probes, bytes, rebuilds, far[BUCKETS];
};

static uint64_t distance(const struct mm3_i_hm_table *t, uint64_t hash, uint64_t wanted) {
  uint64_t group = hash & t->mask, step = 1;
  while (group != wanted && step < BUCKETS) group = (group + step++) & t->mask;
  return step;
}

static void count_all(struct figures *f, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                     const struct mm3_i_hm_table *t, struct mm3_ctx *ctx) {
  struct mm3_i_hm_hit hit = {0};
  uint64_t seed = MM3_I_PEEK(m->seed);
  f->slots = mm3_i_hm_slots(t);
  f->bytes = mm3_heap_usable(ctx->file, mm3i_hashmap_block(t->word));
  for (uint64_t i = 0; i < f->slots; i++)
    f->removed += __atomic_load_n(t->base + MM3_I_HM_HEAD + i, __ATOMIC_RELAXED) == MM3_I_HM_GONE;
  for (bool more = mm3i_hashmap_step(&s, t, &hit, true); more; more = mm3i_hashmap_step(&s, t, &hit, false)) {
    struct mm3_i_arg key;
    if (mm3_i_hm_key_of(ctx->file, s, hit.slot, &key) < 0) continue; /* check tells of it */
    uint64_t steps = distance(t, mm3_i_hm_hash(s, key, seed), hit.group);
    f->far[steps - 1]++;
    f->probes += steps;
    f->entries++;
  }
}

static int part(struct mm3_sink *sink, const char *name, uint64_t of, uint64_t whole) {
  int result = sink->key(sink, name, strlen(name));
  return result < 0 ? result : sink->real(sink, whole ? (double)of / (double)whole : 0, 32);
}

/* Empty buckets at the end are left out. */
static int histogram(struct mm3_sink *sink, const char *name, const uint64_t *far) {
  unsigned count = BUCKETS;
  while (count > 1 && !far[count - 1]) count--;
  int result = sink->key(sink, name, strlen(name));
  if (result >= 0) result = sink->begin_list(sink, count);
  for (unsigned i = 0; i < count && result >= 0; i++) result = sink->integer(sink, (int64_t)far[i]);
  return result < 0 ? result : sink->end_list(sink);
}

int mm3i_hashmap_describe(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  const struct mm3_i_hashmap *m = (const struct mm3_i_hashmap *)bytes;
  struct mm3_i_hm_shape s = mm3i_hashmap_shape(type);
  struct mm3_i_hm_table t;
  struct figures f = {.rebuilds = MM3_I_PEEK(m->generation) & 0xFFFF};
  uint64_t word = __atomic_load_n(&m->table, __ATOMIC_ACQUIRE);
  int result = word && ctx->file ? mm3_i_hm_open(ctx->file, s, word, &t) : 1;
  if (result < 0) return mm3_ctx_fail(ctx, result, "its table: %s", mm3_strerror(result));
  if (result == 0) count_all(&f, m, s, &t, ctx);
  result = sink->begin_map(sink, 8);
  if (result >= 0) result = describe_number(sink, "entries", f.entries);
  if (result >= 0) result = describe_number(sink, "slots", f.slots);
  if (result >= 0) result = describe_number(sink, "removed, not yet reused", f.removed);
  if (result >= 0) result = describe_number(sink, "bytes of the table", f.bytes);
  if (result >= 0) result = describe_number(sink, "tables so far", f.rebuilds);
  if (result >= 0) result = part(sink, "load", f.entries, f.slots);
  if (result >= 0) result = part(sink, "groups looked at, mean", f.probes, f.entries);
  if (result >= 0) result = histogram(sink, "entries by groups looked at before they are found", f.far);
  return result < 0 ? result : sink->end_map(sink);
}
