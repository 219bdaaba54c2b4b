/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "mm3show.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/atomic.h>
#include <mm3/file.h>
#include <mm3/string_array.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define POST(FIELD) FIELD(stop, atomic(bool)) FIELD(tags, string_array(5, 16)) FIELD(single, string_array(1, 1))
MM3_STRUCT(post, POST);

typedef MM3_VALUE(string_array(5, 16)) five;

/* ---- the data plane ---- */

static void every_entry_takes_every_length(void) {
  five a = {0};
  char in[17], out[17];
  size_t length = 0, wrong = 0;
  memset(in, 'x', sizeof in);
  CHECK_EQ(sizeof a, 5 * 48);
  CHECK_EQ(alignof(five), 8);
  CHECK_EQ(mm3_string_array_len(&a), 5);
  CHECK_EQ(mm3_string_array_capacity(&a), 16);
  for (size_t i = 0; i < 5; i++)
    for (size_t n = 0; n <= 16; n++) {
      wrong += mm3_string_array_set_n(&a, i, in, n) != 0 || mm3_string_array_entry_len(&a, i) != n;
      wrong += mm3_string_array_get(&a, i, out, sizeof out, &length) != 0 || length != n || strlen(out) != n;
      wrong += mm3_string_array_set_n(&a, i, in, 17) != -MM3_E_VALUE;
      wrong += mm3_string_array_count_non_empty(&a) != i + (n > 0);
    }
  CHECK_EQ(wrong, 0);
  CHECK_EQ(mm3_string_array_clear(&a, 2), 0);
  CHECK_EQ(mm3_string_array_count_non_empty(&a), 4);
  mm3_string_array_clear_all(&a);
  CHECK_EQ(mm3_string_array_count_non_empty(&a), 0);
  MM3_VALUE(string_array(1, 1)) least = {0};
  CHECK_EQ(sizeof least, 16);
  CHECK_EQ(mm3_string_array_set(&least, 0, "a"), 0);
  CHECK_STR(mm3_string_array_ptr(&least, 0), "a");
}

static void entries_beyond_the_end_are_absent(void) {
  five a = {0};
  char out[20] = "#";
  const size_t beyond[] = {5, 6, SIZE_MAX, SIZE_MAX / 48 + 1};
  for (size_t i = 0; i < 4; i++) {
    CHECK_EQ(mm3_string_array_set(&a, beyond[i], "x"), -MM3_E_ABSENT);
    CHECK_EQ(mm3_string_array_set_truncate(&a, beyond[i], "x"), -MM3_E_ABSENT);
    CHECK_EQ(mm3_string_array_append(&a, beyond[i], "x"), -MM3_E_ABSENT);
    CHECK_EQ(mm3_string_array_format(&a, beyond[i], "x"), -MM3_E_ABSENT);
    CHECK_EQ(mm3_string_array_clear(&a, beyond[i]), -MM3_E_ABSENT);
    CHECK_EQ(mm3_string_array_get(&a, beyond[i], out, sizeof out, NULL), -MM3_E_ABSENT);
    CHECK_EQ(mm3_string_array_equal(&a, beyond[i], ""), 0);
    CHECK_EQ(mm3_string_array_entry_len(&a, beyond[i]), 0);
    CHECK_STR(mm3_string_array_ptr(&a, beyond[i]), "");
    CHECK(mm3_string_array_view(&a, beyond[i]).ptr == NULL);
  }
  CHECK_STR(out, "#");
  five zero = {0};
  CHECK_MEM(&a, &zero, sizeof a);
}

static void each_operation_reaches_its_entry_alone(void) {
  five a = {0};
  CHECK_EQ(mm3_string_array_set(&a, 0, "zero"), 0);
  CHECK_EQ(mm3_string_array_set_truncate(&a, 1, "fifteen bytes..\xc3\xa9"), 1);
  CHECK_EQ(mm3_string_array_format(&a, 2, "%d-%s", 2, "two"), 0);
  CHECK_EQ(mm3_string_array_append(&a, 4, "fo"), 0);
  CHECK_EQ(mm3_string_array_append(&a, 4, "ur"), 0);
  CHECK_EQ(mm3_string_array_append(&a, 4, "0123456789abc"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_array_set(&a, 4, "\xff"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_array_get(&a, 4, (char[4]){0}, 4, NULL), -ERANGE);
  static const char *const want[] = {"zero", "fifteen bytes..", "2-two", "", "four"};
  struct mm3_string_array_iter it = {0};
  size_t seen = 0;
  for (; mm3_string_array_next(&a, &it); seen++) {
    CHECK_EQ(it.index, seen);
    CHECK_STR(it.ptr, want[seen]);
    CHECK_EQ(it.len, strlen(want[seen]));
    CHECK_EQ(mm3_string_array_equal(&a, seen, want[seen]), 1);
  }
  CHECK_EQ(seen, 5);
  CHECK_EQ(mm3_string_array_next(&a, &it), 0);
}

static void find_gives_the_first(void) {
  five a = {0};
  CHECK_EQ(mm3_string_array_find(&a, ""), 0);
  CHECK_EQ(mm3_string_array_find(&a, "x"), -MM3_E_ABSENT);
  for (size_t i = 0; i < 5; i++) CHECK_EQ(mm3_string_array_set(&a, i, i % 2 ? "odd" : "even"), 0);
  CHECK_EQ(mm3_string_array_find(&a, "odd"), 1);
  CHECK_EQ(mm3_string_array_find(&a, ""), -MM3_E_ABSENT);
  CHECK_EQ(mm3_string_array_find_n(&a, "even\0", 5), -MM3_E_ABSENT);
  CHECK_EQ(mm3_string_array_set_n(&a, 4, "even\0", 5), 0);
  CHECK_EQ(mm3_string_array_find_n(&a, "even\0", 5), 4);
  CHECK_EQ(mm3_string_array_find(&a, "a text that is longer than any entry can be"), -MM3_E_ABSENT);
}

static void hostile_bytes_never_lead_outside(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  unsigned char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(pages + page, page, PROT_NONE);
  five *a = (five *)(void *)(pages + page - sizeof *a);
  uint64_t seed = 88172645463325252u;
  char out[20];
  int bad = 0;
  for (int i = 0; i < 20000; i++) {
    for (size_t w = 0; w < sizeof *a / 8; w++) {
      seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
      ((uint64_t *)(void *)a)[w] = w % 6 ? seed : seed & ~UINT64_C(0xffffe0);
    }
    for (size_t k = 0; k < 5; k++) {
      size_t length = 0;
      int result = mm3_string_array_get(a, k, out, sizeof out, &length);
      bad += result == -MM3_E_DAMAGED;
      CHECK(result == -MM3_E_DAMAGED || (result == 0 && length <= 16));
      CHECK(strlen(mm3_string_array_ptr(a, k)) <= 16);
    }
    struct mm3_string_array_iter it = {0};
    while (mm3_string_array_next(a, &it)) CHECK(it.len <= 16);
    CHECK(mm3_string_array_count_non_empty(a) <= 5);
    mm3_string_array_find(a, "0123456789abcdef");
  }
  CHECK(bad > 1000);
  mm3_string_array_clear_all(a);
  CHECK_EQ(mm3_string_array_count_non_empty(a), 0);
  munmap(pages, 2 * page);
}

/* ---- in a file ---- */

static struct mm3_file *new_file(void) {
  struct mm3_file *file = mm3_create(mm3test_path("p.mm3"), MM3_TYPE(post), NULL, &show_error);
  if (!CHECK(file != NULL)) printf("%s\n", show_error.text);
  return file;
}

/* Entry k of turn t: as many letters t as k + 1 times 3. */
static int write_on(void *root) {
  struct post *p = root;
  char text[16];
  for (unsigned t = 0; !mm3_atomic_load(&p->stop); t++) {
    memset(text, (int)('a' + t % 26), sizeof text);
    for (size_t k = 0; k < 5; k++) mm3_string_array_set_n(&p->tags, k, text, 3 * (k + 1));
    if (mm3test_tool()[0]) sched_yield();
  }
  return 0;
}

static void *write_in_thread(void *root) { return write_on(root), NULL; }

static void read_on(struct post *p, const char *who) {
  char text[17];
  size_t length = 0, torn = 0, changes = 0, reads = mm3test_tool()[0] ? 20000 : 2000000;
  char last = 0;
  for (size_t i = 0; i < reads || (changes == 0 && i < 1000 * reads); i++) {
    size_t k = i % 5;
    if (mm3_string_array_get(&p->tags, k, text, sizeof text, &length) != 0) torn++;
    if (length == 0) continue;
    torn += length != 3 * (k + 1) || strspn(text, (char[2]){text[0], 0}) != length;
    if (text[0] != last) changes++;
    last = text[0];
  }
  printf("  %s: %zu reads, %zu torn, %zu changes seen\n", who, reads, torn, changes);
  CHECK_EQ(torn, 0);
  CHECK(changes > 0);
  mm3_atomic_store(&p->stop, 1);
}

static void nobody_reads_half_an_entry(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct post *p = mm3_root(file, post);
  pid_t child = mm3test_spawn(write_on, p);
  read_on(p, "processes");
  CHECK_EQ(mm3test_wait(child), 0);
  pthread_t thread;
  mm3_atomic_store(&p->stop, 0);
  pthread_create(&thread, NULL, write_in_thread, p);
  read_on(p, "threads");
  pthread_join(thread, NULL);
  CHECK_OK(show_check(file, "tags"), show_error);
  CHECK_OK(mm3_close(file), show_error);
}

/* A list of texts as a value. */
static int next_text(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  const struct mm3_value *items = of->node;
  size_t i = (size_t)(uintptr_t)*cursor;
  (void)key;
  if (i >= of->count) return 0;
  *item = items[i];
  *cursor = (void *)(uintptr_t)(i + 1);
  return 1;
}
static const struct mm3_value_source texts_source = {next_text};
static struct mm3_value a_list(const struct mm3_value *items, size_t count) {
  return (struct mm3_value){.is = MM3_LIST, .count = count, .source = &texts_source, .node = items};
}

static void goes_in_and_out_by_path(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct mm3_value items[6] = {a_text("a"), a_text("0123456789abcdef"), a_text(""), a_text("\xe2\x82\xac"),
                               a_text("e")};
  CHECK_STR(show(file, "tags"), "[\"\",\"\",\"\",\"\",\"\"]");
  CHECK_OK(show_put(file, "tags", a_list(items, 5)), show_error);
  CHECK_STR(show(file, "tags"), "[\"a\",\"0123456789abcdef\",\"\",\"\xe2\x82\xac\",\"e\"]");
  CHECK_STR(show(file, "tags[1:3]"), "[\"0123456789abcdef\",\"\"]");
  CHECK_STR(show(file, "tags[-2:]"), "[\"\xe2\x82\xac\",\"e\"]");
  CHECK_STR(show(file, "tags[-1]"), "\"e\"");
  CHECK_OK(show_put(file, "tags[2]", a_text("two")), show_error);
  CHECK_OK(show_put(file, "tags[-5]", a_text("zero")), show_error);
  CHECK_STR(show(file, "tags[2]"), "\"two\"");
  CHECK_STR(mm3_string_array_ptr(&mm3_root(file, post)->tags, 0), "zero");
  CHECK_STR(show(file, "tags[5]"), "MM3_E_ABSENT");
  CHECK_HAS(show_error.text, "index 5 is beyond string_array(5, 16), which has 5 entries");
  CHECK_STR(show(file, "tags[-6]"), "MM3_E_ABSENT");
  CHECK_STR(show(file, "tags.x"), "MM3_E_PATH");
  CHECK_STR(show(file, "tags[\"x\"]"), "MM3_E_PATH");
  struct mm3_field field;
  uint64_t count = 0, capacity = 0;
  CHECK_OK(mm3_field_find(file, "tags", &field, &show_error), show_error);
  CHECK_EQ(mm3_field_count(&field, &count, &capacity), 0);
  CHECK_EQ(count, 5);
  CHECK_EQ(capacity, 5);
  CHECK_OK(mm3_close(file), show_error);
  file = mm3_open(mm3test_path("p.mm3"), NULL, NULL, &show_error);
  if (!CHECK(file != NULL)) return;
  CHECK_STR(show(file, ""),
            "{stop=false,tags=[\"zero\",\"0123456789abcdef\",\"two\",\"\xe2\x82\xac\",\"e\"],single=[\"\"]}");
  CHECK_OK(mm3_close(file), show_error);
}

static void a_refused_list_leaves_all_entries(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct mm3_value items[6] = {a_text("a"), a_text("b"), a_text("c"), a_text("d"), a_text("e"), a_text("f")};
  CHECK_OK(show_put(file, "tags", a_list(items, 5)), show_error);
  CHECK_FAILS(show_put(file, "tags", a_list(items, 6)), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "string_array(5, 16) wants an array of exactly 5 strings, found 6");
  CHECK_FAILS(show_put(file, "tags", a_list(items, 4)), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_put(file, "tags", a_text("x")), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "wants an array, found a string");
  items[0] = a_text("new");
  items[4] = an_int(0);
  CHECK_FAILS(show_put(file, "tags", a_list(items, 5)), -MM3_E_VALUE, show_error);
  CHECK_STR(show_error.field, "tags[4]");
  CHECK_HAS(show_error.text, "string(16) wants a string, found an integer");
  items[4] = a_text("0123456789abcdefg");
  CHECK_FAILS(show_put(file, "tags", a_list(items, 5)), -MM3_E_VALUE, show_error);
  CHECK_FAILS(show_put(file, "tags[3]", a_text("\xff")), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "tags"), "[\"a\",\"b\",\"c\",\"d\",\"e\"]");
  CHECK_OK(mm3_close(file), show_error);
}

static void check_names_the_damaged_entry(void) {
  struct mm3_file *file = new_file();
  if (!file) return;
  struct post *p = mm3_root(file, post);
  CHECK_OK(show_check(file, "tags"), show_error);
  p->tags.words[3][0] = 17;
  CHECK_FAILS(show_check(file, "tags"), -MM3_E_DAMAGED, show_error);
  CHECK_STR(show_error.field, "tags[3]");
  CHECK_HAS(show_error.text, "the length is above its capacity (length 17, string(16))");
  CHECK_STR(show(file, "tags[3]"), "damaged:00000000000000000000000000000000");
  p->tags.words[3][0] = 0;
  p->tags.words[4][5] = UINT64_C(1) << 63; /* the last byte of the padding */
  CHECK_FAILS(show_check(file, "tags"), -MM3_E_DAMAGED, show_error);
  CHECK_STR(show_error.field, "tags[4]");
  CHECK_OK(mm3_close(file), show_error);
}

static void refuses_other_arguments(void) {
  static const char *const types[] = {"string_array",          "string_array(5)",
                                      "string_array(5, u8)",   "string_array(5, 16, 1)",
                                      "string_array(0, 16)",   "string_array(4294967296, 16)",
                                      "string_array(5, 0)",    "string_array(5, 16777216)",
                                      "string_array(4294967295, 1000)"};
  char schema[80], out[400];
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    snprintf(schema, sizeof schema, "struct s { x: %s }", types[i]);
    show_error.text[0] = 0;
    CHECK_FAILS(mm3_schema_format(schema, out, sizeof out, NULL, &show_error), -MM3_E_SCHEMA, show_error);
    CHECK_HAS(show_error.text, types[i]);
  }
}

static void rows_for_containers_agree(void) {
  const struct mm3_kind *kind = mm3_kind_find("string_array", 1, &show_error);
  struct mm3_arg args[2] = {{.is = MM3_ARG_NUMBER, .number = 5}, {.is = MM3_ARG_NUMBER, .number = 16}};
  struct mm3_type type = {.kind = kind, .text = "string_array(5, 16)", .nargs = 2, .args = args};
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE, .error = &show_error};
  five a = {0}, b = {0};
  if (!CHECK(kind != NULL)) return;
  CHECK_EQ(kind->layout(&type, &ctx), 0);
  CHECK_EQ(type.size, sizeof a);
  CHECK_EQ(mm3_string_array_set(&a, 3, "x"), 0);
  CHECK_EQ(mm3_type_equal(&type, &a, &b), 0);
  CHECK(mm3_type_hash(&type, &a, 0) != mm3_type_hash(&type, &b, 0));
  CHECK_EQ(mm3_type_assign(&type, &b, &a, &ctx), 0);
  CHECK_EQ(mm3_string_array_set(&b, 3, "y"), 0);
  CHECK_EQ(mm3_string_array_set(&b, 3, "x"), 0); /* another sequence, the same value */
  CHECK_EQ(mm3_type_equal(&type, &a, &b), 1);
  CHECK_EQ(mm3_type_hash(&type, &a, 0), mm3_type_hash(&type, &b, 0));
  CHECK_EQ(mm3_type_clear(&type, &b, &ctx), 0);
  CHECK_EQ(mm3_string_array_count_non_empty(&b), 0);
}

MM3_TEST_SUITE("string_array", {"every entry takes every length from 0 to LEN", every_entry_takes_every_length},
               {"entries beyond the end are absent", entries_beyond_the_end_are_absent},
               {"each operation reaches its entry alone", each_operation_reaches_its_entry_alone},
               {"find gives the first of equal entries", find_gives_the_first},
               {"hostile bytes never lead outside the field", hostile_bytes_never_lead_outside},
               {"nobody reads half an entry, across processes and threads", nobody_reads_half_an_entry},
               {"the array goes in and out by path, whole, by slice and by entry", goes_in_and_out_by_path},
               {"a refused list leaves all entries as they were", a_refused_list_leaves_all_entries},
               {"check names the damaged entry", check_names_the_damaged_entry},
               {"other arguments are refused in words", refuses_other_arguments},
               {"values are compared, hashed, assigned and cleared", rows_for_containers_agree})
