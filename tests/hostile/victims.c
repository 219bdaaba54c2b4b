/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "victims.h"

#include "../../modules/all_modules.h"
#include "../../tools/json_in.h"
#include "sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const struct victim victims[] = {
    {"scalars",
     "struct point { x: f64 y: f32 } struct s { a: u8 b: i16 c: u32 d: i64 e: u128 f: bool g: char h: raw(7) "
     "i: enum(u16, idle, busy=9) home: point n: usize }",
     {"put a 5", "put b -7", "put d 123456", "put e \"340282366920938463463374607431768211455\"", "put f true", "put g \"x\"",
      "put h \"00112233445566\"", "put i \"busy\"", "put home {\"x\": 1.5, \"y\": 2.5}", "add c 1", "put home.x 3.0"}},
    {"atomic",
     "struct s { a: atomic(u8) b: atomic(i16) c: atomic(u32) d: atomic(i64) e: atomic(bool) f: atomic(usize) }",
     {"add a 1", "put b -7", "add c 5", "add d -1", "put e true", "put f 9"}},
    {"string",
     "struct s { a: string(1) b: string(33) c: string(200) }",
     {"put a \"x\"", "put b \"na\xc3\xafve\"", "put c \"some text that is longer than the others\"", "put b \"other\"", "put c \"\""}},
    {"string_array",
     "struct s { t: string_array(4, 12) }",
     {"put t [\"a\", \"\", \"ccc\", \"dddddddddddd\"]", "put t[1] \"b\"", "put t[-1] \"z\""}},
    {"json",
     "struct s { j: json(120) }",
     {"put j {\"a\": [1, 2.5, null], \"b\": {\"c\": \"d\"}}", "put j.a[0] 7", "put j.b.e \"new\"", "del j.a[1]"}},
    {"vec",
     "struct p { x: u16 y: u64 } struct s { a: vec(u32, 6) b: vec(p, 3) c: vec(string(5), 3) d: vec(vec(u8, 2), 2) }",
     {"put a [1, 2, 3]", "push a 4", "put a[1] 9", "del a[0]", "push b {\"x\": 1, \"y\": 2}", "put b[0].y 5", "push c \"abc\"",
      "put c[0] \"de\"", "push d [1, 2]", "put d[0] [3]", "del b[0]", "push b {\"x\": 7, \"y\": 8}"}},
    {"ndarray",
     "struct s { a: ndarray(u8, 3, 4) b: ndarray(i32, 2, 2, 2) }",
     {"put a [[1,2,3,4],[5,6,7,8],[9,10,11,12]]", "put a[1][2] 77", "put a[-1][-1] 1", "put b[1][0][1] -5"}},
    {"segmented",
     "struct p { x: u16 y: u64 } struct s { e: segmented(u64) p: segmented(p) }",
     {"put e [1, 2, 3]", "push e 4", "push p {\"x\": 1, \"y\": 2}", "put e[0] 9", "put p[0].y 5", "push e 5"}},
    {"text",
     "struct s { a: text b: text }",
     {"put a \"short\"", "put b \"a text that is rather longer than what came before it\"", "put a \"another\"", "put b \"\""}},
    {"hashmap",
     "struct s { m: hashmap(u64, u64) n: hashmap(string(8), u32) }",
     {"put m {\"1\": 10, \"2\": 20, \"3\": 30}", "put m[4] 40", "put m[1] 11", "del m[2]", "put n[\"alice\"] 1", "put n[\"bob\"] 2",
      "del n[\"alice\"]", "put n[\"carol\"] 3"}},
    {"text map",
     "struct s { m: hashmap(text, text) }",
     {"put m {\"k\": \"v\", \"a longer key than the other\": \"w\"}", "put m[\"k\"] \"another value, which is longer\"", "put m[\"x\"] \"y\"",
      "del m[\"k\"]", "put m[\"k\"] \"v\""}},
};
const unsigned victim_count = sizeof victims / sizeof victims[0];

/* ---- a sink that takes everything ---- */

static unsigned long taken; /* so that nothing is optimised away */
static int on_null(struct mm3_sink *s) { return (void)s, taken++, 0; }
static int on_boolean(struct mm3_sink *s, int v) { return (void)s, taken += (unsigned long)v, 0; }
static int on_integer(struct mm3_sink *s, int64_t v) { return (void)s, taken += (unsigned long)v, 0; }
static int on_natural(struct mm3_sink *s, uint64_t v) { return (void)s, taken += v, 0; }
static int on_real(struct mm3_sink *s, double v, int bits) { return (void)s, (void)bits, taken += v > 0, 0; }
static int on_bytes(struct mm3_sink *s, const void *bytes, size_t count) {
  (void)s;
  for (size_t i = 0; i < count; i++) taken += ((const unsigned char *)bytes)[i];
  return 0;
}
static int on_text(struct mm3_sink *s, const char *text, size_t count) { return on_bytes(s, text, count); }
static int on_begin(struct mm3_sink *s, uint64_t count) { return (void)s, taken += count, 0; }
static int on_end(struct mm3_sink *s) { return (void)s, 0; }

static struct mm3_sink all_sink = {sizeof all_sink, on_null,  on_boolean, on_integer, on_natural, on_text, on_real, on_text,
                                   on_bytes,        on_bytes, on_begin,   on_end,     on_begin,   on_text, on_end};

/* ---- lines ---- */

static void nothing(void) {}

static int run_line(struct mm3_file *file, const char *line, struct mm3_error *error) {
  return victim_line(file, line, nothing, nothing, error);
}

int victim_line(struct mm3_file *file, const char *line, void (*begin)(void), void (*end)(void), struct mm3_error *error) {
  char verb[8], path[64], sum[48];
  int used = 0;
  struct mm3_field field;
  struct mm3j_doc *doc = NULL;
  if (sscanf(line, "%7s %63s %n", verb, path, &used) < 2) return -1;
  int result = mm3_field_find(file, path, &field, error);
  if (result < 0) return result;
  int erases = strcmp(verb, "del") == 0;
  if (!erases) result = mm3j_parse(line + used, strlen(line + used), &doc, error);
  if (result < 0) return result;
  begin();
  if (erases) result = mm3_field_erase(&field, error);
  else if (strcmp(verb, "put") == 0) result = mm3_field_put(&field, mm3j_value(doc), error);
  else if (strcmp(verb, "push") == 0) result = mm3_field_push(&field, mm3j_value(doc), error);
  else result = mm3_field_add(&field, mm3j_value(doc), sum, error);
  end();
  mm3j_free(doc);
  return result;
}

int victim_make(const struct victim *victim, const char *path) { return victim_make_some(victim, path, 16); }

int victim_make_some(const struct victim *victim, const char *path, unsigned lines) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create_schema(path, victim->schema, NULL, &error);
  int result = file ? 0 : error.code;
  for (unsigned i = 0; result >= 0 && i < lines && victim->lines[i]; i++) {
    result = run_line(file, victim->lines[i], &error);
    if (result < 0) fprintf(stderr, "%s: '%s': ", victim->name, victim->lines[i]);
  }
  if (result >= 0 && mm3_check(file, NULL, NULL) != 0) result = -1, strcpy(error.text, "made, it does not pass its check");
  if (result < 0) fprintf(stderr, "%s\n", error.text);
  mm3_close(file);
  return result < 0 ? result : 0;
}

static void read_field(struct mm3_file *file, const char *path, struct victim_tally *tally) {
  struct mm3_error error;
  struct mm3_field field;
  uint64_t count, capacity;
  if (mm3_field_find(file, path, &field, &error) < 0) return;
  tally->reads += mm3_field_check(&field, &error) == 0;
  tally->reads += mm3_field_visit(&field, &all_sink, &error) >= 0;
  tally->reads += mm3_field_count(&field, &count, &capacity) == 0;
}

void victim_use(const struct victim *victim, struct mm3_file *file, int writes, struct victim_tally *tally) {
  struct mm3_error error;
  struct mm3_member_info member;
  char path[80];
  mm3_check(file, NULL, NULL);
  read_field(file, NULL, tally);
  for (uint32_t i = 0; mm3_file_member(file, i, &member) == 0; i++) {
    read_field(file, member.name, tally);
    snprintf(path, sizeof path, "%s[-3:]", member.name);
    read_field(file, path, tally);
    snprintf(path, sizeof path, "%s[2]", member.name);
    read_field(file, path, tally);
  }
  for (unsigned i = 0; i < 16 && victim->lines[i]; i++) {
    if (sscanf(victim->lines[i], "%*s %63s", path) == 1) read_field(file, path, tally);
    if (writes) tally->writes += run_line(file, victim->lines[i], &error) >= 0;
  }
}

/* ---- the fence ---- */

enum { FENCE = 4096 };

static size_t whole_pages(size_t length) { return (length + 4095) & ~(size_t)4095; }

static void *fenced_mmap(void *hint, size_t length, int prot, int flags, int fd, off_t offset) {
  (void)hint;
  size_t size = whole_pages(length);
  char *base = mmap(NULL, size + FENCE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return base;
  void *mapped = mmap(base, length, prot, flags | MAP_FIXED, fd, offset);
  if (mapped == MAP_FAILED) munmap(base, size + FENCE);
  return mapped;
}

static int fenced_munmap(void *base, size_t length) { return munmap(base, whole_pages(length) + FENCE); }

void victim_prepare(int with_double) {
  struct mm3_error error;
  mm3i_sys.mmap = fenced_mmap;
  mm3i_sys.munmap = fenced_munmap;
  if (mm3_all_modules_register(&error) < 0 || (with_double && victim_double_register(&error) < 0)) fprintf(stderr, "%s\n", error.text);
}
