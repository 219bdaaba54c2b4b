/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Types within types, in a schema's text: what may hold what, and how deep. */
#include "mm3test.h"

#include <mm3/field.h>
#include <stdio.h>
#include <string.h>

static struct mm3_error error;

static int parse(const char *text) {
  static char canonical[8192];
  size_t need;
  memset(&error, 0, sizeof error);
  return mm3_schema_format(text, canonical, sizeof canonical, &need, &error);
}

/* Directly, through each other, and within every kind that takes a type. */
static void a_struct_that_holds_itself_is_refused_in_words(void) {
  static const struct {
    const char *text, *says;
  } cases[] = {
    {"struct t { a: t }", "struct 't': field 'a' names struct 't', itself; a struct may nest only earlier ones"},
    {"struct t { n: u8 a: vec(t, 3) }", "field 'a' names struct 't', itself"},
    {"struct t { a: segmented(t) }", "field 'a' names struct 't', itself"},
    {"struct t { a: ndarray(t, 2) }", "field 'a' names struct 't', itself"},
    {"struct t { a: hashmap(text, t) }", "field 'a' names struct 't', itself"},
    {"struct t { a: hashmap(t, text) }", "field 'a' names struct 't', itself"},
    {"struct t { a: hashmap(t, t) }", "field 'a' names struct 't', itself"},
    {"struct t { a: vec(vec(t, 2), 2) }", "field 'a' names struct 't', itself"},
    {"struct t { a: atomic(t) }", "field 'a' names struct 't', itself"},
    {"struct a { x: b } struct b { y: a }", "struct 'a': field 'x' names struct 'b', a later one"},
    {"struct a { x: vec(b, 2) } struct b { y: vec(a, 2) }", "field 'x' names struct 'b', a later one"},
    {"struct a { x: b } struct b { y: c } struct c { z: a }", "field 'x' names struct 'b', a later one"},
    {"struct a { n: u8 } struct b { x: a y: b }", "field 'y' names struct 'b', itself"},
    /* and what is no struct at all, in the same places */
    {"struct t { a: hashmap(nokind, text) }", "mm3-nokind.so was looked for in"},
    {"struct t { a: hashmap(text, nokind) }", "mm3-nokind.so was looked for in"},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_FAILS(parse(cases[i].text), strstr(cases[i].says, ".so") ? -MM3_E_MODULE : -MM3_E_SCHEMA, error);
    CHECK_HAS(error.text, cases[i].says);
  }
}

/* s0 has a number; each of the others has the one before, as it is or in a vec. */
static int parse_chain(int structs, const char *how) {
  char text[4096];
  size_t at = (size_t)sprintf(text, "struct s0 { n: u8 }");
  for (int i = 1; i < structs; i++) {
    at += (size_t)sprintf(text + at, " struct s%d { n: u8 a: ", i);
    at += (size_t)sprintf(text + at, strcmp(how, "vec") == 0 ? "vec(s%d, 1) }" : "s%d }", i - 1);
  }
  return parse(text);
}

static void structs_nest_as_deep_as_in_c(void) {
  static const char *const how[] = {"plain", "vec"};
  for (int i = 0; i < 2; i++) {
    CHECK_OK(parse_chain(16, how[i]), error);
    CHECK_FAILS(parse_chain(17, how[i]), -MM3_E_SCHEMA, error);
    CHECK_HAS(error.text, "struct 's16' nests structs deeper than 16");
  }
  CHECK_OK(parse("struct a { x: u8 } struct b { x: a } struct c { x: a y: b z: a }"), error);
}

MM3_TEST_SUITE("schema-nest",
               {"a struct that holds itself is refused in words", a_struct_that_holds_itself_is_refused_in_words},
               {"structs nest as deep as in C", structs_nest_as_deep_as_in_c})
