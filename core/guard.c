/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "sys.h"

/* One running fn. Lives in the frame of mm3i_guard_run. */
struct guard {
  struct guard *outer;
  uintptr_t base;
  size_t length;
  void (*hook)(void *hook_arg);
  void *hook_arg;
  int code; /* what the jump means */
  sigjmp_buf jump;
};

/* Initial-exec: reading it in a signal handler must not call the dynamic linker's lazy allocation. */
static _Thread_local struct guard *volatile innermost __attribute__((tls_model("initial-exec")));

static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;   /* written before the handler is, never again */
static int active;                  /* the handler has been installed once */
static int previous_spent;          /* a SA_RESETHAND handler has had its one call */

static int in_range(const struct guard *guard, uintptr_t address) {
  return address >= guard->base && address - guard->base < guard->length;
}

/* What a fault at this page means; 0: nothing that a guard is for. */
static int fault_code(const siginfo_t *info) {
  switch (info->si_code) {
    case BUS_ADRERR:
    case BUS_OBJERR: return -MM3_E_TRUNCATED;
#ifdef BUS_MCEERR_AR
    case BUS_MCEERR_AR: return -EHWPOISON;
#endif
    default: return 0; /* kill(2), an unaligned access, a machine check that nobody touched */
  }
}

/* A hook may touch the very range that fell away: a guard of its own ends it then. */
static void run_hook(const struct guard *left, struct guard *outer) {
  struct guard own = {.outer = outer, .length = SIZE_MAX};
  if (sigsetjmp(own.jump, 0) == 0) {
    innermost = &own;
    left->hook(left->hook_arg);
  }
  innermost = outer;
}

/* Does not return: leaves every guard up to and including `target`. */
static __attribute__((noreturn)) void leave(struct guard *target, int code, const ucontext_t *context) {
  struct guard *outer = target->outer;
  /* first the mask: a hook's own fault must find SIGBUS open, and the thread goes on with the mask that it had */
  pthread_sigmask(SIG_SETMASK, &context->uc_sigmask, NULL);
  for (struct guard *guard = innermost; guard != outer; guard = guard->outer)
    if (guard->hook) run_hook(guard, outer);
  innermost = outer;
  target->code = code;
  siglongjmp(target->jump, 1);
}

/* What the system would have done. A fault happens again on return and then kills, with its core at the instruction; a
 * signal that somebody sent is sent once more, and waits until the handler returns. */
static void die_by_default(int number, int fault) {
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  sigemptyset(&standard.sa_mask);
  mm3i_sys.sigaction(number, &standard, NULL);
  if (!fault) raise(number);
}

/* 1: the instruction faults again when the handler returns; 0: somebody sent the signal, or it tells of a page that
 * nobody touched. */
static int fault_recurs(const siginfo_t *info) {
#ifdef BUS_MCEERR_AO
  if (info->si_code == BUS_MCEERR_AO) return 0;
#endif
  return info->si_code > 0;
}

static int previous_is(void (*handler)(int)) {
  return (previous.sa_flags & SA_SIGINFO) == 0 && previous.sa_handler == handler;
}

/* A handler that asked to be called once has been. */
static int previous_is_spent(void) {
  return ((unsigned)previous.sa_flags & (unsigned)SA_RESETHAND) != 0 &&
         __atomic_exchange_n(&previous_spent, 1, __ATOMIC_RELAXED) != 0;
}

static void chain(int number, siginfo_t *info, void *context) {
  int fault = fault_recurs(info), spent = previous_is_spent();
  if (previous_is(SIG_IGN) && !fault) return;
  if (spent || previous_is(SIG_DFL) || previous_is(SIG_IGN)) {
    die_by_default(number, fault);
    return;
  }
  sigset_t mask = previous.sa_mask;
  pthread_sigmask(SIG_BLOCK, &mask, NULL); /* undone by the kernel when the handler returns */
  if ((previous.sa_flags & SA_NODEFER) != 0) {
    sigemptyset(&mask);
    sigaddset(&mask, number);
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0)
    previous.sa_sigaction(number, info, context);
  else
    previous.sa_handler(number);
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
  int saved = errno, code = fault_code(info);
  uintptr_t address = (uintptr_t)info->si_addr;
  if (code != 0)
    for (struct guard *guard = innermost; guard; guard = guard->outer)
      if (in_range(guard, address)) {
        errno = saved;
        leave(guard, code, context);
      }
  chain(number, info, context);
  errno = saved;
}

static int handler_is_ours(const struct sigaction *action) {
  return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == on_bus_error;
}

static int install_once(void) {
  struct sigaction now, ours;
  if (mm3i_sys.sigaction(SIGBUS, NULL, &now) != 0) return -errno;
  if (active) return handler_is_ours(&now) ? 0 : -MM3_E_BUSY;
  memset(&ours, 0, sizeof ours);
  ours.sa_sigaction = on_bus_error;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  previous = now; /* before the handler can run */
  if (mm3i_sys.sigaction(SIGBUS, &ours, NULL) != 0) return -errno;
  __atomic_store_n(&active, 1, __ATOMIC_RELEASE);
  return 0;
}

int mm3_guard_install(void) {
  pthread_mutex_lock(&install_lock);
  int result = install_once();
  pthread_mutex_unlock(&install_lock);
  return result;
}

int mm3i_guard_active(void) { return __atomic_load_n(&active, __ATOMIC_ACQUIRE); }

int mm3_guard_installed(void) {
  struct sigaction now;
  if (!mm3i_guard_active()) return 0;
  if (mm3i_sys.sigaction(SIGBUS, NULL, &now) != 0) return -errno;
  return handler_is_ours(&now) ? 1 : -MM3_E_BUSY;
}

/* Not inlined: sigsetjmp's rules hold for this frame only, whose one local that changes lies in memory. */
__attribute__((noinline)) int mm3i_guard_run(const struct mm3i_guard_range *range, int (*fn)(void *arg), void *arg) {
  struct guard guard;
  guard.outer = innermost;
  guard.base = (uintptr_t)range->base;
  guard.length = range->length;
  guard.hook = range->hook;
  guard.hook_arg = range->hook_arg;
  guard.code = 0;
  if (sigsetjmp(guard.jump, 0) != 0) return guard.code; /* the handler has taken this guard off */
  innermost = &guard;
  int result = fn(arg);
  innermost = guard.outer;
  return result;
}

int mm3_guard_run_range(const void *base, size_t length, int (*fn)(void *arg), void *arg) {
  struct mm3i_guard_range range = {.base = base, .length = length};
  return mm3i_guard_run(&range, fn, arg);
}

int mm3_guard_run(const struct mm3_map *map, int (*fn)(void *arg), void *arg) {
  struct mm3i_guard_range range = {.base = map->base, .length = map->mapped};
  return mm3i_guard_run(&range, fn, arg);
}
