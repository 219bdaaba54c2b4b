/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* value.c: an argument as a value: JSON, or a bare word. */
#include "tool.h"
#include <string.h>

void value_free(struct given_value *given) {
  mm3j_free(given->doc);
  given->doc = NULL;
}

/* What begins like a JSON text, list or map must be one: a mistake in it is told, not stored as a word. */
static bool means_json(const char *text, size_t count) {
  size_t at = strspn(text, " \t\r\n");
  return at < count && strchr("\"[{", text[at]) != NULL;
}

int value_parse(struct call *call, const char *text, size_t count, struct given_value *given) {
  *given = (struct given_value){.bare = mm3j_text(text, count)};
  int result = mm3j_parse(text, count, &given->doc, &call->error);
  if (!result) {
    given->value = *mm3j_value(given->doc);
    return 0;
  }
  if (result != -MM3_E_VALUE || means_json(text, count)) return result;
  if (!mm3_utf8_valid(text, count))
    return mm3_error_set(&call->error, -MM3_E_VALUE, "the value is not well-formed UTF-8");
  call->error = (struct mm3_error){0};
  given->value = given->bare;
  return 0;
}

int value_apply(struct call *call, struct mm3_field *field, const struct given_value *given, value_use *use) {
  int result = use(field, &given->value, &call->error);
  bool word = given->value.is == MM3_NULL || given->value.is == MM3_BOOL || given->value.is == MM3_INT ||
              given->value.is == MM3_UINT || given->value.is == MM3_REAL;
  if (result != -MM3_E_VALUE || !word) return result;
  struct mm3_error second = {0};
  return use(field, &given->bare, &second) < 0 ? result : 0;
}
