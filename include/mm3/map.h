/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * map.h: raw memory maps of files and of anonymous memory. Usable alone: no schema, no module, no mm3 file.
 *
 * CAVEATS FIRST
 *
 *   Truncation. A map shares its pages with the file. When somebody shortens the file, touching a page that now lies
 *   wholly past its end is a SIGBUS, in maps of every access, copy-on-write ones too (their private copies are thrown
 *   away with the page). A sparse file on a full disk, and a page that cannot be read, are the same signal. Run the
 *   code that touches such a map under mm3_guard_run (guard.h): the signal becomes an error code. Extend files with
 *   mm3_map_extend_file: a full disk is then an error code of that call.
 *   Bytes after the end. The rest of the file's last page reads as zeros and can be written. Such bytes never reach the
 *   file, and are zero again if it grows; except on tmpfs, whose files show them when they grow (mm3_map_extend_file
 *   clears them).
 *   Other writers. A shared map shows what others store, at any instruction. What matters must be read with atomics,
 *   or under a lock: mm3_map_lock_file keeps a second writer away, if that one asks too.
 *   Network file systems. Two hosts do not see each other's stores through maps. Data reaches the server at
 *   mm3_map_flush, not at unmap. OFD locks may be missing (-ENOTSUP, -EINVAL or -ENOLCK from the lock calls).
 *   fork. A child has the same maps: shared ones stay shared, private ones are copied on write, locks in memory
 *   (mm3_map_lock) are not inherited, file locks are held by both. exec drops maps. MM3_ADVICE_DONT_FORK keeps a map
 *   out of children, MM3_ADVICE_WIPE_ON_FORK shows them zeros.
 *   Crashes. Stores to a shared map survive the death of the process, at any instruction, without a flush. They
 *   survive the death of the kernel or of the power only once mm3_map_flush has returned 0.
 *
 * A MAP is a small value of the caller's: no memory is allocated for it, and it costs what mmap(2) costs.
 *
 *       base                    ptr = base + slack                    ptr + length            base + mapped
 *        |<------- slack ------->|<------------ length bytes ------------>|<------- rest ------>|
 *        [ page ............................][ page ............................][ page ......... ]
 *
 *   base and mapped are whole pages (whole huge pages where those are in use), slack = offset mod page. A file's
 *   offset may be any byte. An empty map (length 0) is a success: it keeps one page, and ptr is not NULL.
 *   A zeroed struct is "not mapped": mm3_map_unmap accepts it, every other call says -EINVAL.
 *   Copying the struct copies the handle, not the memory: unmap one of the copies only.
 *
 * THREADS. The functions that take `const struct mm3_map *` may run in any number of threads at once. Those that take
 * `struct mm3_map *` (unmap, remap, make_*) change the value, and need it alone. Nothing here is async-signal-safe by
 * promise, except the inline accessors.
 *
 * ERRORS. 0, or a negative code: -EINVAL (arguments, a range outside the map), -EOVERFLOW (a length above PTRDIFF_MAX
 * or an end above 2^63-1), else the system's own -errno. On failure every call leaves the map, and the struct, as
 * they were. `error` may be NULL; otherwise a failing call fills it with a sentence that names the file if there is
 * one. On a system that lacks an optional call (mremap, OFD locks, an advice) the function says -ENOTSUP and the
 * others go on working; the map itself needs POSIX mmap.
 */
#ifndef MM3_MAP_H
#define MM3_MAP_H

#include <mm3/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of mm3_map.flags: what the map is now. Set by the library, read by anybody. */
enum mm3_map_flag {
  MM3_MAP_IS_SHARED = 1,    /* stores go to the file (or to the children of an anonymous map) */
  MM3_MAP_IS_ANONYMOUS = 2, /* no file behind it */
  MM3_MAP_IS_WRITABLE = 4,  /* PROT_WRITE now */
  MM3_MAP_IS_EXEC = 8       /* PROT_EXEC now */
};

struct mm3_map {
  void *ptr;          /* the first byte that was asked for; not NULL while mapped, aligned as the offset was */
  size_t length;      /* the bytes that were asked for, may be 0 */
  void *base;         /* the first mapped page */
  size_t mapped;      /* the bytes that are really mapped from base: whole pages; 0 means not mapped */
  uint32_t flags;     /* enum mm3_map_flag */
  uint32_t page_bits; /* the page that ranges are rounded to is 1 << page_bits: 12, or 21 for 2 MiB pages */
};

/* What a map of a file may do, and where its stores go. */
enum mm3_map_access {
  MM3_MAP_READ = 0,       /* PROT_READ, shared. The descriptor must be readable */
  MM3_MAP_READ_EXEC = 1,  /* PROT_READ|PROT_EXEC, shared. Readable, and not on a noexec mount (-EPERM) */
  MM3_MAP_READ_WRITE = 2, /* PROT_READ|PROT_WRITE, shared. O_RDWR (O_RDONLY and O_WRONLY are -EACCES) */
  MM3_MAP_COPY = 3,       /* PROT_READ|PROT_WRITE, private: stores reach neither the file nor another map. Readable */
  MM3_MAP_COPY_READ = 4,  /* PROT_READ, private: becomes MM3_MAP_COPY by mm3_map_make_writable. Readable */
  /* A pointer in C is raw already: the same maps, under the names that other libraries give them. */
  MM3_MAP_RAW = MM3_MAP_READ_WRITE,
  MM3_MAP_RAW_READ = MM3_MAP_READ
};

/* Bits of mm3_map_options.flags; any other is -EINVAL. */
enum mm3_map_option {
  MM3_MAP_EXACT = 1,       /* `length` counts even when it is 0 (0 without this flag: up to the file's end) */
  MM3_MAP_POPULATE = 2,    /* MAP_POPULATE: fault the pages in now. Never fails because of that: see below */
  MM3_MAP_NO_RESERVE = 4,  /* MAP_NORESERVE: set no swap aside (the kernel ignores it in overcommit mode 2) */
  MM3_MAP_STACK = 8,       /* MAP_STACK; anonymous maps only, ignored for files */
  MM3_MAP_HUGE = 16,       /* MAP_HUGETLB, pages of 1 << huge_bits; anonymous maps only, ignored for files */
  MM3_MAP_SHARED = 32,     /* anonymous maps only: share with children made by fork; ignored for files */
  MM3_MAP_LOCK_FILE = 64   /* mm3_map_path only (else -EINVAL): take the file's lock first, do not wait: below */
};

/* NULL means all defaults. One value serves many maps; no call changes it. In C:
 *     struct mm3_map_options options = {.size = sizeof options, .offset = 30, .length = 9};  */
struct mm3_map_options {
  uint32_t size;      /* sizeof(struct mm3_map_options); 0 is -EINVAL, bytes unknown to this library must be 0 */
  uint32_t flags;     /* enum mm3_map_option */
  uint64_t offset;    /* the first byte of the file, not necessarily page-aligned. Ignored for anonymous maps */
  uint64_t length;    /* bytes; 0: the file's length minus offset. Ignored for anonymous maps */
  uint32_t huge_bits; /* with MM3_MAP_HUGE: 21 for 2 MiB, 30 for 1 GiB, 0 for the system's default */
  uint32_t reserved;  /* 0 */
};

/* ---- making and dropping ------------------------------------------------------------------------------------- */

/* mm3_map_fd: maps the file of a descriptor, which is only borrowed: the map outlives close(fd).
 *   Linux: fstat, mmap (one fstatfs more where the file's block size is larger than a page: huge pages).
 *   Without a length the map ends where the file ends now. With one, the file's size is not looked at: pages past
 *   the end can be mapped and are a SIGBUS when touched (until the file grows; MM3_ADVICE_POPULATE_READ probes
 *   without that signal and says -EFAULT). /proc files and devices have size 0: give them a length.
 *   Returns 0, or, with *map untouched:
 *     -EINVAL     offset beyond the file's end (no length given); unknown flag, access or options size
 *     -EOVERFLOW  length, once rounded to pages, above PTRDIFF_MAX, or offset + length above 2^63-1
 *     -EBADF -EACCES -EPERM (sealed, noexec) -ENODEV (directory, pipe, /dev/null) -EIO (/proc) -ENOMEM (address space)
 *   Cost: mmap's and fstat's, 2 us, plus a fault at the first touch of each page. MM3_MAP_POPULATE moves the faults
 *   here; a page that cannot be read then is not reported: it faults later as if the flag had not been given. */
MM3_API int mm3_map_fd(struct mm3_map *map, int fd, enum mm3_map_access access, const struct mm3_map_options *options,
                       struct mm3_error *error);

/* mm3_map_path: opens (O_CLOEXEC; O_RDWR for MM3_MAP_READ_WRITE, else O_RDONLY; a FIFO does not hang it), maps as
 * mm3_map_fd does, and closes the descriptor. Never creates a file.
 *   MM3_MAP_LOCK_FILE takes the advisory lock of mm3_map_lock_file first: exclusive for MM3_MAP_READ_WRITE, shared
 *   otherwise; -MM3_E_BUSY when somebody else's is in the way. It lasts as long as the map, a forked child's copy
 *   of it included, and needs no unlocking.
 *   Returns as mm3_map_fd, and what open(2) says: -ENOENT, -EACCES, -EISDIR, -EMFILE ... */
MM3_API int mm3_map_path(struct mm3_map *map, const char *path, enum mm3_map_access access,
                         const struct mm3_map_options *options, struct mm3_error *error);

/* mm3_map_anonymous: `length` zero bytes, readable and writable, without a file; private, or with MM3_MAP_SHARED
 * shared with the children that fork makes. Length 0 is an empty map.
 *   Linux: mmap MAP_ANONYMOUS. MM3_MAP_HUGE: `mapped` is rounded up to the huge page, so that nothing leaks; -ENOMEM
 *   when the pool (vm.nr_hugepages) has not enough, -EINVAL for a size that the machine lacks.
 *   Returns 0; -EOVERFLOW above PTRDIFF_MAX; -EINVAL; -ENOMEM; -EAGAIN (mlockall and over the limit).
 *   Gone with the process. */
MM3_API int mm3_map_anonymous(struct mm3_map *map, size_t length, const struct mm3_map_options *options,
                              struct mm3_error *error);

/* mm3_map_unmap: munmap, and zeroes the struct. No flush: the kernel writes dirty shared pages later by itself.
 *   Returns 0 (also for a zeroed struct), or -errno with the map still there. */
MM3_API int mm3_map_unmap(struct mm3_map *map);

/* ---- hot accessors: no call ---------------------------------------------------------------------------------- */

/* mm3_map_ptr: the first byte; NULL only when not mapped. Valid until unmap, or a remap that may move. */
MM3_INLINE void *mm3_map_ptr(const struct mm3_map *map) { return map->ptr; }

/* mm3_map_length: the bytes from there on that belong to the map. */
MM3_INLINE size_t mm3_map_length(const struct mm3_map *map) { return map->length; }

/* mm3_map_contains: 1 when [offset, offset+length) lies inside the map, 0 otherwise; cannot overflow. */
MM3_INLINE int mm3_map_contains(const struct mm3_map *map, size_t offset, size_t length) {
  return offset <= map->length && length <= map->length - offset;
}

/* ---- ranges -------------------------------------------------------------------------------------------------- *
 * Each call has a whole-map form and a range form. `offset` counts from the map's first byte, not from the file's.
 * A range that does not lie inside the map is -EINVAL, and nothing is done; (length, 0) lies inside. Ranges are
 * widened to whole pages (except mm3_map_discard's, which are narrowed). An empty range succeeds and does nothing. */

/* mm3_map_flush: msync(MS_SYNC): returns when the bytes are on the disk, with as much metadata as is needed to find
 * them again; the time stamps may lag. mm3_map_flush_async: msync(MS_ASYNC): asks only, promises nothing (Linux does
 * nothing at all: it knows its dirty pages).
 *   On private and on read-only maps: 0, does nothing. On a file that was truncated: 0.
 *   Returns 0; -EIO or -ENOSPC when writing back failed: the data may be lost and the kernel says so once only.
 *   Cost: the disk's, per dirty page; a new file's name is durable only after an fsync of its directory. */
MM3_API int mm3_map_flush(const struct mm3_map *map);
MM3_API int mm3_map_flush_range(const struct mm3_map *map, size_t offset, size_t length);
MM3_API int mm3_map_flush_async(const struct mm3_map *map);
MM3_API int mm3_map_flush_async_range(const struct mm3_map *map, size_t offset, size_t length);

/* Advice that never changes what the program reads. The numbers are mm3's own. */
enum mm3_map_advice {
  MM3_ADVICE_NORMAL = 0,          /* MADV_NORMAL: read ahead as usual */
  MM3_ADVICE_RANDOM = 1,          /* MADV_RANDOM: no read-ahead */
  MM3_ADVICE_SEQUENTIAL = 2,      /* MADV_SEQUENTIAL: read far ahead, drop soon */
  MM3_ADVICE_WILL_NEED = 3,       /* MADV_WILLNEED: start reading, do not wait */
  MM3_ADVICE_DONT_FORK = 4,       /* MADV_DONTFORK: absent from children (touching it there: SIGSEGV) */
  MM3_ADVICE_DO_FORK = 5,         /* MADV_DOFORK: undo that */
  MM3_ADVICE_MERGEABLE = 6,       /* MADV_MERGEABLE: same-page merging may look here */
  MM3_ADVICE_UNMERGEABLE = 7,     /* MADV_UNMERGEABLE: undo that */
  MM3_ADVICE_HUGE_PAGE = 8,       /* MADV_HUGEPAGE: use transparent huge pages */
  MM3_ADVICE_NO_HUGE_PAGE = 9,    /* MADV_NOHUGEPAGE: do not */
  MM3_ADVICE_DONT_DUMP = 10,      /* MADV_DONTDUMP: leave it out of core dumps */
  MM3_ADVICE_DO_DUMP = 11,        /* MADV_DODUMP: undo that */
  MM3_ADVICE_POPULATE_READ = 12,  /* MADV_POPULATE_READ: fault in for reading; -EFAULT past the file's end: no signal */
  MM3_ADVICE_POPULATE_WRITE = 13, /* MADV_POPULATE_WRITE: fault in for writing; -EINVAL on a read-only map */
  MM3_ADVICE_COLD = 14,           /* MADV_COLD: reclaim these first */
  MM3_ADVICE_PAGE_OUT = 15,       /* MADV_PAGEOUT: reclaim these now */
  MM3_ADVICE_COLLAPSE = 16,       /* MADV_COLLAPSE: make huge pages now; -EINVAL or -EAGAIN where it cannot */
  MM3_ADVICE_WIPE_ON_FORK = 17,   /* MADV_WIPEONFORK: children see zeros; private anonymous maps only */
  MM3_ADVICE_KEEP_ON_FORK = 18    /* MADV_KEEPONFORK: undo that */
};

/* mm3_map_advise: one madvise(2) over the pages that hold a byte of the range.
 *   Returns 0; -EINVAL for a range outside the map, or an advice that this kind of map refuses; -ENOTSUP for one that
 *   the library was built without (an unknown number: -EINVAL); -EFAULT, -ENOMEM, -EAGAIN, -EIO as madvise says.
 *   A hint that fails is rarely a reason to stop. An advice on a part splits the map inside the kernel, and remap
 *   may refuse to grow such a map (-EFAULT). Advice is not carried over to pages that remap adds. */
MM3_API int mm3_map_advise(const struct mm3_map *map, enum mm3_map_advice advice);
MM3_API int mm3_map_advise_range(const struct mm3_map *map, size_t offset, size_t length, enum mm3_map_advice advice);

/* mm3_map_advice_supported: 1 when the kernel knows it (madvise of nothing succeeds), else 0. One system call. */
MM3_API int mm3_map_advice_supported(enum mm3_map_advice advice);

/* Advice that changes what is read, on maps of every access, read-only ones too: kept apart for that reason. */
enum mm3_map_discard {
  MM3_DISCARD_DONT_NEED = 0, /* MADV_DONTNEED: private anonymous pages become zeros, private copies are undone, shared
                                pages are read again from the file (nothing is lost); -EINVAL where locked in memory */
  MM3_DISCARD_FREE = 1,      /* MADV_FREE: as DONT_NEED, at some later time unless stored to; private anonymous only */
  MM3_DISCARD_REMOVE = 2,    /* MADV_REMOVE: punches a hole in the file or shared memory behind a writable shared map:
                                zeros for everybody; -EACCES if the descriptor was not writable, -EINVAL if private */
  MM3_DISCARD_POISON = 3     /* MADV_HWPOISON: treat the memory as broken: SIGBUS when touched. For tests of machines,
                                needs CAP_SYS_ADMIN, and takes the physical page out of service */
};

/* mm3_map_discard: one madvise(2) over the pages that lie WHOLLY in the range, so that neighbours never lose bytes.
 *   For DONT_NEED and FREE the bytes before ptr and after the map's end belong to nobody and do not count as
 *   neighbours: discarding a whole map discards every page of it. For REMOVE they are the file's and do count.
 *   Returns 0, also when no page lies wholly inside; else as mm3_map_advise. */
MM3_API int mm3_map_discard(const struct mm3_map *map, enum mm3_map_discard what);
MM3_API int mm3_map_discard_range(const struct mm3_map *map, size_t offset, size_t length, enum mm3_map_discard what);
MM3_API int mm3_map_discard_supported(enum mm3_map_discard what);

/* mm3_map_resident: how many of the map's bytes are in memory now (mincore). *bytes is at most the map's length, and
 * equal to it when all is there. A snapshot, old when it returns. For files that the caller neither owns nor may
 * write, Linux says "all" of mapped pages. Returns 0, -EINVAL, -ENOTSUP. Cost: 10 ns a page, no memory. */
MM3_API int mm3_map_resident(const struct mm3_map *map, size_t *bytes);

/* mm3_map_lock: mlock: faults every page in and keeps them in memory. mm3_map_unlock: munlock. Not counted: two locks
 * need one unlock. An empty map: 0, does nothing. Unmapping unlocks.
 *   Returns 0; -ENOMEM over RLIMIT_MEMLOCK, or pages past the file's end; -EPERM (the limit is 0); -EAGAIN.
 *   After a failed lock nothing of the map is locked (also if it was before). */
MM3_API int mm3_map_lock(const struct mm3_map *map);
MM3_API int mm3_map_unlock(const struct mm3_map *map);

/* ---- changing a map ------------------------------------------------------------------------------------------ */

/* Protection of the whole map, mprotect(2): PROT_READ, PROT_READ|PROT_WRITE, PROT_READ|PROT_EXEC (make_exec also
 * clears the instruction cache, for machines that need it). The pointer stays.
 *   Returns 0; -EACCES: make_writable on a shared map of a descriptor that was not O_RDWR; -EPERM, -ENOMEM.
 *   On failure the map keeps its old protection. Cost: 1 us, and TLB shootdowns in threads that use it. */
MM3_API int mm3_map_make_read_only(struct mm3_map *map);
MM3_API int mm3_map_make_writable(struct mm3_map *map);
MM3_API int mm3_map_make_exec(struct mm3_map *map);

enum mm3_map_remap_flag { MM3_MAP_MAY_MOVE = 1 };

/* mm3_map_remap: changes the map's length (mremap), 0 and back included; ptr's place in its page stays. Does not
 * touch the file: see mm3_map_extend_file. With MM3_MAP_MAY_MOVE the address may change, and every pointer into the
 * map is then void; without it, growth fails with -ENOMEM where the neighbouring addresses are taken. Shrinking
 * never moves. New pages of a private anonymous map are zero.
 *   Returns 0; -EINVAL for unknown flags; -EOVERFLOW above PTRDIFF_MAX; -ENOMEM (or -EINVAL, the kernel's word for a
 *   length that no address space holds); -EFAULT where an advice on a part has split the map; -ENOTSUP
 *   without mremap, and for growing a shared anonymous map (its memory has a fixed size: the new pages would be a
 *   SIGBUS). Cost: page tables are moved, not bytes. */
MM3_API int mm3_map_remap(struct mm3_map *map, size_t new_length, unsigned flags);

/* ---- files under maps ---------------------------------------------------------------------------------------- */

/* mm3_map_extend_file: makes the file `length` bytes long with real allocation, so that no store to the new pages can
 * run out of disk: fallocate(2), and where the file system cannot, zeros written past the old end. Every map that
 * already reaches over the new pages, in any process, shows them at once (map with a length larger than the file's).
 * A file that is long enough stays as it is; none becomes shorter. Holes before the old end are not filled.
 *   Caller's duty: one extender at a time, and no truncation meanwhile: hold mm3_map_lock_file if others may.
 *   Returns 0; -ENOSPC, -EDQUOT: nothing that was written is lost, the file may have grown by a part; -EFBIG: above
 *   RLIMIT_FSIZE (no SIGXFSZ) or the file system's bound; -EBADF: not open for writing; -EINVAL: not a regular file.
 *   On copy-on-write file systems (btrfs, ZFS) and NFS no allocation binds: a store may still fail there. A crash of
 *   the kernel before fsync may leave the old length. */
MM3_API int mm3_map_extend_file(int fd, uint64_t length, struct mm3_error *error);

enum mm3_map_file_lock {
  MM3_MAP_LOCK_EXCLUSIVE = 0, /* one holder; the descriptor must be open for writing */
  MM3_MAP_LOCK_SHARED = 1     /* any number, while nobody is exclusive; the descriptor must be readable */
};

/* mm3_map_lock_file: waits for the advisory lock of the whole file (fcntl F_OFD_SETLKW). mm3_map_try_lock_file does
 * not wait: -MM3_E_BUSY. Only programs that ask are kept away: a lock stops nobody from writing.
 *   The lock belongs to the open file description, not to the process: threads and processes that share a descriptor
 *   share the lock; the same file opened twice is two, also within one process. Asking again changes its kind (not
 *   atomically: another holder may come in between). It ends at mm3_map_unlock_file, or when the last descriptor
 *   AND the last map made from that description are gone, in children too; a SIGKILL frees it.
 *   Returns 0; -MM3_E_BUSY; -EBADF: the descriptor's mode does not suit; -EINVAL; -ENOTSUP; -ENOLCK; -EINTR (a signal
 *   handler ran while it waited); -EDEADLK never: the kernel does not look for cycles of these locks. */
MM3_API int mm3_map_lock_file(int fd, enum mm3_map_file_lock how);
MM3_API int mm3_map_try_lock_file(int fd, enum mm3_map_file_lock how);
MM3_API int mm3_map_unlock_file(int fd);

#ifdef __cplusplus
}
#endif
#endif
