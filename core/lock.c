/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * lock.c: the file's lock: one word, whose owner's liveness only an OFD lock tells (slots.c).
 *
 * Every change of the word is a compare-and-swap from a value that was looked at, so that of several who find the owner
 * dead one takes over; the nonce keeps a word from coming back while somebody looks elsewhere.
 */
#include "file.h"
#include "probe.h"

#include <errno.h>
#include <string.h>

#define SLICE_MS 4u

static __thread uint32_t own_thread __attribute__((tls_model("initial-exec")));

MM3_COLD static uint32_t learn_thread(void) { return own_thread = (uint32_t)mm3i_sys.thread_id(); }

uint32_t mm3i_thread_id(void) {
  uint32_t known = own_thread;
  return __builtin_expect(known != 0, 1) ? known : learn_thread();
}

void mm3i_thread_forget(void) { own_thread = 0; }

static uint32_t make_word(struct mm3i_handle *handle, uint32_t slot) {
  uint32_t nonce = __atomic_load_n(&handle->nonce, __ATOMIC_RELAXED) + 1;
  __atomic_store_n(&handle->nonce, nonce, __ATOMIC_RELAXED);
  return (slot + 1) << MM3I_LOCK_OWNER_SHIFT | (nonce & MM3I_LOCK_NONCE);
}

static bool swap(struct mm3i_handle *handle, uint32_t seen, uint32_t word) {
  return __atomic_compare_exchange_n(&handle->super->lock, &seen, word, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void note_taken(struct mm3i_handle *handle, uint32_t word) {
  __atomic_store_n(&handle->holder, mm3i_thread_id(), __ATOMIC_RELAXED);
  __atomic_store_n(&handle->held, word & ~MM3I_LOCK_WAITERS, __ATOMIC_RELAXED);
}

/* ---- letting go --------------------------------------------------------------------------------------------------- */

void mm3i_bump(struct mm3i_super *super) {
  /* the lowest bit says that somebody waits */
  if (!(__atomic_fetch_add(&super->changes, 2, __ATOMIC_ACQ_REL) & 1)) return;
  __atomic_fetch_and(&super->changes, ~UINT32_C(1), __ATOMIC_ACQ_REL);
  mm3i_sys.futex_wake(&super->changes, INT32_MAX);
}

MM3_COLD static void wake(struct mm3i_super *super, uint64_t seen) {
  if (seen & MM3I_LOCK_WAITERS) mm3i_sys.futex_wake(&super->lock, 1);
  if (seen >> 32 & 1) mm3i_sys.futex_wake(&super->changes, INT32_MAX);
}

/* Frees the lock and moves the change counter by one store. Fails when somebody took the lock from us. */
int mm3_unlock(struct mm3_file *file) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct mm3i_super *super = handle->super;
  uint64_t held = __atomic_load_n(&handle->held, __ATOMIC_RELAXED), next;
  if (!held) return -EPERM;
  if (__atomic_load_n(&super->certificate, __ATOMIC_RELAXED))
    __atomic_store_n(&super->certificate, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&handle->holder, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&handle->held, 0, __ATOMIC_RELAXED);
  uint64_t seen = __atomic_load_n(&super->lock_and_changes, __ATOMIC_RELAXED);
  do {
    if ((seen & ~MM3I_LOCK_WAITERS & UINT32_MAX) != held) return -EPERM;
    next = ((seen >> 32 & ~UINT64_C(1)) + 2) << 32;
  } while (!__atomic_compare_exchange_n(&super->lock_and_changes, &seen, next, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
  if (__builtin_expect((seen & (MM3I_LOCK_WAITERS | UINT64_C(1) << 32)) != 0, 0)) wake(super, seen);
  return 0;
}

/* From held to a word that names nobody who lives; its waiters find that out by themselves. */
void mm3i_lock_abandon(struct mm3_file *file) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  uint32_t thread = own_thread, seen, held;
  if (!thread) return; /* never locked anything */
  if (__atomic_load_n(&handle->claiming, __ATOMIC_RELAXED) == thread)
    __atomic_store_n(&handle->claiming, 0, __ATOMIC_RELAXED);
  if (__atomic_load_n(&handle->holder, __ATOMIC_RELAXED) != thread) return;
  if (!(held = __atomic_exchange_n(&handle->held, 0, __ATOMIC_RELAXED))) return;
  __atomic_store_n(&handle->holder, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&handle->repairing, 0, __ATOMIC_RELAXED);
  uint32_t dead = MM3I_LOCK_DEAD << MM3I_LOCK_OWNER_SHIFT | (held & MM3I_LOCK_NONCE);
  for (seen = held; (seen & ~MM3I_LOCK_WAITERS) == held;)
    if (__atomic_compare_exchange_n(&handle->super->lock, &seen, dead | (seen & MM3I_LOCK_WAITERS), false,
                                    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
      return;
}

/* ---- taking over --------------------------------------------------------------------------------------------------- */

/* The lock is ours, its last owner died with it. A failed recovery leaves the word to a slot that never lives. */
static int recover(struct mm3i_handle *handle, uint32_t seen, uint32_t word) {
  MM3I_PROBE2(lock_taken_over, handle->path, MM3I_LOCK_OWNER(seen) - 1);
  uint64_t certificate = __atomic_load_n(&handle->super->certificate, __ATOMIC_ACQUIRE);
  struct mm3_error error;
  note_taken(handle, word);
  if (certificate) {
    if (mm3i_root_recover(handle->schema, handle->root, &handle->file, certificate, &error) < 0) {
      mm3i_lock_abandon(&handle->file);
      return -MM3_E_DAMAGED;
    }
    __atomic_store_n(&handle->super->certificate, 0, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&handle->recovered, 1, __ATOMIC_RELAXED);
  return 1;
}

int mm3i_seize(struct mm3i_handle *handle, uint32_t slot, uint32_t seen) {
  uint32_t word = make_word(handle, slot) | (seen & MM3I_LOCK_WAITERS);
  if (!swap(handle, seen, word)) return 0;
  int result = recover(handle, seen, word);
  if (result == 1) mm3_unlock(&handle->file);
  return result;
}

/* For a repair, which looks at every field itself. 1: ours; 0: the word moved, look again. */
int mm3i_lock_unrecovered(struct mm3i_handle *handle) {
  uint32_t seen = __atomic_load_n(&handle->super->lock, __ATOMIC_RELAXED);
  uint32_t slot = __atomic_load_n(&handle->slot, __ATOMIC_ACQUIRE);
  if (MM3I_LOCK_OWNER(seen) <= MM3I_SLOTS) return 0;
  if (slot == MM3I_NO_SLOT) return -MM3_E_BUSY;
  uint32_t word = make_word(handle, slot) | MM3I_LOCK_WAITERS;
  if (!swap(handle, seen, word)) return 0;
  note_taken(handle, word);
  return 1;
}

/* ---- taking -------------------------------------------------------------------------------------------------------- */

/* Of a dead thread of ours there is one heir: who puts its own name in its place, before it takes the word, so that the
 * others find a holder that lives whenever they look. */
static bool owner_is_dead(struct mm3i_handle *handle, uint32_t slot, uint32_t seen) {
  uint32_t owner = MM3I_LOCK_OWNER(seen);
  if (owner != slot + 1) return !mm3i_slot_alive(handle, owner - 1);
  uint32_t holder = __atomic_load_n(&handle->holder, __ATOMIC_RELAXED);
  if (!holder || !mm3i_sys.thread_gone((int)holder)) return false;
  return __atomic_compare_exchange_n(&handle->holder, &holder, mm3i_thread_id(), false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED);
}

/* From a dead owner's word, to which others may add the waiters' bit meanwhile. Who sees the new word sees the heir's name. */
static bool swap_dead(struct mm3i_handle *handle, uint32_t seen, uint32_t word) {
  const uint32_t owner = seen & ~MM3I_LOCK_WAITERS;
  while ((seen & ~MM3I_LOCK_WAITERS) == owner)
    if (__atomic_compare_exchange_n(&handle->super->lock, &seen, word, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return true;
  return false;
}

/* Sleeps until the word moves, a slice has passed, or the time is up. */
static void sleep_on(struct mm3i_handle *handle, uint32_t seen, uint64_t left_ms) {
  uint64_t ms = left_ms < SLICE_MS ? left_ms : SLICE_MS;
  struct timespec relative = {0, (long)ms * 1000000};
  MM3I_PROBE2(lock_waits, handle->path, MM3I_LOCK_OWNER(seen) - 1);
  if (!(seen & MM3I_LOCK_WAITERS) && !swap(handle, seen, seen | MM3I_LOCK_WAITERS)) return;
  mm3i_sys.futex_wait(&handle->super->lock, seen | MM3I_LOCK_WAITERS, &relative);
}

static uint64_t left(uint64_t end) {
  uint64_t now = mm3i_now_ms();
  return now < end ? end - now : 0;
}

/* A forked child's first lock, or a handle that found all slots taken. */
static int need_slot(struct mm3i_handle *handle, uint64_t end, uint32_t *slot) {
  int result;
  while ((*slot = __atomic_load_n(&handle->slot, __ATOMIC_ACQUIRE)) == MM3I_NO_SLOT) {
    if ((result = mm3i_slot_claim(handle, mm3i_lock_area(handle))) < 0 && result != -EAGAIN) return result;
    if (result == 0) continue;
    if (left(end) == 0) return -MM3_E_BUSY;
    mm3i_sleep_us(1000);
  }
  return 0;
}

MM3_COLD static int take_slowly(struct mm3i_handle *handle, uint32_t ms) {
  uint64_t end = mm3i_now_ms() + ms;
  uint32_t slot, slept = 0;
  int recovered_before = __atomic_load_n(&handle->recovered, __ATOMIC_RELAXED);
  bool had_slot = __atomic_load_n(&handle->slot, __ATOMIC_ACQUIRE) != MM3I_NO_SLOT;
  int result = need_slot(handle, end, &slot);
  if (result < 0) return result;
  int found = !had_slot && !recovered_before && __atomic_load_n(&handle->recovered, __ATOMIC_RELAXED);
  for (;;) {
    uint32_t seen = __atomic_load_n(&handle->super->lock, __ATOMIC_ACQUIRE);
    uint32_t owner = MM3I_LOCK_OWNER(seen);
    if (owner == 0) {
      uint32_t word = make_word(handle, slot) | (slept || (seen & MM3I_LOCK_WAITERS) ? MM3I_LOCK_WAITERS : 0);
      if (!swap(handle, seen, word)) continue;
      note_taken(handle, word);
      return found;
    }
    if (owner == slot + 1 && __atomic_load_n(&handle->holder, __ATOMIC_RELAXED) == mm3i_thread_id()) return -EDEADLK;
    uint64_t rest = left(end);
    if ((slept || rest == 0 || owner > MM3I_SLOTS) && owner_is_dead(handle, slot, seen)) {
      uint32_t word = make_word(handle, slot) | MM3I_LOCK_WAITERS;
      if (swap_dead(handle, seen, word)) return recover(handle, seen, word);
      continue;
    }
    if (rest == 0) return -MM3_E_BUSY;
    sleep_on(handle, seen, rest);
    slept = 1;
  }
}

int mm3_lock_for(struct mm3_file *file, uint32_t ms) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  if (__builtin_expect(!handle->writable, 0)) return -MM3_E_READ_ONLY;
  uint32_t slot = __atomic_load_n(&handle->slot, __ATOMIC_ACQUIRE);
  if (__builtin_expect(slot != MM3I_NO_SLOT, 1)) {
    uint32_t word = make_word(handle, slot);
    if (__builtin_expect(swap(handle, 0, word), 1)) return note_taken(handle, word), 0;
  }
  return take_slowly(handle, ms);
}

int mm3_lock(struct mm3_file *file) { return mm3_lock_for(file, mm3i_handle_of(file)->timeout_ms); }

int mm3_trylock(struct mm3_file *file) { return mm3_lock_for(file, 0); }

int mm3_locked(const struct mm3_file *file) {
  return __atomic_load_n(&mm3i_handle_of(file)->held, __ATOMIC_RELAXED) != 0;
}

/* ---- several --------------------------------------------------------------------------------------------------------- */

/* By UUID; a copied file has its original's, so the inode decides between those. */
static int compare(const struct mm3_file *a, const struct mm3_file *b) {
  const struct mm3i_handle *one = mm3i_handle_of(a), *two = mm3i_handle_of(b);
  int order = memcmp(one->fixed.uuid, two->fixed.uuid, sizeof one->fixed.uuid);
  if (order) return order;
  if (one->device != two->device) return one->device < two->device ? -1 : 1;
  return one->inode == two->inode ? 0 : one->inode < two->inode ? -1 : 1;
}

/* The file that comes next after `last` in the order; NULL at the end. A few files: no need to sort. */
static struct mm3_file *next_file(struct mm3_file *const *files, size_t count, const struct mm3_file *last) {
  struct mm3_file *best = NULL;
  for (size_t i = 0; i < count; i++)
    if ((!last || compare(files[i], last) > 0) && (!best || compare(files[i], best) < 0)) best = files[i];
  return best;
}

int mm3_lock_many(struct mm3_file *const *files, size_t count) {
  struct mm3_file *last = NULL;
  int recovered = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (compare(files[i], files[j]) == 0) return -EDEADLK; /* one file twice */
  for (size_t done = 0; done < count; done++) {
    struct mm3_file *next = next_file(files, count, last);
    int result = mm3_lock(next);
    if (result < 0) {
      for (size_t i = 0; i < count; i++)
        if (last && compare(files[i], last) <= 0) mm3_unlock(files[i]);
      return result;
    }
    recovered |= result;
    last = next;
  }
  return recovered;
}

int mm3_unlock_many(struct mm3_file *const *files, size_t count) {
  int result = 0;
  for (size_t i = 0; i < count; i++) {
    int one = mm3_unlock(files[i]);
    if (one < 0 && result == 0) result = one;
  }
  return result;
}

/* ---- what is under way ------------------------------------------------------------------------------------------------- */

void mm3_certify(struct mm3_file *file, uint32_t field, uint16_t operation, uint16_t state) {
  uint64_t certificate = (uint64_t)field << 32 | (uint32_t)operation << 16 | state;
  /* what the intents say was stored before, what the operation stores comes after: for a process that dies, the
   * compiler's order is the order */
  __atomic_store_n(&mm3i_handle_of(file)->super->certificate, certificate, __ATOMIC_RELEASE);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

volatile uint64_t *mm3_intents(struct mm3_file *file) { return mm3i_handle_of(file)->super->intents; }
