/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_migrate.c: mm3 migrate: a file's values in a file of another schema, which takes its place. */
#include "commands.h"
#include "migrate.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option_row options[] = {
    {'n', "plan", NULL, "say what would become of each field, change nothing"},
    {0, "drop", NULL, "go on where something is lost: with as much of it as fits"},
    {'e', "expression", "TEXT", "the schema is TEXT itself"},
    {0, "exclusive", NULL, "only while nobody else has it open for writing (else exit 6)"},
    {0, NULL, NULL, NULL}};

static const char *const action_names[] = {"kept", "changed", "new", "dropped", "lost"};

static void print_row(const struct call *call, const struct migrate_row *row) {
  bool arrow = row->from[0] && row->to[0] && strcmp(row->from, row->to) != 0;
  if (call->plain) {
    printf("%s\t%s\t%s\t%s\t%s\n", action_names[row->action], row->path, row->from, row->to, row->note);
    return;
  }
  if (row->action == MIGRATE_KEPT && !call->verbose) return;
  printf("%s: %s: %s%s%s", action_names[row->action], row->path, row->from[0] ? row->from : row->to, arrow ? " -> " : "",
         arrow ? row->to : "");
  if (row->note[0]) fputs(": ", stdout), print_safe(stdout, row->note);
  putchar('\n');
}

static int print_rows(struct call *call, const struct migrate *m) {
  struct mm3j_writer w;
  for (size_t i = 0; i < m->count && !call->json && !(call->quiet && !call->plain); i++) print_row(call, &m->rows[i]);
  if (!call->json) return EXIT_DONE;
  out_begin(call, &w);
  int result = out_open(&w, NULL, '[');
  for (size_t i = 0; i < m->count && !result; i++) {
    const struct migrate_row *row = &m->rows[i];
    result = out_open(&w, NULL, '{');
    if (!result) result = out_text(&w, "action", action_names[row->action]);
    if (!result) result = out_text(&w, "field", row->path);
    if (!result) result = out_text(&w, "from", row->from[0] ? row->from : NULL);
    if (!result) result = out_text(&w, "to", row->to[0] ? row->to : NULL);
    if (!result) result = out_text(&w, "text", row->note[0] ? row->note : NULL);
    if (!result) result = out_close(&w, '}');
  }
  return out_end(call, &w, result ? result : out_close(&w, ']'));
}

static void take_finding(void *arg, const struct mm3_error *finding) { *(struct mm3_error *)arg = *finding; }

static void sync_folder(const char *path) {
  char copy[4096];
  snprintf(copy, sizeof copy, "%s", path);
  int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) fsync(folder), close(folder);
}

/* Checked and on the disk before it has the name. */
static int publish(struct call *call, struct mm3_file *made, const char *path) {
  int result = mm3_check(made, take_finding, &call->error);
  if (result > 0) return fail(call);
  if (result == 0) result = mm3_sync(made);
  if (result < 0) return fail_code(call, result, path, "the new file: %s", mm3_strerror(result));
  if (mm3_file_replace(made, path, &call->error)) return fail(call);
  sync_folder(path);
  return EXIT_DONE;
}

static int judge(struct call *call, struct migrate *m, const char *path) {
  bool plan = call_option(call, "plan") != NULL;
  struct stat old;
  progress_begin(&m->progress, call, "migrate", stat(path, &old) == 0 ? (uint64_t)old.st_size : 0, false);
  int result = migrate_values(m, &call->error);
  progress_end(&m->progress);
  if (result) return fail(call);
  int code = print_rows(call, m);
  if (code) return code;
  if (m->lost && !m->drop) {
    fail_code(call, -MM3_E_VALUE, path, "%llu field%s cannot be carried over without loss; --drop goes on without%s",
              (unsigned long long)m->lost, m->lost == 1 ? "" : "s", plan ? "" : "; nothing was changed");
    return plan ? EXIT_NO : EXIT_USAGE;
  }
  return plan ? EXIT_DONE : publish(call, m->to, path);
}

/* The new file lies beside the old one until it takes its name; with --plan it is only tried. */
static int migrate_to(struct call *call, struct mm3_file *from, const char *path, const char *schema) {
  struct migrate m = {.from = from, .drop = call_option(call, "drop") != NULL};
  struct mm3_options to = {.size = sizeof to};
  char temporary[4096];
  struct stat stat_now;
  if (snprintf(temporary, sizeof temporary, "%s.mm3-migrate-%d", path, (int)getpid()) >= (int)sizeof temporary)
    return fail_code(call, -ENAMETOOLONG, path, "%s", strerror(ENAMETOOLONG));
  if (stat(path, &stat_now) != 0) return fail_code(call, -errno, path, "%s", strerror(errno));
  to.mode = 0600; /* its own bits come when it is complete */
  m.to = mm3_create_schema(temporary, schema, &to, &call->error);
  if (!m.to) {
    size_t prefix = strncmp(call->error.text, temporary, strlen(temporary)) == 0 ? strlen(temporary) + 2 : 0;
    memmove(call->error.text, call->error.text + prefix, strlen(call->error.text) + 1 - prefix);
    snprintf(call->error.file, sizeof call->error.file, "%s", call->argc > 1 ? call->argv[1] : "the schema");
    return fail(call);
  }
  if (chown(temporary, stat_now.st_uid, stat_now.st_gid) != 0) say(call, "%s: its owner cannot be kept", path);
  int code = chmod(temporary, stat_now.st_mode & 0777) == 0 ? judge(call, &m, path)
                                                            : fail_code(call, -errno, temporary, "%s", strerror(errno));
  if (code || call_option(call, "plan")) unlink(temporary);
  free(m.rows);
  return close_file(call, m.to, code);
}

static struct mm3_file *open_old(struct call *call, const char *path) {
  static struct mm3_file_info info = {.size = sizeof info};
  struct mm3_options exclusive = {.size = sizeof exclusive, .flags = MM3_EXCLUSIVE};
  struct mm3_file *file = call_option(call, "plan")        ? open_reading(call, path)
                          : call_option(call, "exclusive") ? mm3_open(path, NULL, &exclusive, &call->error)
                                                           : open_writing(call, path);
  if (!file || mm3_file_describe(file, &info) || !info.missing_modules) return file;
  mm3_error_set(&call->error, -MM3_E_MODULE, "%s: a module is missing; mm3 info -v says which", path);
  mm3_close(file);
  return NULL;
}

static int migrate_run(struct call *call) {
  const char *text = call_option(call, "expression"), *path = call->argv[0];
  char *whole = NULL;
  size_t size;
  if (!text == (call->argc < 2))
    return fail_usage(call, text ? "-e gives the schema, so '%s' is one argument too many"
                                 : "which schema? mm3 migrate %s SCHEMA, or -e 'struct ...'", call->argv[text ? 1 : 0]);
  if (!text && read_whole(call, call->argv[1], &whole, &size)) return fail(call);
  struct mm3_file *file = whole && strlen(whole) != size
                              ? mm3_error_set(&call->error, -MM3_E_SCHEMA, "not a schema: there is a zero byte in it"), NULL
                              : open_old(call, path);
  int code = file ? EXIT_DONE : fail(call);
  bool locks = file && !call_option(call, "plan");
  int result = locks ? mm3_lock(file) : 0;
  if (result < 0) code = fail_code(call, result, path, "the lock: %s", mm3_strerror(result));
  else if (file) code = migrate_to(call, file, path, text ? text : whole);
  if (file && mm3_locked(file)) mm3_unlock(file); /* who waits for changes wakes, and sees that there will be none */
  free(whole);
  return file ? close_file(call, file, code) : code;
}

const struct command command_migrate = {
    .name = "migrate", .operands = "FILE SCHEMA | FILE -e TEXT", .brief = "give a file another schema, its values kept",
    .detail = "Fields of the same name are carried over: wider integers, longer strings, more room, structs in structs.\n"
              "What is new is empty. What would be lost, dropped fields too, is refused (exit 2) unless --drop says so;\n"
              "--plan tells all of it (exit 1 when something is lost). The new file is checked, then takes the name at\n"
              "once; programs that have the old one open are told that it is superseded and should open the name again.\n"
              "Stores to plain fields while it runs may stay behind in the old file: --exclusive rules that out.",
    .options = options, .least = 1, .most = 2, .run = migrate_run};
