/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_diff.c: mm3 diff: two files by path, the schema first. */
#include "commands.h"
#include "diff.h"
#include <stdlib.h>
#include <string.h>

static bool member(const struct mm3_file *file, const char *name, struct mm3_member_info *info) {
  for (uint32_t i = 0; mm3_file_member(file, i, info) == 0; i++)
    if (strcmp(info->name, name) == 0) return true;
  return false;
}

/* A field whose type differs, or that only one file has. The values of a field that both have are compared anyway. */
static void compare_types(struct diff *d, const char *name, const char *a, const char *b) {
  struct tape tape;
  struct diff_side x = {a ? &tape : NULL, 0}, y = {b ? &tape : NULL, a ? 1 : 0};
  tape_init(&tape);
  int result = a ? tape.sink.text(&tape.sink, a, strlen(a)) : 0;
  if (!result && b) result = tape.sink.text(&tape.sink, b, strlen(b));
  if (result) d->result = mm3_error_set(&d->call->error, result, "%s", mm3_strerror(result));
  snprintf(d->path, sizeof d->path, d->call->json ? "%s" : "%s (type)", name);
  diff_differ(d, x, y);
  tape_free(&tape);
}

static void compare_field(struct diff *d, const char *name) {
  snprintf(d->path, sizeof d->path, "%s", name);
  diff_places(d);
}

static int diff_files(struct diff *d) {
  struct mm3_member_info a, b;
  bool json = d->call->json && !d->call->quiet;
  out_begin(d->call, &d->writer);
  if (json) {
    d->result = out_open(&d->writer, NULL, '{');
    if (!d->result) d->result = out_number(&d->writer, "version", 1);
    if (!d->result) d->result = out_open(&d->writer, "schema", '[');
  }
  for (uint32_t i = 0; mm3_file_member(d->files[0], i, &a) == 0; i++) {
    bool both = member(d->files[1], a.name, &b);
    if (!both || strcmp(a.text, b.text) != 0) compare_types(d, a.name, a.text, both ? b.text : NULL);
  }
  for (uint32_t i = 0; mm3_file_member(d->files[1], i, &b) == 0; i++)
    if (!member(d->files[0], b.name, &a)) compare_types(d, b.name, NULL, b.text);
  if (json && !d->result) d->result = out_close(&d->writer, ']');
  if (json && !d->result) d->result = out_open(&d->writer, "values", '[');
  for (uint32_t i = 0; !d->result && mm3_file_member(d->files[0], i, &a) == 0; i++)
    if (member(d->files[1], a.name, &b)) compare_field(d, a.name);
  if (json && !d->result) d->result = out_close(&d->writer, ']');
  if (json && !d->result) d->result = out_close(&d->writer, '}');
  if (d->result == DIFF_ENOUGH) d->result = 0;
  if (!json) d->writer.written = 0; /* its lines are ended already */
  int code = out_end(d->call, &d->writer, d->result);
  return code ? code : d->differences ? EXIT_NO : EXIT_DONE;
}

static const struct option_row options[] = {{'t', "tolerance", "X", "floats may differ by this part of the larger"},
                                            {0, NULL, NULL, NULL}};

static int diff_run(struct call *call) {
  static struct diff diff;
  const char *tolerance = call_option(call, "tolerance");
  diff = (struct diff){.call = call};
  if (tolerance) {
    char *end;
    diff.tolerance = strtod(tolerance, &end);
    if (*end || end == tolerance || !(diff.tolerance >= 0))
      return fail_usage(call, "option '--tolerance' wants a number such as 1e-9, not '%s'", tolerance);
  }
  for (int i = 0; i < 2; i++) {
    diff.files[i] = open_reading(call, call->argv[i]);
    if (!diff.files[i]) return i ? close_file(call, diff.files[0], fail(call)) : fail(call);
  }
  int code = diff_files(&diff);
  code = close_file(call, diff.files[0], code);
  return close_file(call, diff.files[1], code);
}

const struct command command_diff = {
    .name = "diff", .operands = "A B", .brief = "compare two files by path: exit 1 when they differ",
    .detail = "Types first, then values: path: value in A -> value in B. --quiet prints nothing, and ends at the first.\n"
              "In memory that does not grow with the files; of maps the keys of entries that differ are kept, to tell them\n"
              "in order.",
    .options = options, .least = 2, .most = 2, .run = diff_run};
