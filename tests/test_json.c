/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* test_json.c: JSON as mm3 spells it, out and in, compared with jansson and with the bits of each float. */
#include "../tools/json_in.h"
#include "../tools/json_out.h"
#include "mm3test.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct output {
  char text[65536];
  size_t count;
};

static int keep(void *arg, const char *bytes, size_t count) {
  struct output *out = arg;
  if (count > sizeof out->text - 1 - out->count) return -1;
  memcpy(out->text + out->count, bytes, count);
  out->text[out->count += count] = 0;
  return 0;
}

static struct output output;
static struct mm3j_writer writer;
static char small_buffer[256]; /* so that it is handed on often */

static struct mm3_sink *fresh(enum mm3j_style style) {
  output.count = 0;
  output.text[0] = 0;
  mm3j_writer_init(&writer, style, small_buffer, sizeof small_buffer, keep, &output);
  return &writer.sink;
}

static const char *written(void) {
  CHECK_EQ(mm3j_writer_flush(&writer), 0);
  return output.text;
}

static uint64_t random_state = 88172645463325252u;
static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

static const char *real_text(double value, int bits) {
  static char text[MM3J_NUMBER];
  mm3j_real(value, bits, text);
  return text;
}

static void spells_known_floats(void) {
  CHECK_STR(real_text(0.1, 64), "0.1");
  CHECK_STR(real_text(0.0, 64), "0.0");
  CHECK_STR(real_text(-0.0, 64), "-0.0");
  CHECK_STR(real_text(5, 64), "5.0");
  CHECK_STR(real_text(-1e14, 64), "-100000000000000.0");
  CHECK_STR(real_text(1e21, 64), "1e21");
  CHECK_STR(real_text(1.5e-7, 64), "1.5e-7");
  CHECK_STR(real_text(5e-324, 64), "5e-324");
  CHECK_STR(real_text(1.7976931348623157e308, 64), "1.7976931348623157e308");
  CHECK_STR(real_text(ldexp(1, -44), 64), "5.684341886080802e-14");
  CHECK_STR(real_text((double)0.1f, 32), "0.1");
  CHECK_STR(real_text((double)16777216.0f, 32), "16777216.0");
  CHECK_STR(real_text((double)3.4028235e38f, 32), "3.4028235e38");
  CHECK_STR(real_text((double)1e-45f, 32), "1e-45");
  CHECK_STR(real_text((double)NAN, 64), "NaN");
  CHECK_STR(real_text(-(double)INFINITY, 32), "-Infinity");
}

static size_t significant(const char *text) {
  size_t count = 0, zeros = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text < '0' || *text > '9') continue;
    zeros = *text == '0' ? zeros + 1 : 0;
    if (count || *text != '0') count++;
  }
  return count > zeros ? count - zeros : 0;
}

static void reads_floats_back(void) {
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = next_random();
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    const char *text = real_text(value, 64);
    if (!CHECK(strpbrk(text, ".e") != NULL)) return;
    double back = strtod(text, NULL);
    if (!CHECK_MEM(&back, &value, sizeof value)) return;
    char shorter[64];
    size_t digits = significant(text);
    snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, value);
    if (digits > 1 && !CHECK(strtod(shorter, NULL) != value)) return;
    uint32_t half = (uint32_t)bits;
    float single, single_back;
    memcpy(&single, &half, sizeof single);
    if (!isfinite(single)) continue;
    single_back = strtof(real_text((double)single, 32), NULL);
    if (!CHECK_MEM(&single_back, &single, sizeof single)) return;
  }
}

static void spells_integers(void) {
  struct mm3_sink *sink = fresh(MM3J_JSON);
  sink->begin_list(sink, 5);
  sink->integer(sink, INT64_MIN);
  sink->integer(sink, INT64_MAX);
  sink->integer(sink, 0);
  sink->integer(sink, -10);
  sink->natural(sink, UINT64_MAX);
  sink->wide(sink, "-170141183460469231731687303715884105728", 40);
  sink->end_list(sink);
  CHECK_STR(written(), "[-9223372036854775808, 9223372036854775807, 0, -10, \"18446744073709551615\", "
                       "\"-170141183460469231731687303715884105728\"]");
}

static void spells_texts(void) {
  struct mm3_sink *sink = fresh(MM3J_JSON);
  char all[130];
  for (int i = 0; i < 128; i++) all[i] = (char)i;
  sink->text(sink, all, 128);
  json_error_t error;
  json_t *json = json_loads(written(), JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
  if (CHECK(json != NULL)) CHECK_MEM(json_string_value(json), all, 128);
  json_decref(json);
  sink = fresh(MM3J_JSON);
  sink->damaged(sink, "\xff\x01", 2);
  CHECK_STR(written(), "{\"$raw\": \"ff01\"}");
  sink = fresh(MM3J_JSON);
  sink->raw(sink, "\xab\x00", 2);
  CHECK_STR(written(), "\"ab00\"");
}

static void two_fields(struct mm3_sink *sink) {
  sink->begin_map(sink, 2);
  sink->key(sink, "name", 4);
  sink->text(sink, "a\tb", 3);
  sink->key(sink, "list", 4);
  sink->begin_list(sink, 2);
  sink->natural(sink, UINT64_MAX);
  sink->begin_map(sink, 0);
  sink->end_map(sink);
  sink->end_list(sink);
  sink->end_map(sink);
}

static void has_styles(void) {
  two_fields(fresh(MM3J_JSON));
  CHECK_STR(written(), "{\"name\": \"a\\tb\", \"list\": [\"18446744073709551615\", {}]}");
  two_fields(fresh(MM3J_LINES));
  CHECK_STR(written(), "{\"name\": \"a\\tb\"}\n{\"list\": [\"18446744073709551615\", {}]}");
  two_fields(fresh(MM3J_HUMAN));
  CHECK_STR(written(), "name: \"a\\tb\"\nlist: [\"18446744073709551615\", {}]");
  two_fields(fresh(MM3J_PLAIN));
  CHECK_STR(written(), "name\ta\\tb\nlist\t[\"18446744073709551615\", {}]");
  struct mm3_sink *sink = fresh(MM3J_JSON);
  writer.indent = 2;
  two_fields(sink);
  CHECK_STR(written(), "{\n  \"name\": \"a\\tb\",\n  \"list\": [\n    \"18446744073709551615\",\n    {}\n  ]\n}");
}

static void stops_when_output_fails(void) {
  struct mm3_sink *sink = fresh(MM3J_JSON);
  output.count = sizeof output.text - 1;
  int result = sink->begin_list(sink, 0);
  for (int i = 0; i < 1000 && !result; i++) result = sink->integer(sink, i);
  CHECK_EQ(result, -1);
}

/* What was written is read back as the same value, and written the same. */
static void reads_what_it_writes(void) {
  static const char *const texts[] = {
      "{\"a\": [1, -2, 3.5, 1000.0, true, false, null], \"b\": {\"c\": \"x\xc3\xa9\\n\"}, \"d\": []}",
      "[[[]], {}, {\"k\": {\"k\": 0}}, \"\", \"\\\"\\\\/\", -0.0, 9223372036854775807, -9223372036854775808]", "\"\\u0000\"",
      "1e-320", "null"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct mm3_error error;
    struct mm3j_doc *doc;
    if (!CHECK_OK(mm3j_parse(texts[i], strlen(texts[i]), &doc, &error), error)) continue;
    CHECK_EQ(mm3j_send(fresh(MM3J_JSON), mm3j_value(doc)), 0);
    CHECK_STR(written(), texts[i]);
    mm3j_free(doc);
  }
}

static void names_the_place(void) {
  static const struct { const char *text, *says; } cases[] = {
      {"{\"a\\n\": \"\xc3\xa9\",\n  \"b\": [1, 2", "JSON, line 2, column 12: "}, {"[1] x", "JSON, line 1, column 5: "},
      {"{\"k\": 1, \"k\": 2}", "duplicate object key"}, {"18446744073709551615", "is written in quotes"}, {"[01]", "invalid token"},
      {"\"\xff\"", "unable to decode byte 0xff"}, {"\"\\ud800\"", "invalid Unicode"}, {"", "line 1, column 0"}, {"nul", "invalid token"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mm3_error error;
    struct mm3j_doc *doc;
    CHECK_FAILS(mm3j_parse(cases[i].text, strlen(cases[i].text), &doc, &error), -MM3_E_VALUE, error);
    CHECK_HAS(error.text, cases[i].says);
    CHECK(doc == NULL);
  }
}

static void bounds_its_depth(void) {
  struct mm3_error error;
  struct mm3j_doc *doc;
  static char deep[3000];
  memset(deep, '[', sizeof deep);
  CHECK_FAILS(mm3j_parse(deep, sizeof deep, &doc, &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "depth");
}

MM3_TEST_SUITE("json", {"floats that are known to be difficult have their shortest text", spells_known_floats},
               {"random floats read back to the same bits and no shorter text does", reads_floats_back},
               {"integers beyond int64 are decimal strings", spells_integers},
               {"texts are escaped as jansson reads them, bytes are hex", spells_texts},
               {"the same value in each style", has_styles},
               {"output that fails stops the value", stops_when_output_fails},
               {"what was written is read back", reads_what_it_writes},
               {"a mistake is told with line and column", names_the_place},
               {"nesting is bounded", bounds_its_depth})
