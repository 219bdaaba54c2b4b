/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_set.c: mm3 set, push, add, del: one handle for all values of a call. */
#include "commands.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The value's own message (JSON, line 1 ...) knows neither file nor field. */
static int fail_at(struct call *call, struct mm3_file *file, const char *path) {
  struct mm3_error *error = &call->error;
  if (!error->file[0]) snprintf(error->file, sizeof error->file, "%s", mm3_file_path(file));
  if (!error->field[0]) snprintf(error->field, sizeof error->field, "%s", path);
  return fail(call);
}

static int use_text(struct call *call, struct mm3_field *field, const char *text, size_t count, value_use *use) {
  struct given_value given;
  int result = value_parse(call, text, count, &given);
  if (!result) result = value_apply(call, field, &given, use);
  value_free(&given);
  return result;
}

static int set_one(struct call *call, struct mm3_file *file, const char *path, const char *text) {
  struct mm3_field field;
  char *whole = NULL;
  size_t count = strlen(text);
  int result = find_field(call, file, path, &field);
  if (result == -MM3_E_ABSENT && field.container.type && field.container.type->kind->put_at)
    result = 0; /* put makes it, or says why not */
  if (!result && strcmp(text, "-") == 0) {
    result = read_whole(call, "-", &whole, &count);
    while (!result && count && (whole[count - 1] == '\n' || whole[count - 1] == '\r')) count--;
    if (!result) whole[count] = 0;
  }
  if (!result) result = use_text(call, &field, whole ? whole : text, count, mm3_field_put);
  free(whole);
  return result ? fail_at(call, file, path) : EXIT_DONE;
}

static int set_run(struct call *call) {
  if (call->argc % 2 == 0) return fail_usage(call, "no value for '%s'", call->argv[call->argc - 1]);
  struct mm3_file *file = open_writing(call, call->argv[0]);
  if (!file) return fail(call);
  int code = EXIT_DONE;
  for (int i = 1; i < call->argc && !code; i += 2) code = set_one(call, file, call->argv[i], call->argv[i + 1]);
  return close_file(call, file, code);
}

/* One value a line, JSON or a bare text; the line's number in messages. */
static int push_lines(struct call *call, struct mm3_field *field) {
  char *line = NULL;
  size_t size = 0;
  uint64_t number = 0;
  ssize_t count;
  int result = 0;
  errno = 0;
  while (!result && (count = getline(&line, &size, stdin)) >= 0) {
    number++;
    while (count && (line[count - 1] == '\n' || line[count - 1] == '\r')) line[--count] = 0;
    result = use_text(call, field, line, (size_t)count, mm3_field_push);
  }
  if (!result && ferror(stdin)) result = mm3_error_set(&call->error, errno ? -errno : -EIO, "reading standard input failed");
  else if (result) {
    char text[sizeof call->error.text];
    snprintf(text, sizeof text, "line %llu of the input: %.900s", (unsigned long long)number, call->error.text);
    memcpy(call->error.text, text, sizeof text);
  }
  free(line);
  return result;
}

static int push_run(struct call *call) {
  struct mm3_field field;
  const char *path = call->argv[1];
  struct mm3_file *file = open_writing(call, call->argv[0]);
  if (!file) return fail(call);
  int result = find_field(call, file, path, &field);
  int done = 0;
  for (; done + 2 < call->argc && !result; done += !result) {
    const char *text = call->argv[done + 2];
    result = strcmp(text, "-") == 0 ? push_lines(call, &field) : use_text(call, &field, text, strlen(text), mm3_field_push);
  }
  if (result && done) {
    char before[64];
    snprintf(before, sizeof before, "the %s before it %s pushed", done > 1 ? "values" : "value", done > 1 ? "were" : "was");
    hint(call, result, before);
  }
  return close_file(call, file, result ? fail_at(call, file, path) : EXIT_DONE);
}

static char sum[48]; /* of the last add */

static int add_to(struct mm3_field *field, const struct mm3_value *value, struct mm3_error *error) {
  return mm3_field_add(field, value, sum, error);
}

static void print_sum(const struct call *call) {
  errno = 0;
  strtoll(sum, NULL, 10);
  bool wide = errno == ERANGE;
  printf(call->json && wide ? "\"%s\"\n" : "%s\n", sum);
}

static int add_run(struct call *call) {
  struct mm3_field field;
  const char *path = call->argv[1], *amount = call->argc > 2 ? call->argv[2] : "1";
  struct mm3_file *file = open_writing(call, call->argv[0]);
  if (!file) return fail(call);
  int result = find_field(call, file, path, &field);
  if (!result) result = use_text(call, &field, amount, strlen(amount), add_to);
  if (!result && (call->json || call->plain || call->verbose || call_option(call, "print"))) print_sum(call);
  return close_file(call, file, result ? fail_at(call, file, path) : EXIT_DONE);
}

static int del_run(struct call *call) {
  struct mm3_file *file = open_writing(call, call->argv[0]);
  if (!file) return fail(call);
  int code = EXIT_DONE;
  for (int i = 1; i < call->argc && !code; i++) {
    struct mm3_field field;
    int result = find_field(call, file, call->argv[i], &field);
    if (!result) result = mm3_field_erase(&field, &call->error);
    if (result) code = fail_at(call, file, call->argv[i]);
  }
  return close_file(call, file, code);
}

static const struct option_row add_options[] = {{'p', "print", NULL, "print the new value"}, {0, NULL, NULL, NULL}};

const struct command command_set = {
    .name = "set", .operands = "FILE PATH VALUE [PATH VALUE]...", .brief = "store values",
    .detail = "VALUE is JSON, or a bare word where the field takes a text; - reads it from standard input.\n"
              "Each value is stored whole or, with exit 2 and the reason, not at all.",
    .least = 3, .most = -1, .run = set_run};

const struct command command_push = {
    .name = "push", .operands = "FILE PATH VALUE...", .brief = "append items to a list or log",
    .detail = "VALUE - reads values from standard input, one a line.", .least = 3, .most = -1, .run = push_run};

const struct command command_add = {
    .name = "add", .operands = "FILE PATH [N]", .brief = "add to an integer (1, or N, which may be negative)",
    .detail = "Atomics atomically, all others under the file's lock: plain integers, values of map entries, numbers in\n"
              "JSON. An entry that is not there begins at 0. No wrap: exit 2 and nothing changes.",
    .options = add_options, .least = 2, .most = 3, .run = add_run};

const struct command command_del = {.name = "del", .operands = "FILE PATH...", .brief = "remove items or entries",
                                    .least = 2, .most = -1, .run = del_run};
