/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_steps.c: one entry, by its key's text: users["alice"], users["alice"].age, scores[7]. */
#include "hashmap_values.h"

#include <inttypes.h>
#include <stdio.h>

/* The key of a step, into the entry. */
static int step_key(struct hashmap_entry *e, const struct mm3_step *step, struct mm3_ctx *ctx) {
  char text[32];
  if (step->is == MM3_STEP_KEY) return mm3i_hashmap_key_parse(e, step->text, step->count, ctx);
  if (step->is == MM3_STEP_NAME)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "entries of a hashmap are reached by [key], not by .%.100s", step->text);
  if (e->s.key_is != MM3_I_IS_INTEGER)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "a key of %s is written in quotes: [\"%" PRId64 "\"]", e->key_type->text,
                        step->index);
  int length = snprintf(text, sizeof text, "%" PRId64, step->index);
  return mm3i_hashmap_key_parse(e, text, (size_t)length, ctx);
}

static int step_get(struct hashmap_entry *e, const void *bytes, struct mm3_ctx *ctx) {
  const struct mm3_i_hashmap *m = (const struct mm3_i_hashmap *)bytes;
  int result = -MM3_E_ABSENT;
  for (int tries = 0; ctx->file && tries < 100; tries++) {
    result = mm3_i_hm_get(ctx->file, m, e->s, mm3i_hashmap_key_arg(e), mm3i_hashmap_value_room(e));
    if (result != -ERANGE) break;
    if (mm3i_hashmap_entry_grow(e) < 0)
      return mm3_ctx_fail(ctx, -ENOMEM, "no memory for a value of %zu bytes", e->value_buf.len);
  }
  if (result == -MM3_E_ABSENT) return mm3_ctx_fail(ctx, result, "there is no such entry");
  return result < 0 ? mm3_ctx_fail(ctx, result, "the entry cannot be read: %s", mm3_strerror(result)) : 0;
}

/* Goes on inside the copied value. Stops where a kind wants the rest of the steps itself: *left says how many. */
static int step_into(struct hashmap_entry *e, const struct mm3_step *steps, size_t nsteps, struct mm3_place *place,
                     size_t *left, struct mm3_ctx *ctx) {
  *place = (struct mm3_place){e->value_type, e->value};
  for (*left = nsteps; *left > 0; --*left) {
    struct mm3_place next = {NULL, NULL};
    if (e->s.value_is == MM3_I_IS_HEAP || (!place->type->kind->at && !place->type->kind->visit_deep))
      return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no parts", place->type->text);
    if (place->type->kind->visit_deep) return 0;
    int result = place->type->kind->at(place->type, place->bytes, &steps[nsteps - *left], &next, ctx);
    if (result < 0) return result;
    if (!next.type) return mm3_ctx_fail(ctx, -MM3_E_MODULE, "the module of this part is missing");
    *place = next;
  }
  return 0;
}

static int visit_entry(struct hashmap_entry *e, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                       struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct mm3_place place;
  size_t left;
  int result = step_key(e, &steps[0], ctx);
  if (result >= 0) result = step_get(e, bytes, ctx);
  if (result < 0) return result;
  if (nsteps == 1) return mm3i_hashmap_part_visit(e->value_type, e->s.value_is, &e->value_buf, e->value, sink, ctx);
  if (e->s.value_is == MM3_I_IS_TEXT) return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no parts", e->value_type->text);
  result = step_into(e, steps + 1, nsteps - 1, &place, &left, ctx);
  if (result < 0) return result;
  if (left) return place.type->kind->visit_deep(place.type, place.bytes, steps + nsteps - left, left, sink, ctx);
  return mm3_type_visit(place.type, place.bytes, sink, ctx);
}

int mm3i_hashmap_visit_deep(const struct mm3_type *type, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                            struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct hashmap_entry e;
  if (mm3i_hashmap_entry_new(&e, type) < 0) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for an entry");
  int result = visit_entry(&e, bytes, steps, nsteps, sink, ctx);
  mm3i_hashmap_entry_free(&e);
  return result;
}

/* A part of an entry's value: into the copy, which then replaces the value whole. */
static int put_part(struct hashmap_entry *e, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                    const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_place place;
  size_t left;
  if (e->s.value_is == MM3_I_IS_TEXT) return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no parts", e->value_type->text);
  int result = step_get(e, bytes, ctx);
  if (result >= 0) result = step_into(e, steps + 1, nsteps - 1, &place, &left, ctx);
  if (result < 0) return result;
  uint32_t flags = ctx->flags;
  ctx->flags &= ~MM3_CTX_DRY;
  if (left && place.type->kind->put_deep)
    result = place.type->kind->put_deep(place.type, place.bytes, steps + nsteps - left, left, value, ctx);
  else if (!left && value)
    result = mm3_type_put(place.type, place.bytes, value, ctx);
  else
    result = mm3_ctx_fail(ctx, -MM3_E_PATH, "nothing can be removed from inside %s", place.type->text);
  ctx->flags = flags;
  return result;
}

static int put_entry(struct hashmap_entry *e, void *bytes, const struct mm3_step *steps, size_t nsteps,
                     const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct mm3_i_hashmap *m = (struct mm3_i_hashmap *)bytes;
  int result = step_key(e, &steps[0], ctx), dry = ctx->flags & MM3_CTX_DRY;
  if (result < 0) return result;
  if (nsteps > 1) {
    result = put_part(e, bytes, steps, nsteps, value, ctx);
  } else if (value) {
    /* A struct takes any subset of its members: over the value that is there. */
    bool there = e->s.value_is == MM3_I_IS_BYTES &&
                 mm3_i_hm_get(ctx->file, m, e->s, mm3i_hashmap_key_arg(e), mm3i_hashmap_value_room(e)) == 0;
    result = mm3i_hashmap_value_put(e, !there, value, ctx);
  }
  if (result < 0) return result;
  if (nsteps == 1 && !value) {
    result = dry ? mm3_i_hm_get(ctx->file, m, e->s, mm3i_hashmap_key_arg(e), NULL)
                 : mm3_i_hm_remove_held(ctx->file, m, e->s, mm3i_hashmap_key_arg(e));
    if (result == -MM3_E_ABSENT) return mm3_ctx_fail(ctx, result, "there is no such entry");
  } else if (!dry) {
    result = mm3_i_hm_set_held(ctx->file, m, e->s, mm3i_hashmap_key_arg(e), mm3i_hashmap_value_arg(e), 0, NULL);
  }
  return result < 0 ? mm3_ctx_fail(ctx, result, "the entry could not be changed: %s", mm3_strerror(result)) : 0;
}

int mm3i_hashmap_put_deep(const struct mm3_type *type, void *bytes, const struct mm3_step *steps, size_t nsteps,
                          const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct hashmap_entry e;
  bool locks = !(ctx->flags & (MM3_CTX_LOCKED | MM3_CTX_DRY));
  if (!ctx->file) return mm3_ctx_fail(ctx, -EINVAL, "a hashmap works in a file only");
  if (mm3i_hashmap_entry_new(&e, type) < 0) return mm3_ctx_fail(ctx, -ENOMEM, "no memory for an entry");
  int result = locks ? mm3_lock(ctx->file) : 0;
  if (result < 0) {
    locks = false;
    result = mm3_ctx_fail(ctx, result, "the file's lock was not to be had: %s", mm3_strerror(result));
  } else {
    result = put_entry(&e, bytes, steps, nsteps, value, ctx);
  }
  if (locks) mm3_unlock(ctx->file);
  mm3i_hashmap_entry_free(&e);
  return result;
}
