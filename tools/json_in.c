/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "json_in.h"

#include "../modules/json_value.h"

#include <errno.h>
#include <stdlib.h>

struct mm3j_doc {
  struct mm3_value value;
  json_t *json;
};

struct mm3_value mm3j_text(const char *text, size_t count) {
  return (struct mm3_value){.is = MM3_TEXT, .as.text = text, .count = count};
}

const struct mm3_value *mm3j_value(const struct mm3j_doc *doc) { return &doc->value; }

void mm3j_free(struct mm3j_doc *doc) {
  if (doc) json_decref(doc->json);
  free(doc);
}

int mm3j_parse(const char *text, size_t count, struct mm3j_doc **doc, struct mm3_error *error) {
  json_error_t why;
  json_t *json = json_loadb(text, count, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
  *doc = json ? malloc(sizeof **doc) : NULL;
  if (*doc) {
    **doc = (struct mm3j_doc){mm3j_value_of(json), json};
    return 0;
  }
  json_decref(json);
  if (json || json_error_code(&why) == json_error_out_of_memory)
    return mm3_error_set(error, -ENOMEM, "not enough memory for the JSON text");
  return mm3_error_set(error, -MM3_E_VALUE, "JSON, line %d, column %d: %s", why.line, why.column, mm3j_why(&why));
}

/* ---- the same value? ----------------------------------------------------------------------------------------------- */

static bool same_number(const json_t *a, const json_t *b) {
  if (json_is_integer(a) && json_is_integer(b)) return json_integer_value(a) == json_integer_value(b);
  if (json_is_real(a) && json_is_real(b)) return json_real_value(a) == json_real_value(b);
  double real = json_is_real(a) ? json_real_value(a) : json_real_value(b);
  json_int_t integer = json_is_integer(a) ? json_integer_value(a) : json_integer_value(b);
  return real >= -0x1p63 && real < 0x1p63 && (double)(json_int_t)real == real && (json_int_t)real == integer;
}

static bool same(const json_t *a, const json_t *b) {
  const char *key;
  json_t *item;
  if (json_is_number(a) && json_is_number(b)) return same_number(a, b);
  if (json_typeof(a) != json_typeof(b)) return false;
  if (json_is_array(a)) {
    for (size_t i = 0; i < json_array_size(a); i++)
      if (i >= json_array_size(b) || !same(json_array_get(a, i), json_array_get(b, i))) return false;
    return true;
  }
  if (!json_is_object(a)) return json_equal(a, b);
  json_object_foreach((json_t *)(uintptr_t)a, key, item) {
    const json_t *other = json_object_get(b, key);
    if (!other || !same(item, other)) return false;
  }
  return json_object_size(a) == json_object_size(b);
}

bool mm3j_same(const struct mm3j_doc *a, const struct mm3j_doc *b) { return same(a->json, b->json); }
