/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_check.c: bytes of unknown origin against the promises of mm3/hashmap.h. */
#include "hashmap_inside.h"

#include <inttypes.h>
#include <stdlib.h>

struct check {
  const struct mm3_type *type;
  const struct mm3_i_hashmap *m;
  struct mm3_i_hm_shape s;
  struct mm3_i_hm_table t;
  struct mm3_ctx *ctx;
  void *scratch; /* a key or value, aligned, as it lay when it was read */
};

#define CHECK_FAIL(c, ...) mm3_ctx_fail((c)->ctx, -MM3_E_DAMAGED, __VA_ARGS__)

/* 1: open; 0: no table. */
static int check_open(struct check *c, const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  c->type = type;
  c->m = (const struct mm3_i_hashmap *)bytes;
  c->s = mm3i_hashmap_shape(type);
  c->ctx = ctx;
  uint64_t word = __atomic_load_n(&c->m->table, __ATOMIC_ACQUIRE);
  if (word == 0) return 0;
  if (!ctx->file) return CHECK_FAIL(c, "a table at %" PRIu64 " outside a file", mm3i_hashmap_block(word));
  int result = mm3_i_hm_open(ctx->file, c->s, word, &c->t);
  if (result == 0) return 1;
  return mm3_ctx_fail(ctx, result, "its table at offset %" PRIu64 " does not lie in the file",
                      mm3i_hashmap_block(word));
}

static int check_head(const struct check *c) {
  const struct mm3_i_hashmap_head *head = mm3_i_hm_head(&c->t);
  if (head->magic != MM3_I_HM_MAGIC) return CHECK_FAIL(c, "its table does not begin as one: found %08x", head->magic);
  if (head->algorithm != 1) return CHECK_FAIL(c, "its table wants hash %u; this module has hash 1", head->algorithm);
  if (head->mask < 3 || head->mask > MM3_I_HM_MAX_MASK || (head->mask & (head->mask + 1)))
    return CHECK_FAIL(c, "its table has %" PRIu64 " groups; wanted a power of two from 4 to 2^31",
                      (uint64_t)head->mask + 1);
  if (head->slot_size != c->s.slot || head->value_at != c->s.value_at)
    return CHECK_FAIL(
      c, "its table has slots of %" PRIu64 " bytes with the value at %" PRIu64 "; wanted %" PRIu64 " and %" PRIu64,
      head->slot_size, head->value_at, c->s.slot, c->s.value_at);
  if (head->seed != c->m->seed) return CHECK_FAIL(c, "its table was made with another seed");
  if ((head->generation & 0xFFFF) != c->t.word >> 48)
    return CHECK_FAIL(c, "its table is of generation %" PRIu64 "; wanted one that ends in %" PRIu64, head->generation,
                      c->t.word >> 48);
  return 0;
}

static int check_fixed(const struct check *c, const struct mm3_type *type, const void *bytes) {
  memcpy(c->scratch, bytes, (size_t)type->size);
  return mm3_type_check(type, c->scratch, c->ctx);
}

static int check_text(const struct check *c, const unsigned char *at, size_t len, const char *what) {
  if (mm3_utf8_valid(at, len)) return 0;
  return CHECK_FAIL(c, "the %s of an entry is not valid UTF-8", what);
}

static int check_record(const struct check *c, const struct mm3_i_hm_hit *hit) {
  struct mm3_i_hm_record r;
  bool keyed = c->s.key_is == MM3_I_IS_HEAP;
  uint64_t word = mm3_i_hm_word(hit->slot + (keyed ? 0 : c->s.value_at)), offset = word & MM3_I_HM_RECORD_BITS;
  if (mm3_i_hm_record_at(c->ctx->file, word, &r) < 0)
    return CHECK_FAIL(c, "slot %" PRIu64 ": its record at offset %" PRIu64 " does not lie in the file",
                      mm3_i_hm_index(hit), offset);
  uint64_t size = 8 + (uint64_t)r.key_len + r.value_len, usable = mm3_heap_usable(c->ctx->file, offset);
  if (usable < size)
    return CHECK_FAIL(c,
                      "slot %" PRIu64 ": its record at offset %" PRIu64 " has %" PRIu64 " bytes in a block of %" PRIu64,
                      mm3_i_hm_index(hit), offset, size, usable);
  if ((!keyed && r.key_len) || (c->s.value_is != MM3_I_IS_HEAP && r.value_len))
    return CHECK_FAIL(c, "slot %" PRIu64 ": its record holds more than it should", mm3_i_hm_index(hit));
  int result = check_text(c, r.key, r.key_len, "key");
  return result < 0 ? result : check_text(c, r.value, r.value_len, "value");
}

/* The value as a reader sees it: the journal's while its slot is named there. */
static const unsigned char *check_value(const struct check *c, const struct mm3_i_hm_hit *hit) {
  uint64_t named = mm3_i_hm_head(&c->t)->journal & MM3_I_HM_SLOT_BITS;
  if (c->s.kept == MM3_I_HM_WIDE && named == mm3_i_hm_index(hit) + 1)
    return c->t.base + mm3_i_hm_journal_at(c->s, c->t.mask);
  return hit->slot + c->s.value_at;
}

static int check_entry(const struct check *c, const struct mm3_i_hm_hit *hit) {
  struct mm3_file *file = c->ctx->file;
  struct mm3_i_hm_hit found = {0};
  struct mm3_i_arg key;
  int result = 0;
  if (c->s.key_is == MM3_I_IS_HEAP || c->s.kept == MM3_I_HM_RECORD) result = check_record(c, hit);
  if (result == 0 && c->s.key_is != MM3_I_IS_HEAP) result = check_fixed(c, c->type->args[0].type, hit->slot);
  if (result == 0 && c->s.value_is != MM3_I_IS_HEAP)
    result = check_fixed(c, c->type->args[1].type, check_value(c, hit));
  if (result < 0) return result;
  result = mm3_i_hm_key_of(file, c->s, hit->slot, &key);
  if (result < 0) return CHECK_FAIL(c, "slot %" PRIu64 ": its key cannot be read", mm3_i_hm_index(hit));
  uint64_t hash = mm3_i_hm_hash(c->s, key, c->m->seed);
  unsigned found_byte = mm3_i_hm_control(&c->t, hit->group)[hit->lane], wanted = (unsigned char)mm3_i_hm_tag(hash);
  if (found_byte != wanted)
    return CHECK_FAIL(c, "slot %" PRIu64 ": its control byte is %02x; its key wants %02x", mm3_i_hm_index(hit),
                      found_byte, wanted);
  result = mm3_i_hm_probe(file, c->s, &c->t, key, hash, &found);
  if (result != 1) return CHECK_FAIL(c, "slot %" PRIu64 ": its entry cannot be found by its key", mm3_i_hm_index(hit));
  if (found.slot != hit->slot)
    return CHECK_FAIL(c, "slots %" PRIu64 " and %" PRIu64 " hold the same key", mm3_i_hm_index(&found),
                      mm3_i_hm_index(hit));
  return 0;
}

int mm3i_hashmap_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct check c;
  struct mm3_i_hm_hit hit = {0};
  uint64_t count = 0;
  int result = check_open(&c, type, bytes, ctx);
  if (result >= 0 && c.m->print != mm3_i_hm_print(c.s))
    return CHECK_FAIL(&c, "it was made for other types: found %016" PRIx64 ", wanted %016" PRIx64, c.m->print,
                      mm3_i_hm_print(c.s));
  if (result <= 0) return result;
  result = check_head(&c);
  if (result < 0) return result;
  uint64_t room = c.s.key_size > c.s.value_size ? c.s.key_size : c.s.value_size;
  c.scratch = aligned_alloc(64, (size_t)(room + 63) & ~(size_t)63);
  if (!c.scratch) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for an entry of %" PRIu64 " bytes", room);
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  ctx->trail = &trail;
  for (bool more = mm3i_hashmap_step(&c.s, &c.t, &hit, true); more && result == 0;
       more = mm3i_hashmap_step(&c.s, &c.t, &hit, false)) {
    trail.index = count++;
    result = check_entry(&c, &hit);
  }
  ctx->trail = trail.up;
  free(c.scratch);
  if (result == 0 && count != mm3_i_hm_len(ctx->file, c.m, c.s))
    return CHECK_FAIL(&c, "it says %" PRIu64 " entries and has %" PRIu64, mm3_i_hm_len(ctx->file, c.m, c.s), count);
  return result;
}

int mm3i_hashmap_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset),
                        void *arg, struct mm3_ctx *ctx) {
  struct check c;
  struct mm3_i_hm_hit hit = {0};
  int result = check_open(&c, type, bytes, ctx);
  if (result <= 0) return result;
  result = own(arg, mm3i_hashmap_block(c.t.word));
  if (c.s.key_is != MM3_I_IS_HEAP && c.s.kept != MM3_I_HM_RECORD) return result < 0 ? result : 0;
  for (bool more = mm3i_hashmap_step(&c.s, &c.t, &hit, true); more && result >= 0;
       more = mm3i_hashmap_step(&c.s, &c.t, &hit, false))
    result =
      own(arg, mm3_i_hm_word(hit.slot + (c.s.key_is == MM3_I_IS_HEAP ? 0 : c.s.value_at)) & MM3_I_HM_RECORD_BITS);
  return result < 0 ? result : 0;
}
