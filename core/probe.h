/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * probe.h: places where perf, bpftrace, SystemTap and gdb can look on: `bpftrace -e 'usdt:libmm3.so:mm3:grown { ... }'`.
 * A probe is one nop and a note in the object, on cold paths only; without <sys/sdt.h> it is nothing.
 *
 *   mm3:created(path, bytes)             a new file is there
 *   mm3:opened(path, bytes)              one that was there, mapped and in use; bytes: of the file
 *   mm3:grown(path, from, to)            the file was lengthened
 *   mm3:lock_waits(path, slot)           somebody sleeps until the owner in that slot lets go
 *   mm3:lock_taken_over(path, slot)      the owner in that slot died with the lock; its work is finished or undone next
 *   mm3:repaired(path, left)             mm3_repair ran; left: findings that stay, or a negative code
 */
#ifndef MM3_CORE_PROBE_H
#define MM3_CORE_PROBE_H

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#ifdef HAVE_SYS_SDT_H
#include <sys/sdt.h>
#define MM3I_PROBE2(name, a, b) STAP_PROBE2(mm3, name, a, b)
#define MM3I_PROBE3(name, a, b, c) STAP_PROBE3(mm3, name, a, b, c)
#else
#define MM3I_PROBE2(name, a, b) ((void)(a), (void)(b))
#define MM3I_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif
