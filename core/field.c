/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Values by place: visit, put, push, erase, add, check, each through the kind's table. */
#include "field_add.h"
#include "internal.h"
#include "prim.h"
#include "schema.h"
#include "sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct work {
  struct mm3_trail trail;
  struct mm3_ctx ctx;
};

static struct mm3_ctx *begin(struct work *w, const struct mm3_field *field, uint32_t flags, struct mm3_error *error) {
  w->trail = (struct mm3_trail){NULL, field->path, 0};
  w->ctx = (struct mm3_ctx){.size = sizeof w->ctx, .flags = flags, .file = field->file, .error = error,
                            .trail = field->path[0] ? &w->trail : NULL, .field = field->number};
  return &w->ctx;
}

static int no_module(const struct mm3_field *field, struct mm3_error *error) {
  return mm3_error_set(error, -MM3_E_MODULE, "the module of field '%s' is missing; it can only be shown as raw bytes", field->path);
}

static int absent(const struct mm3_field *field, struct mm3_error *error) {
  return mm3_error_set(error, -MM3_E_ABSENT, "'%s': there is no such entry", field->path);
}

/* One call of this file, on its way through the guard. */
struct call {
  struct mm3_field *field;
  struct mm3_sink *sink;
  int (*run)(struct mm3_field *field, const struct mm3_value *value, char *result, struct mm3_ctx *ctx);
  bool locks;
  const struct mm3_value *value;
  char *text;
  struct mm3_error *error;
};

static int guarded(int (*fn)(void *), struct call *call) {
  return mm3i_file_guarded(call->field->file, call->error, fn, call);
}

static int visit(void *arg) {
  struct call *call = arg;
  const struct mm3_field *field = call->field;
  struct mm3_sink *sink = call->sink;
  struct work w;
  struct mm3_ctx *ctx = begin(&w, field, MM3_CTX_RAW, call->error);
  if (!field->bytes) return absent(field, call->error);
  if (!field->type) return sink->raw(sink, field->bytes, (size_t)field->size);
  if (field->ndeep)
    return field->type->kind->visit_deep(field->type, field->bytes, field->deep, field->ndeep, sink, ctx);
  if (field->sliced) return field->type->kind->visit_range(field->type, field->bytes, field->first, field->last, sink, ctx);
  return mm3_type_visit(field->type, field->bytes, sink, ctx);
}

int mm3_field_visit(const struct mm3_field *field, struct mm3_sink *sink, struct mm3_error *error) {
  struct call call = {.field = (struct mm3_field *)(uintptr_t)field, .sink = sink, .error = error}; /* not changed */
  return guarded(visit, &call);
}

struct key_call {
  struct call call;
  struct mm3_step step;
};

static int visit_key(void *arg) {
  const struct key_call *key = arg;
  const struct mm3_field *field = key->call.field;
  struct mm3_place place = {NULL, NULL};
  struct work w;
  struct mm3_ctx *ctx = begin(&w, field, MM3_CTX_RAW, key->call.error);
  if (!field->bytes) return absent(field, key->call.error);
  if (!field->type) return no_module(field, key->call.error);
  const struct mm3_kind *kind = field->type->kind;
  if (!field->ndeep && kind->visit_deep)
    return kind->visit_deep(field->type, field->bytes, &key->step, 1, key->call.sink, ctx);
  if (field->ndeep || !kind->at) return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no entries with keys", field->type->text);
  int result = kind->at(field->type, field->bytes, &key->step, &place, ctx);
  return result < 0 ? result : mm3_type_visit(place.type, place.bytes, key->call.sink, ctx);
}

int mm3_field_visit_key(const struct mm3_field *field, const char *key, size_t count, struct mm3_sink *sink,
                        struct mm3_error *error) {
  struct key_call call = {{.field = (struct mm3_field *)(uintptr_t)field, .sink = sink, .error = error}, /* not changed */
                          {MM3_STEP_KEY, key, count, 0}};
  return mm3i_file_guarded(field->file, error, visit_key, &call);
}

/* Every change goes the same way: may it, the lock, the change, the lock again. */
static int change(void *arg) {
  struct call *call = arg;
  struct mm3_field *field = call->field;
  struct mm3_error *error = call->error;
  struct work w;
  struct mm3_ctx *ctx = begin(&w, field, MM3_CTX_WRITABLE, error);
  if (!mm3i_file_writable(field->file))
    return mm3_error_set(error, -MM3_E_READ_ONLY, "'%s': the file was opened read-only", field->path);
  if (!field->type) return no_module(field, error);
  if (field->sliced) return mm3_error_set(error, -MM3_E_PATH, "'%s': a slice can be read, not changed", field->path);
  int locked = call->locks ? mm3_lock(field->file) : -EDEADLK;
  if (locked < 0 && locked != -EDEADLK)
    return mm3_error_set(error, locked, "'%s': the file's lock was not to be had: %s", field->path, mm3_strerror(locked));
  if (call->locks) ctx->flags |= MM3_CTX_LOCKED;
  int result = call->run(field, call->value, call->text, ctx);
  if (locked >= 0) mm3_unlock(field->file);
  return result;
}

static int run_deep(struct mm3_field *field, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (!field->type->kind->put_deep)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "parts of %s can be read, not changed", field->type->text);
  return field->type->kind->put_deep(field->type, field->bytes, field->deep, field->ndeep, value, ctx);
}

static int run_put(struct mm3_field *field, const struct mm3_value *value, char *text, struct mm3_ctx *ctx) {
  const struct mm3_type *outer = field->container.type;
  (void)text;
  if (field->ndeep) return run_deep(field, value, ctx);
  if (outer && outer->kind->put_at) return outer->kind->put_at(outer, field->container.bytes, &field->step, value, ctx);
  if (!field->bytes) return absent(field, ctx->error);
  return mm3_type_put(field->type, field->bytes, value, ctx);
}

int mm3_field_put(struct mm3_field *field, const struct mm3_value *value, struct mm3_error *error) {
  struct call call = {.field = field, .run = run_put, .locks = true, .value = value, .error = error};
  return guarded(change, &call);
}

static int run_put_key(struct mm3_field *field, const struct mm3_value *value, char *text, struct mm3_ctx *ctx) {
  const struct mm3_step *step = (const struct mm3_step *)(void *)text;
  if (!field->bytes) return absent(field, ctx->error);
  const struct mm3_kind *kind = field->type->kind;
  if (!field->ndeep && kind->put_deep) return kind->put_deep(field->type, field->bytes, step, 1, value, ctx);
  if (!field->ndeep && kind->put_at) return kind->put_at(field->type, field->bytes, step, value, ctx);
  return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s has no entries with keys", field->type->text);
}

int mm3_field_put_key(struct mm3_field *field, const char *key, size_t count, const struct mm3_value *value,
                      struct mm3_error *error) {
  struct mm3_step step = {MM3_STEP_KEY, key, count, 0};
  struct call call = {.field = field, .run = run_put_key, .locks = true, .value = value, .text = (char *)(void *)&step,
                      .error = error};
  return guarded(change, &call);
}

static int run_push(struct mm3_field *field, const struct mm3_value *value, char *text, struct mm3_ctx *ctx) {
  (void)text;
  if (!field->bytes) return absent(field, ctx->error);
  if (field->ndeep || !field->type->kind->push) return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s takes no push", field->type->text);
  return field->type->kind->push(field->type, field->bytes, value, ctx);
}

int mm3_field_push(struct mm3_field *field, const struct mm3_value *value, struct mm3_error *error) {
  struct call call = {.field = field, .run = run_push, .locks = true, .value = value, .error = error};
  return guarded(change, &call);
}

static int run_erase(struct mm3_field *field, const struct mm3_value *value, char *text, struct mm3_ctx *ctx) {
  const struct mm3_type *outer = field->container.type;
  (void)value, (void)text;
  if (!field->bytes) return absent(field, ctx->error);
  if (field->ndeep) return run_deep(field, NULL, ctx);
  if (!outer) return mm3_ctx_fail(ctx, -MM3_E_PATH, "all of the file can be set, not removed");
  if (!outer->kind->erase)
    return mm3_ctx_fail(ctx, -MM3_E_PATH, "%s of %s is always there: it can be set, not removed",
                        field->step.is == MM3_STEP_NAME ? "a member" : "an item", outer->text);
  return outer->kind->erase(outer, field->container.bytes, &field->step, ctx);
}

int mm3_field_erase(struct mm3_field *field, struct mm3_error *error) {
  struct call call = {.field = field, .run = run_erase, .locks = true, .error = error};
  return guarded(change, &call);
}

static int run_add(struct mm3_field *field, const struct mm3_value *value, char *text, struct mm3_ctx *ctx) {
  if (!field->bytes) return absent(field, ctx->error);
  if (field->ndeep) return mm3i_field_add_deep(field, value, text, ctx);
  if (!field->type->kind->add) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s is no integer to add to", field->type->text);
  return field->type->kind->add(field->type, field->bytes, value, text, ctx);
}

int mm3_field_add(struct mm3_field *field, const struct mm3_value *delta, char result[48], struct mm3_error *error) {
  /* plain integers and parts without bytes need the lock, other kinds' adds are atomic by themselves */
  bool plain = field->type && mm3i_prim_find(field->type->kind->name);
  struct call call = {.field = field, .run = run_add, .locks = plain || field->ndeep, .value = delta, .text = result,
                      .error = error};
  return guarded(change, &call);
}

int mm3_field_count(const struct mm3_field *field, uint64_t *count, uint64_t *capacity) {
  struct work w;
  if (!field->type || !field->bytes || field->ndeep || !field->type->kind->count) return -MM3_E_PATH;
  return field->type->kind->count(field->type, field->bytes, count, capacity, begin(&w, field, 0, NULL));
}

static int describe(void *arg) {
  struct call *call = arg;
  const struct mm3_field *field = call->field;
  struct work w;
  if (!field->bytes) return absent(field, call->error);
  if (!field->type) return no_module(field, call->error);
  if (field->ndeep || field->sliced || !field->type->kind->describe)
    return mm3_error_set(call->error, -MM3_E_PATH, "'%s': %s says nothing of itself", field->path, field->type->text);
  return field->type->kind->describe(field->type, field->bytes, call->sink, begin(&w, field, 0, call->error));
}

int mm3_field_describe(const struct mm3_field *field, struct mm3_sink *sink, struct mm3_error *error) {
  struct call call = {.field = (struct mm3_field *)(uintptr_t)field, .sink = sink, .error = error}; /* not changed */
  return guarded(describe, &call);
}

static int check(void *arg) {
  struct call *call = arg;
  struct work w;
  if (!call->field->bytes) return absent(call->field, call->error);
  if (!call->field->type) return no_module(call->field, call->error);
  return mm3_type_check(call->field->type, call->field->bytes, begin(&w, call->field, 0, call->error));
}

int mm3_field_check(const struct mm3_field *field, struct mm3_error *error) {
  struct call call = {.field = (struct mm3_field *)(uintptr_t)field, .error = error}; /* not changed */
  return guarded(check, &call);
}

int mm3_file_member(const struct mm3_file *file, uint32_t number, struct mm3_member_info *info) {
  const struct mm3i_schema *schema = mm3i_file_schema(file);
  const struct mm3i_struct *root = &schema->structs[schema->nstructs - 1];
  if (number >= root->nrows) return -MM3_E_ABSENT;
  const struct mm3i_row *row = &schema->rows[root->first_row + number];
  *info = (struct mm3_member_info){row->name, row->text, row->kind, row->offset, row->size, row->align,
                                   row->layout_version, row->type};
  return 0;
}

struct check_call {
  struct mm3_file *file;
  void (*found)(void *arg, const struct mm3_error *finding);
  void *arg;
};

int mm3i_member_check(struct mm3_file *file, const struct mm3_member *member, uint32_t number, struct mm3_error *error) {
  struct mm3_trail trail = {NULL, member->name, 0};
  struct mm3_ctx ctx = {.size = sizeof ctx, .file = file, .error = error, .trail = &trail, .field = number};
  memset(error, 0, sizeof *error);
  snprintf(error->file, sizeof error->file, "%.255s", mm3_file_path(file));
  return mm3_type_check(member->type, (const unsigned char *)mm3i_file_root(file) + member->offset, &ctx);
}

static int check_file(void *arg) {
  struct check_call *call = arg;
  struct mm3_file *file = call->file;
  const struct mm3i_schema *schema = mm3i_file_schema(file);
  int findings = mm3i_file_check(file, call->found, call->arg);
  if (findings < 0) return findings;
  for (uint32_t i = 0; i < schema->root->nmembers; i++) {
    const struct mm3_member *m = &schema->root->members[i];
    struct mm3_error error;
    if (!m->type) continue; /* opaque: nothing is known of it */
    if (mm3i_member_check(file, m, i, &error) == 0) continue;
    findings++;
    if (call->found) call->found(call->arg, &error);
  }
  return findings ? findings : mm3i_heap_check_owners(file, call->found, call->arg);
}

/* What grows is checked while nobody else changes it, where the handle may lock; this thread may have it locked already. */
static int check_locked(void *arg) {
  struct check_call *call = arg;
  bool locks = mm3i_file_schema(call->file)->grows && mm3i_file_writable(call->file);
  bool locked = locks && mm3_lock(call->file) >= 0;
  int result = check_file(arg);
  if (locked) mm3_unlock(call->file);
  return result;
}

int mm3_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg) {
  struct check_call call = {file, found, arg};
  return mm3i_file_guarded(file, NULL, check_locked, &call);
}

int mm3_schema_format(const char *text, char *buf, size_t size, size_t *need, struct mm3_error *error) {
  struct mm3i_schema *schema;
  int result = mm3i_schema_parse(text, strlen(text), NULL, 0, 0, &schema, error);
  if (result < 0) return result;
  if (need) *need = schema->text_size + 1;
  if (schema->text_size < size) memcpy(buf, schema->text, schema->text_size + 1);
  else result = -ERANGE;
  mm3i_schema_free(schema);
  return result;
}
