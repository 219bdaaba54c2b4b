/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 13_profile: JSON in a field, and a whole file as JSON. ./13_profile [FILE]
 *
 *     cc 13_profile.c $(pkg-config --cflags --libs mm3 jansson)
 */
#include <mm3.h>
#include <mm3/json.h>
#include <stdio.h>
#include <stdlib.h>

#define ACCOUNT(FIELD) FIELD(id, u64) FIELD(profile, json(512)) FIELD(logins, atomic(u64))
MM3_STRUCT(account, ACCOUNT);

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "account.mm3", MM3_TYPE(account), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct account *a = mm3_root(file, account);
  mm3_atomic_fetch_add(&a->logins, 1);

  /* Any jansson value, or its pack format; the old value stands until the new one is whole. */
  mm3_json_pack(&a->profile, &err, "{s:s, s:i, s:[s,s]}", "name", "Ann", "age", 41, "tags", "x", "y");
  printf("text, where it lies: %s\n", mm3_json_view(&a->profile).ptr);

  json_t *age = NULL; /* one value by JSON pointer */
  if (mm3_json_get_at(&a->profile, "/age", &age, &err) == 0) printf("age: %d\n", (int)json_integer_value(age));
  json_decref(age);

  json_t *patch = json_pack("{s:n, s:s}", "age", "city", "Oslo"); /* merge patch: null removes */
  mm3_json_merge(&a->profile, patch, &err);
  json_decref(patch);
  if (mm3_json_set_text(&a->profile, "{\"name\": ", &err) < 0) printf("refused: %s\n", err.text);

  json_t *whole = NULL; /* any field or file, of every kind */
  if (mm3_json_from_file(file, &whole, &err) == 0) {
    char *text = json_dumps(whole, 0);
    printf("%s\n", text);
    free(text);
  }
  json_decref(whole);
  return mm3_close(file) != 0;
}
