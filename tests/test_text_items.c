/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Texts that are items of containers: shown whole while they come, change and go; what fails takes nothing along. */
#include "mm3list.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/field.h>
#include <mm3/heap.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_OF(FIELD) FIELD(body, text) FIELD(notes, vec(text, 3))
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

/* A copy of a text's word, in which nothing ever changes, would not tell that its block went to another text. */
static int visit_while_written(void *arg) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_open(arg, MM3_TYPE(page), NULL, &error);
  if (!CHECK(file != NULL)) return 1;
  struct mm3_field field;
  CHECK_OK(mm3_field_find(file, "notes", &field, &error), error);
  uint64_t end = mm3test_now_ns() + 1000000000, shown = 0;
  for (; mm3test_now_ns() < end; shown++) {
    const char *text = show(file, "notes");
    if (strcmp(text, "[]") == 0 || strcmp(text, "[\"\"]") == 0) continue;
    if (!CHECK_MEM(text, "[\"", 2)) return printf("%s\n", text), 1;
    size_t count = strspn(text + 2, (char[]){text[2], 0});
    if (!CHECK_STR(text + 2 + count, "\"]")) return printf("%s\n", text), 1;
    int result = mm3_field_check(&field, &error);
    if (result != -MM3_E_AGAIN && !CHECK_OK(result, error)) return 1;
  }
  CHECK(shown > 10);
  return mm3_close(file) != 0;
}

static void a_text_in_a_vec_is_shown_whole(void) {
  struct mm3_file *file = make();
  char *path = strdup(mm3test_path("a.mm3")), text[800];
  if (!file) return;
  struct page *p = mm3_root(file, page);
  CHECK_OK(show_push(file, "notes", a_text("a")), show_error);
  pid_t child = mm3test_spawn(visit_while_written, path);
  uint64_t end = mm3test_now_ns() + 1100000000;
  for (unsigned n = 0; mm3test_now_ns() < end; n++) {
    unsigned letter = n % 26;
    memset(text, (int)('a' + letter), sizeof text);
    if (!CHECK_EQ(mm3_text_set_n(file, mm3_vec_at(&p->notes, 0), text, (letter + 1) * 30), 0)) break;
    if (!CHECK_EQ(mm3_text_set_n(file, &p->body, text, 780 - letter * 30), 0)) break; /* so that blocks change hands */
  }
  CHECK_EQ(mm3test_wait(child), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  free(path);
  mm3_close(file);
}

/* A text that is added where one was removed is a new text: its word must not be the old one's again. */
static void a_text_in_the_place_of_a_removed_one_is_another(void) {
  struct mm3_file *file = make();
  char *path = strdup(mm3test_path("a.mm3")), text[801] = "";
  if (!file) return;
  struct page *p = mm3_root(file, page);
  uint64_t last = 0;
  for (int i = 0; i < 10; i++) {
    memset(text, 'a' + i, 800);
    CHECK_OK(show_push(file, "notes", a_text(text)), show_error);
    CHECK(p->notes.at[0].word != last);
    last = p->notes.at[0].word;
    CHECK_OK(show_erase(file, "notes[0]"), show_error);
  }
  for (int i = 0; i < 10; i++) { /* the same inline */
    struct mm3_text empty = {{0}};
    CHECK_EQ(mm3_vec_push_from(&p->notes, &empty), 0);
    CHECK_EQ(mm3_text_set(file, mm3_vec_at(&p->notes, 0), text), 0);
    CHECK(p->notes.at[0].word != last);
    last = p->notes.at[0].word;
    CHECK_EQ(mm3_text_clear(file, mm3_vec_at(&p->notes, 0)), 0);
    CHECK_EQ(mm3_vec_pop(&p->notes, &empty), 0);
  }
  pid_t child = mm3test_spawn(visit_while_written, path);
  uint64_t end = mm3test_now_ns() + 1100000000;
  for (unsigned n = 0; mm3test_now_ns() < end; n++) {
    memset(text, (int)('a' + n % 26), 800);
    if (!CHECK_OK(show_push(file, "notes", a_text(text)), show_error)) break;
    if (!CHECK_OK(show_erase(file, "notes[0]"), show_error)) break;
  }
  CHECK_EQ(mm3test_wait(child), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  free(path);
  mm3_close(file);
}

/* ---- no room ---- */

#define TWO(FIELD) FIELD(a, text) FIELD(b, text)
MM3_STRUCT(two, TWO);
#define ITEMS(FIELD) \
  FIELD(texts, vec(text, 4)) FIELD(pairs, vec(two, 4)) FIELD(log, segmented(two)) FIELD(table, ndarray(two, 2)) FIELD(one, two)
MM3_STRUCT(items, ITEMS);

static char *large; /* no file of a MiB has room for it */

static struct mm3_file *make_small(void) {
  struct mm3_options options = {.size = sizeof options, .limit = 1 << 20};
  struct mm3_file *file = mm3_create(mm3test_path("s.mm3"), MM3_TYPE(items), &options, &show_error);
  large = calloc(1, (2 << 20) + 1);
  if (!CHECK(file != NULL && large != NULL)) return NULL;
  memset(large, 'x', 2 << 20);
  return file;
}

static uint64_t blocks(struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats.blocks;
}

static void done_small(struct mm3_file *file) {
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
  free(large);
}

#define PAIR(x, y) MAP(a_text("a"), a_text(x), a_text("b"), a_text(y))

static void an_item_that_finds_no_room_leaves_no_block(void) {
  struct mm3_file *file = make_small();
  if (!file) return;
  CHECK_FAILS(show_push(file, "pairs", PAIR("first", large)), -MM3_E_LIMIT, show_error);
  CHECK_EQ(blocks(file), 0);
  CHECK_FAILS(show_push(file, "log", PAIR("first", large)), -MM3_E_LIMIT, show_error);
  CHECK_EQ(blocks(file), 1); /* the segment */
  CHECK_FAILS(show_put(file, "texts", LIST(a_text("first"), a_text("second"), a_text(large))), -MM3_E_LIMIT, show_error);
  CHECK_EQ(blocks(file), 1);
  CHECK_FAILS(show_put(file, "pairs", LIST(PAIR("first", "second"), PAIR("third", large))), -MM3_E_LIMIT, show_error);
  CHECK_EQ(blocks(file), 1);
  CHECK_FAILS(show_put(file, "log", LIST(PAIR("first", "second"), PAIR("third", large))), -MM3_E_LIMIT, show_error);
  CHECK_EQ(blocks(file), 1);
  CHECK_STR(show(file, "texts"), "[]");
  CHECK_STR(show(file, "pairs"), "[]");
  CHECK_STR(show(file, "log"), "[]");
  done_small(file);
}

MM3_TEST_SUITE("text-items", {"a text in a vec is shown whole while it is written", a_text_in_a_vec_is_shown_whole},
               {"a text in the place of a removed one is another", a_text_in_the_place_of_a_removed_one_is_another},
               {"an item that finds no room leaves no block", an_item_that_finds_no_room_leaves_no_block})
