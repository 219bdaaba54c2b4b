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
  return mm3_error_set(error, -MM3_E_VALUE, "JSON, line %d, column %d: %s", why.line, why.column, why.text);
}
