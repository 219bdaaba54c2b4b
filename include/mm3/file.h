/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * file.h: a struct kept in a file: create, open, share, lock, sync, close.
 *
 * A file holds a superblock, the schema and its field table, the root struct, and a heap for kinds that grow; see
 * doc/FORMAT. The handle maps it; MM3_STRUCT's members are then plain memory that every process with the file open
 * shares.
 *
 * Before anything else, know that
 *   - plain fields promise what plain memory promises: each aligned word whole, one writer at a time. Atomics take any
 *     number of writers; every other kind's header says what it promises;
 *   - a killed process, at any instruction, leaves a file that opens and passes its check. A crash of the kernel or the
 *     power before mm3_sync returned may leave any mixture of old and new pages;
 *   - somebody who truncates the file turns accesses into SIGBUS: mm3/guard.h makes that an error code;
 *   - network file systems without OFD locks: a second writer is refused at open;
 *   - after fork the child may use the handle: it reads, stores and uses atomics at once, and takes a lock slot of its
 *     own at its first lock; what the parent held is not the child's. exec closes everything;
 *   - threads share one handle freely. The same file opened twice in one process is two handles, each its own owner.
 */
#ifndef MM3_FILE_H
#define MM3_FILE_H

#include <mm3/error.h>
#include <mm3/struct.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open file. The members here are for inline code; the handle continues in private. Read them, never write. */
struct mm3_file {
  unsigned char *base;         /* where the file's first byte is mapped; never moves */
  uint64_t limit;              /* trusted: bytes from base that are surely backed by the file. Read with MM3_RELAXED */
};

#define MM3_READ_ONLY 1u       /* never writes to the mapping; needs read permission only */
#define MM3_REPLACE 2u         /* create: published by rename over an existing name; users of the old file are told */
#define MM3_NO_MODULES 4u      /* open: loads no module; kinds that are not registered show as opaque bytes (read-only) */
#define MM3_SPARSE 8u          /* create: the file may have holes: a full disk is then a SIGBUS at a store */
#define MM3_EXCLUSIVE 16u      /* open: refused with -MM3_E_BUSY while any other handle that can write is open */

#define MM3_CAREFUL 32u        /* open: read-only, a damaged file too, where one flipped bit explains the damage or what is left
                                  agrees with itself; mm3_check says what is wrong. For saving what can be read */
#define MM3_HUGE_PAGES 64u     /* create, open: maps at 2 MiB and asks the kernel for pages of that size. Where the file
                                  system has them (ext4, XFS, tmpfs), first stores all over a large file are many times
                                  cheaper (doc/PERFORMANCE, W1), and mm3_sync dearer, as a byte makes 2 MiB dirty: for
                                  tables, caches and logs that are synced rarely. A hint: never fails */

struct mm3_options {
  uint32_t size;               /* sizeof(struct mm3_options), or 0 with everything else 0 */
  uint32_t flags;              /* MM3_READ_ONLY ... ; unknown bits are -EINVAL */
  uint32_t mode;               /* create: permission bits; 0: 0666 less umask */
  uint32_t timeout_ms;         /* longest wait for the file's lock; 0: 30000 */
  uint64_t reserve;            /* bytes of address space for growth; 0: 64 GiB or four times the file, less where that
                                  cannot be had. Files without a growing kind map exactly their length */
  uint64_t limit;              /* create: the file never grows beyond this; 0: no limit */
};

/*
 * mm3_create: makes a new file and opens it. The name appears only when the file is complete.
 * -EEXIST when the name exists, whatever it is (unless MM3_REPLACE).
 * mm3_open: opens an existing file. `desc` is MM3_TYPE(name), or NULL to take the schema from the file. Program,
 * file and modules must agree field by field; the first that differs is named in the message.
 * mm3_open_or_create: opens; where there is no file creates; either way opens the same file in the end, also when
 * several processes do so at once. This is what "create" is to users of memmap3.
 * mm3_open_anonymous: a file without a name, shared with children after fork; gone with its last handle.
 *
 * `options` may be NULL. Returns a handle, or NULL with the reason in *error (nullable): -errno of open(2), mmap(2),
 * fallocate(2) (-ENOSPC and -EFBIG leave nothing behind), -MM3_E_NOT_MM3, _DAMAGED, _VERSION, _ABI, _LAYOUT, _MODULE,
 * _SCHEMA (a type that its module refuses), _BUSY (MM3_EXCLUSIVE, or an opener that does not get on for the timeout),
 * -EISDIR, -EINVAL for what is not a regular file (a pipe is refused without waiting for its other end).
 * Cost: open about 20 us, of which mmap(2) is most; no part grows with the data. Create adds allocation and one fault.
 * Threads: any. Durability: nothing before mm3_sync.
 */
MM3_API struct mm3_file *mm3_create(const char *path, const struct mm3_desc *desc, const struct mm3_options *options,
                                    struct mm3_error *error);
MM3_API struct mm3_file *mm3_open(const char *path, const struct mm3_desc *desc, const struct mm3_options *options,
                                  struct mm3_error *error);
MM3_API struct mm3_file *mm3_open_or_create(const char *path, const struct mm3_desc *desc,
                                            const struct mm3_options *options, struct mm3_error *error);
MM3_API struct mm3_file *mm3_open_anonymous(const struct mm3_desc *desc, const struct mm3_options *options,
                                            struct mm3_error *error);

/* mm3_create_schema: as mm3_create, from a schema's text: `struct counter { value: atomic(u64) name: string(32) }`.
 * The last block is the root. -MM3_E_SCHEMA with line, column and what was expected. */
MM3_API struct mm3_file *mm3_create_schema(const char *path, const char *schema, const struct mm3_options *options,
                                           struct mm3_error *error);

/* mm3_file_replace: gives an open, finished file the name `path` in place of the file that has it (rename(2): whoever opens
 * the name finds the old file or the new one), and marks that one as superseded: mm3_wait of its users returns. Returns 0,
 * -errno of rename(2) (-EXDEV: another file system), -EINVAL for an anonymous file. mm3_file_path stays what it was.
 * Durability: none of its own; mm3_sync before, fsync(2) of the folder after. */
MM3_API int mm3_file_replace(struct mm3_file *file, const char *path, struct mm3_error *error);

/* mm3_init: makes a valid, empty struct of zeroed or any other plain memory of desc->bytes bytes, aligned as the C
 * struct. Operations without a file argument work on it. Returns 0 or as mm3_open; -EINVAL when a field grows. */
MM3_API int mm3_init(void *bytes, const struct mm3_desc *desc, struct mm3_error *error);

/* mm3_root, mm3_root_const: the struct in the file, as `struct name *`. NULL when the handle was opened for another
 * struct (then the layout is compared once more, by value), for mm3_root also when it is read-only. Valid until close. */
#define mm3_root(file, name) ((struct name *)mm3_root_of((file), MM3_TYPE(name)))
#define mm3_root_const(file, name) ((const struct name *)mm3_root_const_of((file), MM3_TYPE(name)))
MM3_API void *mm3_root_of(struct mm3_file *file, const struct mm3_desc *desc);
MM3_API const void *mm3_root_const_of(const struct mm3_file *file, const struct mm3_desc *desc);

/* mm3_sync: returns when everything stored before the call is on the disk (msync MS_SYNC; the first one also syncs the
 * folder, so that the name survives). 0 or -errno; an error is reported once and marks the handle failed (info shows
 * it), because the kernel may have dropped the pages. Cost: one device flush, about 100 us, and the dirty pages. */
MM3_API int mm3_sync(struct mm3_file *file);

/* mm3_close: unmaps and frees. -EBUSY, and nothing happens, while this handle holds the lock. NULL is 0. Does not sync:
 * the kernel writes dirty pages in its own time. No other thread may use the handle any more. */
MM3_API int mm3_close(struct mm3_file *file);

/* ---- the lock ------------------------------------------------------------------------------------------------------
 * One a file, for operations of several stores and for batches; kinds that grow take it themselves. Not recursive. It
 * survives its owner: when the owner is dead, as shown by an OFD lock that the kernel released, the next taker recovers
 * what was under way and goes on.
 *
 * mm3_lock waits up to the handle's timeout, mm3_lock_for up to `ms` milliseconds, mm3_trylock not at all. Return 0: have
 * it; 1: have it, and what a dead owner left was recovered; -MM3_E_BUSY: not in time, or all 128 slots are taken;
 * -EDEADLK: this thread has it; -MM3_E_READ_ONLY; -MM3_E_DAMAGED: a recovery failed (the file stays locked out until
 * mm3_repair releases it). Cost uncontended: two atomic operations, no system call.
 * mm3_unlock: 0, or -EPERM when this handle does not hold it. A thread other than the taker may unlock.
 */
MM3_API int mm3_lock(struct mm3_file *file);
MM3_API int mm3_lock_for(struct mm3_file *file, uint32_t ms);
MM3_API int mm3_trylock(struct mm3_file *file);
MM3_API int mm3_unlock(struct mm3_file *file);
MM3_API int mm3_locked(const struct mm3_file *file); /* 1 while this handle holds it */

/* mm3_lock_many: several files, in the order of their UUIDs, so that two callers cannot block each other. All or none.
 * Returns 0, 1 (some file was recovered), or the first failure. */
MM3_API int mm3_lock_many(struct mm3_file *const *files, size_t count);
MM3_API int mm3_unlock_many(struct mm3_file *const *files, size_t count);

/* The certificate: one 64-bit word that says what the lock's holder is doing, and eight intent words. Only operations
 * of kinds that need a recovery write it; the lock's release clears it. field << 32 | operation << 16 | state. */
MM3_API void mm3_certify(struct mm3_file *file, uint32_t field, uint16_t operation, uint16_t state);
MM3_API volatile uint64_t *mm3_intents(struct mm3_file *file);

/* ---- waiting for changes -----------------------------------------------------------------------------------------
 * The change counter moves with every release of the lock and every mm3_notify; plain fields, atomics and operations
 * without a file argument do not touch it, so that they stay the instructions of plain C.
 *
 * mm3_changes: the counter now. mm3_wait: sleeps until it differs from `seen`, or `ms` milliseconds have passed. Returns 1
 * (changed), 0 (time is up), -MM3_E_SUPERSEDED (nothing more will come: the file was replaced, open the name again). A
 * read-only handle polls every 20 ms. mm3_notify: moves it and wakes; 0 or -MM3_E_READ_ONLY.
 */
MM3_API uint32_t mm3_changes(const struct mm3_file *file);
MM3_API int mm3_wait(struct mm3_file *file, uint32_t seen, uint32_t ms);
MM3_API int mm3_notify(struct mm3_file *file);

/* ---- trusted bounds: for kinds that keep offsets ------------------------------------------------------------------
 * mm3_at: the address of [offset, offset + size) of the file, or NULL when that is not surely inside the file and the
 * mapping. An offset from the file is hostile: every use goes through here. Inline, two compares; the cold part looks at
 * the file's size once more. */
MM3_API void *mm3_at_cold(struct mm3_file *file, uint64_t offset, uint64_t size);
MM3_INLINE void *mm3_at(struct mm3_file *file, uint64_t offset, uint64_t size) {
  uint64_t limit = __atomic_load_n(&file->limit, __ATOMIC_RELAXED);
  if (__builtin_expect(size <= limit && offset <= limit - size, 1)) return file->base + offset;
  return mm3_at_cold(file, offset, size);
}
/* mm3_at_code: why mm3_at gave NULL: -MM3_E_RESERVE (inside the file, but beyond this handle's reserve: reopen with a
 * larger one), -MM3_E_DAMAGED (beyond the file), 0 (it grew meanwhile: ask again). */
MM3_API int mm3_at_code(struct mm3_file *file, uint64_t offset, uint64_t size);

/* ---- what a file is -------------------------------------------------------------------------------------------------- */

struct mm3_owner {
  uint32_t slot, pid;          /* pid as in the owner's own pid namespace */
  uint64_t start_time;         /* clock ticks since boot, as in /proc/PID/stat */
  int alive, holds_lock;
};

struct mm3_file_info {
  uint32_t size;
  uint32_t format;             /* 1 */
  uint64_t compat, ro_compat, incompat;
  uint8_t uuid[16];
  uint64_t created_ns;         /* since 1970 */
  uint64_t incarnation;        /* openings that found nobody else */
  uint64_t length, heap_offset, heap_end, reserve;
  uint64_t root_offset, root_size;
  uint32_t schema_bytes, nfields;
  uint32_t changes;
  int writable, locked, superseded, failed, recovered; /* recovered: this handle's open or last lock recovered */
  int missing_modules;         /* fields shown as opaque bytes */
  uint32_t nowners;
  struct mm3_owner owners[128];
};

/* mm3_file_describe: fills the first info->size bytes (0: all of them; set it, or zero the struct, before the call). Owners
 * come from the slots that somebody signed; `alive` asks the kernel. Returns 0, -EINVAL, -MM3_E_TRUNCATED under a guard. */
MM3_API int mm3_file_describe(const struct mm3_file *file, struct mm3_file_info *info);
MM3_API const char *mm3_file_path(const struct mm3_file *file);
MM3_API const char *mm3_file_schema(const struct mm3_file *file); /* canonical text, until close */

#ifdef __cplusplus
}
#endif
#endif
