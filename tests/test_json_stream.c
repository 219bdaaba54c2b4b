/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Long JSON texts, read in pieces: the same values and the same refusals as when they are parsed whole. */
#include "../tools/json_in.h"
#include "../tools/json_lines.h"
#include "../tools/json_out.h"
#include "../tools/json_stream.h"
#include "mm3test.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t state = 1;

static uint64_t dice(uint64_t n) {
  state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return (state >> 33) % n;
}

/* ---- texts ---- */

static bool only_numbers; /* integers and lists of them, which have a quick way of their own */

static void number(FILE *out, unsigned depth) {
  if (depth > 3 || dice(4)) {
    int64_t wide = (int64_t)(dice(UINT64_C(1) << 31) << 31 | dice(UINT64_C(1) << 31)) >> dice(63);
    fprintf(out, "%s%lld%s", dice(9) ? "" : "\n ", (long long)(dice(2) ? wide : ~wide), dice(9) ? "" : " \t");
    return;
  }
  fputc('[', out);
  for (uint64_t i = 0, n = dice(50) ? 1 + dice(6) : 0; i < n; i++) fputs(i ? "," : "", out), number(out, depth + 1);
  fputc(']', out);
}

static void small(FILE *out, unsigned depth) {
  if (only_numbers) {
    number(out, depth);
    return;
  }
  switch (dice(depth > 3 ? 5 : 7)) {
    case 0: fprintf(out, "%lld", (long long)dice(1 << 20) - 500); break;
    case 1: fprintf(out, "\"a, ]b} \\\"%llu\\\\\"", (unsigned long long)dice(1000)); break;
    case 2: fprintf(out, "%.3e", (double)dice(1000) / 7); break;
    case 3: fputs(dice(2) ? "true" : "null", out); break;
    case 4: fputs("\"\\u00e9\xc3\xa9\"", out); break;
    case 5:
      fputc('[', out);
      for (uint64_t i = 0, n = dice(4); i < n; i++) fputs(i ? ", " : "", out), small(out, depth + 1);
      fputc(']', out);
      break;
    default:
      fputc('{', out);
      for (uint64_t i = 0, n = dice(4); i < n; i++) fprintf(out, "%s\"k%llu\": ", i ? ",\n" : "", (unsigned long long)i), small(out, depth + 1);
      fputc('}', out);
  }
}

/* A list or object of about so many bytes; long ones within it where `depth` is left. */
static void large(FILE *out, size_t bytes, unsigned depth) {
  bool list = only_numbers || dice(2);
  long begin = ftell(out);
  fputc(list ? '[' : '{', out);
  for (unsigned i = 0; i == 0 || (size_t)(ftell(out) - begin) < bytes; i++) {
    if (i) fputs(dice(2) ? ", " : " ,\n", out);
    if (!list) fprintf(out, "\"m%u\" : ", i);
    if (depth && dice(400) == 0) large(out, bytes / 2, depth - 1);
    else small(out, 0);
  }
  fputc(list ? ']' : '}', out);
}

static char *text_new(size_t *size) {
  char *text;
  FILE *out = open_memstream(&text, size);
  large(out, 1400000, 3);
  fputs(dice(2) ? "\n" : "", out);
  fclose(out);
  return text;
}

static const char *write_file(const char *name, const char *text, size_t size) {
  const char *path = mm3test_path(name);
  FILE *out = fopen(path, "w");
  CHECK_EQ(fwrite(text, 1, size, out), size);
  fclose(out);
  return path;
}

/* ---- both ways ---- */

static int drain(const struct mm3_value *value) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int more;
  size_t count = 0;
  if (value->is != MM3_LIST && value->is != MM3_MAP) return 0;
  while ((more = value->source->next(value, &cursor, &key, &item)) > 0) {
    count++;
    if ((more = drain(&item)) < 0) return more;
  }
  if (more == 0) CHECK_EQ(count, value->count);
  return more;
}

static char *sent(const struct mm3_value *value, size_t *count) {
  static char buffer[4096];
  struct mm3j_memory memory = {0};
  struct mm3j_writer w;
  mm3j_writer_init(&w, MM3J_JSON, buffer, sizeof buffer, mm3j_emit_memory, &memory);
  CHECK_EQ(mm3j_send(&w.sink, value), 0);
  CHECK_EQ(mm3j_writer_flush(&w), 0);
  *count = memory.used;
  return memory.text;
}

static void same_values(void) {
  for (uint64_t round = 1; round < 7; round++) {
    state = round;
    only_numbers = round > 3;
    size_t size, a_size, b_size;
    char *text = text_new(&size);
    struct mm3_error error = {0};
    struct mm3j_doc *doc;
    struct mm3j_stream *stream;
    struct mm3_value value;
    CHECK_OK(mm3j_parse(text, size, &doc, &error), error);
    CHECK_OK(mm3j_stream_open(write_file("long.json", text, size), NULL, &stream, &error), error);
    CHECK_OK(mm3j_stream_read(stream, false, &value, &error), error);
    for (int pass = 0; pass < 2; pass++) {
      char *a = sent(mm3j_value(doc), &a_size), *b = sent(&value, &b_size);
      CHECK(a_size > 1000000 && a_size == b_size && memcmp(a, b, a_size) == 0);
      free(a);
      free(b);
    }
    mm3j_stream_close(stream);
    mm3j_free(doc);
    free(text);
  }
  only_numbers = false;
}

/* One byte is another, or the text ends early: jansson's verdict on the whole is ours. */
static void refusals(uint64_t seed) {
  static const char bytes[] = "[]{},:\"\\ 0x\n\xff-.e9";
  unsigned refused = 0, taken = 0;
  size_t size;
  state = seed;
  char *text = text_new(&size);
  int rounds = strcmp(mm3test_tool(), "valgrind") == 0 ? 10 : 60; /* each ten seconds there */
  for (int round = 0; round < rounds; round++) {
    size_t at = round < rounds / 2 ? size - 1 - dice(3000) : dice(size), cut = dice(4) ? size : at;
    char old = text[at];
    text[at] = bytes[dice(sizeof bytes - 1)];
    json_error_t why;
    json_t *whole = json_loadb(text, cut, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    struct mm3_error error = {0};
    struct mm3j_stream *stream;
    struct mm3_value value;
    CHECK_OK(mm3j_stream_open(write_file("bad.json", text, cut), NULL, &stream, &error), error);
    int result = mm3j_stream_read(stream, round % 2, &value, &error);
    if (result == 0 && (result = drain(&value)) < 0) CHECK_EQ(mm3j_stream_error(stream, &error), result);
    if (!CHECK_EQ(result == 0, whole != NULL)) fprintf(stderr, "at %zu of %zu: jansson: %s; here: %s\n", at, cut, why.text, error.text);
    if (whole) taken++;
    else refused++, CHECK(strncmp(error.text, "JSON, line ", 11) == 0);
    json_decref(whole);
    mm3j_stream_close(stream);
    text[at] = old;
  }
  CHECK((int)refused > rounds / 3 && (int)taken > rounds / 30);
  free(text);
}

static void same_refusals(void) {
  refusals(77);
  only_numbers = true;
  refusals(78);
  only_numbers = false;
}

static struct mm3_error reading(const char *format, size_t fill) {
  struct mm3_error error = {0};
  struct mm3j_stream *stream;
  struct mm3_value value;
  char *spaces = malloc(fill), *text = NULL;
  memset(spaces, ' ', fill);
  int size = asprintf(&text, format, (int)fill, spaces);
  CHECK_OK(mm3j_stream_open(write_file("place.json", text, (size_t)size), NULL, &stream, &error), error);
  int result = mm3j_stream_read(stream, true, &value, &error);
  if (!result && drain(&value) < 0) mm3j_stream_error(stream, &error);
  mm3j_stream_close(stream);
  free(text);
  free(spaces);
  return error;
}

static void places(void) {
  size_t fill = 1100000;
  CHECK_STR(reading("{\"a\": [1, 2],\n\"b\": [%.*s\n  1 2]}", fill).text, "JSON, line 3, column 5: ']' expected near '2'");
  CHECK_STR(reading("{\"a\":%.*s\n [1, 2", fill).text, "JSON, line 2, column 6: ']' expected near end of file");
  CHECK_STR(reading("[%.*s 1, 2}", fill).text, "JSON, line 1, column 1100007: ']' expected near '}'");
  CHECK_STR(reading("[1,%.*s\n\n2]\n]", fill).text, "JSON, line 4, column 1: end of file expected near ']'");
  CHECK(strstr(reading("[1, 9223372036854775807,%.*s 9223372036854775808]", fill).text, "in quotes") != NULL);
  CHECK(strstr(reading("[[-9223372036854775809]%.*s, 5]", fill).text, "in quotes") != NULL);
  CHECK(strstr(reading("[1, 12345678901234567890123,%.*s 5]", fill).text, "in quotes") != NULL);
  CHECK(strstr(reading("[1, [2, 03],%.*s 5]", fill).text, "invalid token") != NULL);
  CHECK(strstr(reading("[1, [2, -],%.*s 5]", fill).text, "invalid token") != NULL);
  CHECK(strstr(reading("[1, [2, 3 4],%.*s 5]", fill).text, "']' expected near '4'") != NULL);
  CHECK(strstr(reading("{\"a\": 1,%.*s\n\"b\": 2, \"a\": 3}", fill).text, "duplicate object key") != NULL);
  CHECK(strstr(reading("{\"a\": [1%.*s], \"b\": 2, \"a\": 3}", fill).text, "duplicate object key") != NULL);
}

static int stop_at(void *arg, uint64_t done) {
  uint64_t *limit = arg;
  return done > *limit ? -EINTR : 0;
}

static void stopped(void) {
  size_t size;
  state = 5;
  char *text = text_new(&size);
  uint64_t limit = size / 2;
  struct mm3_error error = {0};
  struct mm3j_between between = {stop_at, &limit};
  struct mm3j_stream *stream;
  struct mm3_value value;
  CHECK_OK(mm3j_stream_open(write_file("stop.json", text, size), &between, &stream, &error), error);
  CHECK_OK(mm3j_stream_read(stream, true, &value, &error), error);
  CHECK_EQ(drain(&value), -EINTR);
  CHECK_EQ(drain(&value), -EINTR); /* and stays so */
  mm3j_stream_close(stream);
  free(text);
}

/* What an item points to is good until the second following call: pairs are taken apart before they are used. */
static void held_items(void) {
  enum { LONG = 100000 };
  struct mm3_error error = {0};
  struct mm3j_stream *stream;
  struct mm3_value list, pair, key, first, second, none;
  void *cursor = NULL;
  char *text, *word = malloc(LONG + 1);
  size_t size, pairs = 0;
  memset(word, 'x', LONG);
  word[LONG] = 0;
  FILE *out = open_memstream(&text, &size);
  for (int i = 0; i < 12; i++) fprintf(out, "%s[\"%da%s\", \"%db%s\"]", i ? ", " : "[", i, word, i, word);
  fputs("]", out);
  fclose(out);
  CHECK_OK(mm3j_stream_open(write_file("pairs.json", text, size), NULL, &stream, &error), error);
  CHECK_OK(mm3j_stream_read(stream, false, &list, &error), error);
  for (; list.source->next(&list, &cursor, &key, &pair) > 0; pairs++) {
    void *inner = NULL;
    char a[16], b[16];
    CHECK_EQ(pair.source->next(&pair, &inner, &none, &first), 1);
    CHECK_EQ(pair.source->next(&pair, &inner, &none, &second), 1);
    CHECK_EQ(pair.source->next(&pair, &inner, &none, &none), 0);
    snprintf(a, sizeof a, "%zuax", pairs);
    snprintf(b, sizeof b, "%zubx", pairs);
    CHECK(strncmp(first.as.text, a, strlen(a)) == 0 && first.as.text[first.count - 1] == 'x');
    CHECK(strncmp(second.as.text, b, strlen(b)) == 0 && second.as.text[second.count - 1] == 'x');
  }
  CHECK_EQ(pairs, 12);
  mm3j_stream_close(stream);
  free(text);
  free(word);
}

static void absent_file(void) {
  struct mm3_error error = {0};
  struct mm3j_stream *stream;
  CHECK_EQ(mm3j_stream_open(mm3test_path("none.json"), NULL, &stream, &error), -ENOENT);
  CHECK(strstr(error.file, "none.json") != NULL);
  CHECK_EQ(mm3j_stream_open("/", NULL, &stream, &error), -EISDIR);
}

/* ---- lines ---- */

static int lines_of(const char *text, uint64_t *items, uint64_t *last, struct mm3_error *error) {
  struct mm3j_lines *lines;
  struct mm3j_batch batch;
  int fd = open(write_file("lines.json", text, strlen(text)), O_RDONLY), more;
  *items = *last = 0;
  CHECK_EQ(mm3j_lines_open(fd, &lines), 0);
  while ((more = mm3j_lines_next(lines, &batch, error)) > 0) {
    *items += batch.list.count;
    *last = batch.numbers[batch.list.count - 1];
  }
  if (more < 0) *last = mm3j_lines_number(lines);
  mm3j_lines_close(lines);
  close(fd);
  return more;
}

static void lines(void) {
  struct mm3_error error = {0};
  uint64_t items, last;
  CHECK_EQ(lines_of("", &items, &last, &error), 0);
  CHECK_EQ(items, 0);
  CHECK_EQ(lines_of("1\n\n  [2, \"]\"]\r\n{\"a\": 3}", &items, &last, &error), 0);
  CHECK_EQ(items, 3);
  CHECK_EQ(last, 4);
  static const char *const wrong[] = {"1\n2\n3,4\n5\n", "1\n2\n[3\n4]\n", "1\n2\n\"3\n", "1\n2\n3 4\n5\n", "1\n2\n]\n", "1\n2\n{\"a\": 1, \"a\": 2}\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CHECK_EQ(lines_of(wrong[i], &items, &last, &error), -MM3_E_VALUE);
    CHECK_EQ(items, 2); /* those before it come all the same */
    CHECK_EQ(last, 3);
  }
}

static void many_lines(void) {
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  struct mm3_error error = {0};
  uint64_t items, last;
  for (int i = 0; i < 100000; i++) fprintf(out, "[%d, \"%0*d\"]\n", i, i % 50 ? 3 : 200000 / (i + 1), i);
  fclose(out);
  CHECK_EQ(lines_of(text, &items, &last, &error), 0);
  CHECK_EQ(items, 100000);
  CHECK_EQ(last, 100000);
  free(text);
}

MM3_TEST_SUITE("long JSON", {"a long text gives the values that it gives when parsed whole", same_values},
               {"a long text with a mistake is refused exactly when jansson refuses it", same_refusals},
               {"mistakes are told with line and column", places}, {"a reading can be stopped, and stays so", stopped},
               {"items stay good while the next one is taken", held_items},
               {"a file that is not there is told", absent_file},
               {"lines that are not one value are found, after those before them", lines},
               {"many lines and long ones all come", many_lines})
