/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_value.h: between jansson's json_t and the core's values: reading one as a struct mm3_value, building one by a sink.
 */
#ifndef MM3_JSON_VALUE_H
#define MM3_JSON_VALUE_H

#include <jansson.h>
#include <mm3/module.h>
#include <stdbool.h>

/* A json_t as a value; valid as long as the json_t is. */
/* What jansson says, in words that say what to do. */
const char *mm3j_why(const json_error_t *why);

struct mm3_value mm3j_value_of(const json_t *json);

/* Jansson writes more than it reads: values of more than MM3J_LEVELS levels, and (of a shallow one) zero bytes in keys. */
bool mm3j_shallow(const json_t *json);
bool mm3j_has_zero_key(const json_t *json);

/* A value as a new json_t. -MM3_E_VALUE when jansson cannot hold it (an integer beyond int64, 2048 levels), -ENOMEM. */
int mm3j_json_of(const struct mm3_value *value, json_t **json);

/* A json_t to a sink. */
int mm3j_visit(const json_t *json, struct mm3_sink *sink);

/* As deep as jansson reads; a number in a list has two levels. */
enum { MM3J_LEVELS = 2048 };

/* A sink that builds a json_t, in the spelling of mm3/json.h. After the visit `done` is the value (the caller's
 * reference); mm3j_builder_drop frees what a broken-off visit left. */
struct mm3j_builder {
  struct mm3_sink sink;
  json_t *done;
  json_t *stack[MM3J_LEVELS];
  char *keys[MM3J_LEVELS];
  size_t key_counts[MM3J_LEVELS];
  unsigned depth;
};
void mm3j_builder_init(struct mm3j_builder *builder);
void mm3j_builder_drop(struct mm3j_builder *builder);

#endif
