/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * testing.h: operations of a kind that `mm3 modules check` kills at every store.
 *
 * A module lists them in its kind's table (test_ops), ended by a zeroed one. Each runs once in a process that is
 * stepped instruction by instruction on a field `value` of the given type; every state that the file ever had is then
 * opened, recovered and checked, and the value in it is compared with what it may be.
 *
 *     static int push_five(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) { ... }
 *
 *     static const struct mm3_test_op test_ops[] = {
 *         {"push", "ring(u64, 4)", "[1, 2]", push_five, NULL},
 *         {NULL, NULL, NULL, NULL, NULL},
 *     };
 *
 * Values are JSON, spelt as `mm3 get --json` spells them.
 */
#ifndef MM3_TESTING_H
#define MM3_TESTING_H

#include <mm3/module.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mm3_test_op {
  const char *name;
  const char *type;   /* of the field that it works on */
  const char *before; /* its value before; NULL: the empty one */

  /* The operation. ctx->file is the open file, ctx->field the field's number; the lock is not held. Everything that it
   * stores into the file is looked at; what it prepares elsewhere costs steps. Returns 0. */
  int (*run)(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);

  /* May a file show `now`, when its writer was killed on the way from `before` to `after`? 1 or 0. NULL: only `before`
   * or `after` may be. */
  int (*model)(const char *before, const char *after, const char *now);
};

#ifdef __cplusplus
}
#endif
#endif
