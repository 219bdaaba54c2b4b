/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* open.c: files, fields and inputs, with the messages that go with them. */
#include "tool.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct mm3_file *open_reading(struct call *call, const char *path) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(path, NULL, &options, &call->error);
  struct mm3_file_info info = {.size = sizeof info};
  if (file && mm3_file_describe(file, &info) == 0 && info.missing_modules)
    say(call, "%s: %d field%s shown as bytes, because a module is missing; mm3 info -v says which", path,
        info.missing_modules, info.missing_modules == 1 ? "" : "s");
  return file;
}

struct mm3_file *open_writing(struct call *call, const char *path) {
  struct mm3_options options = {.size = sizeof options};
  return mm3_open(path, NULL, &options, &call->error);
}

int close_file(struct call *call, struct mm3_file *file, int exit_code) {
  char path[sizeof call->error.file] = "";
  if (file) snprintf(path, sizeof path, "%s", mm3_file_path(file));
  int result = mm3_close(file);
  if (!result || exit_code) return exit_code;
  return fail_code(call, result, path, "closing failed: %s", mm3_strerror(result));
}

struct name_walk {
  const struct mm3_file *file;
  uint32_t number;
};

static const char *next_name(void *state) {
  struct name_walk *walk = state;
  struct mm3_member_info info;
  return mm3_file_member(walk->file, walk->number++, &info) == 0 ? info.name : NULL;
}

int find_field(struct call *call, struct mm3_file *file, const char *path, struct mm3_field *field) {
  int result = mm3_field_find(file, path, field, &call->error);
  const char *key = path ? strchr(path, '[') : NULL;
  if (key && isalpha((unsigned char)key[1])) hint(call, -MM3_E_PATH, "for a shell a key has quotes of both kinds: 'users[\"anna\"]'");
  if (result != -MM3_E_PATH || strstr(call->error.text, "did you mean")) return result;
  char first[64];
  size_t length = strcspn(path, ".[");
  if (length >= sizeof first) return result;
  snprintf(first, sizeof first, "%.*s", (int)length, path);
  const char *near = nearest_word(first, next_name, &(struct name_walk){file, 0});
  if (!near || strcmp(near, first) == 0) return result;
  size_t used = strlen(call->error.text);
  snprintf(call->error.text + used, sizeof call->error.text - used, "; did you mean '%s'?", near);
  return result;
}

int read_whole(struct call *call, const char *path, char **text, size_t *size) {
  bool standard = strcmp(path, "-") == 0;
  FILE *in = standard ? stdin : fopen(path, "re");
  size_t room = 0;
  struct stat stat;
  *text = NULL;
  *size = 0;
  if (in && fstat(fileno(in), &stat) == 0 && S_ISDIR(stat.st_mode)) errno = EISDIR;
  else errno = in ? 0 : errno;
  while (in && !errno && !feof(in)) {
    if (room - *size < 2) {
      char *larger = realloc(*text, room = room ? room * 2 : 65536);
      if (!larger) break;
      *text = larger;
    }
    *size += fread(*text + *size, 1, room - *size - 1, in);
    if (ferror(in)) break;
    (*text)[*size] = 0;
  }
  int code = errno ? -errno : in && feof(in) ? 0 : -EIO;
  if (in && !standard) fclose(in);
  if (!code) return 0;
  free(*text);
  *text = NULL;
  mm3_error_set(&call->error, code, "%s", mm3_strerror(code));
  snprintf(call->error.file, sizeof call->error.file, "%s", standard ? "standard input" : path);
  return code;
}
