/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The target `module`: what a module registers, through the check that loaded ones go through; then what its kinds
 * answer. Each table is allocated as large as it says it is, so that a look beyond that is a report. The input:
 *
 *     flags:8 magic:32 major:16 minor:16 size:32 nkinds:8 name version { flags:8 size:32 version:32 rows:64 features:64
 * name } size:64 align:64 flags:32 answer:32
 *
 * A name is length:8 and its bytes. The first flags make a part right again, so that the others are looked at: see
 * RIGHT_*. The last line is what the rows of kinds answer. Kinds are never unregistered, so that only the first
 * NEW_KINDS modules that are right get in; for all others the puppets, registered once with many rows and with few,
 * give the same answers.
 */
#include "fuzz.h"

#include "../hostile/victims.h"
#include "schema.h"
#include "sys.h"

#include <mm3/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEW_KINDS = 200, KINDS = 6, NAME_ROOM = 200 };
enum { RIGHT_HEAD = 1, RIGHT_KINDS = 2, NO_NAME = 4, NO_VERSION = 8, NO_LIST = 16, OTHER_CORE = 32, TWICE = 64 };
enum { RIGHT_SIZE = 1, RIGHT_VERSION = 2, RIGHT_ROWS = 4, NO_KIND = 8, NO_KIND_NAME = 16, ENDLESS_NAME = 32 };

/* ---- the input, zero beyond its end ---- */

struct input {
  const uint8_t *at, *end;
};

static uint64_t take(struct input *in, size_t bytes) {
  uint64_t value = 0;
  size_t left = (size_t)(in->end - in->at);
  memcpy(&value, in->at, bytes < left ? bytes : left);
  in->at += bytes < left ? bytes : left;
  return value;
}

/* Memory of its own, as long as the text and its end; `endless`: without one. */
static char *take_name(struct input *in, int endless) {
  size_t length = take(in, 1), left = (size_t)(in->end - in->at);
  if (length > left) length = left;
  size_t room = endless ? NAME_ROOM : length + 1;
  char *name = malloc(room);
  if (!name) abort();
  memset(name, 'x', room);
  memcpy(name, in->at, length < room ? length : room);
  if (!endless) name[length] = 0;
  in->at += length;
  return name;
}

/* ---- what the rows answer ---- */

static struct {
  uint64_t size, align;
  uint32_t flags;
  int answer;
} now;

static int says_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  (void)ctx;
  type->size = now.size, type->align = now.align, type->flags = now.flags;
  return now.answer < 0 ? now.answer : 0;
}
static int says_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  memset(bytes, 0xff, (size_t)type->size);
  return now.answer;
}
static int says_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return now.answer;
}
static int says_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx) {
  (void)certificate;
  return says_init(type, bytes, ctx);
}
static int says_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  int result = sink->integer(sink, now.answer);
  return result < 0 ? result : now.answer;
}
static int says_range(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                      struct mm3_sink *sink, struct mm3_ctx *ctx) {
  if (first > last || last > now.size) abort(); /* they were clamped */
  return says_visit(type, bytes, sink, ctx);
}
static int says_count(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity,
                      struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  *count = now.size, *capacity = now.align;
  return now.answer;
}
static int says_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                   struct mm3_ctx *ctx) {
  (void)ctx;
  *place = (struct mm3_place){type, step->is == MM3_STEP_INDEX ? bytes : NULL};
  return now.answer;
}
static int says_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)value;
  if (ctx->flags & MM3_CTX_DRY) return now.answer;
  return says_init(type, bytes, ctx);
}
static int says_put_at(const struct mm3_type *type, void *bytes, const struct mm3_step *step,
                       const struct mm3_value *value, struct mm3_ctx *ctx) {
  (void)step;
  return says_put(type, bytes, value, ctx);
}
static int says_erase(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_ctx *ctx) {
  (void)step;
  return says_check(type, bytes, ctx);
}
static int says_add(const struct mm3_type *type, void *bytes, const struct mm3_value *delta, char result[48],
                    struct mm3_ctx *ctx) {
  (void)delta;
  strcpy(result, "1");
  return says_check(type, bytes, ctx);
}
static int says_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset),
                       void *arg, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  int result = own(arg, now.align);
  return result < 0 ? result : now.answer;
}

static const struct mm3_kind many_rows = {.size = sizeof many_rows,
                                          .layout_version = 1,
                                          .name = "puppet",
                                          .layout = says_layout,
                                          .init = says_init,
                                          .check = says_check,
                                          .recover = says_recover,
                                          .visit = says_visit,
                                          .visit_range = says_range,
                                          .count = says_count,
                                          .at = says_at,
                                          .put = says_put,
                                          .push = says_put,
                                          .put_at = says_put_at,
                                          .erase = says_erase,
                                          .add = says_add,
                                          .blocks = says_blocks,
                                          .describe = says_visit};
static const struct mm3_kind few_rows = {.size = offsetof(struct mm3_kind, push),
                                         .layout_version = 1,
                                         .name = "poor_puppet",
                                         .layout = says_layout,
                                         .check = says_check,
                                         .visit = says_visit,
                                         .put = says_put};
static const struct mm3_kind *const puppets[] = {&many_rows, &few_rows};
static const struct mm3_module puppet_module = {
  MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, sizeof puppet_module, 2, "puppets", "1", &mm3_core_mark, puppets};

/* ---- a module out of the input ---- */

static const struct mm3_kind *make_kind(struct input *in, int right, char **name) {
  unsigned flags = (unsigned)take(in, 1);
  uint32_t size = (uint32_t)take(in, 4), version = (uint32_t)take(in, 4);
  uint64_t rows = take(in, 8), features = take(in, 8);
  *name = take_name(in, flags & ENDLESS_NAME && !right);
  if (flags & NO_KIND && !right) return NULL;
  struct mm3_kind full = many_rows;
  full.size = flags & RIGHT_SIZE || right ? sizeof full : size;
  full.layout_version = flags & RIGHT_VERSION || right ? 1 : version;
  full.features = features;
  full.name = flags & NO_KIND_NAME && !right ? NULL : *name;
  for (size_t at = offsetof(struct mm3_kind, layout), i = 0; at < sizeof full && !(flags & RIGHT_ROWS || right);
       at += 8, i++)
    if (!(rows >> i & 1)) memset((char *)&full + at, 0, 8);
  size_t room = full.size < sizeof full ? full.size : sizeof full;
  struct mm3_kind *kind = malloc(room < 4 ? 4 : room);
  if (!kind) abort();
  memcpy(kind, &full, room < 4 ? 4 : room);
  return kind;
}

struct made {
  struct mm3_module *module;
  const struct mm3_kind **kinds;
  uint32_t nkinds;
  char *name, *version, *names[KINDS];
};

static void make_module(struct input *in, struct made *made, unsigned flags) {
  struct mm3_module full = puppet_module;
  int right = flags & RIGHT_HEAD;
  uint32_t magic = (uint32_t)take(in, 4);
  uint16_t major = (uint16_t)take(in, 2), minor = (uint16_t)take(in, 2);
  uint32_t size = (uint32_t)take(in, 4);
  if (!right) full.magic = magic, full.abi_major = major, full.size = size;
  full.abi_minor = minor;
  full.nkinds = made->nkinds = (uint32_t)take(in, 1) % (KINDS + 1);
  full.name = made->name = take_name(in, 0);
  full.version = made->version = take_name(in, 0);
  if (flags & NO_NAME) full.name = NULL;
  if (flags & NO_VERSION) full.version = NULL;
  if (flags & OTHER_CORE) full.core = made;
  made->kinds = malloc(full.nkinds * sizeof *made->kinds + 1);
  if (!made->kinds) abort();
  for (uint32_t i = 0; i < full.nkinds; i++) made->kinds[i] = make_kind(in, flags & RIGHT_KINDS, &made->names[i]);
  full.kinds = flags & NO_LIST ? NULL : made->kinds;
  size_t room = full.size < sizeof full ? full.size : sizeof full;
  if (room < 12) room = 12; /* as far as the size itself */
  if (!(made->module = malloc(room))) abort();
  memcpy(made->module, &full, room);
}

static void forget(struct made *made) {
  for (uint32_t i = 0; i < made->nkinds; i++) free((void *)(uintptr_t)made->kinds[i]), free(made->names[i]);
  free(made->kinds), free(made->name), free(made->version), free(made->module);
}

/* ---- its kinds at work ---- */

static char place[128];
static void forget_place(void) { unlink(place); }

static void prepare(void) {
  struct mm3_error error;
  if (place[0]) return;
  victim_prepare(0);
  snprintf(place, sizeof place, "/dev/shm/mm3-fuzz-module-%d.mm3", (int)getpid());
  atexit(forget_place);
  if (mm3_module_register(&puppet_module, &error) < 0) abort();
}

static void use(const char *kind) {
  char schema[300];
  struct victim victim = {kind, schema, {"put a 1", "push a 2", "add a 1", "del a[0]", "put a[0] 5", "put a[1][2] 5"}};
  struct victim_tally tally = {0, 0};
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .timeout_ms = 2, .reserve = 1 << 20};
  snprintf(schema, sizeof schema, "struct t { c: u8 a: %.63s b: %.63s(3, word) d: vec(%.63s, 2) }", kind, kind, kind);
  char text[400];
  if (now.size > 4096) { /* a layout, and no file */
    mm3_schema_format(schema, text, sizeof text, NULL, &error);
    return;
  }
  unlink(place);
  struct mm3_file *file = mm3_create_schema(place, schema, &options, &error);
  if (!file) return;
  victim_use(&victim, file, 1, &tally);
  if (mm3_close(file) < 0) mm3_unlock(file), mm3_close(file);
  if ((file = mm3_open(place, NULL, &options, &error)) != NULL) mm3_close(file);
}

static void use_all(const struct made *made) {
  struct mm3_error error;
  const struct mm3_module *module;
  const char *path;
  for (uint32_t i = 0; i < made->nkinds; i++) {
    const struct mm3_kind *kind = mm3_kind_find(made->names[i], 0, &error);
    if (!kind) abort(); /* what was taken is there, whole */
    if (!kind->layout || !kind->check || !kind->visit || !kind->put || kind->layout_version == 0) abort();
    use(kind->name);
  }
  for (const struct mm3_kind *kind = NULL; (kind = mm3_kind_next(kind, &module, &path)) != NULL;)
    if (strlen(kind->name) > 63 || strchr(kind->name, '/')) abort();
}

int fuzz_module(const uint8_t *data, size_t size) {
  static unsigned taken;
  struct input in = {data, data + size};
  struct made made = {0};
  struct mm3_error error = {0};
  if (size < 4) return 0;
  prepare();
  unsigned flags = (unsigned)take(&in, 1);
  make_module(&in, &made, flags);
  now.size = take(&in, 8), now.align = take(&in, 8);
  now.flags = (uint32_t)take(&in, 4), now.answer = (int)take(&in, 4);
  if (taken >= NEW_KINDS && made.nkinds) { /* never right */
    free((void *)(uintptr_t)made.kinds[made.nkinds - 1]);
    made.kinds[made.nkinds - 1] = NULL;
  }
  if (getenv("MM3_FUZZ_DOUBLE")) victim_double_check(made.module);
  int result = mm3_module_register(made.module, &error);
  if (result == 0 && flags & TWICE && mm3_module_register(made.module, &error) != 0) abort();
  if (result != 0 && error.text[0] == 0) abort(); /* refused in words */
  use("puppet");
  use("poor_puppet");
  if (result == 0)
    taken += made.nkinds, use_all(&made); /* stays for ever */
  else
    forget(&made);
  return 0;
}
