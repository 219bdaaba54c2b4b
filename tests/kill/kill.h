/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kill.h: what does a file look like when its writer is killed, at any instruction?
 *
 * An operation runs once in a child that is stepped instruction by instruction; after each step the file's bytes are
 * compared with what they were. Every state that the file ever had is then written out, opened by another process,
 * recovered and checked: once with nobody else there, and once with a reader that has it open. A sample of states is
 * also produced by a real SIGKILL, while a living peer waits for the file.
 *
 *     static int push_setup(struct kill_case *c) { ... make c->path; return 0; }
 *     static int push_run(struct kill_case *c) {
 *       struct mm3_file *file = mm3_open(c->path, MM3_TYPE(log), NULL, NULL);
 *       kill_begin();
 *       mm3_vec_push(&mm3_root(file, log)->items, 7);
 *       kill_end();
 *       return mm3_close(file);
 *     }
 *     static int push_model(struct kill_case *c, struct mm3_file *file) {
 *       ... return 0, or kill_says(c, "length %u", n);
 *     }
 *     static const struct kill_op push = {"push", push_setup, push_run, push_model, 0};
 *
 * Uses the public headers only. Linux, ptrace; x86-64 and others that can single-step.
 */
#ifndef MM3_KILL_H
#define MM3_KILL_H

#include <mm3/field.h>
#include <mm3/file.h>
#include <stdint.h>

#define KILL_NEW 1u    /* the operation makes the file: before it there is none */
#define KILL_HIDDEN 2u /* watch the file while it has no name yet: opening it may be refused as damaged or not ours */
#define KILL_ALONE 4u  /* no living peer: the operation wants the file for itself */
#define KILL_SICK 8u   /* states need not pass mm3_check: the operation is a repair, and the model does the checking */

/* Shared by all processes of one run. */
struct kill_case {
  char path[256];
  uint64_t memory[64]; /* the operation's own, zeroed before setup; the model sees the states in their order */
  uint32_t point;      /* which state the model looks at; 0 is the one before the first store */
  char says[512];      /* of the first violation */
};

struct kill_op {
  const char *name;
  int (*setup)(struct kill_case *); /* may be NULL; in a process of its own; 0 */
  int (*run)(struct kill_case *);   /* in the stepped child; 0 */
  int (*model)(struct kill_case *, struct mm3_file *file); /* may be NULL; the lock is held; 0: a state that may be */
  uint32_t flags;
};

struct kill_result {
  uint64_t steps, points, opened, refused, killed; /* killed: states that a real SIGKILL made */
  uint64_t violations;
  char says[512];
};

/* In run, around what is to be stepped. Without a tracer they do nothing. */
void kill_begin(void);
void kill_end(void);

/* In model: why this state must not be. Returns -1. */
int kill_says(struct kill_case *, const char *format, ...) MM3_PRINTF(2, 3);

/* Runs the operation in `folder`, which it may fill. 0, or -1 when the operation itself failed (says has the reason).
 * Prints one line: name, states, violations. */
int kill_run(const struct kill_op *op, const char *folder, struct kill_result *result);

/* 0 under Valgrind, whose processes cannot be stepped. kill_run then runs the operation once, from setup to model, and
 * reports no kill points. */
int kill_can_step(void);

/* ---- between kill.c, watch.c and replay.c ---- */

struct kill_state {
  uint64_t length;             /* of the file */
  uint64_t offset, size;       /* what changed */
  unsigned char *bytes;
};

struct kill_watch {
  int child;
  uint32_t flags;
  const char *path;
  int fd;
  unsigned char *map, *shadow;
  uint64_t length, device, inode;
  struct kill_state *states;
  uint64_t nstates, room;
};

/* Looks at the file; 1 when it changed and a state was added, 0, or -1 out of memory. */
int kill_look(struct kill_watch *);
void kill_watch_free(struct kill_watch *);

/* Opens every state. */
int kill_replay(const struct kill_op *, struct kill_case *, const struct kill_watch *, const char *folder,
                struct kill_result *);
/* What an opener does with a dead process's file: lock, check, model. 0 or -1 with case->says. */
int kill_judge(const struct kill_op *, struct kill_case *, struct mm3_file *);

#endif
