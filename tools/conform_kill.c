/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform_kill.c: the operations that a module lists, killed at every store by the harness of tests/kill. */
#include "conform.h"
#include "../tests/kill/kill.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The operation that is looked at now, and what it makes of its value. */
static struct {
  const struct mm3_test_op *op;
  char *before, *after;
} now;

static struct mm3_file *open_value(const char *path, struct mm3_field *field, struct mm3_error *error) {
  struct mm3_file *file = mm3_open(path, NULL, NULL, error);
  if (file && mm3_field_find(file, "value", field, error) < 0) {
    mm3_close(file);
    return NULL;
  }
  return file;
}

static int visit_field(void *arg, struct mm3_sink *sink) { return mm3_field_visit(arg, sink, NULL); }

/* A file with the value before. 0, or -1 with a sentence. */
static int make(const char *path, struct mm3_error *error) {
  char schema[5000];
  struct mm3_field field;
  struct mm3j_doc *doc = NULL;
  snprintf(schema, sizeof schema, "struct conform { value: %s }", now.op->type);
  struct mm3_file *file = mm3_create_schema(path, schema, NULL, error);
  if (!file) return -1;
  int result = mm3_field_find(file, "value", &field, error);
  if (result == 0 && now.op->before) {
    result = mm3j_parse(now.op->before, strlen(now.op->before), &doc, error);
    if (result == 0) result = mm3_field_put(&field, mm3j_value(doc), error);
    if (doc) mm3j_free(doc);
  }
  mm3_close(file);
  return result < 0 ? -1 : 0;
}

static int setup(struct kill_case *k) {
  struct mm3_error error = {0};
  return make(k->path, &error) == 0 ? 0 : kill_says(k, "%.400s", error.text);
}

static int run_on(const char *path, struct mm3_error *error) {
  struct mm3_field field;
  struct mm3_file *file = open_value(path, &field, error);
  if (!file) return -1;
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE, .file = file, .error = error,
                        .field = field.number};
  kill_begin();
  int result = now.op->run(field.type, field.bytes, &ctx);
  kill_end();
  mm3_close(file);
  return result < 0 ? -1 : 0;
}

static int run(struct kill_case *k) {
  struct mm3_error error = {0};
  return run_on(k->path, &error);
}

static int model(struct kill_case *k, struct mm3_file *file) {
  struct mm3_field field;
  char *text = NULL;
  int may = 0;
  if (mm3_field_find(file, "value", &field, NULL) == 0 && conform_sink(&text, visit_field, &field) >= 0)
    may = now.op->model ? now.op->model(now.before, now.after, text)
                        : conform_same_text(text, now.before) || conform_same_text(text, now.after);
  int result = may ? 0 : kill_says(k, "killed on the way from %.120s to %.120s it shows %.120s", now.before, now.after,
                                   text ? text : "nothing");
  free(text);
  return result;
}

/* The value in the file, as text. */
static char *text_in(const char *path, struct mm3_error *error) {
  struct mm3_field field;
  char *text = NULL;
  struct mm3_file *file = open_value(path, &field, error);
  if (file && conform_sink(&text, visit_field, &field) < 0) text = NULL;
  mm3_close(file);
  return text;
}

/* What the operation does when nobody dies; in a process of its own, in case somebody does. */
static int rehearse(struct conform *c) {
  struct mm3_error error = {0};
  int status = 0;
  unlink(c->path);
  if (make(c->path, &error) < 0)
    return conform_finds(c, "operation '%s': no value to begin with: %s", now.op->name, error.text), -1;
  now.before = text_in(c->path, &error);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) _exit(run_on(c->path, &error) == 0 ? 0 : 1);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  now.after = text_in(c->path, &error);
  unlink(c->path);
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return conform_finds(c, "operation '%s' fails when nobody kills it (%#x)", now.op->name, (unsigned)status), -1;
  return now.before && now.after ? 0 : -1;
}

void conform_kills(struct conform *c, const struct mm3_kind *kind) {
  for (const struct mm3_test_op *op = kind->test_ops; op && op->name; op++) {
    const struct kill_op kill = {op->name, setup, run, model, 0};
    struct kill_result result;
    now.op = op;
    c->type = NULL;
    if (!op->type || !op->run) conform_finds(c, "operation '%s' needs a type and a function", op->name);
    else if (rehearse(c) == 0) {
      if (kill_run(&kill, c->folder, &result) < 0)
        conform_finds(c, "operation '%s': %s", op->name, result.says);
      else if (result.violations)
        conform_finds(c, "operation '%s' leaves %llu states that must not be: %s", op->name,
                      (unsigned long long)result.violations, result.says);
      else if (result.points < 2)
        conform_finds(c, "operation '%s' stores nothing into the file", op->name);
    }
    free(now.before);
    free(now.after);
    now.before = now.after = NULL;
  }
}
