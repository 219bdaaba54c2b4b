/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "json_pointer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- one step ---- */

static bool array_index(const char *text, size_t *index) {
  size_t value = 0;
  if (text[0] == 0 || (text[0] == '0' && text[1])) return false; /* no leading zeros (RFC 6901, 4) */
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || value > (SIZE_MAX - 9) / 10) return false;
    value = value * 10 + (size_t)(*text - '0');
  }
  *index = value;
  return true;
}

static json_t *child(json_t *of, const char *name) {
  size_t index;
  if (json_is_object(of)) return json_object_get(of, name);
  return json_is_array(of) && array_index(name, &index) ? json_array_get(of, index) : NULL;
}

/* Adds, replaces or (value NULL) removes. -MM3_E_ABSENT when there is no such place. */
static int set_child(json_t *of, const char *name, json_t *value) {
  size_t index;
  if (json_is_object(of)) {
    if (value) return json_object_set(of, name, value) < 0 ? -ENOMEM : 0;
    return json_object_del(of, name) < 0 ? -MM3_E_ABSENT : 0;
  }
  if (!json_is_array(of)) return -MM3_E_ABSENT;
  if (value && strcmp(name, "-") == 0) return json_array_append(of, value) < 0 ? -ENOMEM : 0;
  if (!array_index(name, &index) || index >= json_array_size(of)) return -MM3_E_ABSENT;
  if (value) return json_array_set(of, index, value) < 0 ? -ENOMEM : 0;
  return json_array_remove(of, index) < 0 ? -MM3_E_ABSENT : 0;
}

/* ---- RFC 6901 ---- */

/* The next token after '/', unescaped, malloc'd; NULL with *code set when there is none. */
static char *next_token(const char **at, int *code) {
  size_t length = strcspn(*at + 1, "/");
  char *token = malloc(length + 1), *out = token;
  *code = -ENOMEM;
  if (!token) return NULL;
  for (const char *from = *at + 1, *end = from + length; from < end; from++) {
    if (*from != '~') {
      *out++ = *from;
    } else if (from + 1 < end && (from[1] == '0' || from[1] == '1')) {
      *out++ = *++from == '0' ? '~' : '/';
    } else {
      *code = -MM3_E_PATH;
      free(token);
      return NULL;
    }
  }
  *out = 0;
  *at += 1 + length;
  return token;
}

static int bad_pointer(const char *pointer, int code, struct mm3_error *error) {
  if (code == -ENOMEM) return mm3_error_set(error, code, "out of memory");
  if (code == -MM3_E_ABSENT) return mm3_error_set(error, code, "JSON pointer '%.200s' leads nowhere", pointer);
  return mm3_error_set(error, code, "'%.200s' is no JSON pointer: wanted \"\" or /name/0/..., with ~0 for ~ and ~1 for /",
                       pointer);
}

int mm3j_pointer_find(json_t *root, const char *pointer, json_t **found, struct mm3_error *error) {
  const char *at = pointer;
  int code = 0;
  while (*at) {
    char *token = *at == '/' ? next_token(&at, &code) : NULL;
    if (!token) return bad_pointer(pointer, *at == '/' ? code : -MM3_E_PATH, error);
    root = child(root, token);
    free(token);
    if (!root) return bad_pointer(pointer, -MM3_E_ABSENT, error);
  }
  *found = root;
  return 0;
}

int mm3j_pointer_set(json_t **root, const char *pointer, json_t *value, struct mm3_error *error) {
  const char *at = pointer;
  json_t *here = *root;
  int code = 0;
  if (!*at) { /* the whole */
    json_decref(*root);
    *root = value ? json_incref(value) : json_null();
    return 0;
  }
  for (;;) {
    char *token = *at == '/' ? next_token(&at, &code) : NULL;
    if (!token) return bad_pointer(pointer, *at == '/' ? code : -MM3_E_PATH, error);
    if (*at) here = child(here, token);
    else code = set_child(here, token, value);
    free(token);
    if (!here) return bad_pointer(pointer, -MM3_E_ABSENT, error);
    if (!*at) return code < 0 ? bad_pointer(pointer, code, error) : 0;
  }
}

/* ---- steps of a path ---- */

/* Jansson's keys are C strings: one with a zero byte is no member, and not the member of the bytes before it. */
static bool is_key(const struct mm3_step *step) {
  return !memchr(step->text, 0, step->count) && mm3_utf8_valid(step->text, step->count);
}

/* Negative indices count from the end. NULL: an index of something that is no array, or out of it. */
static json_t *step_child(json_t *of, const struct mm3_step *step) {
  if (step->is != MM3_STEP_INDEX) return json_is_object(of) && is_key(step) ? json_object_get(of, step->text) : NULL;
  int64_t count = (int64_t)json_array_size(of), index = step->index < 0 ? step->index + count : step->index;
  return json_is_array(of) && index >= 0 && index < count ? json_array_get(of, (size_t)index) : NULL;
}

static int step_fail(const struct mm3_ctx *ctx, const json_t *of, const struct mm3_step *step) {
  if (!json_is_object(of) && !json_is_array(of))
    return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "%s has no members and no items; {} or [] would take them",
                        json_is_null(of) ? "null" : "this JSON value");
  if (step->is == MM3_STEP_INDEX)
    return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "the JSON value has no item [%lld]", (long long)step->index);
  return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "the JSON value has no member '%.80s'", step->text);
}

int mm3j_steps_find(json_t *root, const struct mm3_step *steps, size_t nsteps, json_t **found, const struct mm3_ctx *ctx) {
  for (size_t i = 0; i < nsteps; i++) {
    json_t *of = root;
    root = step_child(of, &steps[i]);
    if (!root) return step_fail(ctx, of, &steps[i]);
  }
  *found = root;
  return 0;
}

int mm3j_steps_set(json_t *root, const struct mm3_step *steps, size_t nsteps, json_t *value, const struct mm3_ctx *ctx) {
  const struct mm3_step *last = &steps[nsteps - 1];
  int result = mm3j_steps_find(root, steps, nsteps - 1, &root, ctx);
  if (result < 0) return result;
  if (last->is != MM3_STEP_INDEX) {
    if (!json_is_object(root) || (!value && !is_key(last))) return step_fail(ctx, root, last);
    if (!is_key(last))
      return mm3_ctx_fail(ctx, -MM3_E_VALUE, "a member's name cannot be kept that has a zero byte or is not UTF-8");
    result = value ? json_object_set(root, last->text, value) : json_object_del(root, last->text);
    return result < 0 ? (value ? -ENOMEM : step_fail(ctx, root, last)) : 0;
  }
  int64_t count = (int64_t)json_array_size(root), index = last->index < 0 ? last->index + count : last->index;
  if (!json_is_array(root) || index < 0 || index >= count) return step_fail(ctx, root, last);
  result = value ? json_array_set(root, (size_t)index, value) : json_array_remove(root, (size_t)index);
  return result < 0 ? -ENOMEM : 0;
}

/* ---- RFC 7396 ---- */

json_t *mm3j_merge(json_t *target, json_t *patch) {
  const char *key;
  json_t *item;
  if (!json_is_object(patch)) return json_incref(patch);
  json_t *result = json_is_object(target) ? json_copy(target) : json_object();
  if (!result) return NULL;
  json_object_foreach(patch, key, item) {
    if (json_is_null(item)) {
      json_object_del(result, key);
      continue;
    }
    json_t *merged = mm3j_merge(json_object_get(result, key), item);
    if (!merged || json_object_set_new(result, key, merged) < 0) {
      json_decref(result);
      return NULL;
    }
  }
  return result;
}
