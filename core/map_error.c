/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The sentences of maps. */
#include <errno.h>
#include <mm3/module.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "map.h"
#include "sys.h"

void mm3i_map_error_begin(struct mm3_error *error, const char *path) {
  if (!error) return;
  error->code = 0;
  error->file[0] = error->field[0] = error->text[0] = '\0';
  if (!path) return;
  size_t size = strlen(path);
  if (size >= sizeof error->file) size = mm3_utf8_cut(path, size, sizeof error->file - 1);
  memcpy(error->file, path, size);
  error->file[size] = '\0';
}

const char *mm3i_map_error_name(struct mm3_error *error, int fd, char spare[MM3I_MAP_NAME]) {
  if (error && error->file[0] == '\0' && fd >= 0) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = mm3i_sys.readlink(link, error->file, sizeof error->file - 1);
    error->file[size > 0 ? size : 0] = '\0';
  }
  if (error && error->file[0] != '\0') return error->file;
  if (fd >= 0)
    snprintf(spare, MM3I_MAP_NAME, "descriptor %d", fd);
  else
    snprintf(spare, MM3I_MAP_NAME, "anonymous memory");
  return spare;
}

const char *mm3i_map_error_hint(int code, int prot) {
  switch (code) {
    case EACCES:
      return (prot & PROT_WRITE) != 0 ? ": it was not opened for reading and writing"
                                      : ": it was not opened for reading";
    case EPERM: return ": it is sealed, or its mount forbids execution";
    case ENODEV: return ": this kind of file cannot be mapped";
    case ENOMEM: return ": no room in the address space, a limit, or an empty pool of huge pages";
    default: return "";
  }
}
