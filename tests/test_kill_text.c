/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Atomics, strings and string arrays under the kill harness: each state is a value that was set, whole, and time does
 * not run backwards. */
#include "kill/kill.h"
#include "mm3test.h"

#include <mm3/atomic.h>
#include <mm3/string.h>
#include <mm3/string_array.h>
#include <stdio.h>
#include <string.h>

#define THINGS(FIELD)                                                                                      \
  FIELD(n, atomic(u64)) FIELD(small, atomic(i16)) FIELD(on, atomic(bool)) FIELD(name, string(32))          \
  FIELD(wide, string(100)) FIELD(tags, string_array(3, 16))
MM3_STRUCT(things, THINGS);

enum { SEEN }; /* in memory: the value that the last state had */

static struct mm3_file *open_things(struct kill_case *c) { return mm3_open(c->path, MM3_TYPE(things), NULL, NULL); }

static int make_things(struct kill_case *c) {
  struct mm3_file *file = mm3_create(c->path, MM3_TYPE(things), NULL, NULL);
  if (!file) return -1;
  struct things *t = mm3_root(file, things);
  if (mm3_string_set(&t->name, "old") || mm3_string_set(&t->wide, "old")) return -1;
  for (size_t i = 0; i < 3; i++)
    if (mm3_string_array_set(&t->tags, i, "old")) return -1;
  return mm3_close(file);
}

#define STEPPED(name, ...)                                   \
  static int run_##name(struct kill_case *c) {               \
    struct mm3_file *file = open_things(c);                  \
    if (!file) return -1;                                    \
    struct things *t = mm3_root(file, things);               \
    int failed = 0;                                          \
    kill_begin();                                            \
    __VA_ARGS__                                              \
    kill_end();                                              \
    return failed ? -1 : mm3_close(file);                    \
  }

/* The value is in the list, at the place of the last state's or after it. */
static int is_next_number(struct kill_case *c, long long value, const long long *values, size_t count) {
  for (size_t i = c->memory[SEEN]; i < count; i++)
    if (values[i] == value) return c->memory[SEEN] = i, 0;
  return kill_says(c, "the value is %lld, after number %llu of the list", value, (unsigned long long)c->memory[SEEN]);
}

struct text {
  int result;
  size_t length;
  char bytes[128];
};

static int is_next_text(struct kill_case *c, uint64_t *seen, const struct text *text, const char *const *values,
                        size_t count) {
  if (text->result) return kill_says(c, "get says %s", mm3_error_name(text->result));
  for (size_t i = *seen; i < count; i++)
    if (strlen(values[i]) == text->length && memcmp(values[i], text->bytes, text->length) == 0) return *seen = i, 0;
  return kill_says(c, "the text is '%s' of %zu bytes, after number %llu of the list", text->bytes, text->length,
                   (unsigned long long)*seen);
}

#define GET(get, ...) text.result = get(__VA_ARGS__, text.bytes, sizeof text.bytes, &text.length)

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* ---- atomics ---- */

STEPPED(atomic, {
  uint64_t expected = 99;
  mm3_atomic_store(&t->n, 100u);
  mm3_atomic_fetch_add(&t->n, 28u);
  mm3_atomic_fetch_sub(&t->n, 1u);
  mm3_atomic_exchange(&t->n, UINT32_MAX);
  mm3_atomic_inc(&t->n);
  mm3_atomic_dec(&t->n);
  mm3_atomic_fetch_and(&t->n, 0xff00u);
  mm3_atomic_fetch_or(&t->n, 3u);
  mm3_atomic_fetch_xor(&t->n, 1u);
  mm3_atomic_fetch_min(&t->n, 50u);
  mm3_atomic_fetch_max(&t->n, 60u);
  failed = mm3_atomic_compare_exchange(&t->n, &expected, 1u) || !mm3_atomic_compare_exchange(&t->n, &expected, 61u);
})
static int atomic_model(struct kill_case *c, struct mm3_file *file) {
  static const long long values[] = {0,      100,    128,    127, UINT32_MAX, 1ll << 32, UINT32_MAX,
                                     0xff00, 0xff03, 0xff02, 50,  60,         61};
  return is_next_number(c, (long long)mm3_atomic_load(&mm3_root(file, things)->n), values, COUNT(values));
}

STEPPED(narrow, {
  mm3_atomic_store(&t->small, -1);
  mm3_atomic_fetch_add(&t->small, -255);
  mm3_atomic_store(&t->on, 1);
  mm3_atomic_fetch_xor(&t->on, 1);
  mm3_atomic_store(&t->small, 0x1234);
})
static int narrow_model(struct kill_case *c, struct mm3_file *file) {
  static const long long values[] = {0, -10, -2560, -2560 + 1, -2560, 0x1234 * 10};
  struct things *t = mm3_root(file, things);
  return is_next_number(c, 10 * mm3_atomic_load(&t->small) + mm3_atomic_load(&t->on), values, COUNT(values));
}

/* ---- strings ---- */

STEPPED(string, {
  failed |= mm3_string_set(&t->name, "the first");
  failed |= mm3_string_set(&t->name, "0123456789abcdefghijklmnopqrstuv");
  mm3_string_clear(&t->name);
  failed |= mm3_string_append(&t->name, "ab");
  failed |= mm3_string_append(&t->name, "cd");
  failed |= mm3_string_set_truncate(&t->name, "0123456789abcdefghijklmnopqrstu\xc3\xa9") != 1;
  failed |= mm3_string_set(&t->name, "\xe2\x82\xac");
  failed |= mm3_string_set(&t->name, "much too long a text for a string of 32 bytes") != -MM3_E_VALUE;
  failed |= mm3_string_set(&t->name, "last");
})
static int string_model(struct kill_case *c, struct mm3_file *file) {
  static const char *const values[] = {"old",  "the first", "0123456789abcdefghijklmnopqrstuv",
                                       "",     "ab",        "abcd",
                                       "0123456789abcdefghijklmnopqrstu", "\xe2\x82\xac", "last"};
  struct text text;
  GET(mm3_string_get, &mm3_root(file, things)->name);
  return is_next_text(c, &c->memory[SEEN], &text, values, COUNT(values));
}

#define LONG_TEXT "a text of a hundred bytes: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012345."
STEPPED(wide, {
  failed |= mm3_string_set(&t->wide, LONG_TEXT);
  failed |= mm3_string_set(&t->wide, "short");
  failed |= mm3_string_append(&t->wide, "er");
  failed |= mm3_string_set(&t->wide, LONG_TEXT);
  mm3_string_clear(&t->wide);
})
static const char *const wide_values[] = {"old", LONG_TEXT, "short", "shorter", LONG_TEXT, ""};
static int wide_model(struct kill_case *c, struct mm3_file *file) {
  struct text text;
  GET(mm3_string_get, &mm3_root(file, things)->wide);
  return is_next_text(c, &c->memory[SEEN], &text, wide_values, COUNT(wide_values));
}

STEPPED(format, {
  failed |= mm3_string_format(&t->wide, "%s-%d", "formatted", 1);
  failed |= mm3_string_format(&t->wide, "%s-%d", mm3_string_ptr(&t->wide), 2);
})
static int format_model(struct kill_case *c, struct mm3_file *file) {
  static const char *const values[] = {"old", "formatted-1", "formatted-1-2"};
  struct text text;
  GET(mm3_string_get, &mm3_root(file, things)->wide);
  return is_next_text(c, &c->memory[SEEN], &text, values, COUNT(values));
}

/* ---- string arrays ---- */

STEPPED(array, {
  for (size_t i = 0; i < 3; i++) failed |= mm3_string_array_set(&t->tags, i, "0123456789abcdef");
  for (size_t i = 0; i < 3; i++) failed |= mm3_string_array_set(&t->tags, i, "x");
  failed |= mm3_string_array_append(&t->tags, 1, "y");
  failed |= mm3_string_array_set(&t->tags, 3, "beyond") != -MM3_E_ABSENT;
  mm3_string_array_clear_all(&t->tags);
})
static int array_model(struct kill_case *c, struct mm3_file *file) {
  static const char *const values[] = {"old", "0123456789abcdef", "x", "xy", ""};
  struct text text;
  for (size_t i = 0; i < 3; i++) {
    GET(mm3_string_array_get, &mm3_root(file, things)->tags, i);
    if (is_next_text(c, &c->memory[i], &text, values, COUNT(values)) < 0) return -1;
    if (i && c->memory[i] > c->memory[i - 1] && c->memory[i] != 3) return kill_says(c, "entry %zu is ahead", i);
  }
  return 0;
}

/* The same by path, as the command does it: under the file's lock, through the table. */
static struct mm3_value text_value(const char *text) {
  return (struct mm3_value){.is = MM3_TEXT, .as.text = text, .count = strlen(text)};
}
static int next_tag(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  uintptr_t i = (uintptr_t)*cursor;
  (void)key;
  *item = text_value("0123456789abcdef");
  *cursor = (void *)(i + 1);
  return i < of->count;
}

static int run_by_path(struct kill_case *c) {
  static const struct mm3_value_source source = {next_tag};
  struct mm3_value value = text_value("the first"), list = {.is = MM3_LIST, .count = 3, .source = &source};
  struct mm3_file *file = open_things(c);
  struct mm3_field name, tags;
  if (!file || mm3_field_find(file, "name", &name, NULL) || mm3_field_find(file, "tags", &tags, NULL)) return -1;
  kill_begin();
  int failed = mm3_field_put(&name, &value, NULL) || mm3_field_put(&tags, &list, NULL);
  kill_end();
  return failed ? -1 : mm3_close(file);
}
static int by_path_model(struct kill_case *c, struct mm3_file *file) {
  static const char *const names[] = {"old", "the first"}, *const tags[] = {"old", "0123456789abcdef"};
  struct things *t = mm3_root(file, things);
  struct text text;
  GET(mm3_string_get, &t->name);
  if (is_next_text(c, &c->memory[4], &text, names, COUNT(names)) < 0) return -1;
  for (size_t i = 0; i < 3; i++) {
    GET(mm3_string_array_get, &t->tags, i);
    if (is_next_text(c, &c->memory[i], &text, tags, COUNT(tags)) < 0) return -1;
    if (c->memory[i] && !c->memory[4]) return kill_says(c, "the tags came before the name");
  }
  return 0;
}

/* ---- what must be caught ---- */

STEPPED(publishes_first, {
  volatile uint64_t *word = &t->wide.word;
  volatile char *slot = t->wide.slot[(*word >> 24 & 1) ^ 1];
  *word = ((*word >> 24) + 1) << 24 | 5;
  for (int i = 0; i < 5; i++) slot[i] = "short"[i];
  failed = !mm3_string_equal(&t->wide, "short");
})
STEPPED(writes_in_place, {
  volatile char *slot = t->wide.slot[t->wide.word >> 24 & 1];
  for (int i = 0; i < 3; i++) slot[i] = "new"[i];
  (void)failed;
})
STEPPED(no_tail, {
  t->wide.slot[(t->wide.word >> 24 & 1) ^ 1][50] = 'x';
  *(volatile uint64_t *)&t->wide.word = ((t->wide.word >> 24) + 1) << 24;
  (void)failed;
})

static const struct kill_op good[] = {
    {"atomic: each operation", make_things, run_atomic, atomic_model, 0},
    {"atomic: 16 bits and bool", make_things, run_narrow, narrow_model, 0},
    {"string(32): set, append, clear, truncate", make_things, run_string, string_model, 0},
    {"string(100): set, append, clear", make_things, run_wide, wide_model, 0},
    {"string(100): format", make_things, run_format, format_model, 0},
    {"string_array: set, append, clear_all", make_things, run_array, array_model, 0},
    {"string, string_array: put by path", make_things, run_by_path, by_path_model, 0},
};
static const struct kill_op bad[] = {
    {"double: publishes before it writes", make_things, run_publishes_first, wide_model, 0},
    {"double: writes in place", make_things, run_writes_in_place, wide_model, 0},
    {"double: leaves the slot's tail", make_things, run_no_tail, wide_model, 0},
};
/* At least as many states as values. */
static const uint64_t least[COUNT(good)] = {13, 6, 9, 6, 3, 11, 5};

/* ThreadSanitizer makes hundreds of steps of each byte of a string: there the atomics must do. */
static size_t stepped(void) { return strcmp(mm3test_tool(), "tsan") == 0 ? 2 : COUNT(good); }

static void no_state_breaks_a_promise(void) {
  struct kill_result result;
  for (size_t i = 0; i < stepped(); i++) {
    if (!CHECK_EQ(kill_run(&good[i], mm3test_path(NULL), &result), 0)) printf("%s: %s\n", good[i].name, result.says);
    if (!CHECK_EQ(result.violations, 0)) printf("%s: %s\n", good[i].name, result.says);
    CHECK(result.points >= least[i]);
    CHECK(result.opened >= result.points);
    CHECK(result.killed > 0);
    CHECK_EQ(result.refused, 0);
  }
}

static void doubles_are_caught(void) {
  static const char *const says[] = {"of 5 bytes", "the text is", "bytes after the text are not zero"};
  struct kill_result result;
  for (size_t i = 0; i < COUNT(bad); i++) {
    CHECK_EQ(kill_run(&bad[i], mm3test_path(NULL), &result), 0);
    CHECK(result.violations > 0);
    CHECK_HAS(result.says, says[i]);
  }
}

int main(int argc, char **argv) {
  static const struct mm3test_case cases[] = {
      {"no state breaks a promise", no_state_breaks_a_promise},
      {"doubles are caught", doubles_are_caught},
  };
  if (strcmp(mm3test_tool(), "valgrind") == 0) {
    printf("kill_text: Valgrind cannot be stepped; run without it\n0 passed, 0 failed, 0 skipped\n");
    return 77;
  }
  return mm3test_main(argc, argv, "kill_text", cases, COUNT(cases));
}
