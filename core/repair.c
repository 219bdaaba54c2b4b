/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * repair.c: what mm3_check finds, with what can be done about it; then a copy of the file, the doing, and a check again.
 *
 * Everything a repair does may be interrupted and done again: an emptied field is empty, the heap's repair marks itself, and
 * the certificate of a recovery that failed goes last.
 */
#include "heap.h"
#include "probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct repair {
  struct mm3_file *file;
  uint32_t flags;
  void (*each)(void *arg, const struct mm3_repair_step *step);
  void *arg;
  struct mm3_error *error;
  bool unrecovered;            /* the lock was left to a recovery that failed */
  bool heap_bad, rebuild;      /* the heap has findings; its lists are to be built anew */
  int left;                    /* findings that stay */
  int todo;                    /* things that can be done */
  uint64_t leaked;
};

static void tell(const struct repair *r, enum mm3_repair_stage stage, int helps, const char *field, const char *found,
                 const char *action) {
  struct mm3_repair_step step = {sizeof step, stage, helps, field, found, action};
  if (r->each) r->each(r->arg, &step);
}

static void tell_done(const struct repair *r, const char *field, const char *format, ...) MM3_PRINTF(3, 4);
static void tell_done(const struct repair *r, const char *field, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  tell(r, MM3_REPAIR_DONE, 1, field, "", text);
}

static void found(struct repair *r, int helps, const struct mm3_error *finding, const char *action) {
  if (helps) r->todo++;
  else r->left++;
  tell(r, MM3_REPAIR_FOUND, helps, finding->field, finding->text, action);
}

/* ---- fields ---------------------------------------------------------------------------------------------------- */

static const struct mm3_type *root_type(const struct repair *r) { return mm3i_file_schema(r->file)->root; }

static int check_field(const struct repair *r, uint32_t number, struct mm3_error *error) {
  const struct mm3_member *member = &root_type(r)->members[number];
  if (!member->type) return 0; /* opaque: nothing is known of it */
  return mm3i_member_check(r->file, member, number, error);
}

/* Of a struct only the members that are damaged. What they own is not freed: it may be somebody else's by now, and the
 * heap's repair asks all owners. */
static int empty(const struct mm3_type *type, unsigned char *bytes, struct mm3_ctx *ctx) {
  int result = 0;
  if (type->nmembers == 0) {
    memset(bytes, 0, (size_t)type->size);
    return mm3_type_init(type, bytes, ctx);
  }
  for (uint32_t i = 0; i < type->nmembers && result == 0; i++) {
    const struct mm3_member *member = &type->members[i];
    if (member->type && mm3_type_check(member->type, bytes + member->offset, ctx) < 0)
      result = empty(member->type, bytes + member->offset, ctx);
  }
  return result;
}

static void reset_field(struct repair *r, uint32_t number) {
  const struct mm3_member *member = &root_type(r)->members[number];
  struct mm3_error ignored;
  struct mm3_trail trail = {NULL, member->name, 0};
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE | MM3_CTX_LOCKED, .file = r->file,
                        .error = &ignored, .trail = &trail, .field = number};
  if (empty(member->type, (unsigned char *)mm3i_file_root(r->file) + member->offset, &ctx) < 0) return;
  if (member->type->flags & MM3_TYPE_HEAP) r->rebuild = true;
  tell_done(r, member->name, "emptied field '%s'", member->name);
}

static void find_fields(struct repair *r) {
  bool resets = r->flags & MM3_REPAIR_RESET;
  for (uint32_t i = 0; i < root_type(r)->nmembers; i++) {
    struct mm3_error error;
    if (check_field(r, i, &error) == 0) continue;
    found(r, resets, &error, resets ? "empty it: its value is lost"
                                    : "leave it as it is, the other fields are usable; to reset it would empty it");
  }
}

/* ---- the file's own structures ---------------------------------------------------------------------------------- */

static void found_super(void *arg, const struct mm3_error *finding) {
  found(arg, 0, finding, "nothing: what can be read can be copied into a new file");
}

static void found_heap(void *arg, const struct mm3_error *finding) {
  struct repair *r = arg;
  r->heap_bad = r->rebuild = true;
  found(r, 1, finding, "build the heap's lists anew");
}

static void found_owner(void *arg, const struct mm3_error *finding) {
  struct repair *r = arg;
  r->heap_bad = r->rebuild = true;
  found(r, 1, finding, r->flags & MM3_REPAIR_RESET
                           ? "build the heap's lists anew; a field that shares a block is emptied"
                           : "build the heap's lists anew; a field that shares a block is left as it is");
}

/* Blocks in use that nobody owns; not asked where the answer would be a guess. */
static int find_leaks(struct repair *r) {
  struct mm3i_heap heap;
  struct mm3i_heap_owned owned;
  struct mm3_heap_stats stats = {.size = sizeof stats};
  struct mm3_error finding = {0};
  uint64_t owners = 0;
  if (r->heap_bad || mm3i_heap_peek(&heap, r->file) < 0 || mm3_heap_measure(r->file, &stats) < 0) return 0;
  int result = mm3i_heap_owners(&heap, &owned, NULL, NULL);
  if (result < 0) return result;
  for (uint64_t i = 0; i <= owned.units / 8; i++) owners += (uint64_t)__builtin_popcount(owned.bits[i]);
  if (owned.complete && stats.blocks > owners) r->leaked = stats.blocks - owners;
  mm3i_heap_owned_free(&owned);
  if (!r->leaked) return 0;
  snprintf(finding.text, sizeof finding.text, "%s: the heap: %llu block%s in use that no field owns",
           mm3_file_path(r->file), (unsigned long long)r->leaked, r->leaked == 1 ? "" : "s");
  r->rebuild = true;
  found(r, 1, &finding, "take them back");
  return 0;
}

/* ---- the lock --------------------------------------------------------------------------------------------------- */

static uint64_t certificate(const struct repair *r) {
  return __atomic_load_n(&mm3i_handle_of(r->file)->super->certificate, __ATOMIC_RELAXED);
}

/* May what the dead owner was at be forgotten? When what it was at is whole. */
static bool certified_field_is_whole(const struct repair *r) {
  uint64_t field = certificate(r) >> 32;
  struct mm3_error ignored;
  for (uint32_t i = 0; i < root_type(r)->nmembers; i++)
    if ((field == UINT32_MAX || field == i) && check_field(r, i, &ignored) < 0) return false;
  return true;
}

static void find_lock(struct repair *r) {
  const char *path = mm3_file_path(r->file);
  struct mm3_error finding;
  bool helps = (r->flags & MM3_REPAIR_RESET) || certified_field_is_whole(r);
  mm3i_error_begin(&finding, path);
  mm3i_fail(&finding, path, -MM3_E_DAMAGED,
            "the lock's last holder died, and what it was doing (certificate %#llx) could not be recovered",
            (unsigned long long)certificate(r));
  found(r, helps, &finding, helps ? "forget what it was doing and release the lock"
                                  : "nothing: the field that it was changing is damaged; to reset it would help");
}

/* Sets unrecovered. 1: taken here; 0: not taken, a plan needs none, or the caller has it. */
static int take_lock(struct repair *r) {
  struct mm3i_handle *handle = mm3i_handle_of(r->file);
  if (!handle->writable) {
    r->unrecovered = MM3I_LOCK_OWNER(__atomic_load_n(&handle->super->lock, __ATOMIC_RELAXED)) == MM3I_LOCK_DEAD &&
                     certificate(r);
    return r->flags & MM3_REPAIR_PLAN ? 0 : -MM3_E_READ_ONLY;
  }
  for (int tries = 0; tries < 8; tries++) {
    int result = mm3_lock(r->file);
    if (result == -EDEADLK) return 0;
    if (result != -MM3_E_DAMAGED) return result < 0 ? result : 1;
    if ((result = mm3i_lock_unrecovered(handle)) < 0) return result;
    if (result == 1) return r->unrecovered = true, 1;
  }
  return -MM3_E_BUSY;
}

static void release_lock(struct repair *r) {
  if (r->unrecovered && !(!(r->flags & MM3_REPAIR_PLAN) && certified_field_is_whole(r))) {
    mm3i_lock_abandon(r->file);
    return;
  }
  if (mm3_unlock(r->file) == 0 && r->unrecovered)
    tell_done(r, "", "forgot what the lock's dead holder was doing and released the lock");
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

/* What this handle does not map cannot be looked at, and must not be taken for lost. */
static int sees_all(const struct repair *r) {
  const struct mm3i_handle *handle = mm3i_handle_of(r->file);
  struct stat st;
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return -errno;
  return handle->schema->grows && (uint64_t)st.st_size > handle->reserve ? -MM3_E_RESERVE : 0;
}

static int look(struct repair *r) {
  int result = sees_all(r);
  if (result >= 0) result = mm3i_super_check(r->file, found_super, r);
  if (result >= 0 && r->unrecovered) find_lock(r);
  if (result >= 0) result = mm3i_end_check(r->file, found_heap, r);
  if (result >= 0) result = mm3i_heap_check(r->file, found_heap, r);
  if (result < 0) return result;
  find_fields(r);
  if (!r->heap_bad) {
    result = mm3i_heap_check_owners(r->file, found_owner, r);
    if (result >= 0) result = find_leaks(r);
  }
  return result < 0 ? result : 0;
}

static void rebuild_heap(struct repair *r) {
  struct mm3_error error = {0};
  uint64_t leaked = 0;
  mm3i_heap_mend(r->file);
  if (mm3i_heap_repair(r->file, &leaked, &error) < 0) return; /* the check says what is left */
  tell_done(r, "", "built the heap's lists anew and took %llu block%s back that no field owned",
            (unsigned long long)leaked, leaked == 1 ? "" : "s");
}

static void note_sharing(void *arg, const struct mm3_error *finding) {
  struct repair *r = arg;
  for (uint32_t i = 0; i < root_type(r)->nmembers; i++)
    if (strcmp(root_type(r)->members[i].name, finding->field) == 0) reset_field(r, i);
}

/* The heap first: on one that a killed repair left half built, fields that are whole look damaged. */
static void do_it(struct repair *r) {
  bool resets = r->flags & MM3_REPAIR_RESET, again = !r->heap_bad;
  struct mm3_error ignored;
  if (r->heap_bad) rebuild_heap(r);
  for (uint32_t i = 0; resets && i < root_type(r)->nmembers; i++)
    if (check_field(r, i, &ignored) < 0) reset_field(r, i), again = true;
  if (r->rebuild && again) rebuild_heap(r);
  if (r->rebuild && resets && mm3i_heap_check_owners(r->file, note_sharing, r) > 0) rebuild_heap(r);
}

static void found_left(void *arg, const struct mm3_error *finding) {
  tell(arg, MM3_REPAIR_LEFT, 0, finding->field, finding->text, "");
}

static int repair(void *arg) {
  struct repair *r = arg;
  char copy[4200];
  int locked = take_lock(r), result = locked < 0 ? locked : look(r);
  bool acts = result == 0 && !(r->flags & MM3_REPAIR_PLAN) && r->todo > 0;
  if (acts && !(r->flags & MM3_REPAIR_NO_BACKUP) && !mm3i_handle_of(r->file)->anonymous) {
    result = mm3i_backup(r->file, copy, sizeof copy, r->error);
    if (result == 0) tell(r, MM3_REPAIR_COPIED, 1, "", "", copy);
  } else if (result < 0) {
    mm3i_fail_sys(r->error, mm3_file_path(r->file), result, "repair it");
  }
  if (acts && result == 0) do_it(r);
  if (locked == 1) release_lock(r);
  if (result < 0) return result;
  return acts ? mm3_check(r->file, found_left, r) : r->left;
}

int mm3_repair(struct mm3_file *file, uint32_t flags, void (*each)(void *arg, const struct mm3_repair_step *step),
               void *arg, struct mm3_error *error) {
  struct repair r = {.file = file, .flags = flags, .each = each, .arg = arg, .error = error};
  mm3i_error_begin(error, mm3_file_path(file));
  if (flags & ~(MM3_REPAIR_PLAN | MM3_REPAIR_RESET | MM3_REPAIR_NO_BACKUP))
    return mm3i_fail(error, mm3_file_path(file), -EINVAL, "unknown flags %#x", flags);
  int result = mm3i_file_guarded(file, error, repair, &r);
  MM3I_PROBE2(repaired, mm3_file_path(file), result);
  return result;
}
