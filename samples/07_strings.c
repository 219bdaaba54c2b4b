/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 07_strings: what a string takes, what it refuses, and how it is read. ./07_strings [FILE]
 */
#include <mm3.h>
#include <stdio.h>

#define USER(FIELD)                \
  FIELD(id, u64)                   \
  FIELD(name, string(16))          \
  FIELD(email, string(128))        \
  FIELD(roles, string_array(3, 8))
MM3_STRUCT(user, USER);

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "user.mm3", MM3_TYPE(user), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct user *u = mm3_root(file, user);
  u->id = 12345;

  mm3_string_set(&u->name, "Alice Smith");
  mm3_string_format(&u->email, "%s.%s@example.com", "alice", "smith");
  printf("User: %s (%s)\n", mm3_string_ptr(&u->name), mm3_string_ptr(&u->email));

  /* All 16 bytes are usable. One more is refused, and the old value stands. */
  int result = mm3_string_set(&u->name, "a name of 17 byte");
  printf("17 bytes: %s; the name is still %s\n", mm3_error_name(result), mm3_string_ptr(&u->name));
  result = mm3_string_set_truncate(&u->name, "Ægir Øyvind Ångström"); /* cut between characters, never within one */
  printf("cut: %s (%d)\n", mm3_string_ptr(&u->name), result);
  result = mm3_string_set(&u->name, "\xff\xfe");
  printf("not UTF-8: %s\n", mm3_error_name(result));

  /* A copy is whole even while another process sets the string. */
  char copy[17];
  size_t length;
  if (mm3_string_get(&u->name, copy, sizeof copy, &length) == 0) printf("%zu bytes: %s\n", length, copy);

  mm3_string_array_set(&u->roles, 0, "admin");
  mm3_string_array_set(&u->roles, 2, "author");
  printf("author is role %zu of %zu\n", (size_t)mm3_string_array_find(&u->roles, "author"), mm3_string_array_len(&u->roles));
  return mm3_close(file) != 0;
}
