/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hashmap_visit.c: a whole map as a value, out, in memory that does not grow with it, while others write.
 *
 * An entry's home is hash & mask, the group that its probing begins at. The walk goes home by home: the entries of home
 * h lie in the groups that a look-up from h would probe. When the table is replaced in the middle, what was sent already
 * can be told by the hash alone: (hash & old mask) < the home that was next. So the walk begins again in the new table
 * and leaves those out: nothing that is in the map all the time comes twice or is missed, however often it grows.
 */
#include "hashmap_values.h"

#include <inttypes.h>

enum { PASSES = 40 /* tables until the walk gives up */, SEEN = 48 };

/* How far the walk came in a table: all homes below `home`, and of that home itself what is listed. */
struct pass {
  uint64_t mask, home;
  unsigned nseen; /* SEEN + 1: more than the list holds */
  struct seen { uint64_t hash, index; } seen[SEEN];
};

struct walk {
  struct hashmap_entry e;
  const struct mm3_i_hashmap *m;
  struct mm3_i_hm_table t;
  struct mm3_sink *sink;
  struct mm3_ctx *ctx;
  uint64_t seed, sent, steps; /* steps: groups that were looked into, in this table */
  bool object;
  struct pass passes[PASSES]; /* the last is of this table */
  unsigned npasses;
};

enum { STAY = 0, REPLACED = 2 };

bool mm3i_hashmap_as_object(const struct hashmap_entry *e) {
  const char *kind = e->key_type->kind->name;
  if (mm3i_hashmap_texty(e->s.key_is) || strcmp(kind, "raw") == 0) return true;
  return e->s.key_is == MM3_I_IS_INTEGER && strcmp(kind, "bool") != 0 && strcmp(kind, "char") != 0 &&
         strcmp(kind, "enum") != 0;
}

static int emit_key(struct hashmap_entry *e, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  char text[2 * 4096 + 1];
  if (mm3i_hashmap_texty(e->s.key_is)) return sink->key(sink, e->key_buf.ptr, e->key_buf.len);
  int length = mm3_type_key_print(e->key_type, e->key, text, sizeof text, ctx);
  return length < 0 ? length : sink->key(sink, text, (size_t)length);
}

static int emit(struct walk *w) {
  struct hashmap_entry *e = &w->e;
  struct mm3_sink *sink = w->sink;
  int result = w->object ? emit_key(e, sink, w->ctx) : sink->begin_list(sink, 2);
  if (result >= 0 && !w->object)
    result = mm3i_hashmap_part_visit(e->key_type, e->s.key_is, &e->key_buf, e->key, sink, w->ctx);
  if (result >= 0) result = mm3i_hashmap_part_visit(e->value_type, e->s.value_is, &e->value_buf, e->value, sink, w->ctx);
  if (result >= 0 && !w->object) result = sink->end_list(sink);
  w->sent++;
  return result;
}

static bool listed(const struct pass *p, uint64_t hash) {
  for (unsigned i = 0; i < p->nseen && i < SEEN; i++)
    if (p->seen[i].hash == hash) return true;
  return false;
}

/* Sent from an earlier table, or from this home before it was removed and added again. */
static bool sent_before(struct walk *w, uint64_t hash, uint64_t index) {
  for (unsigned i = 0; i + 1 < w->npasses; i++) {
    const struct pass *p = &w->passes[i];
    uint64_t home = hash & p->mask;
    if (home < p->home || (home == p->home && listed(p, hash))) return true;
  }
  struct pass *now = &w->passes[w->npasses - 1];
  for (unsigned i = 0; i < now->nseen && i < SEEN; i++)
    if (now->seen[i].hash == hash && !mm3_i_hm_used(&w->t, now->seen[i].index)) return true; /* both there: two keys */
  if (now->nseen < SEEN) now->seen[now->nseen] = (struct seen){hash, index};
  if (now->nseen <= SEEN) now->nseen++;
  return false;
}

/* Nothing that was read since the table was opened came from a block that had been freed. */
static bool stands(const struct walk *w) {
  mm3_copy_end_read();
  return MM3_I_PEEK(w->m->table) == w->t.word;
}

/* Copies the entry of a slot out. 1: it is in *e; 0: there is none; REPLACED; or a failure. *hash, and when its home is
 * not `home` the key alone. */
static int read_slot(struct walk *w, struct mm3_i_hm_hit *hit, uint64_t home, uint64_t *hash) {
  struct mm3_i_hm_shape s = w->e.s;
  void *key = mm3i_hashmap_key_room(&w->e), *value = mm3i_hashmap_value_room(&w->e);
  for (int tries = 0; tries < MM3_COPY_TRIES; tries++) {
    hit->count = __atomic_load_n(mm3_i_hm_count(s, &w->t, hit->group), __ATOMIC_ACQUIRE);
    if (!mm3_i_hm_used(&w->t, mm3_i_hm_index(hit))) return 0;
    int first = mm3_i_hm_key_out(w->ctx->file, s, hit->slot, key), second = 0;
    bool here = first == 0;
    if (here) {
      *hash = mm3_i_hm_hash(s, mm3i_hashmap_key_arg(&w->e), w->seed);
      here = (*hash & w->t.mask) == home;
    }
    if (here) second = mm3_i_hm_value_out(w->ctx->file, s, &w->t, hit, value);
    if (second == 1 || !mm3_i_hm_still(w->m, s, &w->t, hit)) {
      if (!stands(w)) return REPLACED;
      continue;
    }
    if (first == -ERANGE || second == -ERANGE) {
      int grown = mm3i_hashmap_entry_grow(&w->e);
      if (grown < 0) return grown;
      key = mm3i_hashmap_key_room(&w->e), value = mm3i_hashmap_value_room(&w->e);
      continue;
    }
    if (first < 0 || second < 0) return first < 0 ? first : second;
    if (!here) return 1;
    if (mm3_i_hm_valid(s.key_is, key) < 0 || mm3_i_hm_valid(s.value_is, value) < 0) return -MM3_E_DAMAGED;
    return 1;
  }
  return -MM3_E_AGAIN;
}

/* The entries of a group whose home it is. */
static int walk_group(struct walk *w, uint64_t home, uint64_t group) {
  uint32_t used = ~mm3_group_below2(mm3_i_hm_control(&w->t, group)) & 0xFFFF;
  for (; used; used &= used - 1) {
    struct mm3_i_hm_hit hit = {.group = group, .lane = mm3_i_hm_lowest(used)};
    uint64_t hash = 0;
    hit.slot = mm3_i_hm_slot(w->e.s, &w->t, mm3_i_hm_index(&hit));
    int result = read_slot(w, &hit, home, &hash);
    if (result < 0 || result == REPLACED) return result;
    if (result == 0 || (hash & w->t.mask) != home || sent_before(w, hash, mm3_i_hm_index(&hit))) continue;
    if ((result = emit(w)) < 0) return result;
  }
  return STAY;
}

static int walk_home(struct walk *w, uint64_t home) {
  for (uint64_t group = home, step = 1;; group = (group + step++) & w->t.mask) {
    int result = walk_group(w, home, group);
    w->steps++;
    if (result != STAY) return result;
    if (mm3_group_match4(mm3_i_hm_control(&w->t, group), MM3_I_HM_FREE) || step > w->t.mask)
      return stands(w) ? STAY : REPLACED;
  }
}

/* A table that is full to the last slot, as only damage makes it, has no end of a probing: slot after slot, then, and
 * only as long as it stands. */
static int walk_slots(struct walk *w, struct pass *rest) {
  struct mm3_i_hm_hit hit = {0};
  for (bool first = true; mm3i_hashmap_step(&w->e.s, &w->t, &hit, first); first = false) {
    uint64_t hash = 0;
    int result = read_slot(w, &hit, 0, &hash);
    if (result == 1) result = read_slot(w, &hit, hash & w->t.mask, &hash);
    if (result == REPLACED) return -MM3_E_AGAIN;
    if (result < 0) return result;
    rest->nseen = 0;
    if (result == 1 && !sent_before(w, hash, mm3_i_hm_index(&hit)) && (result = emit(w)) < 0) return result;
  }
  return stands(w) ? STAY : -MM3_E_AGAIN;
}

/* One table from its first home to its last. REPLACED: another has taken its place. */
static int walk_table(struct walk *w) {
  struct pass *now = &w->passes[w->npasses++];
  now->mask = w->t.mask;
  w->steps = 0;
  for (now->home = 0; now->home <= w->t.mask; now->home++) {
    now->nseen = 0;
    if (w->steps > 64 * now->home + 4096) {
      if (w->npasses == PASSES) return -MM3_E_AGAIN;
      return walk_slots(w, &w->passes[w->npasses++]);
    }
    int result = walk_home(w, now->home);
    if (result == REPLACED && now->nseen > SEEN) return -MM3_E_AGAIN;
    if (result != STAY) return result;
  }
  return STAY;
}

static int walk(struct walk *w) {
  for (int tries = 0; tries < MM3_COPY_TRIES && w->npasses < PASSES;) {
    uint64_t word = __atomic_load_n(&w->m->table, __ATOMIC_ACQUIRE);
    if (word == 0) return 0;
    int result = mm3_i_hm_open(w->ctx->file, w->e.s, word, &w->t);
    if (result < 0 && __atomic_load_n(&w->m->table, __ATOMIC_RELAXED) == word) return result;
    if (result < 0) tries++;
    else if ((result = walk_table(w)) != REPLACED) return result;
  }
  return -MM3_E_AGAIN;
}

int mm3i_hashmap_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct walk w; /* not zeroed: it is large */
  struct mm3_error *error = ctx->error;
  int result = mm3i_hashmap_entry_new(&w.e, type);
  if (result < 0) return mm3_ctx_fail(ctx, result, "no memory for an entry");
  if (error) error->code = 0; /* what is there afterwards is of this visit */
  w.m = (const struct mm3_i_hashmap *)bytes;
  w.sink = sink;
  w.ctx = ctx;
  w.sent = w.npasses = 0;
  uint64_t count = ctx->file ? mm3_i_hm_len(ctx->file, w.m, w.e.s) : 0;
  w.seed = MM3_I_PEEK(w.m->seed);
  w.object = mm3i_hashmap_as_object(&w.e);
  result = w.object ? sink->begin_map(sink, count) : sink->begin_list(sink, count);
  if (result >= 0 && ctx->file) result = walk(&w);
  if (result < 0 && error && error->code != result)
    mm3_ctx_fail(ctx, result, "after %" PRIu64 " entries: %s", w.sent, mm3_strerror(result));
  mm3i_hashmap_entry_free(&w.e);
  if (result < 0) return result;
  return w.object ? sink->end_map(sink) : sink->end_list(sink);
}
