/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 05_maps: memory maps without a schema. Everything here needs <mm3/map.h> and <mm3/guard.h> only.
 *
 *     ./05_maps
 *
 * Makes a small log file in the current folder, and walks through what a map can do: read, write, copy, grow, advise,
 * lock, survive a truncated file.
 */
#include <errno.h>
#include <fcntl.h>
#include <mm3/guard.h>
#include <mm3/map.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char path[] = "maps.log";

static int fail(const char *what, int code, const struct mm3_error *error) {
  fprintf(stderr, "05_maps: %s: %s\n", what, error && error->text[0] ? error->text : mm3_strerror(code));
  return 1;
}

/* 1. A file's bytes, as memory. Stores are in the file at once; flush waits for the disk. */
static int write_and_read(void) {
  struct mm3_error error;
  struct mm3_map map;
  int code = mm3_map_path(&map, path, MM3_MAP_READ_WRITE, NULL, &error);
  if (code < 0) return fail("mapping", code, &error);
  memcpy(mm3_map_ptr(&map), "hello, file", 11);
  code = mm3_map_flush_range(&map, 0, 11);
  if (code < 0) return fail("flushing", code, NULL);
  printf("1. %s is %zu bytes and begins \"%.11s\"\n", path, mm3_map_length(&map), (const char *)mm3_map_ptr(&map));
  mm3_map_unmap(&map);
  return 0;
}

/* 2. Any offset, any length: the page is the library's business. */
static int read_a_part(void) {
  struct mm3_error error;
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 7, .length = 4};
  int code = mm3_map_path(&map, path, MM3_MAP_READ, &options, &error);
  if (code < 0) return fail("mapping a part", code, &error);
  printf("2. bytes 7 to 10 are \"%.4s\"\n", (const char *)mm3_map_ptr(&map));
  mm3_map_unmap(&map);
  return 0;
}

/* 3. A copy: stores stay in this process. */
static int change_a_copy(void) {
  struct mm3_error error;
  struct mm3_map copy, file;
  int code = mm3_map_path(&copy, path, MM3_MAP_COPY, NULL, &error);
  if (code < 0) return fail("copying", code, &error);
  code = mm3_map_path(&file, path, MM3_MAP_READ, NULL, &error);
  if (code < 0) return fail("mapping", code, &error);
  memcpy(mm3_map_ptr(&copy), "HELLO", 5);
  printf("3. the copy says \"%.5s\", the file \"%.5s\"\n", (const char *)mm3_map_ptr(&copy),
         (const char *)mm3_map_ptr(&file));
  mm3_map_unmap(&copy);
  mm3_map_unmap(&file);
  return 0;
}

/* 4. Anonymous memory: write it, then make it read-only. */
static int seal_a_table(void) {
  struct mm3_error error;
  struct mm3_map map;
  int code = mm3_map_anonymous(&map, 256 * sizeof(int), NULL, &error);
  if (code < 0) return fail("anonymous memory", code, &error);
  int *squares = mm3_map_ptr(&map);
  for (int i = 0; i < 256; i++) squares[i] = i * i;
  code = mm3_map_make_read_only(&map);
  if (code < 0) return fail("making it read-only", code, NULL);
  printf("4. a sealed table: 12 squared is %d\n", squares[12]);
  mm3_map_unmap(&map);
  return 0;
}

/* 5. Growing. Map more than there is, once; then only the file grows, and no pointer moves. A full disk would be an
 * error of mm3_map_extend_file, not a signal at the store. The lock keeps a second writer out meanwhile. */
static int grow_the_file(void) {
  struct mm3_error error;
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .length = 1 << 20};
  size_t resident = 0;
  int code, fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return fail(path, -errno, NULL);
  code = mm3_map_try_lock_file(fd, MM3_MAP_LOCK_EXCLUSIVE);
  if (code < 0) return fail("somebody else writes it", code, NULL);
  code = mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &error);
  if (code < 0) return fail("mapping ahead", code, &error);
  char *bytes = mm3_map_ptr(&map);
  code = mm3_map_extend_file(fd, 200000, &error);
  if (code < 0) return fail("extending", code, &error);
  memcpy(bytes + 199996, "tail", 4);
  mm3_map_advise(&map, MM3_ADVICE_RANDOM); /* a hint: whatever it says */
  code = mm3_map_resident(&map, &resident);
  if (code < 0) return fail("resident", code, NULL);
  printf("5. the file has grown to 200000 bytes under its map and ends \"%.4s\"; some of it is in memory: %s\n",
         bytes + 199996, resident > 0 ? "yes" : "no");
  mm3_map_unmap(&map);
  mm3_map_unlock_file(fd);
  close(fd);
  return 0;
}

static int sum_bytes(void *arg) {
  const struct mm3_map *map = arg;
  const volatile unsigned char *bytes = mm3_map_ptr(map);
  unsigned sum = 0;
  for (size_t i = 0; i < mm3_map_length(map); i++) sum += bytes[i];
  return (int)(sum & 0xffffU);
}

/* 6. Somebody truncates the file while we read it. Without a guard that is SIGBUS, and the end of the program. */
static int survive_a_truncation(void) {
  struct mm3_error error;
  struct mm3_map map;
  int code = mm3_guard_install();
  if (code < 0) return fail("installing the guard", code, NULL);
  code = mm3_map_path(&map, path, MM3_MAP_READ, NULL, &error);
  if (code < 0) return fail("mapping", code, &error);
  int before = mm3_guard_run(&map, sum_bytes, &map);
  if (truncate(path, 100) != 0) return fail(path, -errno, NULL);
  int after = mm3_guard_run(&map, sum_bytes, &map);
  printf("6. the sum was %d; then the file was cut: \"%s\"\n", before, mm3_strerror(after));
  mm3_map_unmap(&map);
  return before >= 0 && after == -MM3_E_TRUNCATED ? 0 : 1;
}

int main(void) {
  struct mm3_error error;
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return fail(path, -errno, NULL);
  int code = mm3_map_extend_file(fd, 64, &error);
  close(fd);
  if (code < 0) return fail("making the file", code, &error);
  return write_and_read() || read_a_part() || change_a_copy() || seal_a_table() || grow_the_file() ||
         survive_a_truncation();
}
