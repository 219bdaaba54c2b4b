/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every kind's values as JSON spells them: the lines of spelling.txt. */
#include "../tools/json_in.h"
#include "../tools/json_out.h"
#include "mm3test.h"

#include <dirent.h>
#include <jansson.h>
#include <mm3/field.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mm3_error error;

/* The field that lines of one type share. */
static struct mm3_file *file;
static char type[1024], structs[1024]; /* of the field; that were declared */
static unsigned files, lines[3];       /* lines: taken, refused, bytes */
static char kinds[64][64];             /* the first words of types */
static unsigned nkinds;

/* Of the line that is at work: its checks, remembered. */
static int held;
#define HELD(check) ((check) ? 1 : (held = 0))

/* ---- a field's value as text ---- */

static int keep(void *arg, const char *bytes, size_t count) {
  FILE *out = arg;
  return fwrite(bytes, 1, count, out) == count ? 0 : -1;
}

/* To be freed. */
static char *shown_new(void) {
  char *text = NULL, buffer[256];
  size_t size;
  FILE *out = open_memstream(&text, &size);
  struct mm3_field field;
  struct mm3j_writer writer;
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, keep, out);
  if (HELD(CHECK_OK(mm3_field_find(file, "f", &field, &error), error)))
    HELD(CHECK_OK(mm3_field_visit(&field, &writer.sink, &error), error));
  HELD(CHECK_EQ(mm3j_writer_flush(&writer), 0));
  fclose(out);
  return text;
}

static int put(const char *json) {
  struct mm3_field field;
  struct mm3j_doc *doc;
  int result = mm3j_parse(json, strlen(json), &doc, &error);
  if (result < 0) return result;
  result = mm3_field_find(file, "f", &field, &error);
  if (result == 0) result = mm3_field_put(&field, mm3j_value(doc), &error);
  mm3j_free(doc);
  return result;
}

/* Pairs in any order: each of a's is one of b's, which has as many. */
static int same_pairs(const json_t *a, const json_t *b) {
  size_t i, k;
  json_t *x, *y;
  if (json_array_size(a) != json_array_size(b)) return 0;
  json_array_foreach(a, i, x) {
    int found = 0;
    json_array_foreach(b, k, y) found += json_equal(x, y);
    if (found != 1) return 0;
  }
  return 1;
}

/* The same text; of a map, the same entries. */
static int same(const char *a, const char *b) {
  if (strncmp(type, "hashmap(", 8) != 0) return strcmp(a, b) == 0;
  json_t *x = json_loads(a, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
  json_t *y = json_loads(b, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
  int equal = strlen(a) == strlen(b) && x && y && (json_is_array(x) ? same_pairs(x, y) : json_equal(x, y));
  json_decref(x);
  json_decref(y);
  return equal;
}

/* ---- lines ---- */

/* Nothing was written beside the field. */
static void done(void) {
  static const unsigned char zeros[64];
  static const char *const beside[] = {"before", "after"};
  struct mm3_field field;
  for (unsigned i = 0; file && i < 2; i++)
    if (CHECK_OK(mm3_field_find(file, beside[i], &field, &error), error)) CHECK_MEM(field.bytes, zeros, 64);
  CHECK_EQ(mm3_close(file), 0);
  file = NULL;
}

static void fresh(const char *of) {
  char schema[sizeof structs + sizeof type + 64], name[32];
  if (file && strcmp(type, of) == 0) return;
  done();
  snprintf(type, sizeof type, "%s", of);
  snprintf(schema, sizeof schema, "%s struct root { before: raw(64) f: %s after: raw(64) }", structs, of);
  snprintf(name, sizeof name, "%u.mm3", files++);
  file = mm3_create_schema(mm3test_path(name), schema, NULL, &error);
  if (!HELD(CHECK(file != NULL))) fprintf(stderr, "%s\n", error.text);
}

static void shows(const char *wanted) {
  char *text = shown_new();
  if (!HELD(CHECK(same(text, wanted)))) fprintf(stderr, "  wanted %s\n  found  %s\n", wanted, text);
  free(text);
}

static void takes(const char *json, const char *wanted) {
  lines[0]++;
  for (int again = 0; again < 2; again++, json = wanted) {
    if (HELD(CHECK_OK(put(json), error))) shows(wanted);
  }
  HELD(CHECK_EQ(mm3_check(file, NULL, NULL), 0));
}

static void refuses(const char *json, const char *words) {
  char *before = shown_new();
  lines[1]++;
  HELD(CHECK(put(json) < 0));
  HELD(CHECK_HAS(error.text, words));
  shows(before);
  free(before);
}

static void reads(const char *hex, const char *wanted) {
  struct mm3_field field;
  lines[2]++;
  if (!HELD(CHECK_OK(mm3_field_find(file, "f", &field, &error), error))) return;
  unsigned char *bytes = field.bytes, *end = bytes + field.size;
  memset(bytes, 0, field.size);
  for (unsigned byte; bytes < end && sscanf(hex, "%2x", &byte) == 1; *bytes++ = (unsigned char)byte) {
    hex += strspn(hex, " ") + 2;
  }
  HELD(CHECK_EQ(hex[strspn(hex, " ")], 0));
  shows(wanted);
}

/* "TYPE = JSON -> JSON" is cut in three. */
static int cut(char *line, char **middle, char **wanted, int *bytes) {
  char *at = strstr(line, " = "), *arrow = strstr(line, " -> ");
  *bytes = !at || at > arrow;
  if (*bytes) at = strstr(line, " @ ");
  if (!at || !arrow || at > arrow) return 0;
  *at = *arrow = 0;
  *middle = at + 3;
  *wanted = arrow + 4;
  return 1;
}

static void note_kind(const char *of) {
  char block[80];
  snprintf(block, sizeof block, "struct %.64s {", of);
  if (strstr(structs, block)) of = "struct";
  size_t length = strcspn(of, "( ");
  for (unsigned i = 0; i < nkinds; i++)
    if (strlen(kinds[i]) == length && strncmp(kinds[i], of, length) == 0) return;
  if (CHECK(nkinds < 64 && length < sizeof kinds[0])) memcpy(kinds[nkinds++], of, length);
}

static void one_line(char *line) {
  char *middle = NULL, *wanted = NULL;
  int bytes;
  if (strncmp(line, "struct ", 7) == 0) {
    size_t length = strlen(structs);
    HELD(CHECK((size_t)snprintf(structs + length, sizeof structs - length, "%s ", line) < sizeof structs - length));
    return;
  }
  if (!HELD(CHECK(cut(line, &middle, &wanted, &bytes)))) return;
  note_kind(line);
  fresh(line);
  if (!file) return;
  if (bytes)
    reads(middle, wanted);
  else if (strncmp(wanted, "! ", 2) == 0)
    refuses(middle, wanted + 2);
  else
    takes(middle, wanted);
}

static void every_line_holds(void) {
  char path[600], line[1024];
  unsigned number = 0;
  snprintf(path, sizeof path, "%s/tests/spelling.txt", getenv("MM3_SRC"));
  FILE *list = fopen(path, "r");
  if (!CHECK(list != NULL)) return;
  while (fgets(line, sizeof line, list)) {
    number++;
    line[strcspn(line, "\n")] = 0;
    if (!*line || *line == '#') continue;
    held = 1;
    one_line(line);
    if (!held) fprintf(stderr, "  spelling.txt, line %u\n", number);
  }
  fclose(list);
  done();
  printf("spelling: %u values, %u refusals, %u from bytes, %u types\n", lines[0], lines[1], lines[2], files);
  CHECK(lines[0] > 0 && lines[1] > 0 && lines[2] > 0);
}

/* Every module that was built, and what the core has itself. */
static void every_kind_has_lines(void) {
  const char *folder = getenv("MM3_MODULE_PATH");
  DIR *list = folder ? opendir(folder) : NULL;
  if (!CHECK(list != NULL)) return;
  for (struct dirent *entry; (entry = readdir(list));) {
    char name[64];
    if (sscanf(entry->d_name, "mm3-%60[a-z_]", name) != 1 || strstr(entry->d_name, ".so") == NULL) continue;
    mm3_kind_find(name, 1, NULL);
  }
  closedir(list);
  for (const struct mm3_kind *kind = NULL; (kind = mm3_kind_next(kind, NULL, NULL));) {
    unsigned i = 0;
    while (i < nkinds && strcmp(kinds[i], kind->name) != 0) i++;
    if (!CHECK(i < nkinds)) fprintf(stderr, "  spelling.txt has no line of kind %s\n", kind->name);
  }
}

MM3_TEST_SUITE("spelling", {"every line of the table holds", every_line_holds},
               {"every kind has lines", every_kind_has_lines})
