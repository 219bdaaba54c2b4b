/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What inline operations compile to. check-hotpath.sh compiles this file with gcc and clang, -O2, disassembles each
 * hot_* function and fails on any call but memcpy's and memcmp's. One function an operation of the data plane.
 */
#include <stddef.h>
#include <stdint.h>

struct hot_plain {
  uint64_t id;
};

uint64_t hot_plain_read(const struct hot_plain *p);
uint64_t hot_plain_read(const struct hot_plain *p) { return p->id; }

void hot_plain_write(struct hot_plain *p, uint64_t id);
void hot_plain_write(struct hot_plain *p, uint64_t id) { p->id = id; }
