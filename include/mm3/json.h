/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json.h: json(N), a JSON value of any shape in up to N bytes of text; and any field or file as JSON and back.
 *
 * Programs that include this header link jansson (`pkg-config --libs mm3 jansson`); mm3.h does not include it.
 *
 * In the file a json(N) lies as a string(N) does (mm3/string.h), 1 <= N < 2^24:
 *
 *     field       | sequence:40 length:24 | slot 0: N + 1 bytes | slot 1: N + 1 bytes | zeros to a multiple of 8
 *     element     | length:32 | N bytes, zero padded | zeros to a multiple of 4
 *
 * The current slot holds one JSON text in UTF-8 and zeros after it. Length 0 is an empty value and reads as null. What is
 * stored was parsed first, or is a json_t whose text would be, so that these always hold: valid JSON of at most 2048
 * levels, no duplicate keys, no zero byte in a key, numbers that jansson can hold (integers of 64 bits with sign, finite
 * doubles); keys keep their order. A text that was set stays as it
 * was written, spaces too; a json_t is written compactly.
 *
 * Every set writes the other slot and publishes it by one store: a reader, in any process, has the old value or the new
 * one, whole, and so has a file whose writer was killed. One writer at a time; the program sees to it.
 *
 * What JSON cannot say is spelt so, in exports of fields and files, and is read back so: integers beyond int64 as decimal
 * strings; "NaN", "Infinity", "-Infinity"; bytes as lower-case hex; a zero byte in text as \u0000.
 *
 * Operations; `j` is a pointer to a json(N) field, `error` may be NULL. All but the in-place ones are cold calls through the
 * module's table. They return 0 or: -MM3_E_VALUE (not JSON: with line and column; too long; a duplicate key; -- the old
 * value stands), -MM3_E_DAMAGED, -MM3_E_AGAIN (a writer that never pauses), -ENOMEM, -MM3_E_MODULE (mm3-json.so is missing),
 * -MM3_E_ABSENT (a pointer that leads nowhere).
 *
 *   mm3_json_set(j, const json_t *value, error)
 *   mm3_json_set_text(j, const char *text, error)          mm3_json_set_text_n(j, text, count, error)
 *   mm3_json_get(j, json_t **value, error)                 a new reference
 *   mm3_json_pack(j, error, const char *format, ...)       sets what json_pack makes
 *   mm3_json_unpack(j, json_t **keep, error, const char *format, ...)
 *         json_unpack of the value. Strings that it hands out live in *keep: json_decref it when done with them
 *   mm3_json_get_at(j, const char *pointer, json_t **value, error)   by JSON pointer (RFC 6901): "/a/0", "" is all
 *   mm3_json_set_at(j, pointer, const json_t *value, error)          adds or replaces; "-" appends to an array; NULL removes
 *   mm3_json_merge(j, const json_t *patch, error)          JSON merge patch (RFC 7396)
 *
 * In place, inline, no call but memcpy:
 *   mm3_json_text(j, buf, size, &length)     copies the text out, torn-free; -ERANGE when size is too small
 *   mm3_json_view(j)                         struct mm3_string_view: the text where it lies, not copied; valid until the
 *                                            second following set; mm3_json_view_valid(j, view) says whether it still is
 *   mm3_json_len(j), mm3_json_capacity(j), mm3_json_clear(j)
 *
 * Fields and files of any kind (control plane; the visitor goes through each kind's table):
 *   mm3_json_from_field(field, &value, error)   the field found by mm3_field_find, or a slice, as a new json_t
 *   mm3_json_to_field(field, value, error)      all or nothing; unknown and refused members are reported by path
 *   mm3_json_from_file(file, &value, error)     the whole root
 *   mm3_json_to_file(file, value, complete, error)   complete: a missing member is -MM3_E_VALUE, named by its path
 */
#ifndef MM3_JSON_H
#define MM3_JSON_H

#include <jansson.h>
#include <mm3/error.h>
#include <mm3/field.h>
#include <mm3/file.h>
#include <mm3/module.h>
#include <mm3/string.h>
#include <stdarg.h>

struct mm3_k_json;

#define MM3_C1_json(N)                                                                            \
  struct {                                                                                        \
    __extension__ union {                                                                         \
      uint64_t word __attribute__((aligned(8)));                                                  \
      struct mm3_k_json *mm3_tag;                                                                 \
    };                                                                                            \
    char slot[2][MM3_I_STRING_N(N) + 1];                                                          \
  }
#define MM3_C2_json(N) MM3_I_STRING_ELEMENT(N)
#define MM3_C3_json(N) MM3_I_STRING_ELEMENT(N)
#define MM3_C4_json(N) MM3_I_STRING_ELEMENT(N)
#define MM3_A1_json(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_A2_json(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_A3_json(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_A4_json(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)

/* The module's cold functions: kind json's `ops`. Append only. */
#define MM3_JSON_OPS_VERSION 1u
struct mm3_json_ops {
  uint32_t size, version;
  int (*set)(void *field, size_t n, const json_t *value, struct mm3_error *error);
  int (*set_text)(void *field, size_t n, const char *text, size_t count, struct mm3_error *error);
  int (*get)(const void *field, size_t n, json_t **value, struct mm3_error *error);
  int (*pack)(void *field, size_t n, struct mm3_error *error, const char *format, va_list arguments);
  int (*unpack)(const void *field, size_t n, json_t **keep, struct mm3_error *error, const char *format,
                va_list arguments);
  int (*get_at)(const void *field, size_t n, const char *pointer, json_t **value, struct mm3_error *error);
  int (*set_at)(void *field, size_t n, const char *pointer, const json_t *value, struct mm3_error *error);
  int (*merge)(void *field, size_t n, const json_t *patch, struct mm3_error *error);
  int (*from_field)(const struct mm3_field *field, json_t **value, struct mm3_error *error);
  int (*to_field)(struct mm3_field *field, const json_t *value, int complete, struct mm3_error *error);
};

/* The table, from a module that the file's schema loaded or that this loads; NULL with the reason in *error. */
MM3_UNUSED static inline const struct mm3_json_ops *mm3_json_table(struct mm3_error *error) {
  const struct mm3_kind *kind = mm3_kind_find("json", 1, error);
  const struct mm3_json_ops *ops = kind ? (const struct mm3_json_ops *)kind->ops : 0;
  if (ops && ops->version == MM3_JSON_OPS_VERSION && ops->size >= sizeof *ops) return ops;
  if (kind) mm3_error_set(error, -MM3_E_MODULE, "the module of kind 'json' has another table than this program wants");
  return 0;
}

#define MM3_I_JSON(j) MM3_TAGGED(json, j), sizeof((j)->slot[0]) - 1

#define mm3_json_set(j, value, error) mm3_i_json_set(MM3_I_JSON(j), value, error)
#define mm3_json_set_text(j, text, error) mm3_i_json_set_text(MM3_I_JSON(j), text, strlen(text), error)
#define mm3_json_set_text_n(j, text, count, error) mm3_i_json_set_text(MM3_I_JSON(j), text, count, error)
#define mm3_json_get(j, value, error) mm3_i_json_get(MM3_I_JSON(j), value, error)
#define mm3_json_pack(j, error, ...) mm3_i_json_pack(MM3_I_JSON(j), error, __VA_ARGS__)
#define mm3_json_unpack(j, keep, error, ...) mm3_i_json_unpack(MM3_I_JSON(j), keep, error, __VA_ARGS__)
#define mm3_json_get_at(j, pointer, value, error) mm3_i_json_get_at(MM3_I_JSON(j), pointer, value, error)
#define mm3_json_set_at(j, pointer, value, error) mm3_i_json_set_at(MM3_I_JSON(j), pointer, value, error)
#define mm3_json_merge(j, patch, error) mm3_i_json_merge(MM3_I_JSON(j), patch, error)
#define mm3_json_text(j, buf, size, length) mm3_i_string_get(MM3_I_JSON(j), buf, size, length)
#define mm3_json_view(j) mm3_i_string_view(MM3_I_JSON(j))
#define mm3_json_view_valid(j, view) mm3_i_string_view_valid(MM3_TAGGED(json, j), view)
#define mm3_json_len(j) mm3_i_string_len(MM3_I_JSON(j))
#define mm3_json_capacity(j) mm3_i_string_capacity(MM3_I_JSON(j))
#define mm3_json_clear(j) mm3_i_string_clear(MM3_I_JSON(j))

#define MM3_I_JSON_CALL(error, call)                            \
  const struct mm3_json_ops *ops = mm3_json_table(error);         \
  return ops ? ops->call : -MM3_E_MODULE

MM3_UNUSED static inline int mm3_i_json_set(void *j, size_t n, const json_t *value, struct mm3_error *error) {
  MM3_I_JSON_CALL(error, set(j, n, value, error));
}

MM3_UNUSED static inline int mm3_i_json_set_text(void *j, size_t n, const char *text, size_t count,
                                                 struct mm3_error *error) {
  MM3_I_JSON_CALL(error, set_text(j, n, text, count, error));
}

MM3_UNUSED static inline int mm3_i_json_get(const void *j, size_t n, json_t **value, struct mm3_error *error) {
  MM3_I_JSON_CALL(error, get(j, n, value, error));
}

MM3_UNUSED static int mm3_i_json_pack(void *j, size_t n, struct mm3_error *error, const char *format, ...) {
  const struct mm3_json_ops *ops = mm3_json_table(error);
  if (!ops) return -MM3_E_MODULE;
  va_list arguments;
  va_start(arguments, format);
  int result = ops->pack(j, n, error, format, arguments);
  va_end(arguments);
  return result;
}

MM3_UNUSED static int mm3_i_json_unpack(const void *j, size_t n, json_t **keep, struct mm3_error *error,
                                        const char *format, ...) {
  const struct mm3_json_ops *ops = mm3_json_table(error);
  if (!ops) return -MM3_E_MODULE;
  va_list arguments;
  va_start(arguments, format);
  int result = ops->unpack(j, n, keep, error, format, arguments);
  va_end(arguments);
  return result;
}

MM3_UNUSED static inline int mm3_i_json_get_at(const void *j, size_t n, const char *pointer, json_t **value,
                                               struct mm3_error *error) {
  MM3_I_JSON_CALL(error, get_at(j, n, pointer, value, error));
}

MM3_UNUSED static inline int mm3_i_json_set_at(void *j, size_t n, const char *pointer, const json_t *value,
                                               struct mm3_error *error) {
  MM3_I_JSON_CALL(error, set_at(j, n, pointer, value, error));
}

MM3_UNUSED static inline int mm3_i_json_merge(void *j, size_t n, const json_t *patch, struct mm3_error *error) {
  MM3_I_JSON_CALL(error, merge(j, n, patch, error));
}

MM3_UNUSED static inline int mm3_json_from_field(const struct mm3_field *field, json_t **value,
                                                 struct mm3_error *error) {
  MM3_I_JSON_CALL(error, from_field(field, value, error));
}

MM3_UNUSED static inline int mm3_json_to_field(struct mm3_field *field, const json_t *value, struct mm3_error *error) {
  MM3_I_JSON_CALL(error, to_field(field, value, 0, error));
}

MM3_UNUSED static inline int mm3_json_from_file(struct mm3_file *file, json_t **value, struct mm3_error *error) {
  struct mm3_field root;
  int result = mm3_field_find(file, 0, &root, error);
  return result < 0 ? result : mm3_json_from_field(&root, value, error);
}

MM3_UNUSED static inline int mm3_json_to_file(struct mm3_file *file, const json_t *value, int complete,
                                              struct mm3_error *error) {
  struct mm3_field root;
  int result = mm3_field_find(file, 0, &root, error);
  if (result < 0) return result;
  MM3_I_JSON_CALL(error, to_field(&root, value, complete, error));
}

#endif
