/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3places.h: runs a case in two folders, on the disk's file system ($TMPDIR or /tmp) and on tmpfs (/dev/shm); and
 * makes files there. */
#ifndef MM3PLACES_H
#define MM3PLACES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mm3test.h"

static const char *place; /* the folder that a case runs in now */

static void place_remove(const char *folder) {
  DIR *list = opendir(folder);
  for (struct dirent *entry; list && (entry = readdir(list));)
    if (entry->d_name[0] != '.') unlinkat(dirfd(list), entry->d_name, 0);
  if (list) closedir(list);
  rmdir(folder);
}

static void places_run(void (*run)(void)) {
  char memory[] = "/dev/shm/mm3test.XXXXXX";
  place = mm3test_path(NULL);
  run();
  if (!mkdtemp(memory)) {
    mm3test_skip("no tmpfs at /dev/shm");
    return;
  }
  place = memory;
  run();
  place_remove(memory);
}

/* IN_PLACES(name) { body }: a case `name` that runs the body in both folders. */
#define IN_PLACES(name)                         \
  static void name##_here(void);                \
  static void name(void) { places_run(name##_here); } \
  static void name##_here(void)

static const char *place_path(const char *name) {
  static char paths[8][400];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", place, name);
  return path;
}

/* A new file of so many zero bytes, open for reading and writing; the caller closes it. */
static int place_file(const char *name, off_t size) {
  int fd = open(place_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  CHECK(fd >= 0);
  CHECK_EQ(ftruncate(fd, size), 0);
  return fd;
}

static inline int all_bytes_are(const void *bytes, size_t count, unsigned char wanted) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < count; i++)
    if (at[i] != wanted) return 0;
  return 1;
}

#endif
