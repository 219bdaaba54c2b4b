/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* atomic: operations for the conformance kit (mm3/testing.h). */
#include "kind_tests.h"

#include <mm3/atomic.h>

#define OP(name, type, ...)                                                            \
  static int name(const struct mm3_type *laid_out, void *bytes, struct mm3_ctx *ctx) { \
    MM3_VALUE(type) *a = bytes;                                                        \
    (void)ctx, (void)laid_out;                                                         \
    return __VA_ARGS__;                                                                \
  }

OP(test_store, atomic(u64), (mm3_atomic_store(a, UINT64_MAX), 0))
OP(test_add, atomic(u64), mm3_atomic_fetch_add(a, UINT64_MAX - 5) == 5 ? 0 : -1)
OP(test_max, atomic(i16), mm3_atomic_fetch_max(a, INT16_MAX) == -300 ? 0 : -1)
OP(test_flip, atomic(bool), mm3_atomic_exchange(a, 1) == 0 ? 0 : -1)

const struct mm3_test_op mm3i_atomic_test_ops[] = {
  {"store", "atomic(u64)", "5", test_store, NULL},
  {"fetch_add", "atomic(u64)", "5", test_add, NULL},
  {"fetch_max", "atomic(i16)", "-300", test_max, NULL},
  {"exchange", "atomic(bool)", "false", test_flip, NULL},
  {NULL, NULL, NULL, NULL, NULL},
};
