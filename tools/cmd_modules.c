/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_modules.c: mm3 modules: what kinds of field there are here, and where each comes from. */
#include "commands.h"
#include "modules.h"
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Calls `each` for every folder that the loader looks into, in its order. */
static void each_folder(void (*each)(void *arg, const char *folder), void *arg) {
  const char *list = secure_getenv("MM3_MODULE_PATH");
  for (const char *at = list; at && *at;) {
    size_t length = strcspn(at, ":");
    char folder[PATH_MAX];
    if (at[0] == '/' && length < sizeof folder) {
      snprintf(folder, sizeof folder, "%.*s", (int)length, at);
      each(arg, folder);
    }
    at += length + (at[length] == ':');
  }
  each(arg, mm3_module_dir());
}

struct load_all {
  struct call *call;
  int refused;
};

static int is_module(const struct dirent *entry) {
  size_t length = strlen(entry->d_name);
  return length > 7 && strncmp(entry->d_name, "mm3-", 4) == 0 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static void load_folder(void *arg, const char *folder) {
  struct load_all *all = arg;
  struct dirent **entries;
  int count = scandir(folder, &entries, is_module, alphasort);
  for (int i = 0; i < count; i++) {
    char path[PATH_MAX + 300];
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    free(entries[i]);
    struct mm3_error error = {0};
    int result = mm3_module_load(path, NULL, &error);
    /* The same kind again, further down the path: the first one serves, as in opening a file. */
    if (result && !strstr(error.text, "already")) {
      all->refused++;
      say(all->call, "%s", error.text);
    }
  }
  if (count >= 0) free(entries);
}

static int list_json(struct call *call) {
  struct mm3j_writer w;
  const struct mm3_kind *kind = NULL;
  const struct mm3_module *module;
  const char *path;
  out_begin(call, &w);
  int result = out_open(&w, NULL, '[');
  while (!result && (kind = mm3_kind_next(kind, &module, &path))) {
    result = out_open(&w, NULL, '{');
    if (!result) result = out_text(&w, "kind", kind->name);
    if (!result) result = out_text(&w, "signature", kind->signature);
    if (!result) result = out_number(&w, "layout_version", kind->layout_version);
    if (!result) result = out_text(&w, "module", module ? module->name : NULL);
    if (!result) result = out_text(&w, "version", module ? module->version : NULL);
    if (!result) result = out_text(&w, "path", path);
    if (!result) result = out_close(&w, '}');
  }
  return out_end(call, &w, result ? result : out_close(&w, ']'));
}

static void show_folder(void *arg, const char *folder) {
  struct dirent **entries;
  int *number = arg, count = scandir(folder, &entries, is_module, alphasort);
  printf("  %d. %s%s\n", ++*number, folder, count < 0 ? " (not there)" : count == 0 ? " (no module in it)" : "");
  for (int i = 0; i < count; i++) free(entries[i]);
  if (count >= 0) free(entries);
}

enum { SIGNATURE = 46 /* most are shorter */ };

static int list_text(struct call *call) {
  const struct mm3_kind *kind = NULL;
  const struct mm3_module *module;
  const char *path, *sep = call->plain ? "\t" : "  ";
  int wide = call->plain ? 0 : 14, number = 0;
  while ((kind = mm3_kind_next(kind, &module, &path))) {
    if (!module && !call->verbose && !call->plain) continue;
    const char *signature = kind->signature ? kind->signature : "";
    const char *from = path ? path : module ? "(part of the program)" : "(built in)";
    printf("%-*s%s", wide, kind->name, sep);
    if (call->plain) printf("%s%s%s\n", signature, sep, from);
    else if (strlen(signature) <= SIGNATURE) printf("%-*s%s%s\n", SIGNATURE, signature, sep, from);
    else printf("%s\n%*s%s\n", signature, wide + SIGNATURE + 4, "", from); /* the column stays one */
  }
  if (call->plain) return EXIT_DONE;
  if (!call->verbose) printf("and the built-in ones: integers, floats, bool, char, raw, enum, structs (-v lists them)\n");
  printf("\nLooked for in, first one first:\n");
  each_folder(show_folder, &number);
  return EXIT_DONE;
}

static int modules_run(struct call *call) {
  const char *what = call->argc ? call->argv[0] : NULL;
  if (what && strcmp(what, "new") == 0 && call->argc == 2) return modules_new(call, call->argv[1]);
  if (what && strcmp(what, "check") == 0 && call->argc >= 2)
    return modules_check(call, call->argv[1], call->argv + 2, call->argc - 2);
  if (what) return fail_usage(call, "modules takes nothing, or new NAME, or check FILE.so [TYPE...]");
  struct load_all all = {call, 0};
  each_folder(load_folder, &all);
  int code = call->json ? list_json(call) : list_text(call);
  return code ? code : all.refused ? mm3_exit_code(-MM3_E_MODULE) : EXIT_DONE;
}

const struct command command_modules = {
    .name = "modules", .operands = "[new NAME | check FILE.so [TYPE...]]",
    .brief = "list the kinds of field and the modules they come from; make a module; check one",
    .detail = "Modules are looked for in the folders of MM3_MODULE_PATH, then in the one that mm3 was built with.\n"
              "new writes a folder NAME with a kind that works: header, module, test and Makefile.\n"
              "check says whether a module keeps the contract of mm3/module.h, with values of the types given\n"
              "('ring(u64, 8)') or of some that its signatures suggest: exit 0, or 1 and what it found.",
    .most = -1, .run = modules_run};
