/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_doctor.c: mm3 doctor: is this machine, and this folder, fit? */
#include "commands.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

struct doctor {
  struct call *call;
  struct mm3j_writer writer;
  int result;
  bool bad;
};

enum verdict { GOOD, NOTE, BAD };

static void report(struct doctor *d, enum verdict verdict, const char *what, const char *format, ...) MM3_PRINTF(4, 5);
static void report(struct doctor *d, enum verdict verdict, const char *what, const char *format, ...) {
  static const char *const words[] = {"ok", "note", "bad"};
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (verdict == BAD) d->bad = true;
  if (!d->call->json) {
    printf("%-5s %-14s ", words[verdict], what);
    print_safe(stdout, text);
    putchar('\n');
    return;
  }
  struct mm3j_writer *w = &d->writer;
  if (!d->result) d->result = out_open(w, NULL, '{');
  if (!d->result) d->result = out_text(w, "what", what);
  if (!d->result) d->result = out_text(w, "verdict", words[verdict]);
  if (!d->result) d->result = out_text(w, "text", text);
  if (!d->result) d->result = out_close(w, '}');
}

static void look_at_modules(struct doctor *d) {
  const char *list = secure_getenv("MM3_MODULE_PATH");
  static const char *const kinds[] = {"atomic", "string"};
  report(d, GOOD, "modules", "MM3_MODULE_PATH is %s, then %s", list && *list ? list : "not set", mm3_module_dir());
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    struct mm3_error error = {0};
    if (!mm3_kind_find(kinds[i], 1, &error)) report(d, BAD, kinds[i], "%s", error.text);
  }
}

static void look_at_system(struct doctor *d) {
  struct utsname name;
  struct rlimit limit;
  char huge[128] = "";
  if (uname(&name) == 0) report(d, GOOD, "kernel", "%s %s, %s", name.sysname, name.release, name.machine);
  report(d, GOOD, "pages", "%ld bytes", sysconf(_SC_PAGESIZE));
  FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
  if (file && fgets(huge, sizeof huge, file)) huge[strcspn(huge, "\n")] = 0;
  if (file) fclose(file);
  report(d, GOOD, "huge pages", "%s", huge[0] ? huge : "the kernel does not say");
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    report(d, NOTE, "address space", "limited to %llu bytes: growing files reserve an eighth of it at most",
           (unsigned long long)limit.rlim_cur);
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    report(d, NOTE, "file size", "limited to %llu bytes: files do not grow beyond it", (unsigned long long)limit.rlim_cur);
}

static const struct {
  unsigned long magic;
  const char *name;
  enum verdict verdict;
  const char *words;
} systems[] = {{0xEF53, "ext4", GOOD, "everything works"},
               {0x58465342, "XFS", GOOD, "everything works; copies share blocks"},
               {0x9123683E, "btrfs", NOTE, "allocation is not guaranteed: a full disk may be a SIGBUS"},
               {0x2FC12FC1, "ZFS", NOTE, "allocation is not guaranteed: a full disk may be a SIGBUS"},
               {0x01021994, "tmpfs", GOOD, "in memory: gone at reboot"},
               {0x794C7630, "overlayfs", GOOD, "works; copies do not share blocks"},
               {0x6969, "NFS", NOTE, "for one machine at a time: memory is not shared between machines"},
               {0x65735546, "FUSE", NOTE, "what works depends on the program behind it"},
               {0xFF534D42, "CIFS", NOTE, "for one machine at a time: memory is not shared between machines"}};

/* What opening and growing rely on, tried on a file that has no name. */
static void try_folder(struct doctor *d, const char *folder) {
  struct statfs system;
  if (statfs(folder, &system) != 0) {
    report(d, BAD, "folder", "%s: %s", folder, strerror(errno));
    return;
  }
  size_t i = 0, count = sizeof systems / sizeof systems[0];
  while (i < count && systems[i].magic != (unsigned long)system.f_type) i++;
  if (i < count) report(d, systems[i].verdict, "file system", "%s on %s: %s", systems[i].name, folder, systems[i].words);
  else report(d, NOTE, "file system", "unknown (%#lx) on %s", (unsigned long)system.f_type, folder);
  report(d, GOOD, "space", "%llu bytes free", (unsigned long long)system.f_bavail * (unsigned long long)system.f_bsize);
  char path[4096];
  snprintf(path, sizeof path, "%.4000s/.mm3-doctor-XXXXXX", folder);
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    report(d, NOTE, "O_TMPFILE", "%s: new files have a temporary name for a moment", strerror(errno));
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
  }
  if (fd < 0) {
    report(d, NOTE, "writing", "%s: no file can be made here", strerror(errno));
    return;
  }
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) report(d, GOOD, "locks", "open file description locks work");
  else report(d, BAD, "locks", "%s: only one writer can have a file open", strerror(errno));
  if (fallocate(fd, 0, 0, 65536) == 0) report(d, GOOD, "allocation", "fallocate works: a full disk is an error code");
  else report(d, NOTE, "allocation", "fallocate: %s; zeros are written instead", strerror(errno));
  close(fd);
}

static int doctor_run(struct call *call) {
  static struct doctor doctor;
  const char *folder = call->argc ? call->argv[0] : ".";
  uint32_t abi = mm3_module_abi();
  doctor.call = call;
  if (call->json) {
    out_begin(call, &doctor.writer);
    doctor.result = out_open(&doctor.writer, NULL, '[');
  }
  report(&doctor, GOOD, "module ABI", "%u.%u", (unsigned)(abi >> 16), (unsigned)(abi & 0xffff));
  look_at_modules(&doctor);
  look_at_system(&doctor);
  try_folder(&doctor, folder);
  int code = EXIT_DONE;
  if (call->json) code = out_end(call, &doctor.writer, doctor.result ? doctor.result : out_close(&doctor.writer, ']'));
  return code ? code : doctor.bad ? EXIT_NO : EXIT_DONE;
}

const struct command command_doctor = {
    .name = "doctor", .operands = "[FOLDER]", .brief = "look whether this machine and folder are fit: exit 1 when not",
    .most = 1, .run = doctor_run};
