/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* text: every operation, the bytes, UTF-8 both ways, hostile words, readers while it is written. Kills:
 * test_kill_grow.c. */
#include "mm3test.h"

#include <errno.h>
#include <mm3/field.h>
#include <mm3/heap.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_OF(FIELD) FIELD(title, text) FIELD(body, text) FIELD(notes, vec(text, 3))
MM3_STRUCT(page, PAGE_OF);

static void found(void *arg, const struct mm3_error *finding) {
  (void)arg;
  fprintf(stderr, "  %s: %s\n", finding->field, finding->text);
}

static struct mm3_file *make(void) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(page), NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static uint64_t blocks(struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats.blocks;
}

static void bytes_are_as_drawn(void) {
  struct mm3_file *file = make();
  if (!file) return;
  struct page *p = mm3_root(file, page);
  CHECK_EQ(sizeof p->title, 8);
  CHECK_EQ(p->title.word, 0);
  CHECK_EQ(mm3_text_set(file, &p->title, "abc"), 0);
  uint64_t offset = (p->title.word & 0xffffffffff) * 16;
  CHECK_EQ(p->title.word >> 40, 1);
  CHECK_MEM(mm3_at(file, offset, 12), "\3\0\0\0\0\0\0\0abc", 12);
  CHECK(mm3_heap_usable(file, offset) >= 12);
  CHECK_EQ(mm3_text_clear(file, &p->title), 0);
  CHECK_EQ(p->title.word, UINT64_C(2) << 40);
  CHECK_EQ(blocks(file), 0);
  mm3_close(file);
}

static void set_append_print_clear_and_get(void) {
  struct mm3_file *file = make();
  char buf[64];
  size_t length = 9;
  if (!file) return;
  struct page *p = mm3_root(file, page);
  CHECK_EQ(mm3_text_get(file, &p->title, buf, sizeof buf, &length), 0);
  CHECK(length == 0 && buf[0] == 0);
  CHECK_EQ(mm3_text_set(file, &p->title, "first"), 0);
  CHECK_EQ(mm3_text_append(file, &p->title, " and second"), 0);
  CHECK_EQ(mm3_text_get(file, &p->title, buf, sizeof buf, &length), 0);
  CHECK_STR(buf, "first and second");
  CHECK_EQ(length, 16);
  CHECK_EQ(mm3_text_len(file, &p->title), 16);
  memset(buf, 'x', sizeof buf);
  CHECK_EQ(mm3_text_get(file, &p->title, buf, 16, &length), -ERANGE);
  CHECK(length == 16 && buf[0] == 'x');
  CHECK_EQ(mm3_text_get(file, &p->title, buf, 17, NULL), 0);
  CHECK_STR(buf, "first and second");
  CHECK_EQ(mm3_text_get(file, &p->title, NULL, 0, &length), -ERANGE);
  CHECK_EQ(mm3_text_equal(file, &p->title, "first and second"), 1);
  CHECK_EQ(mm3_text_equal(file, &p->title, "first and secone"), 0);
  CHECK_EQ(mm3_text_equal(file, &p->title, "first"), 0);
  CHECK_EQ(mm3_text_print(file, &p->title, "%s-%05d", "n", 42), 0);
  CHECK_EQ(mm3_text_equal(file, &p->title, "n-00042"), 1);
  CHECK_EQ(mm3_text_append(file, &p->title, ""), 0);
  struct mm3_text_view view = mm3_text_view(file, &p->title);
  CHECK_STR(view.ptr, "n-00042");
  CHECK_EQ(view.len, 7);
  CHECK_EQ(mm3_text_set_n(file, &p->title, view.ptr + 2, 5), 0); /* from its own bytes */
  char *copy = mm3_text_dup(file, &p->title, &length);
  if (CHECK(copy != NULL)) CHECK_STR(copy, "00042");
  CHECK_EQ(length, 5);
  free(copy);
  CHECK_EQ(blocks(file), 1);
  CHECK_EQ(mm3_text_clear(file, &p->title), 0);
  CHECK_EQ(mm3_text_len(file, &p->title), 0);
  CHECK_STR(mm3_text_view(file, &p->title).ptr, "");
  CHECK_EQ(blocks(file), 0);
  CHECK_EQ(mm3_text_set_held(file, &p->title, "x"), -EPERM);
  mm3_lock(file);
  CHECK_EQ(mm3_text_set_held(file, &p->title, "held"), 0);
  CHECK_EQ(mm3_text_append_held(file, &p->title, "!"), 0);
  CHECK_EQ(mm3_text_print_held(file, &p->body, "%d", 1), 0);
  CHECK_EQ(mm3_text_clear_held(file, &p->body), 0);
  mm3_unlock(file);
  CHECK_EQ(mm3_text_equal(file, &p->title, "held!"), 1);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void long_texts_are_whole(void) {
  struct mm3_file *file = make();
  if (!file) return;
  struct page *p = mm3_root(file, page);
  size_t size = mm3test_tool()[0] ? 300000 : 5000000, length;
  char *text = malloc(size + 1);
  for (size_t i = 0; i < size; i++) text[i] = (char)('a' + i * 7 % 26);
  text[size] = 0;
  CHECK_EQ(mm3_text_set(file, &p->body, text), 0);
  CHECK_EQ(mm3_text_append(file, &p->body, text), 0);
  char *copy = mm3_text_dup(file, &p->body, &length);
  CHECK_EQ(length, 2 * size);
  if (CHECK(copy != NULL)) CHECK(memcmp(copy, text, size) == 0 && memcmp(copy + size, text, size) == 0);
  free(copy);
  free(text);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void what_is_no_utf8_neither_comes_in_nor_out(void) {
  struct mm3_file *file = make();
  struct mm3_error error = {0};
  struct mm3_field field;
  char buf[64];
  size_t length;
  if (!file) return;
  struct page *p = mm3_root(file, page);
  CHECK_EQ(mm3_text_set(file, &p->title, "gr\xc3\xbc\xc3\x9f"), 0);
  CHECK_EQ(mm3_text_set(file, &p->title, "\xc3"), -MM3_E_VALUE);
  CHECK_EQ(mm3_text_append(file, &p->title, "\xff"), -MM3_E_VALUE);
  CHECK_EQ(mm3_text_set_n(file, &p->title, "\xed\xa0\x80", 3), -MM3_E_VALUE);
  CHECK_EQ(mm3_text_equal(file, &p->title, "gr\xc3\xbc\xc3\x9f"), 1);
  CHECK_EQ(mm3_text_set_n(file, &p->title, "a\0b", 3), 0);
  CHECK_EQ(mm3_text_get(file, &p->title, buf, sizeof buf, &length), 0);
  CHECK_MEM(buf, "a\0b", 4);
  char *bytes = (char *)(uintptr_t)mm3_text_view(file, &p->title).ptr;
  bytes[1] = (char)0xff;
  CHECK_EQ(mm3_text_get(file, &p->title, buf, sizeof buf, &length), -MM3_E_DAMAGED);
  CHECK(mm3_text_dup(file, &p->title, NULL) == NULL);
  CHECK_EQ(mm3_text_append(file, &p->title, "c"), -MM3_E_DAMAGED);
  CHECK_OK(mm3_field_find(file, "title", &field, &error), error);
  CHECK_FAILS(mm3_field_check(&field, &error), -MM3_E_DAMAGED, error);
  CHECK_HAS(error.text, "it is not UTF-8");
  CHECK_EQ(mm3_text_set(file, &p->title, "whole again"), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void hostile_words_are_codes(void) {
  struct mm3_file *file = make();
  char buf[64];
  if (!file) return;
  struct page *p = mm3_root(file, page);
  CHECK_EQ(mm3_text_set(file, &p->title, "a text"), 0);
  CHECK_EQ(mm3_text_set(file, &p->body, "another"), 0);
  struct mm3_file_info info = {.size = sizeof info};
  mm3_file_describe(file, &info);
  const uint64_t word = p->title.word, values[] = {1, info.length / 16, info.length / 16 - 1, info.length / 16 + 1,
      info.reserve / 16 - 1, 0xffffffffff, UINT64_MAX, UINT64_C(1) << 39, word + 1, word - 1, p->body.word, 512};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    size_t length;
    p->title.word = values[i];
    CHECK(mm3_check(file, NULL, NULL) > 0);
    mm3_text_get(file, &p->title, buf, sizeof buf, &length);
    mm3_text_len(file, &p->title);
    mm3_text_equal(file, &p->title, "a text");
    mm3_text_view(file, &p->title);
    free(mm3_text_dup(file, &p->title, &length));
  }
  p->title.word = word;
  uint64_t *length = (uint64_t *)mm3_at(file, (word & 0xffffffffff) * 16, 8);
  const uint64_t lengths[] = {8, 100, info.length, UINT64_MAX, UINT64_MAX - 8, INT64_MAX, (uint64_t)INT64_MAX + 1};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    *length = lengths[i];
    int result = mm3_text_get(file, &p->title, buf, sizeof buf, NULL);
    CHECK(result == 0 || result == -ERANGE || result == -MM3_E_DAMAGED);
    CHECK(mm3_check(file, NULL, NULL) > 0);
    if (lengths[i] > info.length) CHECK_EQ(mm3_text_append(file, &p->title, "x"), -MM3_E_DAMAGED);
  }
  *length = 6;
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void texts_are_elements_too(void) {
  struct mm3_file *file = make();
  struct mm3_error error = {0};
  struct mm3_field field;
  if (!file) return;
  struct page *p = mm3_root(file, page);
  const struct mm3_value one = {.is = MM3_TEXT, .as.text = "one", .count = 3}, wrong = {.is = MM3_INT, .as.integer = 1};
  for (int i = 0; i < 3; i++) {
    CHECK_OK(mm3_field_find(file, "notes", &field, &error), error);
    CHECK_OK(mm3_field_push(&field, &one, &error), error);
  }
  CHECK_FAILS(mm3_field_push(&field, &one, &error), -MM3_E_FULL, error);
  CHECK_EQ(blocks(file), 3);
  CHECK_EQ(mm3_text_append(file, mm3_vec_at(&p->notes, 1), " more"), 0);
  CHECK_EQ(mm3_text_equal(file, mm3_vec_at(&p->notes, 1), "one more"), 1);
  CHECK_OK(mm3_field_find(file, "notes[1]", &field, &error), error);
  CHECK_FAILS(mm3_field_put(&field, &wrong, &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "text wants a string, found an integer");
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_OK(mm3_field_find(file, "notes[0]", &field, &error), error);
  CHECK_OK(mm3_field_erase(&field, &error), error);
  CHECK_EQ(blocks(file), 2);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

/* The value is n times one letter, and the letter tells n: neither a mixture nor a wrong length is ever read. */
static int read_while_written(void *arg) {
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(arg, MM3_TYPE(page), &options, &error);
  if (!CHECK(file != NULL)) return 1;
  const struct page *p = mm3_root_const(file, page);
  char buf[4000];
  uint64_t end = mm3test_now_ns() + 800000000, reads = 0;
  while (mm3test_now_ns() < end) {
    size_t length = 0;
    int result = mm3_text_get(file, &p->title, buf, sizeof buf, &length);
    if (!CHECK(result == 0 || result == -MM3_E_AGAIN)) return 1;
    if (result < 0 || length == 0) continue;
    if (!CHECK_EQ(length, (size_t)(buf[0] - 'a' + 1) * 150)) return 1;
    for (size_t i = 0; i < length; i++)
      if (buf[i] != buf[0]) return CHECK_EQ(buf[i], buf[0]), 1;
    reads++;
  }
  CHECK(reads > 10);
  return mm3_close(file) != 0;
}

static void readers_get_the_old_value_or_the_new_one(void) {
  struct mm3_file *file = make();
  char *path = strdup(mm3test_path("a.mm3")), text[4000];
  if (!file) return;
  struct page *p = mm3_root(file, page);
  pid_t children[2];
  for (int i = 0; i < 2; i++) children[i] = mm3test_spawn(read_while_written, path);
  uint64_t end = mm3test_now_ns() + 1000000000;
  for (unsigned n = 0; mm3test_now_ns() < end; n++) {
    unsigned letter = n % 26;
    memset(text, (int)('a' + letter), sizeof text);
    if (!CHECK_EQ(mm3_text_set_n(file, &p->title, text, (letter + 1) * 150), 0)) break;
    if (!CHECK_EQ(mm3_text_set_n(file, &p->body, text, letter * 100), 0)) break; /* so that blocks change hands */
  }
  for (int i = 0; i < 2; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  free(path);
  mm3_close(file);
}

static int on_a_small_disk(void *arg) {
  struct mm3_error error = {0};
  char path[512], *text = malloc(500001);
  snprintf(path, sizeof path, "%s/full.mm3", (const char *)arg);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(page), NULL, &error);
  if (!CHECK(file != NULL && text != NULL)) return 1;
  struct page *p = mm3_root(file, page);
  memset(text, 'x', 500000);
  text[500000] = 0;
  int result = 0;
  size_t length = 0;
  for (int i = 0; i < 100 && (result = mm3_text_append(file, &p->body, text)) == 0; i++) length += 500000;
  CHECK_EQ(result, -ENOSPC);
  CHECK(length > 0);
  CHECK_EQ(mm3_text_len(file, &p->body), length);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_EQ(mm3_text_clear(file, &p->body), 0);
  CHECK_EQ(mm3_text_set(file, &p->title, text), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  free(text);
  return mm3_close(file) != 0;
}

static void a_full_disk_keeps_the_old_value(void) {
  char folder[] = "/tmp/mm3text.XXXXXX";
  if (!CHECK(mkdtemp(folder) != NULL)) return;
  int result = mm3test_fork_mounted(folder, "size=3m", on_a_small_disk, folder);
  rmdir(folder);
  if (result == MM3TEST_NO_MOUNT) mm3test_skip("no mounts here");
  else CHECK_EQ(result, 0);
}

static void text_takes_no_argument(void) {
  struct mm3_error error = {0};
  CHECK(mm3_create_schema(mm3test_path("b.mm3"), "struct t { x: text(5) }", NULL, &error) == NULL);
  CHECK_EQ(error.code, -MM3_E_SCHEMA);
  CHECK_HAS(error.text, "text takes no argument");
}

MM3_TEST_SUITE("text", {"bytes are as drawn", bytes_are_as_drawn},
               {"set, append, print, clear and get", set_append_print_clear_and_get},
               {"long texts are whole", long_texts_are_whole},
               {"what is no UTF-8 neither comes in nor out", what_is_no_utf8_neither_comes_in_nor_out},
               {"hostile words are codes", hostile_words_are_codes}, {"texts are elements too", texts_are_elements_too},
               {"readers get the old value or the new one", readers_get_the_old_value_or_the_new_one},
               {"a full disk keeps the old value", a_full_disk_keeps_the_old_value},
               {"text takes no argument", text_takes_no_argument})
