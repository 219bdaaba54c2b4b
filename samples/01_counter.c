/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 01_counter: a struct that survives the program.
 *
 *     ./01_counter [FILE]
 *
 * Run it several times, also at once from several terminals: the counter goes on, and no increment is lost.
 */
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>

/* One list declares the C struct, its description in the file, and the checks that both agree. */
#define COUNTER(FIELD)        \
  FIELD(value, atomic(u64))   \
  FIELD(name, string(32))
MM3_STRUCT(counter, COUNTER);

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "counter.mm3", MM3_TYPE(counter), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }

  struct counter *c = mm3_root(file, counter); /* the file's bytes themselves: no copy, no saving */
  mm3_string_set(&c->name, "my_counter");
  uint64_t old = mm3_atomic_fetch_add(&c->value, 1);
  printf("%s: %" PRIu64 " -> %" PRIu64 "\n", mm3_string_ptr(&c->name), old, old + 1);

  return mm3_close(file) != 0;
}
