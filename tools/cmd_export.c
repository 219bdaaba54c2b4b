/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_export.c: mm3 export, mm3 import: whole files and parts of them as JSON. */
#include "commands.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row export_options[] = {{'l', "lines", NULL, "JSON lines: an item of PATH a line"},
                                                   {'i', "indent", NULL, "indented, for people and for diff"},
                                                   {0, "careful", NULL, "read a damaged file too, as far as it makes sense"},
                                                   {0, NULL, NULL, NULL}};

static int export_run(struct call *call) {
  struct mm3_options careful = {.size = sizeof careful, .flags = MM3_CAREFUL};
  struct mm3_file *file = call_option(call, "careful") ? mm3_open(call->argv[0], NULL, &careful, &call->error)
                                                       : open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  struct mm3j_writer writer;
  struct mm3_field field;
  enum mm3j_style style = call_option(call, "lines") ? MM3J_LINES : MM3J_JSON;
  mm3j_writer_init(&writer, style, call->buffer, sizeof call->buffer, mm3j_emit_file, stdout);
  if (style == MM3J_JSON && call_option(call, "indent")) writer.indent = 2;
  int result = find_field(call, file, call->argc > 1 ? call->argv[1] : NULL, &field);
  if (!result) result = mm3_field_visit(&field, &writer.sink, &call->error);
  return close_file(call, file, out_end(call, &writer, result));
}

static const struct option_row import_options[] = {
    {'c', "create", "SCHEMA", "make the file first (a file, - is not possible)"},
    {'e', "expression", "TEXT", "make the file first, from the schema TEXT"},
    {'p', "path", "PATH", "import into this field only"},
    {'l', "lines", "PATH", "JSON lines: each line is appended to this field, or is its {key: value}"},
    {0, NULL, NULL, NULL}};

/* Opens the file, or makes it when a schema was given; *made then, so that a failed import leaves nothing behind. */
static struct mm3_file *import_open(struct call *call, bool *made) {
  const char *schema = call_option(call, "create"), *text = call_option(call, "expression"), *path = call->argv[0];
  char *whole = NULL;
  size_t size;
  *made = schema || text;
  if (!*made) return open_writing(call, path);
  if (!text && read_whole(call, schema, &whole, &size)) return NULL;
  struct mm3_file *file = mm3_create_schema(path, text ? text : whole, NULL, &call->error);
  free(whole);
  return file;
}

/* ---- a line at a time: memory stays flat ------------------------------------------------------------------------- */

/* {key: value}: each pair on its own. */
static int line_pairs(struct call *call, struct mm3_file *file, const char *path, const struct mm3_value *pairs) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int result = 0;
  while (!result && pairs->source->next(pairs, &cursor, &key, &item)) {
    char buffer[512];
    struct mm3j_memory inner = {0};
    struct mm3j_writer writer;
    struct mm3_field field;
    mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, mm3j_emit_memory, &inner);
    result = mm3j_write(&writer, path, strlen(path));
    if (!result) result = mm3j_write(&writer, "[", 1);
    if (!result) result = writer.sink.text(&writer.sink, key.as.text, key.count);
    if (!result) result = mm3j_write(&writer, "]", 1);
    if (!result) result = mm3j_writer_flush(&writer);
    if (!result) result = mm3_field_find(file, inner.text, &field, &call->error);
    if (result == -MM3_E_ABSENT && field.container.type) result = 0; /* put makes it */
    if (!result) result = mm3_field_put(&field, &item, &call->error);
    free(inner.text);
  }
  return result;
}

static int line_in(struct call *call, struct mm3_file *file, const char *path, struct mm3_field *field, bool pairs,
                   const char *text, size_t count) {
  struct mm3j_doc *doc;
  int result = mm3j_parse(text, count, &doc, &call->error);
  if (result) return result;
  const struct mm3_value *value = mm3j_value(doc);
  if (!pairs) result = mm3_field_push(field, value, &call->error);
  else if (value->is == MM3_MAP) result = line_pairs(call, file, path, value);
  else result = mm3_error_set(&call->error, -MM3_E_VALUE, "wanted {key: value}, found %s", mm3_value_name(value));
  mm3j_free(doc);
  return result;
}

static int lines_in(struct call *call, struct mm3_file *file, const char *path, FILE *in) {
  struct mm3_field field;
  char *line = NULL;
  size_t size = 0;
  ssize_t count;
  uint64_t number = 0;
  int result = find_field(call, file, path, &field);
  bool pairs = !result && field.type && !field.type->kind->push;
  while (!result && (count = getline(&line, &size, in)) >= 0) {
    number++;
    while (count && strchr("\r\n\t ", line[count - 1])) count--;
    if (count) result = line_in(call, file, path, &field, pairs, line, (size_t)count);
  }
  free(line);
  if (!result && ferror(in)) return mm3_error_set(&call->error, -EIO, "reading the lines failed");
  if (!result || !number) return result;
  char text[sizeof call->error.text];
  snprintf(text, sizeof text, "line %llu: %.900s", (unsigned long long)number, call->error.text);
  memcpy(call->error.text, text, sizeof text);
  return result;
}

static int import_lines(struct call *call, const char *path) {
  const char *from = call->argc > 1 ? call->argv[1] : "-";
  bool made = false, standard = strcmp(from, "-") == 0;
  if (call_option(call, "path")) return fail_usage(call, "--lines names the field, --path is one too many");
  FILE *in = standard ? stdin : fopen(from, "re");
  if (!in) return fail_code(call, -errno, from, "%s", strerror(errno));
  struct mm3_file *file = import_open(call, &made);
  int code = !file || lines_in(call, file, path, in) ? fail(call) : EXIT_DONE;
  if (!standard) fclose(in);
  if (file) code = close_file(call, file, code);
  if (file && made && code) remove(call->argv[0]);
  return code;
}

static int import_run(struct call *call) {
  if (call_option(call, "lines")) return import_lines(call, call_option(call, "lines"));
  const char *from = call->argc > 1 ? call->argv[1] : "-", *path = call_option(call, "path");
  struct mm3j_doc *doc = NULL;
  struct mm3_field field;
  char *text;
  size_t size;
  bool made = false;
  int result = read_whole(call, from, &text, &size);
  if (result) return fail(call);
  result = mm3j_parse(text, size, &doc, &call->error);
  free(text);
  if (result) {
    snprintf(call->error.file, sizeof call->error.file, "%s", strcmp(from, "-") == 0 ? "standard input" : from);
    return fail(call);
  }
  struct mm3_file *file = import_open(call, &made);
  if (file) result = find_field(call, file, path, &field);
  if (file && !result) result = mm3_field_put(&field, mm3j_value(doc), &call->error);
  int code = !file || result ? fail(call) : EXIT_DONE;
  mm3j_free(doc);
  if (file) code = close_file(call, file, code);
  if (file && made && code) remove(call->argv[0]);
  return code;
}

const struct command command_export = {.name = "export", .operands = "FILE [PATH]", .brief = "write values as JSON",
                                       .options = export_options, .least = 1, .most = 2, .run = export_run};

const struct command command_import = {
    .name = "import", .operands = "FILE [JSON]", .brief = "read values from JSON",
    .detail = "JSON is a file, or standard input. An object may hold any subset of the fields. All or nothing: with an\n"
              "error the file stays as it was, and one that --create made is removed.",
    .options = import_options, .least = 1, .most = 2, .run = import_run};
