/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_copy.c: mm3 copy: a consistent copy of a live file. */
#include "commands.h"
#include "progress.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOME = 16 << 20 /* bytes between two looks at the bar */ };

/* All of it: what fits before the disk is full is written alone, and only the next call says why no more was. */
static int write_all(int to, const char *bytes, size_t count, off_t at) {
  while (count > 0) {
    ssize_t part = pwrite(to, bytes, count, at);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return part ? -errno : -EIO;
    bytes += part, at += part, count -= (size_t)part;
  }
  return 0;
}

static int copy_bytes(int from, int to, uint64_t length, struct progress *progress) {
  if (ioctl(to, FICLONE, from) == 0) return 0; /* shares the blocks, where the file system can */
  off_t in = 0, out = 0;
  char buffer[65536];
  while ((uint64_t)in < length) {
    size_t some = length - (uint64_t)in < SOME ? (size_t)(length - (uint64_t)in) : SOME;
    ssize_t part = copy_file_range(from, &in, to, &out, some, 0);
    progress_step(progress, (uint64_t)in);
    if (part > 0) continue;
    if (part < 0 && errno == EINTR) continue;
    part = pread(from, buffer, sizeof buffer, in);
    if (part <= 0) return part ? -errno : -MM3_E_TRUNCATED;
    int result = write_all(to, buffer, (size_t)part, out);
    if (result) return result;
    in += part;
    out += part;
  }
  return 0;
}

/* Under a name of its own first: the name that was asked for is a whole file or none. */
static int copy_to(struct call *call, const char *from_path, const char *to_path, uint64_t length) {
  char temporary[4096 + 32];
  struct progress progress;
  struct stat stat;
  int to = -1, result = 0, from = open(from_path, O_RDONLY | O_CLOEXEC);
  if (snprintf(temporary, sizeof temporary, "%s.mm3-copy-%d", to_path, (int)getpid()) >= 4096) result = -ENAMETOOLONG;
  else if (from < 0 || fstat(from, &stat) != 0) result = -errno;
  else if ((to = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, stat.st_mode & 0777)) < 0)
    result = -errno;
  progress_begin(&progress, call, "copy", length, false);
  if (!result) result = copy_bytes(from, to, length, &progress);
  progress_end(&progress);
  if (!result && fsync(to) != 0) result = -errno;
  bool replace = call_option(call, "force") != NULL;
  if (!result && (replace ? rename(temporary, to_path) : link(temporary, to_path)) != 0) result = -errno;
  if (to >= 0 && (result || !replace)) unlink(temporary);
  if (to >= 0) close(to);
  if (from >= 0) close(from);
  return result ? fail_code(call, result, to_path, "copying %s: %s", from_path, mm3_strerror(result)) : EXIT_DONE;
}

static int copy_run(struct call *call) {
  static struct mm3_file_info info;
  const char *from = call->argv[0], *to = call->argv[1];
  struct stat there;
  if (!call_option(call, "force") && lstat(to, &there) == 0)
    return fail_code(call, -EEXIST, to, "is there already; --force takes its place");
  bool locked = !call_option(call, "no-lock");
  struct mm3_file *file = locked ? open_writing(call, from) : open_reading(call, from);
  if (!file && locked && (call->error.code == -EACCES || call->error.code == -EROFS))
    return fail_code(call, call->error.code, from, "cannot open it for writing, to lock it: %s; --no-lock only reads",
                     mm3_strerror(call->error.code));
  if (!file) return fail(call);
  int code = EXIT_DONE, result = locked ? mm3_lock(file) : 0;
  info.size = sizeof info;
  if (result < 0) code = fail_code(call, result, from, "the lock: %s", mm3_strerror(result));
  else if ((result = mm3_file_describe(file, &info))) code = fail_code(call, result, from, "%s", mm3_strerror(result));
  else code = copy_to(call, from, to, info.length);
  if (locked && mm3_locked(file)) mm3_unlock(file);
  return close_file(call, file, code);
}

static const struct option_row options[] = {{'f', "force", NULL, "take the place of an existing file"},
                                            {0, "no-lock", NULL, "do not wait for writers: for files that may only be read"},
                                            {0, NULL, NULL, NULL}};

const struct command command_copy = {
    .name = "copy", .operands = "FILE TO", .brief = "make a consistent copy of a file in use",
    .detail = "Holds the file's lock meanwhile: growing kinds stand still; plain fields and atomics may move on, each\n"
              "value whole. The new name appears when the copy is complete and on the disk.",
    .options = options, .least = 2, .most = 2, .run = copy_run};
