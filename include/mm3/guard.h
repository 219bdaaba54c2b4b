/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * guard.h: SIGBUS as an error code.
 *
 * CAVEATS FIRST
 *
 *   A guard leaves fn in the middle, by siglongjmp: what fn had begun stays begun. Locks that it took, memory that it
 *   allocated, stdio streams in the middle of a write are left as they are. Keep fn small: read or write the map,
 *   fill the caller's variables, return. Locals of the caller that fn changed through pointers keep their values.
 *   fn must return: no longjmp out (nor by a handler of the program's), no C++ exception through mm3_guard_run, no
 *   pthread_exit, no cancellation inside.
 *   A thread that blocks SIGBUS dies as always: the kernel does not ask a blocked handler.
 *   Pages are not replaced: after the error the address still faults, until the file has grown back.
 *   System calls that touch such a page say -EFAULT by themselves; only loads and stores need a guard.
 *
 * A file that somebody shortens, a disk that fails to read, and a hole that finds no space all raise SIGBUS in the
 * program that touches the map. Installed once, the handler looks at the calling thread's stack of guards and jumps
 * to the innermost one whose range holds the address. Any other SIGBUS (another address, kill(2), an unaligned
 * access, no guard) goes to the handler that was there before, or does what the system would have done: the process
 * still dies of SIGBUS, with its core at the faulting instruction.
 *
 *      thread's guards:   [ base, length, jump ] -> [ base, length, jump ] -> NULL
 *                           innermost                  outermost
 */
#ifndef MM3_GUARD_H
#define MM3_GUARD_H

#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/map.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* mm3_guard_install: installs the handler of SIGBUS (SA_SIGINFO|SA_ONSTACK), and remembers the one that was there,
 * which is called for every fault that is no guard's. The only call of the library that touches a disposition.
 * For the whole process; again is harmless. Install after libraries that install without chaining.
 *   Returns 0: the handler is in place; -MM3_E_BUSY: it was installed earlier, and somebody has since replaced it
 *   (left so: guards work only if that one calls ours); -errno from sigaction.
 *   Threads: any. Cost: one system call. Children made by fork have it; exec drops it. */
MM3_API int mm3_guard_install(void);

/* mm3_guard_installed: 1 in place; 0 never installed; -MM3_E_BUSY replaced by somebody. One system call. */
MM3_API int mm3_guard_installed(void);

/* mm3_guard_run: calls fn(arg) and returns what it returned; or, when a page of the map fell away under it,
 *     -MM3_E_TRUNCATED  the page lies past the file's end, or could not be read, or a hole found no space
 *     -EHWPOISON        the memory itself is broken (machine check)
 * so fn should use other values for its own ends. Without mm3_guard_install it only calls fn. Nests, also over the
 * same map; a fault under two guards ends the innermost whose range holds it. The range is the map's at the time of
 * the call, whole pages: do not remap inside fn.
 *   Threads: any number at once, each has its own stack of guards. Cost: 8 ns when nothing happens, 3 us a fault. */
MM3_API int mm3_guard_run(const struct mm3_map *map, int (*fn)(void *arg), void *arg);

/* mm3_guard_run_range: the same for length bytes at base, wherever they come from; (NULL, SIZE_MAX): any address. */
MM3_API int mm3_guard_run_range(const void *base, size_t length, int (*fn)(void *arg), void *arg);

/* mm3_guard_run_file: the same for an open file. A jump that leaves the file's lock held marks it: the next taker, in this
 * process or another, recovers, as after a death. Once the handler is installed, the calls of mm3/field.h and mm3_check
 * guard themselves in this way and return -MM3_E_TRUNCATED with a sentence. */
MM3_API int mm3_guard_run_file(struct mm3_file *file, int (*fn)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
