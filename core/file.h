/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* file.h: an open file, as the parts of the core that open, lock and grow it see it. */
#ifndef MM3_CORE_FILE_H
#define MM3_CORE_FILE_H

#include "internal.h"
#include "super.h"
#include "sys.h"

#define MM3I_NO_SLOT UINT32_MAX
#define MM3I_DEFAULT_TIMEOUT 30000u

/* Bytes of the file, far past its end, that carry OFD locks. */
#define MM3I_BYTE_MAKING ((INT64_C(1) << 62) - 4)  /* exclusive on a temporary while its maker lives */
#define MM3I_BYTE_WRITERS ((INT64_C(1) << 62) - 3) /* shared by writers, exclusive with MM3_EXCLUSIVE */
#define MM3I_BYTE_OPENING ((INT64_C(1) << 62) - 2) /* B0: exclusive while opening */
#define MM3I_BYTE_IN_USE ((INT64_C(1) << 62) - 1)  /* B1: shared as long as it is mapped */
#define MM3I_BYTE_SLOT (INT64_C(1) << 62)          /* + slot: exclusive as long as the slot's owner lives */

/* The lock word: waiters, owner's slot + 1, nonce. 0 is free. An owner above MM3I_SLOTS is dead by definition. */
#define MM3I_LOCK_WAITERS UINT32_C(0x80000000)
#define MM3I_LOCK_OWNER_SHIFT 23
#define MM3I_LOCK_OWNER(word) (((word) & ~MM3I_LOCK_WAITERS) >> MM3I_LOCK_OWNER_SHIFT)
#define MM3I_LOCK_NONCE UINT32_C(0x007fffff)
#define MM3I_LOCK_DEAD UINT32_C(0xff)

struct mm3i_handle {
  struct mm3_file file;        /* what inline code sees; first */
  struct mm3i_super *super;    /* the mapped one */
  void *root;
  struct mm3i_schema *schema;
  struct mm3i_arena *arena;    /* the schema's: so that leak checkers see who owns it */
  struct mm3i_fixed fixed;     /* as verified: the mapped one may be scribbled over */
  const struct mm3_desc *desc; /* known to agree; atomic */
  char *path;
  const char *temporary;       /* its name while it has no other; for reopening without /proc */
  uint64_t reserve;            /* bytes mapped */
  uint64_t device, inode;
  int fd;                      /* the mapped description */
  int control;                 /* never mapped: carries the slot's lock; -1 in a forked child until its first lock */
  uint32_t slot;               /* atomic */
  uint32_t held;               /* atomic: the lock word while this handle holds it, else 0 */
  uint32_t holder;             /* atomic: thread id of the taker */
  uint32_t nonce;              /* atomic */
  uint32_t claiming;           /* atomic: thread that looks for a slot */
  uint32_t timeout_ms;
  uint32_t flags;              /* MM3_READ_ONLY ... */
  bool writable;
  bool anonymous;
  bool solo;                   /* no OFD locks here: the only writer, by flock */
  bool alone;                  /* at open: nobody else had it open */
  bool forked;                 /* parent or child of a fork: both have this map, and its locks; under the list's mutex */
  int failed, recovered, folder_synced; /* atomic */
  int repairing;               /* atomic: the heap's mark of a repair is this handle's own */
  struct mm3i_handle *previous, *next;
};

static inline struct mm3i_handle *mm3i_handle_of(const struct mm3_file *file) {
  return (struct mm3i_handle *)(uintptr_t)file;
}

/* The first two pages: what openers and lockers say to each other. */
struct mm3i_lock_area {
  struct mm3i_super super;
  struct mm3i_slot slots[MM3I_SLOTS];
};

static inline const struct mm3i_lock_area *mm3i_lock_area(const struct mm3i_handle *handle) {
  return (const struct mm3i_lock_area *)(const void *)handle->file.base;
}

static inline struct mm3i_slot *mm3i_slots(const struct mm3i_handle *handle) {
  return (struct mm3i_slot *)(handle->file.base + MM3I_PAGE);
}

/* handle.c: life of a handle, options, messages */
int mm3i_options_read(const struct mm3_options *from, struct mm3_options *to, const char *path, struct mm3_error *);
struct mm3i_handle *mm3i_handle_new(const char *path, const struct mm3_options *, struct mm3_error *);
void mm3i_handle_free(struct mm3i_handle *);
void mm3i_error_begin(struct mm3_error *, const char *path);
/* Fills the error with the file's name in front of the sentence; returns the code. */
int mm3i_fail(struct mm3_error *, const char *path, int code, const char *format, ...) MM3_PRINTF(4, 5) MM3_COLD;
/* The same for a system call that failed: "cannot WHAT: reason". */
int mm3i_fail_sys(struct mm3_error *, const char *path, int code, const char *what) MM3_COLD;
/* Puts the file's name in front of a sentence that was written without it; returns the code. */
int mm3i_name_file(struct mm3_error *, const char *path, int code) MM3_COLD;

/* attach.c: from an open descriptor to a mapped, shared file */
int mm3i_map_file(struct mm3i_handle *, uint64_t length, uint64_t wanted, struct mm3_error *);
int mm3i_enter(struct mm3i_handle *, bool fresh, struct mm3_error *); /* takes B0, B1; sets alone, solo */
int mm3i_settle(struct mm3i_handle *, bool fresh, struct mm3_error *); /* reset when alone, slot, recover */
void mm3i_leave(struct mm3i_handle *);                                 /* lets B0 go */

/* slots.c */
int mm3i_ofd(int fd, int command, short type, int64_t byte);           /* fcntl: 0 or -errno; see there for GETLK */
int mm3i_control_open(struct mm3i_handle *, bool fresh);
void mm3i_control_close(struct mm3i_handle *);
int mm3i_pages_put(const struct mm3i_handle *, const void *bytes, size_t size, uint64_t offset);
/* One try; -EAGAIN: none is free. `area` is the mapped one, or a copy while nobody else can change it. */
int mm3i_slot_claim(struct mm3i_handle *, const struct mm3i_lock_area *area);
bool mm3i_slot_alive(const struct mm3i_handle *, uint32_t slot);
void mm3i_handles_lock(void);
void mm3i_handles_unlock(void);
int mm3i_handles_add(struct mm3i_handle *);
void mm3i_handles_remove(struct mm3i_handle *);                         /* and closes its control */

/* lock.c. mm3i_seize: takes the lock from the dead owner of `seen`, recovers and lets go; 0: somebody else was
 * quicker; 1: recovered; negative: the recovery failed, the lock stays with the dead. */
int mm3i_seize(struct mm3i_handle *, uint32_t slot, uint32_t seen);
int mm3i_lock_unrecovered(struct mm3i_handle *);                        /* from a recovery that failed, as it is */
uint32_t mm3i_thread_id(void);
void mm3i_thread_forget(void);                                          /* in a forked child */
/* This thread was torn away (a guard's jump): if it held the lock, the next taker recovers. Async-signal-safe. */
void mm3i_lock_abandon(struct mm3_file *);
void mm3i_bump(struct mm3i_super *);

/* Milliseconds on the monotonic clock. */
uint64_t mm3i_now_ms(void);
void mm3i_sleep_us(uint32_t us);

#endif
