/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3files.h: files for the tests of create, open and lock, and ways to look at them and to spoil them. */
#ifndef MM3FILES_H
#define MM3FILES_H

#include "file.h"
#include "mm3pair.h"
#include "mm3test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mm3/field.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE(FIELD) \
  FIELD(value, u64)   \
  FIELD(both, pair)   \
  FIELD(key, raw(32))
MM3_STRUCT(sample, SAMPLE);
enum { SAMPLE_BOTH = 1 };

#define LOOK(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define PUT(x, v) __atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)

MM3_UNUSED static struct mm3_file *sample_new(const char *path) {
  struct mm3_error error = {0};
  CHECK_OK(mm3_module_register(&pair_module, &error), error);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(sample), NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

/* Opens with flags; a refusal is a failed check. */
MM3_UNUSED static struct mm3_file *sample_open(const char *path, uint32_t flags) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .flags = flags};
  struct mm3_file *file = mm3_open(path, MM3_TYPE(sample), &options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

/* The code with which it is refused, 0 when it opens; the sentence in *error. */
MM3_UNUSED static int refusal(const char *path, uint32_t flags, struct mm3_error *error) {
  struct mm3_options options = {.size = sizeof options, .flags = flags, .timeout_ms = 200};
  struct mm3_file *file = mm3_open(path, NULL, &options, error);
  if (!file) return error->code;
  mm3_close(file);
  return 0;
}

MM3_UNUSED static int count_entries(const char *folder) {
  int count = 0;
  DIR *list = opendir(folder);
  for (struct dirent *entry; list && (entry = readdir(list));)
    count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  if (list) closedir(list);
  return count;
}

MM3_UNUSED static int count_descriptors(void) { return count_entries("/proc/self/fd"); }

/* Lines of /proc/self/maps with this word */
MM3_UNUSED static int count_maps(const char *word) {
  char line[4096];
  int count = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) count += strstr(line, word) != NULL;
  if (maps) fclose(maps);
  return count;
}

MM3_UNUSED static void write_file(const char *path, const void *bytes, size_t size) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, bytes, size), (ssize_t)size);
  close(fd);
}

/* Overwrites bytes of a file; with `sign` the superblock's checksum is made to match again. */
MM3_UNUSED static void spoil(const char *path, off_t offset, const void *bytes, size_t size, bool sign) {
  struct mm3i_super super;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  CHECK_EQ(pwrite(fd, bytes, size, offset), (ssize_t)size);
  if (sign) {
    CHECK_EQ(pread(fd, &super, sizeof super, 0), (ssize_t)sizeof super);
    super.checksum = mm3i_super_checksum(&super);
    CHECK_EQ(pwrite(fd, &super.checksum, 8, offsetof(struct mm3i_super, checksum)), 8);
  }
  close(fd);
}

#endif
