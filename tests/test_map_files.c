/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file under a map: extension, full disks, locks against a second writer. */
#include <mm3/guard.h>
#include <mm3/map.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "mm3places.h"
#include "sys.h"

static struct mm3_error err;

static unsigned char *bytes_of(const struct mm3_map *map) { return mm3_map_ptr(map); }

static off_t size_of(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 ? st.st_size : -1;
}

IN_PLACES(an_extended_file_is_zero_and_allocated) {
  struct stat st;
  int fd = place_file("a", 1000);
  CHECK_OK(mm3_map_extend_file(fd, 1000000, &err), err);
  CHECK_EQ(size_of(fd), 1000000);
  CHECK_EQ(fstat(fd, &st), 0);
  CHECK(st.st_blocks * 512 >= 1000000 - 4096);
  CHECK_OK(mm3_map_extend_file(fd, 10, &err), err); /* never shorter */
  CHECK_EQ(size_of(fd), 1000000);
  close(fd);
}

IN_PLACES(what_cannot_be_extended_says_so) {
  int fd = place_file("a", 10), ends[2];
  CHECK_FAILS(mm3_map_extend_file(-1, 10, &err), -EBADF, err);
  CHECK_EQ(pipe(ends), 0);
  CHECK_FAILS(mm3_map_extend_file(ends[1], 10, &err), -EINVAL, err);
  CHECK_HAS(err.text, "not a regular file");
  close(ends[0]), close(ends[1]);
  CHECK_FAILS(mm3_map_extend_file(fd, UINT64_C(1) << 63, &err), -EFBIG, err);
  CHECK_FAILS(mm3_map_extend_file(fd, UINT64_MAX, NULL), -EFBIG, err);
  close(fd);
  fd = open(place_path("a"), O_RDONLY | O_CLOEXEC);
  CHECK_FAILS(mm3_map_extend_file(fd, 20, &err), -EBADF, err);
  CHECK_HAS(err.text, place_path("a"));
  CHECK_EQ(size_of(fd), 10);
  close(fd);
}

static int extend_past_the_limit(void *arg) {
  struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};
  int fd = *(int *)arg;
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  CHECK_EQ(mm3_map_extend_file(fd, 100001, NULL), -EFBIG); /* and no SIGXFSZ, which would kill */
  CHECK_EQ(size_of(fd), 10);
  CHECK_EQ(mm3_map_extend_file(fd, 100000, NULL), 0);
  return 0;
}

IN_PLACES(a_file_size_limit_is_a_code_and_no_signal) {
  int fd = place_file("a", 10);
  CHECK_EQ(mm3test_fork(extend_past_the_limit, &fd), 0);
  CHECK_EQ(size_of(fd), 100000);
  close(fd);
}

static int fallocate_is_absent(int fd, int mode, off_t offset, off_t length) {
  (void)fd, (void)mode, (void)offset, (void)length;
  errno = EOPNOTSUPP;
  return -1;
}

/* DECISIONS: where the file system cannot allocate, zeros are written beyond the old end, never over old bytes */
IN_PLACES(without_fallocate_zeros_are_written_past_the_end) {
  struct mm3i_sys real = mm3i_sys;
  struct stat st;
  char bytes[8];
  int fd = place_file("a", 0);
  CHECK_EQ(write(fd, "abc123", 6), 6);
  mm3i_sys.fallocate = fallocate_is_absent;
  CHECK_OK(mm3_map_extend_file(fd, 300000, &err), err);
  mm3i_sys = real;
  CHECK_EQ(pread(fd, bytes, 8, 0), 8);
  CHECK_MEM(bytes, "abc123\0\0", 8);
  CHECK_EQ(fsync(fd), 0);
  CHECK_EQ(fstat(fd, &st), 0);
  CHECK_EQ(st.st_size, 300000);
  CHECK(st.st_blocks * 512 >= 300000 - 4096);
  close(fd);
}

struct relay {
  struct mm3_map map;
  int to_child[2], to_parent[2];
};

static int watch_it_grow(void *arg) {
  struct relay *relay = arg;
  char step;
  CHECK_EQ(read(relay->to_child[0], &step, 1), 1); /* the file has grown since the map was made */
  CHECK_EQ(bytes_of(&relay->map)[99999], 7);
  bytes_of(&relay->map)[50000] = 9;
  CHECK_EQ(write(relay->to_parent[1], "x", 1), 1);
  return 0;
}

/* growth of a file under maps in other processes */
IN_PLACES(growth_appears_in_the_maps_of_other_processes) {
  struct relay relay;
  struct mm3_map_options options = {.size = sizeof options, .length = 1000000};
  char step;
  int fd = place_file("a", 100);
  CHECK_EQ(pipe(relay.to_child), 0);
  CHECK_EQ(pipe(relay.to_parent), 0);
  if (!CHECK_OK(mm3_map_fd(&relay.map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  pid_t child = mm3test_spawn(watch_it_grow, &relay);
  CHECK_OK(mm3_map_extend_file(fd, 100000, &err), err);
  bytes_of(&relay.map)[99999] = 7;
  CHECK_EQ(write(relay.to_child[1], "x", 1), 1);
  CHECK_EQ(read(relay.to_parent[0], &step, 1), 1);
  CHECK_EQ(bytes_of(&relay.map)[50000], 9);
  CHECK_EQ(mm3test_wait(child), 0);
  CHECK_EQ(mm3_map_unmap(&relay.map), 0);
  for (int i = 0; i < 2; i++) close(relay.to_child[i]), close(relay.to_parent[i]);
  close(fd);
}

/* ---- file systems of our own, in a mount namespace of a child ------------------------------------------------ */

enum { NO_NAMESPACE = 77 };

static int put_line(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  ssize_t put = fd < 0 ? -1 : write(fd, text, strlen(text));
  if (fd >= 0) close(fd);
  return put == (ssize_t)strlen(text);
}

/* Privately to this process; as root, or as the root of a user namespace. */
static int mount_here(const char *kind, const char *folder, const char *how) {
  char map[64];
  unsigned user = (unsigned)geteuid(), group = (unsigned)getegid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return -1;
    snprintf(map, sizeof map, "0 %u 1", user);
    put_line("/proc/self/setgroups", "deny");
    if (!put_line("/proc/self/uid_map", map)) return -1;
    snprintf(map, sizeof map, "0 %u 1", group);
    if (!put_line("/proc/self/gid_map", map)) return -1;
  }
  mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
  return mount("mm3", folder, kind, 0, how);
}

static int fill_a_small_tmpfs(void *arg) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .length = 4 << 20};
  char path[500];
  size_t size = 0, step = 64 << 10;
  int result = 0;
  (void)arg;
  if (mount_here("tmpfs", mm3test_path(NULL), "size=1m") != 0) return NO_NAMESPACE;
  snprintf(path, sizeof path, "%s/a", mm3test_path(NULL));
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return 1;
  for (; size < options.length; size += step) {
    result = mm3_map_extend_file(fd, size + step, &err);
    if (result < 0) break;
    memset(bytes_of(&map) + size, (int)(size / step + 1), step);
  }
  CHECK_EQ(result, -ENOSPC);
  CHECK_HAS(err.text, "/a: extending the file from");
  CHECK(size >= 900 << 10 && size <= 1 << 20);
  CHECK_EQ(mm3_map_extend_file(fd, 3 << 20, NULL), -ENOSPC); /* at once, and again */
  CHECK_EQ(mm3_map_extend_file(fd, 3 << 20, NULL), -ENOSPC);
  for (size_t at = 0; at < size; at += step)
    CHECK(all_bytes_are(bytes_of(&map) + at, step, (unsigned char)(at / step + 1)));
  memset(map.ptr, 99, size); /* every page of it is there */
  CHECK_EQ(mm3_map_flush(&map), 0);
  close(fd);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  return 0;
}

static void a_full_tmpfs_is_enospc_and_loses_nothing(void) {
  int code = mm3test_fork(fill_a_small_tmpfs, NULL);
  if (code == NO_NAMESPACE)
    mm3test_skip("no mount namespace: neither root nor user namespaces");
  else
    CHECK_EQ(code, 0);
}

static int store_everywhere(void *arg) {
  struct mm3_map *map = arg;
  for (size_t at = 0; at < map->length; at += 4096) bytes_of(map)[at] = 1;
  return 0;
}

/* the accident that real allocation avoids, as a code: a sparse file on a full disk, under a guard */
static int store_to_a_sparse_file(void *arg) {
  struct mm3_map map;
  char path[500];
  (void)arg;
  if (mount_here("tmpfs", mm3test_path(NULL), "size=1m") != 0) return NO_NAMESPACE;
  snprintf(path, sizeof path, "%s/a", mm3test_path(NULL));
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CHECK_EQ(ftruncate(fd, 4 << 20), 0);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return 1;
  CHECK_EQ(mm3_guard_install(), 0);
  CHECK_EQ(mm3_guard_run(&map, store_everywhere, &map), -MM3_E_TRUNCATED);
  CHECK_EQ(bytes_of(&map)[0], 1);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
  return 0;
}

static void a_sparse_file_on_a_full_disk_is_a_code_under_a_guard(void) {
  int code = mm3test_fork(store_to_a_sparse_file, NULL);
  if (code == NO_NAMESPACE)
    mm3test_skip("no mount namespace: neither root nor user namespaces");
  else
    CHECK_EQ(code, 0);
}

/* a real file system without fallocate: ramfs */
static int extend_on_ramfs(void *arg) {
  char path[500];
  struct mm3_map map;
  (void)arg;
  if (mount_here("ramfs", mm3test_path(NULL), NULL) != 0) return NO_NAMESPACE;
  snprintf(path, sizeof path, "%s/a", mm3test_path(NULL));
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CHECK_EQ(write(fd, "abc123", 6), 6);
  CHECK_EQ(fallocate(fd, 0, 0, 100), -1);
  CHECK_OK(mm3_map_extend_file(fd, 100000, &err), err);
  CHECK_EQ(size_of(fd), 100000);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return 1;
  CHECK_MEM(map.ptr, "abc123\0", 7);
  CHECK(all_bytes_are(bytes_of(&map) + 6, 100000 - 6, 0));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
  return 0;
}

static void a_file_system_without_fallocate_extends(void) {
  int code = mm3test_fork(extend_on_ramfs, NULL);
  if (code == NO_NAMESPACE)
    mm3test_skip("no mount namespace: neither root nor user namespaces");
  else
    CHECK_EQ(code, 0);
}

/* ---- locks --------------------------------------------------------------------------------------------------- */

struct wanted_lock {
  const char *path;
  enum mm3_map_file_lock how;
  int wanted;
};

static int try_from_a_child(void *arg) {
  const struct wanted_lock *lock = arg;
  int fd = open(lock->path, O_RDWR | O_CLOEXEC);
  CHECK_EQ(mm3_map_try_lock_file(fd, lock->how), lock->wanted);
  close(fd);
  return 0;
}

static void other_process_gets(const char *path, int exclusive, int shared) {
  struct wanted_lock lock = {path, MM3_MAP_LOCK_EXCLUSIVE, exclusive};
  CHECK_EQ(mm3test_fork(try_from_a_child, &lock), 0);
  lock = (struct wanted_lock){path, MM3_MAP_LOCK_SHARED, shared};
  CHECK_EQ(mm3test_fork(try_from_a_child, &lock), 0);
}

IN_PLACES(a_lock_keeps_a_second_writer_out) {
  const char *path = place_path("a");
  int fd = place_file("a", 100), second = open(path, O_RDWR | O_CLOEXEC);
  CHECK_EQ(mm3_map_try_lock_file(fd, MM3_MAP_LOCK_EXCLUSIVE), 0);
  CHECK_EQ(mm3_map_try_lock_file(fd, MM3_MAP_LOCK_EXCLUSIVE), 0); /* the same description: again is harmless */
  CHECK_EQ(mm3_map_try_lock_file(second, MM3_MAP_LOCK_SHARED), -MM3_E_BUSY);
  other_process_gets(path, -MM3_E_BUSY, -MM3_E_BUSY);
  CHECK_EQ(mm3_map_lock_file(fd, MM3_MAP_LOCK_SHARED), 0);
  other_process_gets(path, -MM3_E_BUSY, 0);
  CHECK_EQ(mm3_map_unlock_file(fd), 0);
  other_process_gets(path, 0, 0);
  CHECK_EQ(mm3_map_unlock_file(fd), 0);
  CHECK_EQ(mm3_map_lock_file(fd, (enum mm3_map_file_lock)2), -EINVAL);
  CHECK_EQ(mm3_map_try_lock_file(-1, MM3_MAP_LOCK_SHARED), -EBADF);
  close(second), close(fd);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK_EQ(mm3_map_try_lock_file(fd, MM3_MAP_LOCK_EXCLUSIVE), -EBADF); /* not open for writing */
  close(fd);
}

/* a lock on a mapped description lasts as long as the map */
IN_PLACES(a_map_by_path_may_hold_the_lock) {
  const char *path = place_path("a");
  struct mm3_map map, second;
  struct mm3_map_options options = {.size = sizeof options, .flags = MM3_MAP_LOCK_FILE};
  close(place_file("a", 100));
  if (!CHECK_OK(mm3_map_path(&map, path, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  CHECK_FAILS(mm3_map_path(&second, path, MM3_MAP_READ, &options, &err), -MM3_E_BUSY, err);
  CHECK_HAS(err.text, path);
  CHECK_HAS(err.text, "locking");
  other_process_gets(path, -MM3_E_BUSY, -MM3_E_BUSY);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_OK(mm3_map_path(&map, path, MM3_MAP_COPY, &options, &err), err);
  CHECK_OK(mm3_map_path(&second, path, MM3_MAP_READ, &options, &err), err);
  other_process_gets(path, -MM3_E_BUSY, 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_EQ(mm3_map_unmap(&second), 0);
  other_process_gets(path, 0, 0);
}

static int hold_until_killed(void *arg) {
  struct relay *relay = arg;
  int fd = open(place_path("a"), O_RDWR | O_CLOEXEC);
  CHECK_EQ(mm3_map_lock_file(fd, MM3_MAP_LOCK_EXCLUSIVE), 0);
  CHECK_EQ(write(relay->to_parent[1], "x", 1), 1);
  while (pause() != 0) {
  }
  return 0;
}

IN_PLACES(a_killed_holder_frees_its_lock) {
  struct relay relay;
  char step;
  int fd = place_file("a", 100);
  CHECK_EQ(pipe(relay.to_parent), 0);
  pid_t child = mm3test_spawn(hold_until_killed, &relay);
  CHECK_EQ(read(relay.to_parent[0], &step, 1), 1);
  CHECK_EQ(mm3_map_try_lock_file(fd, MM3_MAP_LOCK_SHARED), -MM3_E_BUSY);
  kill(child, SIGKILL);
  CHECK_EQ(mm3_map_lock_file(fd, MM3_MAP_LOCK_EXCLUSIVE), 0); /* waits until it is gone */
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  close(relay.to_parent[0]), close(relay.to_parent[1]);
  close(fd);
}

MM3_TEST_SUITE("map_files", {"an extended file is zero and allocated", an_extended_file_is_zero_and_allocated},
               {"what cannot be extended says so", what_cannot_be_extended_says_so},
               {"a file size limit is a code and no signal", a_file_size_limit_is_a_code_and_no_signal},
               {"without fallocate zeros are written past the end", without_fallocate_zeros_are_written_past_the_end},
               {"growth appears in the maps of other processes", growth_appears_in_the_maps_of_other_processes},
               {"a full tmpfs is ENOSPC and loses nothing", a_full_tmpfs_is_enospc_and_loses_nothing},
               {"a sparse file on a full disk is a code under a guard",
                a_sparse_file_on_a_full_disk_is_a_code_under_a_guard},
               {"a file system without fallocate extends", a_file_system_without_fallocate_extends},
               {"a lock keeps a second writer out", a_lock_keeps_a_second_writer_out},
               {"a map by path may hold the lock", a_map_by_path_may_hold_the_lock},
               {"a killed holder frees its lock", a_killed_holder_frees_its_lock})
