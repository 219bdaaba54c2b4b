/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* modules_new.c: mm3 modules new: the text of samples/modules/skeleton, which the build puts into skeleton_text.h,
 * under another name. */
#include "modules.h"
#include "skeleton_text.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <mm3/module.h>
#include <string.h>
#include <sys/stat.h>

static const char word[] = "skeleton", upper_word[] = "SKELETON";

/* The line, with the kind's name for the word. */
static void put_line(FILE *out, const char *line, const char *name) {
  const size_t length = sizeof word - 1;
  while (*line) {
    if (strncmp(line, word, length) == 0) {
      fputs(name, out);
      line += length;
    } else if (strncmp(line, upper_word, length) == 0) {
      for (const char *c = name; *c; c++) putc(toupper((unsigned char)*c), out);
      line += length;
    } else {
      putc(*line++, out);
    }
  }
}

/* Writes FOLDER/PREFIX NAME SUFFIX; 0 or the exit code. */
static int write_file(struct call *call, const char *name, const struct skeleton_file *file) {
  char path[PATH_MAX];
  const char *at = strstr(file->name, word);
  if (at) snprintf(path, sizeof path, "%s/%.*s%s%s", name, (int)(at - file->name), file->name, name, at + strlen(word));
  else snprintf(path, sizeof path, "%s/%s", name, file->name);
  FILE *out = fopen(path, "wx");
  if (!out) return fail_code(call, -errno, path, "cannot be written: %s", strerror(errno));
  for (const char *const *line = file->lines; *line; line++) put_line(out, *line, name);
  if (fclose(out) == 0) return 0;
  return fail_code(call, -errno, path, "cannot be written: %s", strerror(errno));
}

int modules_new(struct call *call, const char *name) {
  struct mm3_error error = {0};
  const struct mm3_kind *known = mm3_kind_find(name, 1, &error);
  if (known) return fail_usage(call, "there is a kind '%s' already (mm3 modules -v lists them)", name);
  if (strstr(error.text, "cannot name a kind")) return fail_usage(call, "%s", error.text);
  if (mkdir(name, 0777)) return fail_code(call, -errno, name, "cannot be made: %s", strerror(errno));
  for (size_t i = 0; i < sizeof skeleton_files / sizeof skeleton_files[0]; i++) {
    int code = write_file(call, name, &skeleton_files[i]);
    if (code) return code;
  }
  say(call, "wrote %s/: %s.h, mm3-%s.c, test_%s.c, Makefile; next: make -C %s check", name, name, name, name, name);
  return EXIT_DONE;
}
