/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "json_value.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *mm3j_why(const json_error_t *why) {
  if (strncmp(why->text, "too big ", 8) == 0 && strstr(why->text, "integer"))
    return "an integer beyond 63 bits is written in quotes: \"18446744073709551615\"";
  return why->text;
}

/* ---- what is read again when it was written ---- */

static size_t key_length(void *iter) {
#if JANSSON_VERSION_HEX >= 0x020e00 /* which has zero bytes in keys, that its own parser refuses */
  return json_object_iter_key_len(iter);
#else
  return strlen(json_object_iter_key(iter));
#endif
}

/* `levels`: so many more are read. One that holds itself has no end. */
static bool shallow(const json_t *json, unsigned levels) {
  bool is = levels > 0;
  if (json_is_array(json)) {
    for (size_t i = 0; is && i < json_array_size(json); i++) is = shallow(json_array_get(json, i), levels - 1);
  } else if (json_is_object(json)) {
    json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators take no const */
    for (void *at = json_object_iter(object); is && at; at = json_object_iter_next(object, at))
      is = shallow(json_object_iter_value(at), levels - 1);
  }
  return is;
}

bool mm3j_shallow(const json_t *json) { return shallow(json, MM3J_LEVELS); }

bool mm3j_has_zero_key(const json_t *json) {
  bool has = false;
  if (json_is_array(json)) {
    for (size_t i = 0; !has && i < json_array_size(json); i++) has = mm3j_has_zero_key(json_array_get(json, i));
  } else if (json_is_object(json)) {
    json_t *object = (json_t *)(uintptr_t)json;
    for (void *at = json_object_iter(object); !has && at; at = json_object_iter_next(object, at))
      has = strlen(json_object_iter_key(at)) != key_length(at) || mm3j_has_zero_key(json_object_iter_value(at));
  }
  return has;
}

/* ---- json_t -> value ---- */

static int next_item(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  json_t *json = (json_t *)(uintptr_t)of->node; /* jansson's iterators take no const */
  if (of->is == MM3_LIST) {
    size_t at = (size_t)(uintptr_t)*cursor;
    if (at >= json_array_size(json)) return 0;
    *cursor = (void *)(uintptr_t)(at + 1);
    *item = mm3j_value_of(json_array_get(json, at));
    return 1;
  }
  void *at = *cursor ? json_object_iter_next(json, *cursor) : json_object_iter(json);
  if (!at) return 0;
  *cursor = at;
  const char *name = json_object_iter_key(at);
  *key = (struct mm3_value){.is = MM3_TEXT, .as.text = name, .count = key_length(at)};
  *item = mm3j_value_of(json_object_iter_value(at));
  return 1;
}

static const struct mm3_value_source source = {next_item};

struct mm3_value mm3j_value_of(const json_t *json) {
  switch (json_typeof(json)) {
    case JSON_OBJECT:
      return (struct mm3_value){.is = MM3_MAP, .count = json_object_size(json), .source = &source, .node = json};
    case JSON_ARRAY:
      return (struct mm3_value){.is = MM3_LIST, .count = json_array_size(json), .source = &source, .node = json};
    case JSON_STRING:
      return (struct mm3_value){.is = MM3_TEXT, .as.text = json_string_value(json), .count = json_string_length(json)};
    case JSON_INTEGER: return (struct mm3_value){.is = MM3_INT, .as.integer = json_integer_value(json)};
    case JSON_REAL: return (struct mm3_value){.is = MM3_REAL, .as.real = json_real_value(json)};
    case JSON_TRUE: return (struct mm3_value){.is = MM3_BOOL, .as.boolean = 1};
    case JSON_FALSE: return (struct mm3_value){.is = MM3_BOOL};
    default: return (struct mm3_value){.is = MM3_NULL};
  }
}

/* ---- value -> json_t ---- */

static int json_of(const struct mm3_value *value, json_t **json, unsigned levels);

static int gather(const struct mm3_value *value, json_t *into, unsigned levels) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int more;
  while ((more = value->source->next(value, &cursor, &key, &item)) > 0) {
    json_t *child;
    int result = json_of(&item, &child, levels);
    if (result < 0) return result;
    if (value->is == MM3_LIST) result = json_array_append_new(into, child);
    else if (memchr(key.as.text, 0, key.count) || !mm3_utf8_valid(key.as.text, key.count))
      return json_decref(child), -MM3_E_VALUE; /* jansson's keys are C strings */
    else result = json_object_set_new(into, key.as.text, child);
    if (result < 0) return -ENOMEM;
  }
  if (more == 0 && value->is == MM3_MAP && json_object_size(into) != value->count) return -MM3_E_VALUE; /* a key twice */
  return more;
}

static int json_of(const struct mm3_value *value, json_t **json, unsigned levels) {
  int result = 0;
  *json = NULL;
  if (levels == 0) return -MM3_E_VALUE;
  switch (value->is) {
    case MM3_NULL: *json = json_null(); break;
    case MM3_BOOL: *json = json_boolean(value->as.boolean); break;
    case MM3_INT: *json = json_integer(value->as.integer); break;
    case MM3_UINT: return -MM3_E_VALUE;
    case MM3_REAL:
      if (!isfinite(value->as.real)) return -MM3_E_VALUE;
      *json = json_real(value->as.real);
      break;
    case MM3_TEXT:
      if (!mm3_utf8_valid(value->as.text, value->count)) return -MM3_E_VALUE;
      *json = json_stringn(value->as.text, value->count);
      break;
    case MM3_LIST: *json = json_array(); break;
    case MM3_MAP: *json = json_object(); break;
  }
  if (!*json) return -ENOMEM;
  if (value->is == MM3_LIST || value->is == MM3_MAP) result = gather(value, *json, levels - 1);
  if (result < 0) json_decref(*json);
  return result;
}

int mm3j_json_of(const struct mm3_value *value, json_t **json) { return json_of(value, json, MM3J_LEVELS); }

/* ---- json_t -> sink ---- */

static int visit_list(json_t *json, struct mm3_sink *sink) {
  size_t at;
  json_t *item;
  int result = sink->begin_list(sink, json_array_size(json));
  json_array_foreach(json, at, item) {
    if (result >= 0) result = mm3j_visit(item, sink);
  }
  return result < 0 ? result : sink->end_list(sink);
}

static int visit_map(json_t *json, struct mm3_sink *sink) {
  const char *key;
  json_t *item;
  int result = sink->begin_map(sink, json_object_size(json));
  json_object_foreach(json, key, item) {
    if (result >= 0) result = sink->key(sink, key, strlen(key));
    if (result >= 0) result = mm3j_visit(item, sink);
  }
  return result < 0 ? result : sink->end_map(sink);
}

int mm3j_visit(const json_t *json, struct mm3_sink *sink) {
  json_t *plain = (json_t *)(uintptr_t)json; /* jansson's iteration takes no const */
  switch (json_typeof(json)) {
    case JSON_OBJECT: return visit_map(plain, sink);
    case JSON_ARRAY: return visit_list(plain, sink);
    case JSON_STRING: return sink->text(sink, json_string_value(json), json_string_length(json));
    case JSON_INTEGER: return sink->integer(sink, json_integer_value(json));
    case JSON_REAL: return sink->real(sink, json_real_value(json), 64);
    case JSON_TRUE: return sink->boolean(sink, 1);
    case JSON_FALSE: return sink->boolean(sink, 0);
    default: return sink->null(sink);
  }
}

/* ---- sink -> json_t ---- */

static struct mm3j_builder *self(struct mm3_sink *sink) { return (struct mm3j_builder *)sink; }

/* Puts a finished value where it belongs; takes the reference. */
static int place(struct mm3j_builder *b, json_t *json) {
  if (!json) return -ENOMEM;
  if (b->depth == 0) {
    b->done = json;
    return 0;
  }
  json_t *into = b->stack[b->depth - 1];
  if (json_is_array(into)) return json_array_append_new(into, json) < 0 ? -ENOMEM : 0;
  char *key = b->keys[b->depth - 1];
  b->keys[b->depth - 1] = NULL;
  if (!key) return json_decref(json), -EINVAL;
  bool cut = memchr(key, 0, b->key_counts[b->depth - 1]) != NULL;
  int result = cut ? (json_decref(json), -MM3_E_VALUE) : json_object_set_new(into, key, json) < 0 ? -ENOMEM : 0;
  free(key);
  return result;
}

static int open_level(struct mm3j_builder *b, json_t *json) {
  if (!json) return -ENOMEM;
  if (b->depth == MM3J_LEVELS) return json_decref(json), -MM3_E_VALUE;
  b->stack[b->depth++] = json;
  return 0;
}

static int close_level(struct mm3_sink *s) {
  struct mm3j_builder *b = self(s);
  b->depth--;
  return place(b, b->stack[b->depth]);
}

static int on_null(struct mm3_sink *s) { return place(self(s), json_null()); }
static int on_boolean(struct mm3_sink *s, int value) { return place(self(s), json_boolean(value)); }
static int on_integer(struct mm3_sink *s, int64_t value) { return place(self(s), json_integer(value)); }
static int on_text(struct mm3_sink *s, const char *text, size_t count) { return place(self(s), json_stringn(text, count)); }

static int on_natural(struct mm3_sink *s, uint64_t value) {
  char decimal[24];
  int length = snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)value);
  return on_text(s, decimal, (size_t)length);
}

static int on_real(struct mm3_sink *s, double value, int bits) {
  (void)bits;
  if (isnan(value)) return on_text(s, "NaN", 3);
  if (isinf(value)) return value > 0 ? on_text(s, "Infinity", 8) : on_text(s, "-Infinity", 9);
  return place(self(s), json_real(value));
}

static json_t *hex(const void *bytes, size_t count) {
  char *text = malloc(2 * count + 1);
  if (!text) return NULL;
  for (size_t i = 0; i < count; i++) {
    text[2 * i] = "0123456789abcdef"[((const unsigned char *)bytes)[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[((const unsigned char *)bytes)[i] & 15];
  }
  json_t *json = json_stringn(text, 2 * count);
  free(text);
  return json;
}

static int on_raw(struct mm3_sink *s, const void *bytes, size_t count) { return place(self(s), hex(bytes, count)); }

static int on_damaged(struct mm3_sink *s, const void *bytes, size_t count) {
  json_t *json = json_object();
  if (json && json_object_set_new(json, "$raw", hex(bytes, count)) < 0) return json_decref(json), -ENOMEM;
  return place(self(s), json);
}

static int on_list(struct mm3_sink *s, uint64_t count) {
  (void)count;
  return open_level(self(s), json_array());
}

static int on_map(struct mm3_sink *s, uint64_t count) {
  (void)count;
  return open_level(self(s), json_object());
}

static int on_key(struct mm3_sink *s, const char *text, size_t count) {
  struct mm3j_builder *b = self(s);
  if (b->depth == 0 || b->keys[b->depth - 1]) return -EINVAL;
  char *key = malloc(count + 1);
  if (!key) return -ENOMEM;
  memcpy(key, text, count);
  key[count] = 0;
  b->keys[b->depth - 1] = key;
  b->key_counts[b->depth - 1] = count;
  return 0;
}

void mm3j_builder_init(struct mm3j_builder *b) {
  b->sink = (struct mm3_sink){sizeof b->sink, on_null, on_boolean, on_integer, on_natural, on_text, on_real, on_text, on_raw,
                              on_damaged, on_list, close_level, on_map, on_key, close_level};
  b->done = NULL;
  b->depth = 0;
  memset(b->keys, 0, sizeof b->keys);
}

void mm3j_builder_drop(struct mm3j_builder *b) {
  while (b->depth) {
    b->depth--;
    json_decref(b->stack[b->depth]);
    free(b->keys[b->depth]);
    b->keys[b->depth] = NULL;
  }
  json_decref(b->done);
  b->done = NULL;
}
