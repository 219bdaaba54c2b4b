/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * mm3twice.h: each operation of a kind on values of several sizes, done by one process, then by another, then reopened.
 *
 * A test says how a value of size n is made (fill), what a reader must find (same: through every reading operation),
 * and for each operation how it is done (run) and what it does to a plain model (model), which both return the same
 * number.
 */
#ifndef MM3_MM3TWICE_H
#define MM3_MM3TWICE_H

#include "mm3test.h"

#include <mm3/field.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct model {
  size_t n;
  uint64_t at[1100];
  char text[8192];
};

struct twice_op {
  const char *name;
  int (*run)(struct mm3_file *file, void *root);
  int (*model)(struct model *m);
};

struct twice {
  const struct mm3_desc *desc;
  size_t sizes[4]; /* 0, 1, one less than the capacity, the capacity */
  void (*fill)(struct mm3_file *file, void *root, size_t n, struct model *m);
  int (*same)(struct mm3_file *file, const void *root, const struct model *m);
  const struct twice_op *ops;
  size_t nops;
};

/* OP(name, statements, statements): `r` is the root, `m` the model; both end by returning the same number. */
#define OP(name, done, meant)                                \
  static int name##_run(struct mm3_file *file, void *root) { \
    struct ROOT *r = root;                                   \
    (void)file, (void)r;                                     \
    done                                                     \
  }                                                          \
  static int name##_model(struct model *m) {                 \
    (void)m;                                                 \
    meant                                                    \
  }
#define OF(name) \
  { #name, name##_run, name##_model }

struct twice_child {
  const struct twice *t;
  const struct twice_op *op;
  const char *path;
  struct model *m;
};

/* The other process: sees what the first one did, and does it too. */
static int twice_second(void *arg) {
  const struct twice_child *c = arg;
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_open(c->path, c->t->desc, NULL, &error);
  if (!CHECK_OK(file ? 0 : error.code, error)) return 1;
  void *root = mm3_root_of(file, c->t->desc);
  CHECK(c->t->same(file, root, c->m));
  int result = c->op->run(file, root);
  CHECK_EQ(result, c->op->model(c->m));
  CHECK(c->t->same(file, root, c->m));
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
  return 0;
}

/* 1 when everything held. */
static int twice_one(const struct twice *t, const struct twice_op *op, size_t n) {
  static struct model m;
  const char *path = mm3test_path("twice.mm3");
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create(path, t->desc, NULL, &error);
  struct twice_child child = {t, op, path, &m};
  if (!CHECK_OK(file ? 0 : error.code, error)) return 0;
  void *root = mm3_root_of(file, t->desc);
  memset(&m, 0, sizeof m);
  t->fill(file, root, n, &m);
  int ok = CHECK(t->same(file, root, &m));
  int result = op->run(file, root);
  ok &= CHECK_EQ(result, op->model(&m)) & CHECK(t->same(file, root, &m));
  ok &= CHECK_EQ(mm3test_fork(twice_second, &child), 0);
  op->model(&m);
  ok &= CHECK(t->same(file, root, &m)); /* seen through the handle that was open all the time */
  ok &= CHECK_EQ(mm3_close(file), 0);
  file = mm3_open(path, t->desc, NULL, &error);
  if (!CHECK_OK(file ? 0 : error.code, error)) return 0;
  ok &= CHECK(t->same(file, mm3_root_of(file, t->desc), &m)) & CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
  unlink(path);
  return ok;
}

MM3_UNUSED static void twice_all(const struct twice *t) {
  size_t step = strcmp(mm3test_tool(), "valgrind") == 0 ? 3 : 1; /* there the ends alone */
  for (size_t i = 0; i < 4; i += step)
    for (size_t k = 0; k < t->nops; k++)
      if (!twice_one(t, &t->ops[k], t->sizes[i])) fprintf(stderr, "  %s, size %zu\n", t->ops[k].name, t->sizes[i]);
}

/* TWICE(case, prefix, {sizes}, OF(op), OF(op) ...): a case from prefix_fill, prefix_same and operations. */
#define TWICE_SIZES(a, b, c, d) \
  { a, b, c, d }
#define TWICE(name, prefix, sizes, ...)                                                                           \
  static void name(void) {                                                                                        \
    static const struct twice_op ops[] = {__VA_ARGS__};                                                           \
    twice_all(&(const struct twice){MM3_I_TWICE_DESC(ROOT), TWICE_SIZES sizes, prefix##_fill, prefix##_same, ops, \
                                    sizeof ops / sizeof ops[0]});                                                 \
  }
#define MM3_I_TWICE_DESC(root)  MM3_I_TWICE_DESC_(root)
#define MM3_I_TWICE_DESC_(root) MM3_TYPE(root)

#endif
