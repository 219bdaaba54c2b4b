/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Schema text, layout, field table, and the program's descriptor against them. */
#include "internal.h"
#include "mm3test.h"
#include "schema.h"
#include "sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, struct mm3i_schema **schema, struct mm3_error *error) {
  memset(error, 0, sizeof *error);
  return mm3i_schema_parse(text, strlen(text), NULL, 0, 0, schema, error);
}

static void scalars_are_laid_out_by_their_size(void) {
  struct mm3_error error;
  struct mm3i_schema *s;
  if (!CHECK_OK(parse("struct t { a: u8 b: u16 c: u8 d: u32 e: u8 f: u64 g: bool h: char i: u128 j: f32 k: raw(3) l: usize }", &s, &error), error))
    return;
  const uint64_t offsets[] = {0, 2, 4, 8, 12, 16, 24, 28, 32, 48, 52, 56};
  for (unsigned i = 0; i < 12; i++) CHECK_EQ(s->rows[i].offset, offsets[i]);
  CHECK_EQ(s->root_size, 64);
  CHECK_EQ(s->root_align, 16);
  CHECK(!s->grows);
  mm3i_schema_free(s);
}

static void the_text_becomes_canonical(void) {
  struct mm3_error error;
  struct mm3i_schema *s;
  if (!CHECK_OK(parse("# a comment\nstruct  p{x:f64;y:f64,}// another\nstruct t{home : p  st:enum( u8 ,a,b=5 , c ) }", &s, &error), error)) return;
  CHECK_STR(s->text, "struct p {\n  x: f64\n  y: f64\n}\nstruct t {\n  home: p\n  st: enum(u8, a, b=5, c)\n}\n");
  CHECK_EQ(s->root->nmembers, 2);
  CHECK_EQ(s->rows[3].type->args[3].number, 6);
  mm3i_schema_free(s);
}

static void a_text_that_does_not_parse_is_told_where(void) {
  static const struct { const char *text, *says; } cases[] = {
      {"", "line 1, column 1: expected 'struct', found the end"},
      {"struct", "column 7: expected the struct's name, found the end"},
      {"struct t", "expected '{', found the end"},
      {"struct t {}", "line 1, column 11: expected at least one field, found '}'"},
      {"struct t {\n  a u8 }", "line 2, column 5: expected ':' and a type, found 'u8'"},
      {"struct t { a: }", "expected a type, found '}'"},
      {"struct t { a: 5 }", "expected a type, found '5'"},
      {"struct t { a: raw(5 }", "expected ',' or ')', found '}'"},
      {"struct t { a: raw() }", "expected a type, a number or a word, found ')'"},
      {"struct t { a: raw(99999999999999999999) }", "expected a number of at most 64 bits"},
      {"struct t { a: raw(12ab) }", "expected a number, found '12ab'"},
      {"struct t { a: u8", "expected a field's name or '}', found the end"},
      {"struct t { \x01: u8 }", "found the byte 0x01"},
      {"class t { a: u8 }", "column 1: expected 'struct', found 'class'"},
      {"struct t { a: u8=4 }", "expected a type without '='"},
      {"struct t { aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: u8 }", "a name of at most 63 bytes"},
      {"struct t { a: u8 } x", "expected 'struct', found 'x'"},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mm3_error error;
    struct mm3i_schema *s;
    CHECK_FAILS(parse(cases[i].text, &s, &error), -MM3_E_SCHEMA, error);
    CHECK_HAS(error.text, cases[i].says);
  }
}

static void a_schema_that_means_nothing_is_refused_in_words(void) {
  static const struct { int code; const char *text, *says; } cases[] = {
      {MM3_E_SCHEMA, "struct t { a: u8 a: u16 }", "has a field 'a' already"},
      {MM3_E_SCHEMA, "struct t { a: u8 } struct t { b: u8 }", "the name 't' is taken"},
      {MM3_E_SCHEMA, "struct u8 { a: u8 }", "the name 'u8' is taken"},
      {MM3_E_SCHEMA, "struct t { a: u8(3) }", "u8 takes no arguments"},
      {MM3_E_SCHEMA, "struct t { a: raw(0) }", "raw wants one number of bytes from 1"},
      {MM3_E_SCHEMA, "struct t { a: raw(2000000000000) }", "raw wants one number"},
      {MM3_E_SCHEMA, "struct t { a: raw(1099511627776) b: raw(1099511627776) }", "larger than 2^40"},
      {MM3_E_SCHEMA, "struct t { a: enum(u8) }", "at least one word"},
      {MM3_E_SCHEMA, "struct t { a: enum(i8, x) }", "enum wants u8, u16, u32 or u64"},
      {MM3_E_SCHEMA, "struct t { a: enum(u8, x, x) }", "enum names 'x' twice"},
      {MM3_E_SCHEMA, "struct t { a: enum(u8, x=1, y=1) }", "enum gives 1 to both 'x' and 'y'"},
      {MM3_E_SCHEMA, "struct t { a: enum(u8, x=255, y) }", "word 'y' of enum does not fit u8"},
      {MM3_E_SCHEMA, "struct t { a: enum(u8, x=256) }", "word 'x' of enum does not fit u8"},
      {MM3_E_SCHEMA, "struct t { a: struct }", "use the struct's own name"},
      {MM3_E_SCHEMA, "struct t { a: t }", "itself"},
      {MM3_E_SCHEMA, "struct a { x: b } struct b { y: u8 }", "a later one"},
      {MM3_E_MODULE, "struct t { a: nokind(3) }", "mm3-nokind.so was looked for in"},
      {MM3_E_MODULE, "struct t { a: Nokind(3) }", "cannot name a kind"},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mm3_error error;
    struct mm3i_schema *s;
    CHECK_FAILS(parse(cases[i].text, &s, &error), -cases[i].code, error);
    CHECK_HAS(error.text, cases[i].says);
  }
}

static void what_exceeds_the_bounds_is_refused(void) {
  static char text[2 << 20];
  struct mm3_error error;
  struct mm3i_schema *s;
  size_t at = (size_t)sprintf(text, "struct t {");
  for (int i = 0; i < 4097; i++) at += (size_t)sprintf(text + at, " f%d: u8", i);
  strcpy(text + at, " }");
  CHECK_FAILS(parse(text, &s, &error), -MM3_E_SCHEMA, error);
  CHECK_HAS(error.text, "4096 fields");
  memset(text, ' ', sizeof text);
  text[sizeof text - 1] = 0;
  CHECK_FAILS(parse(text, &s, &error), -MM3_E_SCHEMA, error);
  CHECK_HAS(error.text, "1 MiB");
  at = (size_t)sprintf(text, "struct t { a: ");
  for (int i = 0; i < 20; i++) at += (size_t)sprintf(text + at, "raw(");
  CHECK_FAILS(parse(text, &s, &error), -MM3_E_SCHEMA, error);
  CHECK_HAS(error.text, "nested at most 16 deep");
}

static void a_table_goes_out_and_comes_back(void) {
  const char *text = "struct p { x: f64 y: f32 } struct t { id: u64 home: p s: enum(u8, a, b) }";
  struct mm3_error error;
  struct mm3i_schema *s, *again;
  void *table;
  size_t size;
  if (!CHECK_OK(parse(text, &s, &error), error)) return;
  CHECK_EQ(mm3i_table_encode(s, &table, &size), 0);
  CHECK_OK(mm3i_schema_parse(s->text, s->text_size, table, size, 0, &again, &error), error);
  CHECK_EQ(again->nrows, 5);
  CHECK_EQ(again->root_size, s->root_size);
  mm3i_schema_free(again);
  mm3i_sys.free(table);
  mm3i_schema_free(s);
}

/* Every bit of a table flipped, and every length. */
static void a_damaged_table_is_refused_everywhere(void) {
  const char *text = "struct p { x: f64 y: f32 } struct t { id: u64 home: p s: enum(u8, a, b) }";
  struct mm3_error error;
  struct mm3i_schema *s, *again;
  void *table;
  size_t size, accepted = 0;
  if (!CHECK_OK(parse(text, &s, &error), error)) return;
  if (!CHECK_EQ(mm3i_table_encode(s, &table, &size), 0)) return;
  for (size_t bit = 0; bit < 8 * size; bit++) {
    ((unsigned char *)table)[bit / 8] ^= (unsigned char)(1U << bit % 8);
    int result = mm3i_schema_parse(s->text, s->text_size, table, size, 0, &again, &error);
    if (result == 0) accepted++, mm3i_schema_free(again);
    else CHECK(result == -MM3_E_DAMAGED || result == -MM3_E_LAYOUT);
    ((unsigned char *)table)[bit / 8] ^= (unsigned char)(1U << bit % 8);
  }
  CHECK_EQ(accepted, 0);
  for (size_t cut = 0; cut < size; cut++)
    CHECK(mm3i_schema_parse(s->text, s->text_size, table, cut, 0, &again, &error) < 0);
  mm3i_sys.free(table);
  mm3i_schema_free(s);
}

static void a_row_without_its_module_is_placed_by_the_table(void) {
  struct mm3_error error;
  struct mm3i_schema *s, *again;
  void *table;
  size_t size;
  if (!CHECK_OK(parse("struct t { id: u64 name: raw(16) n: u8 }", &s, &error), error)) return;
  CHECK_EQ(mm3i_table_encode(s, &table, &size), 0);
  /* the same table for a kind that nobody has: raw becomes xyz, in the table's strings and in the schema */
  for (size_t i = 0; i + 3 <= size; i++)
    if (memcmp((char *)table + i, "raw", 3) == 0) memcpy((char *)table + i, "xyz", 3);
  const char *text = "struct t { id: u64 name: xyz(16) n: u8 }";
  CHECK_FAILS(mm3i_schema_parse(text, strlen(text), table, size, 0, &again, &error), -MM3_E_MODULE, error);
  CHECK_STR(error.field, "name");
  if (CHECK_OK(mm3i_schema_parse(text, strlen(text), table, size, MM3I_SCHEMA_ALLOW_MISSING, &again, &error), error)) {
    CHECK_EQ(again->missing, 1);
    CHECK(again->rows[1].type == NULL);
    CHECK_EQ(again->rows[1].size, 16);
    CHECK_EQ(again->rows[2].offset, 24);
    mm3i_schema_free(again);
  }
  mm3i_sys.free(table);
  mm3i_schema_free(s);
}

/* ---- descriptors ---- */

enum { CAP = 6 };
#define POINT(FIELD) FIELD(x, f64) FIELD(y, f32)
MM3_STRUCT(point, POINT);
#define STATE(FIELD)                                                                     \
  FIELD(id, u64) FIELD(ok, bool) FIELD(key, raw(2 * CAP)) FIELD(home, point) FIELD(c, char) \
  FIELD(state, enum(u16, idle, busy=5, done)) FIELD(default_, u8, "default") FIELD(big, u128)
MM3_STRUCT(state, STATE);
MM3_TYPEDEF(digest, raw(20));
#define NAMED(FIELD) FIELD(d, digest) FIELD(p, point)
MM3_STRUCT(named, NAMED);

static void a_descriptor_becomes_the_canonical_text(void) {
  struct mm3_error error = {0};
  char *text;
  if (CHECK_OK(mm3i_desc_text(MM3_TYPE(state), &text, &error), error)) {
    CHECK_STR(text, "struct point {\n  x: f64\n  y: f32\n}\nstruct state {\n  id: u64\n  ok: bool\n  key: raw(12)\n  home: point\n"
                    "  c: char\n  state: enum(u16, idle, busy=5, done)\n  default: u8\n  big: u128\n}\n");
    mm3i_sys.free(text);
  }
  if (CHECK_OK(mm3i_desc_text(MM3_TYPE(named), &text, &error), error)) {
    CHECK_STR(text, "struct point {\n  x: f64\n  y: f32\n}\nstruct named {\n  d: raw(20)\n  p: point\n}\n");
    mm3i_sys.free(text);
  }
  CHECK_EQ(state_state_busy, 5);
  CHECK_EQ(state_state_done, 6);
}

static void program_and_modules_agree(void) {
  struct mm3_error error = {0};
  struct mm3i_schema *s;
  char *text;
  if (!CHECK_OK(mm3i_desc_text(MM3_TYPE(state), &text, &error), error)) return;
  if (CHECK_OK(parse(text, &s, &error), error)) {
    CHECK_OK(mm3i_desc_agree(MM3_TYPE(state), s, &error), error);
    CHECK_EQ(s->root_size, sizeof(struct state));
    mm3i_schema_free(s);
  }
  mm3i_sys.free(text);
}

static void the_first_field_that_differs_is_named(void) {
  static const struct { const char *text, *field, *says; } cases[] = {
      {"struct point { x: f64 y: f32 } struct named { d: raw(21) p: point }", "d", "the program declares raw(20), the file has raw(21); mm3 migrate changes a file's schema"},
      {"struct point { x: f64 y: f32 } struct named { e: raw(20) p: point }", "d", "'d: raw(20)' where the file has 'e: raw(20)'"},
      {"struct point { x: f64 y: f32 } struct named { p: point d: raw(20) }", "d", "where the file has 'p: point'"},
      {"struct point { x: f64 y: f64 } struct named { d: raw(20) p: point }", "y", "the program declares f32, the file has f64"},
      {"struct point { x: f64 y: f32 } struct named { d: raw(20) }", "p", "'p: point', which the file does not have"},
      {"struct named { d: raw(20) }", "p", "'p: point', which the file does not have"},
      {"struct point { x: f64 y: f32 } struct named { d: raw(20) p: point q: u8 }", "q", "which the program does not declare"},
      {"struct point { x: f64 y: f32 } struct other { d: raw(20) p: point }", "", "struct 'named' where the file has struct 'other'"},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mm3_error error;
    struct mm3i_schema *s;
    if (!CHECK_OK(parse(cases[i].text, &s, &error), error)) continue;
    memset(&error, 0, sizeof error);
    CHECK_FAILS(mm3i_desc_agree(MM3_TYPE(named), s, &error), -MM3_E_LAYOUT, error);
    CHECK_STR(error.field, cases[i].field);
    CHECK_HAS(error.text, cases[i].says);
    mm3i_schema_free(s);
  }
}

static int left;
static void *failing_calloc(size_t n, size_t size) { return left-- > 0 ? calloc(n, size) : NULL; }
static void *failing_realloc(void *old, size_t size) { return left-- > 0 ? realloc(old, size) : NULL; }

static void each_allocation_may_fail(void) {
  const struct mm3i_sys saved = mm3i_sys;
  int failures = 0;
  mm3i_sys.calloc = failing_calloc;
  mm3i_sys.realloc = failing_realloc;
  for (int allowed = 0; allowed < 1000; allowed++) {
    struct mm3_error error = {0};
    struct mm3i_schema *s = NULL;
    char *text = NULL;
    void *table = NULL;
    size_t size;
    left = allowed;
    int result = mm3i_desc_text(MM3_TYPE(state), &text, &error);
    if (result == 0) result = parse(text, &s, &error);
    if (result == 0) result = mm3i_desc_agree(MM3_TYPE(state), s, &error);
    if (result == 0) result = mm3i_table_encode(s, &table, &size);
    left = 1000;
    mm3i_sys.free(text);
    mm3i_sys.free(table);
    mm3i_schema_free(s);
    if (result == 0) break;
    failures++;
    CHECK_EQ(result, -ENOMEM);
  }
  mm3i_sys = saved;
  CHECK(failures > 5);
}

MM3_TEST_SUITE("schema", {"scalars are laid out by their size", scalars_are_laid_out_by_their_size},
               {"the text becomes canonical", the_text_becomes_canonical},
               {"a text that does not parse is told where", a_text_that_does_not_parse_is_told_where},
               {"a schema that means nothing is refused in words", a_schema_that_means_nothing_is_refused_in_words},
               {"what exceeds the bounds is refused", what_exceeds_the_bounds_is_refused},
               {"a table goes out and comes back", a_table_goes_out_and_comes_back},
               {"a damaged table is refused everywhere", a_damaged_table_is_refused_everywhere},
               {"a row without its module is placed by the table", a_row_without_its_module_is_placed_by_the_table},
               {"a descriptor becomes the canonical text", a_descriptor_becomes_the_canonical_text},
               {"program and modules agree", program_and_modules_agree},
               {"the first field that differs is named", the_first_field_that_differs_is_named},
               {"each allocation may fail", each_allocation_may_fail})
