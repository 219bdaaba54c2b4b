/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The filter as a program uses it. Needs mm3-bloom.so in MM3_MODULE_PATH. */
#include "bloom.h"
#include <mm3/field.h>
#include <mm3/file.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define SEEN(FIELD) FIELD(numbers, bloom(100000, 7)) FIELD(names, bloom(65, 2)) FIELD(wide, bloom(1 << 20, 4))
MM3_STRUCT(seen, SEEN);

static int failed;
#define CHECK(x) ((x) ? 1 : (failed++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x), 0))

static void never_forgets(struct seen *s) {
  unsigned wrong = 0;
  for (uint64_t i = 0; i < 10000; i++) bloom_add(&s->numbers, &i, sizeof i);
  for (uint64_t i = 0; i < 10000; i++) CHECK(bloom_has(&s->numbers, &i, sizeof i));
  for (uint64_t i = 10000; i < 110000; i++) wrong += bloom_has(&s->numbers, &i, sizeof i) != 0;
  printf("  %u of 100000 answers are wrong (about 800 are expected)\n", wrong);
  CHECK(wrong > 100 && wrong < 2000);
  CHECK(bloom_added(&s->numbers) > 9000 && bloom_added(&s->numbers) <= 10000);
}

static void knows_names(struct seen *s) {
  CHECK(!bloom_has(&s->names, "alice", 5));
  CHECK(bloom_add(&s->names, "alice", 5) == 1 && bloom_add(&s->names, "alice", 5) == 0);
  CHECK(bloom_has(&s->names, "alice", 5) && bloom_added(&s->names) == 1);
  bloom_clear(&s->names);
  CHECK(!bloom_has(&s->names, "alice", 5) && bloom_added(&s->names) == 0);
}

static struct seen *shared;

static void *adds(void *from) {
  for (uint64_t i = *(uint64_t *)from; i < 40000; i += 4) bloom_add(&shared->wide, &i, sizeof i);
  return NULL;
}

static void many_threads_add(struct seen *s) {
  pthread_t threads[4];
  uint64_t from[4] = {0, 1, 2, 3};
  shared = s;
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, adds, &from[i]) == 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (uint64_t i = 0; i < 40000; i++) CHECK(bloom_has(&s->wide, &i, sizeof i));
}

int main(void) {
  struct mm3_error error;
  unlink("test_bloom.mm3");
  struct mm3_file *file = mm3_create("test_bloom.mm3", MM3_TYPE(seen), NULL, &error);
  if (!file) return printf("%s\n", error.text), 1;
  struct seen *s = mm3_root(file, seen);
  never_forgets(s);
  knows_names(s);
  many_threads_add(s);
  CHECK(mm3_check(file, NULL, NULL) == 0);
  s->names.word[1] |= 2;
  CHECK(mm3_check(file, NULL, NULL) == 1);
  CHECK(mm3_close(file) == 0);
  unlink("test_bloom.mm3");
  puts(failed ? "bloom: failed" : "bloom: passed");
  return failed != 0;
}
