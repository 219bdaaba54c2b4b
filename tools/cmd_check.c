/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_check.c: mm3 check: every field and the file's own structures; with --repair, what can be done about them. */
#include "commands.h"
#include <mm3/repair.h>

static const struct option_row check_options[] = {
    {'n', "plan", NULL, "say what a repair would do, change nothing"},
    {'r', "repair", NULL, "do it, after a copy beside the file; nobody else may write it meanwhile"},
    {0, "reset", NULL, "a repair empties damaged fields too: their values are lost"},
    {0, "no-backup", NULL, "no copy before a repair"},
    {0, NULL, NULL, NULL}};

struct findings {
  struct mm3j_writer *writer; /* with --json */
  int result;
};

static void print_finding(const char *field, const char *text) {
  printf("%s%s%s", field[0] ? "field '" : "", field, field[0] ? "': " : "");
  print_safe(stdout, text);
  putchar('\n');
}

static void found(void *arg, const struct mm3_error *finding) {
  struct findings *all = arg;
  struct mm3j_writer *w = all->writer;
  if (!w) {
    print_finding(finding->field, finding->text);
    return;
  }
  int result = all->result;
  if (!result) result = out_open(w, NULL, '{');
  if (!result) result = out_text(w, "field", finding->field[0] ? finding->field : NULL);
  if (!result) result = out_text(w, "code", mm3_error_name(finding->code));
  if (!result) result = out_text(w, "text", finding->text);
  if (!result) result = out_close(w, '}');
  all->result = result;
}

/* A file that is refused as damaged is looked at as far as it makes sense, but stays refused. */
static struct mm3_file *open_damaged(struct call *call, const char *path) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_CAREFUL};
  struct mm3_error ignored;
  if (call->error.code != -MM3_E_DAMAGED) return NULL;
  struct mm3_file *file = mm3_open(path, NULL, &options, &ignored);
  if (file) say(call, "%s: opened in spite of that; mm3 export --careful saves what can be read", path);
  return file;
}

static int check_only(struct call *call) {
  struct mm3_file *file = open_reading(call, call->argv[0]);
  int refused = file ? 0 : fail(call);
  if (!file && !(file = open_damaged(call, call->argv[0]))) return refused;
  struct mm3j_writer writer;
  struct findings all = {call->json ? &writer : NULL, 0};
  if (call->json) {
    out_begin(call, &writer);
    all.result = out_open(&writer, NULL, '[');
  }
  int result = mm3_check(file, found, &all), code;
  if (result < 0) code = fail_code(call, result, call->argv[0], "the check could not run: %s", mm3_strerror(result));
  else if (call->json) code = out_end(call, &writer, all.result ? all.result : out_close(&writer, ']'));
  else code = EXIT_DONE;
  if (!code && !result && !call->json && !call->quiet) printf("%s: no damage found\n", call->argv[0]);
  return close_file(call, file, code ? code : refused ? refused : result > 0 ? EXIT_NO : EXIT_DONE);
}

/* ---- repair ------------------------------------------------------------------------------------------------------- */

static const char *stage_name(const struct mm3_repair_step *step) {
  switch (step->stage) {
    case MM3_REPAIR_FOUND: return "found";
    case MM3_REPAIR_COPIED: return "copied";
    case MM3_REPAIR_DONE: return "done";
    case MM3_REPAIR_LEFT: return "left";
  }
  return "?";
}

static void step_json(struct findings *all, const struct mm3_repair_step *step) {
  struct mm3j_writer *w = all->writer;
  int result = all->result;
  if (!result) result = out_open(w, NULL, '{');
  if (!result) result = out_text(w, "stage", stage_name(step));
  if (!result) result = out_text(w, "field", step->field[0] ? step->field : NULL);
  if (!result) result = out_text(w, "text", step->found[0] ? step->found : NULL);
  if (!result) result = out_text(w, "action", step->action[0] ? step->action : NULL);
  if (!result) result = out_close(w, '}');
  all->result = result;
}

static void heard(void *arg, const struct mm3_repair_step *step) {
  struct findings *all = arg;
  if (all->writer) {
    step_json(all, step);
    return;
  }
  if (step->stage == MM3_REPAIR_LEFT) fputs("left: ", stdout);
  if (step->found[0]) print_finding(step->field, step->found);
  if (step->stage == MM3_REPAIR_FOUND) fputs("  -> ", stdout);
  if (step->stage == MM3_REPAIR_COPIED) fputs("copied to ", stdout);
  if (step->stage == MM3_REPAIR_DONE) fputs("done: ", stdout);
  if (step->action[0]) print_safe(stdout, step->action), putchar('\n');
}

static int repair(struct call *call) {
  const char *path = call->argv[0];
  uint32_t flags = (call_option(call, "repair") ? 0 : MM3_REPAIR_PLAN) | (call_option(call, "reset") ? MM3_REPAIR_RESET : 0) |
                   (call_option(call, "no-backup") ? MM3_REPAIR_NO_BACKUP : 0);
  struct mm3_options options = {.size = sizeof options, .flags = flags & MM3_REPAIR_PLAN ? MM3_READ_ONLY : MM3_EXCLUSIVE};
  struct mm3_file *file = mm3_open(path, NULL, &options, &call->error);
  if (!file) return fail(call);
  struct mm3j_writer writer;
  struct findings all = {call->json ? &writer : NULL, 0};
  if (call->json) {
    out_begin(call, &writer);
    all.result = out_open(&writer, NULL, '[');
  }
  int code = EXIT_DONE, result = mm3_repair(file, flags, heard, &all, &call->error);
  if (result >= 0 && !(flags & MM3_REPAIR_PLAN)) {
    int synced = mm3_sync(file);
    if (synced < 0) code = fail_code(call, synced, path, "repaired, but not on the disk: %s", mm3_strerror(synced));
  }
  if (result < 0) code = fail(call);
  else if (call->json && !code) code = out_end(call, &writer, all.result ? all.result : out_close(&writer, ']'));
  if (!code && !result && !call->json && !call->quiet)
    printf(flags & MM3_REPAIR_PLAN ? "%s: nothing would be left\n" : "%s: no damage left\n", path);
  return close_file(call, file, code ? code : result > 0 ? EXIT_NO : EXIT_DONE);
}

static int check_run(struct call *call) {
  bool repairs = call_option(call, "repair") || call_option(call, "plan");
  if (call_option(call, "repair") && call_option(call, "plan"))
    return fail_usage(call, "--plan and --repair exclude each other");
  if (!repairs && (call_option(call, "reset") || call_option(call, "no-backup")))
    return fail_usage(call, "--reset and --no-backup go with --repair or --plan");
  return repairs ? repair(call) : check_only(call);
}

const struct command command_check = {.name = "check", .operands = "FILE",
                                      .brief = "look at every byte that has a meaning: exit 1 when something is damaged",
                                      .detail = "With --repair: builds the heap's lists anew, takes blocks back that nobody owns, releases a lock that\n"
                                                "could not be recovered; with --reset damaged fields are emptied. A copy is made first: FILE.backup.",
                                      .options = check_options, .least = 1, .most = 1, .run = check_run};
