/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Strings in files: several processes and threads at once, and the kind's table. */
#include "mm3show.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/atomic.h>
#include <mm3/file.h>
#include <mm3/string.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#define SHARED(FIELD)                                                                             \
  FIELD(stop, atomic(bool)) FIELD(sets, atomic(u64)) FIELD(name, string(32)) FIELD(page, string(3000))
MM3_STRUCT(shared, SHARED);

static struct mm3_file *new_file(void) {
  struct mm3_file *file = mm3_create(mm3test_path("s.mm3"), MM3_TYPE(shared), NULL, &show_error);
  if (!CHECK(file != NULL)) printf("%s\n", show_error.text);
  return file;
}

/* ---- a writer at full speed, readers that never see half a value ----
 *
 * Value k is one letter, again and again, as often as the letter says: whatever is torn shows. */

static size_t length_of(unsigned letter, size_t n) { return n - (letter - 'a') * (n / 32); }

static int is_whole(const char *text, size_t length, size_t n) {
  if (length == 0) return 1;
  for (size_t i = 1; i < length; i++)
    if (text[i] != text[0]) return 0;
  return text[0] >= 'a' && text[0] <= 'z' && length == length_of((unsigned char)text[0], n);
}

static void *writer(void *root) {
  struct shared *s = root;
  char texts[26][3000];
  for (unsigned i = 0; i < 26; i++) memset(texts[i], (int)('a' + i), 3000);
  for (unsigned k = 0; !mm3_atomic_load_explicit(&s->stop, __ATOMIC_RELAXED); k = (k + 1) % 26) {
    mm3_string_set_n(&s->name, texts[k], length_of('a' + k, 32));
    mm3_string_set_n(&s->page, texts[k], length_of('a' + k, 3000));
    mm3_atomic_fetch_add_explicit(&s->sets, 2, __ATOMIC_RELAXED);
    if (mm3test_tool()[0]) sched_yield();
  }
  return NULL;
}

struct tally {
  uint64_t reads, torn, again, changes;
};

static void read_once(const struct shared *s, struct tally *tally, char *last) {
  char text[3001];
  size_t length = 0;
  int result = mm3_string_get(&s->name, text, sizeof text, &length);
  tally->again += result == -MM3_E_AGAIN;
  tally->torn += result == 0 ? !is_whole(text, length, 32) : result != -MM3_E_AGAIN;
  tally->changes += result == 0 && length && text[0] != *last;
  if (result == 0 && length) *last = text[0];
  result = mm3_string_get(&s->page, text, sizeof text, &length);
  tally->again += result == -MM3_E_AGAIN;
  tally->torn += result == 0 ? !is_whole(text, length, 3000) : result != -MM3_E_AGAIN;
  if (result == 0) mm3_string_equal_n(&s->page, text, length);
  struct mm3_string_view view = mm3_string_view(&s->name);
  size_t view_length = view.len;
  mm3_copy_out(text, view.ptr ? view.ptr : "", view_length);
  if (mm3_string_view_valid(&s->name, view)) tally->torn += !is_whole(text, view_length, 32);
  tally->reads += 3;
}

static uint64_t wanted_reads(void) { return mm3test_tool()[0] ? 30000 : 3000000; }

static void judge(const struct shared *s, const struct tally *tally, uint64_t ns, const char *who) {
  printf("  %s: %llu reads, %llu torn, %llu gave up, %llu changes seen, %llu sets; %.1f million reads a second\n", who,
         (unsigned long long)tally->reads, (unsigned long long)tally->torn, (unsigned long long)tally->again,
         (unsigned long long)tally->changes, (unsigned long long)mm3_atomic_load(&s->sets),
         (double)tally->reads * 1e3 / (double)ns);
  CHECK_EQ(tally->torn, 0);
  CHECK(tally->changes > 0);
  CHECK(tally->again * 1000 <= tally->reads);
}

static int write_in_child(void *root) { return writer(root), 0; }

static void processes_never_read_half_a_value(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct shared *s = mm3_root(file, shared);
  struct tally tally = {0};
  char last = 0;
  pid_t child = mm3test_spawn(write_in_child, s);
  while (mm3_atomic_load(&s->sets) < 10) sched_yield();
  uint64_t from = mm3test_now_ns();
  while (tally.reads < wanted_reads()) read_once(s, &tally, &last);
  judge(s, &tally, mm3test_now_ns() - from, "processes");
  mm3_atomic_store(&s->stop, 1);
  CHECK_EQ(mm3test_wait(child), 0);
  CHECK_OK(show_check(file, "name"), show_error);
  CHECK_OK(mm3_close(file), show_error);
}

static void threads_never_read_half_a_value(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct shared *s = mm3_root(file, shared);
  struct tally tally = {0};
  char last = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, writer, s);
  while (mm3_atomic_load(&s->sets) < 10) sched_yield();
  uint64_t from = mm3test_now_ns();
  while (tally.reads < wanted_reads() / 3) read_once(s, &tally, &last);
  judge(s, &tally, mm3test_now_ns() - from, "threads");
  mm3_atomic_store(&s->stop, 1);
  pthread_join(thread, NULL);
  CHECK_OK(mm3_close(file), show_error);
}

/* The same eyes see what a reader without the second look at the word would get. */
static void the_test_sees_torn_values(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct shared *s = mm3_root(file, shared);
  uint64_t torn = 0, until = mm3test_now_ns() + UINT64_C(20000000000);
  char text[3001];
  pid_t child = mm3test_spawn(write_in_child, s);
  while (torn == 0 && mm3test_now_ns() < until) {
    memcpy(text, s->page.slot[0], 3000);
    torn += !is_whole(text, strnlen(text, 3000), 3000);
  }
  CHECK(torn > 0);
  mm3_atomic_store(&s->stop, 1);
  CHECK_EQ(mm3test_wait(child), 0);
  CHECK_OK(mm3_close(file), show_error);
}

static void a_killed_writer_leaves_a_whole_value(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct shared *s = mm3_root(file, shared);
  char text[3001];
  size_t length = 0;
  for (int i = 0; i < (mm3test_tool()[0] ? 5 : 50); i++) {
    pid_t child = mm3test_spawn(write_in_child, s);
    uint64_t sets = mm3_atomic_load(&s->sets);
    while (mm3_atomic_load(&s->sets) < sets + 10) sched_yield();
    kill(child, SIGKILL);
    CHECK_EQ(mm3test_wait(child), -SIGKILL);
    CHECK_EQ(mm3_string_get(&s->page, text, sizeof text, &length), 0);
    CHECK(is_whole(text, length, 3000));
    CHECK_OK(show_check(file, "name"), show_error);
    CHECK_OK(show_check(file, "page"), show_error);
  }
  CHECK_OK(mm3_close(file), show_error);
}

/* ---- by path ---- */

static int second_process(void *unused) {
  (void)unused;
  struct mm3_file *file = mm3_open(mm3test_path("s.mm3"), MM3_TYPE(shared), NULL, &show_error);
  if (!file || !mm3_string_equal(&mm3_root(file, shared)->name, "na\xc3\xafve caf\xc3\xa9")) return 1;
  if (mm3_string_append(&mm3_root(file, shared)->name, " \xe2\x82\xac")) return 2;
  return mm3_close(file) != 0;
}

static void takes_and_shows_text(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  CHECK_STR(show(file, "name"), "\"\"");
  CHECK_OK(show_put(file, "name", a_text("na\xc3\xafve caf\xc3\xa9")), show_error);
  CHECK_EQ(mm3test_fork(second_process, NULL), 0);
  CHECK_STR(show(file, "name"), "\"na\xc3\xafve caf\xc3\xa9 \xe2\x82\xac\"");
  CHECK_OK(show_put(file, "page", a_text_n("a\0b", 3)), show_error);
  CHECK_STR(show(file, "page"), "zeros:610062");
  CHECK_OK(mm3_close(file), show_error);
  file = mm3_open(mm3test_path("s.mm3"), NULL, NULL, &show_error);
  if (!CHECK(file != NULL)) return;
  CHECK_STR(show(file, ""), "{stop=false,sets=0,name=\"na\xc3\xafve caf\xc3\xa9 \xe2\x82\xac\",page=zeros:610062}");
  CHECK_OK(mm3_close(file), show_error);
}

static void refuses_other_values(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  static const struct {
    struct mm3_value value;
    const char *sentence;
  } rows[] = {
      {{.is = MM3_TEXT, .as.text = "0123456789abcdefghijklmnopqrstuvw", .count = 33},
       "33 bytes do not fit string(32), which takes 32"},
      {{.is = MM3_TEXT, .as.text = "caf\xe9", .count = 4}, "string(32) wants UTF-8, found other bytes at 3"},
      {{.is = MM3_TEXT, .as.text = "\xed\xa0\x80", .count = 3}, "found other bytes at 0"},
      {{.is = MM3_INT, .as.integer = 5}, "string(32) wants a string, found an integer"},
      {{.is = MM3_NULL}, "string(32) wants a string, found null"},
  };
  CHECK_OK(show_put(file, "name", a_text("old")), show_error);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    CHECK_FAILS(show_put(file, "name", rows[i].value), -MM3_E_VALUE, show_error);
    CHECK_HAS(show_error.text, rows[i].sentence);
    CHECK_STR(show_error.field, "name");
  }
  CHECK_STR(show(file, "name"), "\"old\"");
  CHECK_OK(mm3_close(file), show_error);
}

static void check_finds(struct mm3_file *file, const char *sentence, const char *shown) {
  CHECK_FAILS(show_check(file, "name"), -MM3_E_DAMAGED, show_error);
  CHECK_HAS(show_error.text, sentence);
  CHECK_STR(show(file, "name"), shown);
  memset(&mm3_root(file, shared)->name, 0, sizeof mm3_root(file, shared)->name);
  CHECK_OK(show_check(file, "name"), show_error);
}

static void check_finds_each_damage(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  __typeof__(mm3_root(file, shared)->name) *s = &mm3_root(file, shared)->name;
  char *padding = &s->slot[1][33];
  CHECK_EQ(mm3_string_set(s, "good"), 0);
  CHECK_OK(show_check(file, "name"), show_error);
  s->word = s->word >> 24 << 24 | 33;
  check_finds(file, "the length is above its capacity (length 33, string(32))",
              "damaged:0000000000000000000000000000000000000000000000000000000000000000");
  s->word = 2, memcpy(s->slot[0], "a\x80", 2);
  check_finds(file, "the bytes are not UTF-8", "damaged:6180");
  s->word = 1, memcpy(s->slot[0], "ab", 2);
  check_finds(file, "bytes after the text are not zero", "\"a\"");
  s->slot[0][31] = 'x';
  check_finds(file, "bytes after the text are not zero", "\"\"");
  s->slot[1][32] = 'x';
  check_finds(file, "a slot does not end with a zero byte", "\"\"");
  for (char *at = padding; at < (char *)(s + 1); at++) {
    *at = 1;
    check_finds(file, "the padding is not zero", "\"\"");
  }
  CHECK_EQ((char *)(s + 1) - padding, 6);
  CHECK_OK(mm3_close(file), show_error);
}

static void refuses_other_arguments(void) {
  static const char *const types[] = {"string",       "string()",  "string(u8)",
                                      "string(4, 4)", "string(0)", "string(16777216)"};
  char schema[80], out[400];
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    snprintf(schema, sizeof schema, "struct s { x: %s }", types[i]);
    CHECK_FAILS(mm3_schema_format(schema, out, sizeof out, NULL, &show_error), -MM3_E_SCHEMA, show_error);
    if (i >= 4) CHECK_HAS(show_error.text, "wanted a number from 1 to 16777215");
  }
  CHECK_OK(mm3_schema_format("struct s { x: string(16777215) }", out, sizeof out, NULL, &show_error), show_error);
}

/* ---- the rows that containers call ---- */

static struct mm3_arg number_32 = {.is = MM3_ARG_NUMBER, .number = 32};
static struct mm3_type type_of(enum mm3_form form) {
  const struct mm3_kind *kind = mm3_kind_find("string", 1, &show_error);
  struct mm3_type type = {.kind = kind, .text = "string(32)", .form = form, .nargs = 1, .args = &number_32};
  struct mm3_ctx ctx = {.size = sizeof ctx};
  if (CHECK(kind != NULL)) CHECK_EQ(kind->layout(&type, &ctx), 0);
  return type;
}

static void keys_go_in_and_out(void) {
  for (int form = MM3_FORM_FIELD; form <= MM3_FORM_ELEMENT; form++) {
    struct mm3_type type = type_of((enum mm3_form)form);
    struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE, .error = &show_error};
    _Alignas(8) unsigned char a[80] = {0}, b[80] = {0};
    char text[33];
    if (!type.kind) return;
    CHECK_EQ(type.size, form == MM3_FORM_FIELD ? 80 : 36);
    CHECK_EQ(type.align, form == MM3_FORM_FIELD ? 8 : 4);
    CHECK_EQ(mm3_type_key_parse(&type, "key", 3, a, &ctx), 0);
    CHECK_EQ(mm3_type_key_print(&type, a, text, sizeof text, &ctx), 3);
    CHECK_STR(text, "key");
    text[0] = '#';
    CHECK_EQ(mm3_type_key_print(&type, a, text, 3, &ctx), 3);
    CHECK_EQ(text[0], '#');
    CHECK_EQ(mm3_type_key_parse(&type, "\xff", 1, a, &ctx), -MM3_E_VALUE);
    CHECK_EQ(mm3_type_equal(&type, a, b), 0);
    CHECK(mm3_type_hash(&type, a, 1) != mm3_type_hash(&type, b, 1));
    CHECK_EQ(mm3_type_key_parse(&type, "longer", 6, b, &ctx), 0);
    CHECK_EQ(mm3_type_assign(&type, b, a, &ctx), 0);
    CHECK_EQ(mm3_type_equal(&type, a, b), 1);
    CHECK_EQ(mm3_type_hash(&type, a, 1), mm3_type_hash(&type, b, 1));
    CHECK(mm3_type_hash(&type, a, 1) != mm3_type_hash(&type, a, 2));
    CHECK_EQ(mm3_type_clear(&type, b, &ctx), 0);
    CHECK_EQ(mm3_type_key_print(&type, b, text, sizeof text, &ctx), 0);
    CHECK_EQ(mm3_type_check(&type, b, &ctx), 0);
    ctx.flags |= MM3_CTX_DRY;
    CHECK_EQ(mm3_type_key_parse(&type, "dry", 3, b, &ctx), 0);
    CHECK_EQ(mm3_type_key_print(&type, b, text, sizeof text, &ctx), 0);
  }
}

static void check_finds_damaged_elements(void) {
  struct mm3_type type = type_of(MM3_FORM_ELEMENT);
  struct mm3_ctx ctx = {.size = sizeof ctx, .error = &show_error};
  MM3_C2_string(32) e = {0}, zero = {0};
  char text[40];
  if (!type.kind) return;
  CHECK_EQ(mm3_type_check(&type, &e, &ctx), 0);
  e.length = 33;
  CHECK_EQ(mm3_type_check(&type, &e, &ctx), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_type_key_print(&type, &e, text, sizeof text, &ctx), -MM3_E_DAMAGED);
  CHECK_HAS(show_error.text, "the length is above its capacity");
  e = zero, e.length = 1, e.bytes[0] = '\xc3';
  CHECK_EQ(mm3_type_check(&type, &e, &ctx), -MM3_E_DAMAGED);
  e = zero, e.bytes[31] = 1;
  CHECK_EQ(mm3_type_check(&type, &e, &ctx), -MM3_E_DAMAGED);
}

MM3_TEST_SUITE("string", {"another process never reads half a value", processes_never_read_half_a_value},
               {"another thread never reads half a value", threads_never_read_half_a_value},
               {"a reader that does not look twice is caught", the_test_sees_torn_values},
               {"a killed writer leaves a whole value", a_killed_writer_leaves_a_whole_value},
               {"text goes in and out by path, reopened, from a second process", takes_and_shows_text},
               {"what is no string of that length is refused in words, the old value stays", refuses_other_values},
               {"check finds each damage that its header lists", check_finds_each_damage},
               {"other arguments than 1 to 16777215 are refused in words", refuses_other_arguments},
               {"keys and elements are parsed, printed, compared, hashed, assigned, cleared", keys_go_in_and_out},
               {"check finds damaged elements", check_finds_damaged_elements})
