/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* skeleton as a program uses it. Needs mm3-skeleton.so in MM3_MODULE_PATH. */
#include "skeleton.h"
#include <mm3/field.h>
#include <mm3/file.h>
#include <stdio.h>
#include <unistd.h>

#define TEST_DATA(FIELD) FIELD(samples, skeleton(u32, 4)) FIELD(more, skeleton(raw(3), 100))
MM3_STRUCT(test_data, TEST_DATA);

static int failed;
#define CHECK(x) ((x) ? 1 : (failed++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x), 0))

static void keeps_items(struct test_data *d) {
  uint32_t item = 0;
  uint8_t bytes[3] = {1, 2, 3};
  CHECK(skeleton_len(&d->samples) == 0 && skeleton_capacity(&d->samples) == 4);
  CHECK(skeleton_get(&d->samples, 0, &item) == -MM3_E_ABSENT);
  for (uint32_t i = 0; i < 4; i++) {
    item = i * 10;
    CHECK(skeleton_push(&d->samples, &item) == 0);
  }
  CHECK(skeleton_push(&d->samples, &item) == -MM3_E_FULL);
  CHECK(skeleton_len(&d->samples) == 4);
  CHECK(skeleton_get(&d->samples, 1, &item) == 0 && item == 10);
  CHECK(skeleton_push(&d->more, &bytes) == 0 && skeleton_get(&d->more, 0, &bytes) == 0 && bytes[2] == 3);
}

static void is_found_again(const char *path) {
  struct mm3_error error;
  uint32_t item = 0;
  struct mm3_file *file = mm3_open(path, MM3_TYPE(test_data), NULL, &error);
  if (!CHECK(file != NULL)) return;
  CHECK(skeleton_get(&mm3_root(file, test_data)->samples, 2, &item) == 0 && item == 20);
  CHECK(mm3_close(file) == 0);
}

/* Whatever lies in the file: check says so, and nothing is read or written outside the field. */
static void bears_damage(struct mm3_file *file, struct test_data *d) {
  uint32_t item = 0;
  CHECK(mm3_check(file, NULL, NULL) == 0);
  d->samples.count = UINT64_MAX;
  CHECK(mm3_check(file, NULL, NULL) == 1);
  CHECK(skeleton_len(&d->samples) == 4 && skeleton_get(&d->samples, 4, &item) == -MM3_E_ABSENT);
  CHECK(skeleton_push(&d->samples, &item) == -MM3_E_FULL);
  d->samples.count = 4;
}

int main(void) {
  static const char path[] = "test_skeleton.mm3";
  struct mm3_error error;
  unlink(path);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(test_data), NULL, &error);
  if (!file) return printf("%s\n", error.text), 1;
  keeps_items(mm3_root(file, test_data));
  bears_damage(file, mm3_root(file, test_data));
  CHECK(mm3_close(file) == 0);
  is_found_again(path);
  unlink(path);
  puts(failed ? "skeleton: failed" : "skeleton: passed");
  return failed != 0;
}
