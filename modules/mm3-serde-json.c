/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Module serde-json: kind json(N), and any field as a json_t and back. The bytes are a string's (mm3/string.h), whose
 * inline functions do the publishing; what is here parses, prints and walks, with jansson.
 */
#include "json_pointer.h"
#include "json_value.h"
#include "kind_tests.h"
#include "string_rows.h"

#include <mm3/json.h>
#include <stdbool.h>

#define LOAD_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY)
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY)
#define DUMP_LEAST 65536

/* ---- text <-> json_t ---- */

static int parse(const char *text, size_t count, json_t **json, int code, struct mm3_error *error) {
  json_error_t why;
  *json = count == 0 ? json_null() : json_loadb(text, count, LOAD_FLAGS, &why);
  if (*json) return 0;
#if JANSSON_VERSION_HEX >= 0x020b00
  if (json_error_code(&why) == json_error_out_of_memory) return mm3_error_set(error, -ENOMEM, "out of memory");
#endif
  return mm3_error_set(error, code, "not JSON that can be kept: line %d, column %d: %s", why.line, why.column, why.text);
}

static int store(void *field, size_t n, const char *text, size_t count, struct mm3_error *error) {
  if (count > n) return mm3_error_set(error, -MM3_E_VALUE, "%zu bytes of JSON do not fit json(%zu)", count, n);
  return mm3_i_string_set_n(field, n, text, count); /* valid UTF-8: it was parsed, or comes from jansson */
}

/* Dumped once, not for the size first, which costs as much again: into room for as much as the field may hold, or, in
 * large fields, for a good deal more than it holds now. Only a value that outgrows that is dumped again. Straight into the
 * other slot would save a copy (a hundredth), and leave half a value there when it does not fit. */
static size_t dump_room(const void *field, size_t n) {
  size_t room = 2 * mm3_i_string_length(mm3_i_string_word(field));
  if (room < DUMP_LEAST) room = DUMP_LEAST;
  return room < n ? room : n;
}

/* Jansson writes more than it reads. Short texts without an escape need no look at the value. */
static int read_again(const json_t *value, const char *text, size_t count, struct mm3_error *error) {
  if (count > MM3J_LEVELS && !mm3j_shallow(value))
    return mm3_error_set(error, -MM3_E_VALUE, "the value cannot be kept: it has more than 2048 levels");
  if (memchr(text, '\\', count) && mm3j_has_zero_key(value))
    return mm3_error_set(error, -MM3_E_VALUE, "the value cannot be kept: a key has a zero byte");
  return 0;
}

static int json_set(void *field, size_t n, const json_t *value, struct mm3_error *error) {
  if (!value) return mm3_error_set(error, -EINVAL, "no value was given");
  char small[STRING_SMALL], *text = small;
  size_t room = dump_room(field, n);
  if (room > sizeof small && !(text = malloc(room))) return mm3_error_set(error, -ENOMEM, "out of memory");
  size_t count = json_dumpb(value, text, room, DUMP_FLAGS);
  if (count > room && count <= n) {
    if (text != small) free(text);
    if (!(text = malloc(count))) return mm3_error_set(error, -ENOMEM, "out of memory");
    if (json_dumpb(value, text, count, DUMP_FLAGS) != count) count = 0;
  }
  int result = 0;
  if (count == 0)
    result = mm3_error_set(error, -MM3_E_VALUE, "the value cannot be written as JSON: it holds itself, a text is not "
                                                "UTF-8, or memory is short");
  else if (count <= n) result = read_again(value, text, count, error);
  if (result == 0) result = store(field, n, text, count, error);
  if (text != small) free(text);
  return result;
}

static int json_set_text(void *field, size_t n, const char *text, size_t count, struct mm3_error *error) {
  json_t *parsed;
  int result = count ? parse(text, count, &parsed, -MM3_E_VALUE, error)
                     : mm3_error_set(error, -MM3_E_VALUE, "not JSON: an empty text (null, or mm3_json_clear, is empty)");
  if (result < 0) return result;
  json_decref(parsed);
  return store(field, n, text, count, error);
}

static int read_failed(int code, struct mm3_error *error) {
  return mm3_error_set(error, code, "%s", code == -MM3_E_DAMAGED ? "the bytes hold no JSON text" : mm3_strerror(code));
}

static int json_get(const void *field, size_t n, json_t **value, struct mm3_error *error) {
  char small[STRING_SMALL], *text = small;
  size_t count;
  if (n >= sizeof small && !(text = malloc(n + 1))) return mm3_error_set(error, -ENOMEM, "out of memory");
  int result = mm3_i_string_get(field, n, text, n + 1, &count);
  result = result < 0 ? read_failed(result, error) : parse(text, count, value, -MM3_E_DAMAGED, error);
  if (text != small) free(text);
  return result;
}

/* ---- ops ---- */

static int json_pack_(void *field, size_t n, struct mm3_error *error, const char *format, va_list arguments) {
  json_error_t why;
  json_t *value = json_vpack_ex(&why, 0, format, arguments);
  if (!value) return mm3_error_set(error, -MM3_E_VALUE, "json_pack(\"%.80s\"): column %d: %s", format, why.column, why.text);
  int result = json_set(field, n, value, error);
  json_decref(value);
  return result;
}

static int json_unpack_(const void *field, size_t n, json_t **keep, struct mm3_error *error, const char *format,
                        va_list arguments) {
  json_error_t why;
  int result = json_get(field, n, keep, error);
  if (result < 0) return result;
  if (json_vunpack_ex(*keep, &why, 0, format, arguments) == 0) return 0;
  json_decref(*keep);
  *keep = NULL;
  return mm3_error_set(error, -MM3_E_VALUE, "json_unpack(\"%.80s\"): column %d: %s", format, why.column, why.text);
}

static int json_get_at(const void *field, size_t n, const char *pointer, json_t **value, struct mm3_error *error) {
  json_t *root;
  int result = json_get(field, n, &root, error);
  if (result < 0) return result;
  result = mm3j_pointer_find(root, pointer, value, error);
  if (result == 0) json_incref(*value);
  json_decref(root);
  return result;
}

static int json_set_at(void *field, size_t n, const char *pointer, const json_t *value, struct mm3_error *error) {
  json_t *root;
  int result = json_get(field, n, &root, error);
  if (result < 0) return result;
  result = mm3j_pointer_set(&root, pointer, (json_t *)(uintptr_t)value, error);
  if (result == 0) result = json_set(field, n, root, error);
  json_decref(root);
  return result;
}

static int json_merge(void *field, size_t n, const json_t *patch, struct mm3_error *error) {
  json_t *root, *merged;
  if (!patch) return mm3_error_set(error, -EINVAL, "no value was given");
  int result = json_get(field, n, &root, error);
  if (result < 0) return result;
  merged = mm3j_merge(root, (json_t *)(uintptr_t)patch);
  result = merged ? json_set(field, n, merged, error) : mm3_error_set(error, -ENOMEM, "out of memory");
  json_decref(merged);
  json_decref(root);
  return result;
}

static int from_field(const struct mm3_field *field, json_t **value, struct mm3_error *error) {
  struct mm3j_builder *builder = malloc(sizeof *builder);
  if (!builder) return mm3_error_set(error, -ENOMEM, "out of memory");
  mm3j_builder_init(builder);
  if (error) error->code = 0;
  int result = mm3_field_visit(field, &builder->sink, error);
  if (result < 0 && error && error->code == 0) mm3_error_set(error, result, "a value cannot be held by jansson");
  *value = result < 0 ? NULL : builder->done;
  if (result >= 0) builder->done = NULL;
  mm3j_builder_drop(builder);
  free(builder);
  return result < 0 ? result : 0;
}

/* Names the first member of a struct that the value leaves out. */
static int find_missing(const struct mm3_type *type, const json_t *value, const struct mm3_trail *up, struct mm3_error *error) {
  for (uint32_t i = 0; i < type->nmembers; i++) {
    const struct mm3_member *m = &type->members[i];
    struct mm3_trail trail = {up, m->name, 0};
    const json_t *item = json_object_get(value, m->name);
    if (!item) {
      struct mm3_ctx ctx = {.size = sizeof ctx, .error = error, .trail = &trail};
      return mm3_ctx_fail(&ctx, -MM3_E_VALUE, "the member '%s' of %s is missing", m->name, type->text);
    }
    int result = m->type && m->type->nmembers ? find_missing(m->type, item, &trail, error) : 0;
    if (result < 0) return result;
  }
  return 0;
}

static int to_field(struct mm3_field *field, const json_t *value, int complete, struct mm3_error *error) {
  if (!value) return mm3_error_set(error, -EINVAL, "no value was given");
  int result = complete && field->type ? find_missing(field->type, value, NULL, error) : 0;
  if (result < 0) return result;
  struct mm3_value in = mm3j_value_of(value);
  return mm3_field_put(field, &in, error);
}

static const struct mm3_json_ops json_ops = {
    sizeof json_ops, MM3_JSON_OPS_VERSION, json_set,    json_set_text, json_get,   json_pack_, json_unpack_,
    json_get_at,     json_set_at,          json_merge, from_field,    to_field,
};

/* ---- rows ---- */

static int json_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_NUMBER || type->args[0].number < 1 ||
      type->args[0].number > MM3_STRING_MAX)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "json takes one number of bytes from 1 to %d, as in json(4096); found %s",
                        MM3_STRING_MAX, type->text);
  string_sizes(type, type->args[0].number);
  return 0;
}

static int load(const struct mm3_type *type, const void *bytes, json_t **json, struct copy *copy, struct mm3_ctx *ctx) {
  struct mm3_error why;
  int result = copy_take(type, bytes, copy);
  if (result < 0) return result;
  result = parse(copy->text, copy->count, json, -MM3_E_DAMAGED, &why);
  return result == 0 ? 0 : mm3_ctx_fail(ctx, result, "%s", why.text);
}

static int json_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  struct copy copy;
  json_t *json;
  int result = string_check(type, bytes, ctx);
  if (result < 0) return result;
  result = load(type, bytes, &json, &copy, ctx);
  if (result == 0) json_decref(json);
  copy_drop(&copy);
  return result < 0 && result != -MM3_E_DAMAGED ? copy_fail(type, bytes, result, ctx) : result;
}

static int json_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct copy copy;
  json_t *json;
  int result = load(type, bytes, &json, &copy, ctx);
  if (result == 0) {
    result = mm3j_visit(json, sink);
    json_decref(json);
  } else if (result == -MM3_E_DAMAGED && (ctx->flags & MM3_CTX_RAW)) {
    result = sink->damaged(sink, copy.text, copy.count);
  } else if (result != -MM3_E_DAMAGED) {
    result = copy_fail(type, bytes, result, ctx);
  }
  copy_drop(&copy);
  return result;
}

/* Fewer digits of floats that read back as the same numbers, for a text that is too long with all of them: what was read
 * from a field as 1.4 must fit it again. Returns flags for the dump. */
static size_t fewer_digits(const json_t *json, size_t n) {
  for (size_t digits = 15; digits < 17; digits++) {
    size_t flags = DUMP_FLAGS | JSON_REAL_PRECISION(digits), count = json_dumpb(json, NULL, 0, flags);
    char *text = count && count <= n ? malloc(count + 1) : NULL;
    json_t *again = text ? json_loadb(text, json_dumpb(json, text, count, flags), LOAD_FLAGS, NULL) : NULL;
    int same = again && json_equal(json, again);
    json_decref(again);
    free(text);
    if (same) return flags;
  }
  return DUMP_FLAGS;
}

/* json_t into the value's bytes, either form. */
static int put_json(const struct mm3_type *type, void *bytes, const json_t *json, struct mm3_ctx *ctx) {
  size_t n = capacity_of(type), flags = DUMP_FLAGS, count = json_dumpb(json, NULL, 0, flags);
  if (count > n) {
    flags = fewer_digits(json, n);
    count = json_is_null(json) ? 0 : json_dumpb(json, NULL, 0, flags); /* the empty value reads as null too */
  }
  if (count > n)
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%zu bytes of JSON do not fit %s", count, type->text);
  if (count == 0 && !json_is_null(json)) return mm3_ctx_fail(ctx, -ENOMEM, "out of memory"); /* no value is empty */
  if (count > MM3J_LEVELS && !mm3j_shallow(json))
    return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s cannot keep a value of more than 2048 levels", type->text);
  if (ctx->flags & MM3_CTX_DRY) return 0;
  char *text = malloc(count + 1);
  if (!text || (count && json_dumpb(json, text, count, flags) != count))
    return free(text), mm3_ctx_fail(ctx, -ENOMEM, "out of memory");
  int result = is_field(type) ? mm3_i_string_set_n(bytes, n, text, count) : mm3_i_string_element_set_n(bytes, n, text, count);
  free(text);
  return result;
}

#define CANNOT                                                                                                       \
  "an integer beyond 64 bits with sign, no finite number, a key with a zero byte, no UTF-8, or more than 2048 levels"

static int json_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  json_t *json;
  int result = mm3j_json_of(value, &json);
  if (result == -MM3_E_VALUE)
    return mm3_ctx_fail(ctx, result, "%s cannot hold this value: " CANNOT, type->text);
  if (result < 0) return mm3_ctx_fail(ctx, result, "out of memory");
  result = put_json(type, bytes, json, ctx);
  json_decref(json);
  return result;
}

static int json_visit_deep(const struct mm3_type *type, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                           struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct copy copy;
  json_t *json, *found;
  int result = load(type, bytes, &json, &copy, ctx);
  copy_drop(&copy);
  if (result < 0) return result == -MM3_E_DAMAGED ? result : copy_fail(type, bytes, result, ctx);
  result = mm3j_steps_find(json, steps, nsteps, &found, ctx);
  if (result == 0) result = mm3j_visit(found, sink);
  json_decref(json);
  return result;
}

static int json_put_deep(const struct mm3_type *type, void *bytes, const struct mm3_step *steps, size_t nsteps,
                         const struct mm3_value *value, struct mm3_ctx *ctx) {
  struct copy copy;
  json_t *json, *part = NULL;
  int result = value ? mm3j_json_of(value, &part) : 0;
  if (result < 0) return mm3_ctx_fail(ctx, result, "%s cannot hold this value: %s", type->text,
                                      result == -ENOMEM ? "out of memory" : CANNOT);
  result = load(type, bytes, &json, &copy, ctx);
  copy_drop(&copy);
  if (result < 0) return json_decref(part), result == -MM3_E_DAMAGED ? result : copy_fail(type, bytes, result, ctx);
  result = mm3j_steps_set(json, steps, nsteps, part, ctx);
  if (result == 0) result = put_json(type, bytes, json, ctx);
  else if (result == -ENOMEM) mm3_ctx_fail(ctx, result, "out of memory");
  json_decref(json);
  json_decref(part);
  return result;
}

static const struct mm3_kind json_kind = {
    .size = sizeof(struct mm3_kind), .layout_version = 1, .name = "json",
    .signature = "json(N): any JSON value in up to N bytes of text", .layout = json_layout, .check = json_check,
    .visit = json_visit, .put = json_put, .visit_deep = json_visit_deep, .put_deep = json_put_deep,
    .assign = string_assign, .clear = string_clear, .ops = &json_ops, .test_ops = mm3i_json_test_ops,
};

static const struct mm3_kind *const kinds[] = {&json_kind};
MM3_MODULE(serde_json, "1.0", kinds);
