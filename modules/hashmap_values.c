/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_values.c: a whole map as a value, out and in. One entry by its key's text is in hashmap_steps.c. */
#include "hashmap_values.h"

#include <inttypes.h>
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

static bool texty(int is) { return is == MM3_I_IS_TEXT || is == MM3_I_IS_HEAP; }

void *mm3i_hashmap_key_room(struct hashmap_entry *e) { return texty(e->s.key_is) ? (void *)&e->key_buf : e->key; }
void *mm3i_hashmap_value_room(struct hashmap_entry *e) {
  return texty(e->s.value_is) ? (void *)&e->value_buf : e->value;
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
  if (texty(e->s.key_is)) return mm3_i_arg_str(mm3_str_n(e->key_buf.ptr, e->key_buf.len));
  struct mm3_i_arg key;
  mm3_i_hm_key_of(NULL, e->s, e->key, &key);
  return key;
}

struct mm3_i_arg mm3i_hashmap_value_arg(const struct hashmap_entry *e) {
  if (texty(e->s.value_is)) return mm3_i_arg_str(mm3_str_n(e->value_buf.ptr, e->value_buf.len));
  return mm3_i_arg_bytes(e->value);
}

/* ---- one type's part of an entry, out and in ---- */

int mm3i_hashmap_part_visit(const struct mm3_type *type, int is, const struct mm3_buf *buf, const void *bytes,
                            struct mm3_sink *sink, struct mm3_ctx *ctx) {
  if (!texty(is)) return mm3_type_visit(type, bytes, sink, ctx);
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
  if (texty(is)) return text_put(type, is == MM3_I_IS_TEXT ? max : MM3_I_HM_MAX_TEXT, buf, value, ctx);
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
  if (texty(e->s.key_is)) return mm3i_hashmap_key_put(e, &value, ctx);
  memset(e->key, 0, (size_t)e->s.key_size);
  uint32_t flags = ctx->flags;
  ctx->flags &= ~MM3_CTX_DRY;
  int result = mm3_type_key_parse(e->key_type, text, count, e->key, ctx);
  ctx->flags = flags;
  return result;
}

/* ---- out: a private copy first, so that no entry comes twice when the table is replaced meanwhile ---- */

struct copy {
  char *bytes;
  size_t used, size;
};

static int copy_add(struct copy *copy, const void *bytes, size_t count) {
  if (copy->size - copy->used < count + sizeof count) {
    size_t size = (copy->used + count + sizeof count) * 2;
    char *larger = realloc(copy->bytes, size);
    if (!larger) return -ENOMEM;
    copy->bytes = larger;
    copy->size = size;
  }
  memcpy(copy->bytes + copy->used, &count, sizeof count);
  if (count) memcpy(copy->bytes + copy->used + sizeof count, bytes, count);
  copy->used += sizeof count + count;
  return 0;
}

static int copy_part(struct copy *copy, int is, const struct mm3_buf *buf, const void *bytes, uint64_t size) {
  return texty(is) ? copy_add(copy, buf->ptr, buf->len) : copy_add(copy, bytes, (size_t)size);
}

/* 1: whole; 0: the table was replaced meanwhile. Damaged entries fail, unless damage is to be shown. */
static int copy_all(struct copy *copy, struct hashmap_entry *e, const struct mm3_i_hashmap *m, uint64_t *count,
                    struct mm3_ctx *ctx) {
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  copy->used = 0;
  *count = 0;
  for (;;) {
    int result = mm3_i_hm_next(ctx->file, m, e->s, &cursor, mm3i_hashmap_key_room(e), mm3i_hashmap_value_room(e));
    if (cursor.restarts) return 0;
    if (result == 0) return 1;
    if (result == -ERANGE)
      result = mm3i_hashmap_entry_grow(e);
    else if (result == 1) {
      ++*count;
      result = copy_part(copy, e->s.key_is, &e->key_buf, e->key, e->s.key_size);
      if (result == 0) result = copy_part(copy, e->s.value_is, &e->value_buf, e->value, e->s.value_size);
    }
    if (result < 0) return mm3_ctx_fail(ctx, result, "after %" PRIu64 " entries: %s", *count, mm3_strerror(result));
  }
}

/* The next part of a copy into an entry's room. */
static int copy_take(const struct copy *copy, size_t *at, int is, struct mm3_buf *buf, void *bytes) {
  size_t count;
  memcpy(&count, copy->bytes + *at, sizeof count);
  if (texty(is)) {
    buf->len = count;
    if (buf_grow(buf) < 0) return -ENOMEM;
    memcpy(buf->ptr, copy->bytes + *at + sizeof count, count);
    buf->ptr[count] = 0;
  } else {
    memcpy(bytes, copy->bytes + *at + sizeof count, count);
  }
  *at += sizeof count + count;
  return 0;
}

/* Objects where JSON has such keys: strings, integers, raw. */
static bool as_object(const struct hashmap_entry *e) {
  const char *kind = e->key_type->kind->name;
  if (texty(e->s.key_is) || strcmp(kind, "raw") == 0) return true;
  return e->s.key_is == MM3_I_IS_INTEGER && strcmp(kind, "bool") != 0 && strcmp(kind, "char") != 0 &&
         strcmp(kind, "enum") != 0;
}

static int emit_key(struct hashmap_entry *e, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  char text[2 * 4096 + 1];
  if (texty(e->s.key_is)) return sink->key(sink, e->key_buf.ptr, e->key_buf.len);
  int length = mm3_type_key_print(e->key_type, e->key, text, sizeof text, ctx);
  return length < 0 ? length : sink->key(sink, text, (size_t)length);
}

static int emit(const struct copy *copy, struct hashmap_entry *e, uint64_t count, struct mm3_sink *sink,
                struct mm3_ctx *ctx) {
  bool object = as_object(e);
  int result = object ? sink->begin_map(sink, count) : sink->begin_list(sink, count);
  for (size_t at = 0; at < copy->used && result >= 0;) {
    result = copy_take(copy, &at, e->s.key_is, &e->key_buf, e->key);
    if (result >= 0) result = copy_take(copy, &at, e->s.value_is, &e->value_buf, e->value);
    if (result >= 0 && object) result = emit_key(e, sink, ctx);
    if (result >= 0 && !object) result = sink->begin_list(sink, 2);
    if (result >= 0 && !object)
      result = mm3i_hashmap_part_visit(e->key_type, e->s.key_is, &e->key_buf, e->key, sink, ctx);
    if (result >= 0) result = mm3i_hashmap_part_visit(e->value_type, e->s.value_is, &e->value_buf, e->value, sink, ctx);
    if (result >= 0 && !object) result = sink->end_list(sink);
  }
  if (result < 0) return result;
  return object ? sink->end_map(sink) : sink->end_list(sink);
}

int mm3i_hashmap_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct hashmap_entry e;
  struct copy copy = {NULL, 0, 0};
  uint64_t count = 0;
  int result = mm3i_hashmap_entry_new(&e, type), whole = 0;
  if (result < 0) return mm3_ctx_fail(ctx, result, "no memory for an entry");
  for (int tries = 0; tries < 100 && whole == 0; tries++)
    whole = ctx->file ? copy_all(&copy, &e, (const struct mm3_i_hashmap *)bytes, &count, ctx) : 1;
  if (whole == 0)
    result = mm3_ctx_fail(ctx, -MM3_E_AGAIN, "its table was replaced each time it was read");
  else
    result = whole < 0 ? whole : emit(&copy, &e, count, sink, ctx);
  free(copy.bytes);
  mm3i_hashmap_entry_free(&e);
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

/* One pair of a value in. 0, or a failure. */
static int pair_put(struct hashmap_entry *e, struct mm3_i_hashmap *aside, const struct mm3_value *key,
                    const struct mm3_value *item, bool named, struct mm3_ctx *ctx) {
  int result = named ? mm3i_hashmap_key_parse(e, key->as.text, key->count, ctx) : mm3i_hashmap_key_put(e, key, ctx);
  if (result >= 0) result = mm3i_hashmap_value_put(e, true, item, ctx);
  if (result < 0 || (ctx->flags & MM3_CTX_DRY)) return result;
  result = mm3_i_hm_set_held(ctx->file, aside, e->s, mm3i_hashmap_key_arg(e), mm3i_hashmap_value_arg(e), 0, NULL);
  if (result == 1) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "the same key comes twice");
  return result < 0 ? mm3_ctx_fail(ctx, result, "an entry could not be added: %s", mm3_strerror(result)) : 0;
}

static int pairs_put(struct hashmap_entry *e, struct mm3_i_hashmap *aside, const struct mm3_value *value,
                     struct mm3_ctx *ctx) {
  struct mm3_value key, item, first, second, none;
  void *cursor = NULL;
  int more, result;
  bool named = value->is == MM3_MAP;
  while ((more = value->source->next(value, &cursor, &key, &item)) > 0) {
    if (!named) {
      void *inner = NULL;
      if (item.is != MM3_LIST || item.source->next(&item, &inner, &none, &first) <= 0 ||
          item.source->next(&item, &inner, &none, &second) <= 0 || item.source->next(&item, &inner, &none, &none) > 0)
        return mm3_ctx_fail(ctx, -MM3_E_VALUE, "wanted pairs [key, value], found %s", mm3_value_name(&item));
    }
    result = pair_put(e, aside, named ? &key : &first, named ? &item : &second, named, ctx);
    if (result < 0) return result;
  }
  return more;
}

int mm3i_hashmap_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_i_hashmap *m = (struct mm3_i_hashmap *)bytes, aside = *m;
  struct hashmap_entry e;
  if (!ctx->file) return mm3_ctx_fail(ctx, -EINVAL, "a hashmap works in a file only");
  if (mm3i_hashmap_entry_new(&e, type) < 0) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for an entry");
  bool object = as_object(&e), dry = (ctx->flags & MM3_CTX_DRY) != 0;
  bool locks = !dry && !(ctx->flags & MM3_CTX_LOCKED);
  int result = 0;
  if (value->is != (object ? MM3_MAP : MM3_LIST))
    result = mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants %s, found %s", type->text,
                          object ? "an object" : "an array of pairs [key, value]", mm3_value_name(value));
  if (result >= 0 && locks && (result = mm3_lock(ctx->file)) < 0)
    locks = false, result = mm3_ctx_fail(ctx, result, "the file's lock was not to be had: %s", mm3_strerror(result));
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
