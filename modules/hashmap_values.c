/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_values.c: a whole map as a value, in; hashmap_visit.c has the way out, hashmap_steps.c one entry by its key. */
#include "hashmap_values.h"

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- room for one entry ---- */

int mm3i_hashmap_entry_new(struct hashmap_entry *e, const struct mm3_type *type) {
  memset(e, 0, sizeof *e);
  e->s = mm3i_hashmap_shape(type);
  e->key_type = type->args[0].type;
  e->value_type = type->args[1].type;
  e->key = aligned_alloc(64, (size_t)(e->s.key_size + 64 + 63) & ~(size_t)63);
  e->value = aligned_alloc(64, (size_t)(e->s.value_size + 64 + 63) & ~(size_t)63);
  e->key_buf.size = e->value_buf.size = 256;
  e->key_buf.ptr = malloc(e->key_buf.size);
  e->value_buf.ptr = malloc(e->value_buf.size);
  if (e->key && e->value && e->key_buf.ptr && e->value_buf.ptr) return 0;
  mm3i_hashmap_entry_free(e);
  return -ENOMEM;
}

void mm3i_hashmap_entry_free(struct hashmap_entry *e) {
  free(e->key);
  free(e->value);
  free(e->key_buf.ptr);
  free(e->value_buf.ptr);
  memset(e, 0, sizeof *e);
}

bool mm3i_hashmap_texty(int is) { return is == MM3_I_IS_TEXT || is == MM3_I_IS_HEAP; }

void *mm3i_hashmap_key_room(struct hashmap_entry *e) { return mm3i_hashmap_texty(e->s.key_is) ? (void *)&e->key_buf : e->key; }
void *mm3i_hashmap_value_room(struct hashmap_entry *e) {
  return mm3i_hashmap_texty(e->s.value_is) ? (void *)&e->value_buf : e->value;
}

static int buf_grow(struct mm3_buf *buf) {
  if (buf->len < buf->size) return 0;
  char *larger = realloc(buf->ptr, buf->len + buf->len / 2 + 64);
  if (!larger) return -ENOMEM;
  buf->ptr = larger;
  buf->size = buf->len + buf->len / 2 + 64;
  return 0;
}

/* After -ERANGE: as much room as was asked for. */
int mm3i_hashmap_entry_grow(struct hashmap_entry *e) {
  int result = buf_grow(&e->key_buf);
  return result < 0 ? result : buf_grow(&e->value_buf);
}

struct mm3_i_arg mm3i_hashmap_key_arg(const struct hashmap_entry *e) {
  if (mm3i_hashmap_texty(e->s.key_is)) return mm3_i_arg_str(mm3_str_n(e->key_buf.ptr, e->key_buf.len));
  struct mm3_i_arg key;
  mm3_i_hm_key_of(NULL, e->s, e->key, &key);
  return key;
}

struct mm3_i_arg mm3i_hashmap_value_arg(const struct hashmap_entry *e) {
  if (mm3i_hashmap_texty(e->s.value_is)) return mm3_i_arg_str(mm3_str_n(e->value_buf.ptr, e->value_buf.len));
  return mm3_i_arg_bytes(e->value);
}

/* ---- one type's part of an entry, out and in ---- */

int mm3i_hashmap_part_visit(const struct mm3_type *type, int is, const struct mm3_buf *buf, const void *bytes,
                            struct mm3_sink *sink, struct mm3_ctx *ctx) {
  if (!mm3i_hashmap_texty(is)) return mm3_type_visit(type, bytes, sink, ctx);
  return sink->text(sink, buf->ptr, buf->len);
}

static int text_put(const struct mm3_type *type, uint64_t max, struct mm3_buf *buf, const struct mm3_value *value,
                    struct mm3_ctx *ctx) {
  if (value->is != MM3_TEXT)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants a string, found %s", type->text, mm3_value_name(value));
  if (value->count > max)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s takes %" PRIu64 " bytes, found %zu", type->text, max, value->count);
  if (!mm3_utf8_valid(value->as.text, value->count))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants UTF-8", type->text);
  buf->len = value->count;
  if (buf_grow(buf) < 0) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for a text of %zu bytes", value->count);
  memcpy(buf->ptr, value->as.text, value->count);
  buf->ptr[value->count] = 0;
  return 0;
}

static int part_put(const struct mm3_type *type, int is, uint64_t max, struct mm3_buf *buf, void *bytes, bool fresh,
                    const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (mm3i_hashmap_texty(is)) return text_put(type, is == MM3_I_IS_TEXT ? max : MM3_I_HM_MAX_TEXT, buf, value, ctx);
  if (fresh) {
    memset(bytes, 0, (size_t)type->size);
    int result = mm3_type_init(type, bytes, ctx);
    if (result < 0) return result;
  }
  uint32_t flags = ctx->flags;
  ctx->flags &= ~MM3_CTX_DRY; /* this is private memory */
  int result = mm3_type_put(type, bytes, value, ctx);
  ctx->flags = flags;
  return result;
}

int mm3i_hashmap_value_put(struct hashmap_entry *e, bool fresh, const struct mm3_value *value, struct mm3_ctx *ctx) {
  return part_put(e->value_type, e->s.value_is, e->s.value_max, &e->value_buf, e->value, fresh, value, ctx);
}

int mm3i_hashmap_key_put(struct hashmap_entry *e, const struct mm3_value *value, struct mm3_ctx *ctx) {
  return part_put(e->key_type, e->s.key_is, e->s.key_max, &e->key_buf, e->key, true, value, ctx);
}

/* A key as JSON spells it in an object, or between brackets of a path. */
int mm3i_hashmap_key_parse(struct hashmap_entry *e, const char *text, size_t count, struct mm3_ctx *ctx) {
  struct mm3_value value = {.is = MM3_TEXT, .as = {.text = text}, .count = count};
  if (mm3i_hashmap_texty(e->s.key_is)) return mm3i_hashmap_key_put(e, &value, ctx);
  memset(e->key, 0, (size_t)e->s.key_size);
  uint32_t flags = ctx->flags;
  ctx->flags &= ~MM3_CTX_DRY;
  int result = mm3_type_key_parse(e->key_type, text, count, e->key, ctx);
  ctx->flags = flags;
  return result;
}

/* ---- in: a new map aside, which one store then makes the field's ---- */

static int publish(struct mm3_i_hashmap *m, struct mm3_i_hashmap *aside, const struct hashmap_entry *e,
                   struct mm3_ctx *ctx) {
  struct mm3_i_hashmap old = *m;
  __atomic_store_n(&m->generation, aside->generation, __ATOMIC_RELAXED);
  __atomic_store_n(&m->table, aside->table, __ATOMIC_RELEASE);
  mm3_copy_begin_write();
  return mm3i_hashmap_ops.clear(ctx->file, &old, &e->s);
}

/* Keys that came, while there is no map that would know them: two spellings may be one key, as 7 and 07 are. */
struct seen_key {
  size_t length;
  unsigned char bytes[];
};

static int seen_compare(const void *a, const void *b) {
  const struct seen_key *one = a, *two = b;
  if (one->length != two->length) return one->length < two->length ? -1 : 1;
  return memcmp(one->bytes, two->bytes, one->length);
}

/* The key of the entry, into a tree of tsearch(3): 0, 1 when it came before, or -ENOMEM. */
static int seen_add(void **seen, const struct hashmap_entry *e) {
  bool texty = mm3i_hashmap_texty(e->s.key_is);
  size_t length = texty ? e->key_buf.len : (size_t)e->s.key_size;
  struct seen_key *key = malloc(sizeof *key + length);
  if (!key) return -ENOMEM;
  key->length = length;
  memcpy(key->bytes, texty ? (const void *)e->key_buf.ptr : e->key, length);
  struct seen_key **node = (struct seen_key **)tsearch(key, seen, seen_compare);
  int result = !node ? -ENOMEM : *node != key;
  if (result) free(key);
  return result;
}

/* One pair of a value in, or, dry, into `seen`. 0, or a failure. */
static int pair_put(struct hashmap_entry *e, struct mm3_i_hashmap *aside, void **seen, const struct mm3_value *key,
                    const struct mm3_value *item, bool named, struct mm3_ctx *ctx) {
  int result = named ? mm3i_hashmap_key_parse(e, key->as.text, key->count, ctx) : mm3i_hashmap_key_put(e, key, ctx);
  if (result >= 0) result = mm3i_hashmap_value_put(e, true, item, ctx);
  if (result < 0) return result;
  if (ctx->flags & MM3_CTX_DRY) result = seen_add(seen, e);
  else result = mm3_i_hm_set_held(ctx->file, aside, e->s, mm3i_hashmap_key_arg(e), mm3i_hashmap_value_arg(e), 0, NULL);
  if (result == 1) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the same key comes twice");
  return result < 0 ? mm3_ctx_fail(ctx, result, "an entry could not be added: %s", mm3_strerror(result)) : 0;
}

/* `["key"]` as a path has it, cut where it is long, for messages. */
static const char *key_shown(char *out, size_t size, const char *key, size_t count) {
  size_t at = 0, cut = mm3_utf8_cut(key, count, (size - 8) / 2);
  out[at++] = '[', out[at++] = '"';
  for (size_t i = 0; i < cut; i++) {
    if (key[i] == '"' || key[i] == '\\') out[at++] = '\\';
    out[at++] = (unsigned char)key[i] < ' ' ? '?' : key[i];
  }
  snprintf(out + at, size - at, cut < count ? "..\"]" : "\"]");
  return out;
}

/* A list [key, value] in two. */
static int pair_split(const struct mm3_value *pair, struct mm3_value *key, struct mm3_value *item, struct mm3_ctx *ctx) {
  struct mm3_value none;
  void *inner = NULL;
  if (pair->is == MM3_LIST && pair->source->next(pair, &inner, &none, key) > 0 &&
      pair->source->next(pair, &inner, &none, item) > 0 && pair->source->next(pair, &inner, &none, &none) <= 0)
    return 0;
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "wanted pairs [key, value], found %s", mm3_value_name(pair));
}

static int pairs_put(struct hashmap_entry *e, struct mm3_i_hashmap *aside, const struct mm3_value *value,
                     struct mm3_ctx *ctx) {
  struct mm3_value key, item, first, second;
  struct mm3_trail trail = {ctx->trail, NULL, 0};
  char shown[136];
  void *cursor = NULL, *seen = NULL;
  int more = 0, result = 0;
  bool named = value->is == MM3_MAP;
  ctx->trail = &trail;
  for (; result >= 0 && (more = value->source->next(value, &cursor, &key, &item)) > 0; trail.index++) {
    if (named) {
      trail.name = key_shown(shown, sizeof shown, key.as.text, key.count);
      result = pair_put(e, aside, &seen, &key, &item, true, ctx);
    } else if ((result = pair_split(&item, &first, &second, ctx)) >= 0) {
      result = pair_put(e, aside, &seen, &first, &second, false, ctx);
    }
  }
  ctx->trail = trail.up;
  tdestroy(seen, free);
  return result < 0 ? result : more;
}

int mm3i_hashmap_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_i_hashmap *m = (struct mm3_i_hashmap *)bytes, aside;
  struct hashmap_entry e;
  if (!ctx->file) return mm3_ctx_fail(ctx, -EINVAL, "a hashmap works in a file only");
  if (mm3i_hashmap_entry_new(&e, type) < 0) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for an entry");
  bool object = mm3i_hashmap_as_object(&e), dry = (ctx->flags & MM3_CTX_DRY) != 0;
  bool locks = !dry && !(ctx->flags & MM3_CTX_LOCKED);
  int result = 0;
  if (value->is != (object ? MM3_MAP : MM3_LIST))
    result = mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants %s, found %s", type->text,
                          object ? "an object" : "an array of pairs [key, value]", mm3_value_name(value));
  if (result >= 0 && locks && (result = mm3_lock(ctx->file)) < 0)
    locks = false, result = mm3_ctx_fail(ctx, result, "the file's lock was not to be had: %s", mm3_strerror(result));
  aside = *m; /* with the lock: its generation is the last */
  aside.table = 0;
  if (result >= 0 && !dry && value->count) mm3i_hashmap_ops.grow(ctx->file, &aside, &e.s, value->count, 0);
  if (result >= 0) result = pairs_put(&e, &aside, value, ctx);
  if (!dry && result >= 0)
    publish(m, &aside, &e, ctx);
  else if (!dry && aside.table)
    mm3i_hashmap_ops.clear(ctx->file, &aside, &e.s);
  if (locks) mm3_unlock(ctx->file);
  mm3i_hashmap_entry_free(&e);
  return result < 0 ? result : 0;
}

static int assign_all(struct hashmap_entry *e, struct mm3_i_hashmap *aside, const struct mm3_i_hashmap *from,
                      struct mm3_ctx *ctx) {
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  for (;;) {
    int result = mm3_i_hm_next(ctx->file, from, e->s, &cursor, mm3i_hashmap_key_room(e), mm3i_hashmap_value_room(e));
    if (result == 0) return 0;
    if (result == -ERANGE)
      result = mm3i_hashmap_entry_grow(e);
    else if (result == 1)
      result = mm3_i_hm_set_held(ctx->file, aside, e->s, mm3i_hashmap_key_arg(e), mm3i_hashmap_value_arg(e), 0, NULL);
    if (result < 0) return mm3_ctx_fail(ctx, result, "an entry could not be copied: %s", mm3_strerror(result));
  }
}

/* Within one file; the lock is held. */
int mm3i_hashmap_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx) {
  struct mm3_i_hashmap aside = *(struct mm3_i_hashmap *)to;
  struct hashmap_entry e;
  if (!ctx->file) return mm3_ctx_fail(ctx, -EINVAL, "a hashmap works in a file only");
  if (mm3i_hashmap_entry_new(&e, type) < 0) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for an entry");
  aside.table = 0;
  aside.print = mm3_i_hm_print(e.s);
  int result = assign_all(&e, &aside, (const struct mm3_i_hashmap *)from, ctx);
  if (result >= 0)
    publish((struct mm3_i_hashmap *)to, &aside, &e, ctx);
  else if (aside.table)
    mm3i_hashmap_ops.clear(ctx->file, &aside, &e.s);
  mm3i_hashmap_entry_free(&e);
  return result;
}
