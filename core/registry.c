/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The kinds that this process knows. The list only grows: entries are never removed and their kinds never move, so
 * that a `const struct mm3_kind *` is good until the process ends. Readers walk it without the mutex; an entry is
 * published by one release store of the head.
 */
#include "internal.h"
#include "prim.h"
#include "sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

const char mm3_core_mark = 1;

struct entry {
  struct entry *next;
  const struct mm3_module *module;
  char *path;
  struct mm3_kind kind; /* zeroed, then min(size) copied: rows that an older module lacks are NULL */
};

static struct entry *entries;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void unlock_loading(void) { pthread_mutex_unlock(&loading); }

static void only_lock(void) { pthread_mutex_lock(&loading); }

static void watch_forks(void) { pthread_atfork(only_lock, unlock_loading, unlock_loading); }

/* A fork waits for its turn: a child must not find the mutex held by a thread that it does not have. */
static void lock_loading(void) {
  pthread_once(&fork_once, watch_forks);
  only_lock();
}

const char *mm3_module_dir(void) { return MM3_MODULE_DIR; }

uint32_t mm3_module_abi(void) { return (uint32_t)MM3_ABI_MAJOR << 16 | MM3_ABI_MINOR; }

static struct entry *first_entry(void) { return __atomic_load_n(&entries, __ATOMIC_ACQUIRE); }

static const struct entry *find_entry(const char *name) {
  for (const struct entry *e = first_entry(); e; e = e->next)
    if (strcmp(e->kind.name, name) == 0) return e;
  return NULL;
}

static const struct mm3_kind *find_known(const char *name) {
  const struct mm3_kind *kind = mm3i_prim_find(name);
  if (kind) return kind;
  const struct entry *entry = find_entry(name);
  return entry ? &entry->kind : NULL;
}

/* Looks no further than a name may reach: one that a module gives may have no end. */
static bool name_is_valid(const char *name) {
  size_t length = 0;
  for (; length <= MM3I_MAX_NAME && name[length]; length++) {
    char c = name[length];
    bool letter = (c >= 'a' && c <= 'z') || c == '_';
    if (!letter && !(length > 0 && c >= '0' && c <= '9')) return false;
  }
  return length > 0 && length <= MM3I_MAX_NAME;
}

static const char *missing_row(const struct mm3_kind *kind) {
  if (!kind->layout) return "layout";
  if (!kind->check) return "check";
  if (!kind->visit) return "visit";
  if (!kind->put) return "put";
  return NULL;
}

/* The kind's table as this core knows it: what an older module lacks is zero. */
static int copy_kind(struct mm3_kind *to, const struct mm3_kind *from, const char *where, struct mm3_error *error) {
  const size_t least = offsetof(struct mm3_kind, check) + sizeof from->check;
  if (!from || from->size < least)
    return mm3_error_set(error, -MM3_E_MODULE, "%s: a kind's table has %u bytes; at least %zu were wanted", where,
                         from ? from->size : 0, least);
  memset(to, 0, sizeof *to);
  memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
  if (!to->name || !name_is_valid(to->name))
    return mm3_error_set(error, -MM3_E_MODULE, "%s: '%.80s' cannot name a kind; wanted: [a-z_][a-z0-9_]*, 63 bytes at most",
                         where, to->name ? to->name : "(none)");
  const char *row = missing_row(to);
  if (row)
    return mm3_error_set(error, -MM3_E_MODULE, "%s: kind '%s' lacks the operation '%s', which every kind must have", where,
                         to->name, row);
  if (to->layout_version == 0)
    return mm3_error_set(error, -MM3_E_MODULE, "%s: kind '%s' has layout version 0; they start at 1", where, to->name);
  return 0;
}

/* Is there a name at all? A table may be shorter than its name's place. */
static const char *name_of(const struct mm3_module *module) {
  bool whole = module->magic == MM3_MODULE_MAGIC && module->abi_major == MM3_ABI_MAJOR && module->size >= sizeof *module;
  return whole && module->name ? module->name : "(a module)";
}

static int check_head(const struct mm3_module *module, const char *where, struct mm3_error *error) {
  if (module->magic != MM3_MODULE_MAGIC)
    return mm3_error_set(error, -MM3_E_MODULE, "%s is not an mm3 module: its magic is 0x%08x, wanted 0x%08x", where,
                         module->magic, MM3_MODULE_MAGIC);
  if (module->abi_major != MM3_ABI_MAJOR)
    return mm3_error_set(error, -MM3_E_MODULE, "%s was built for module ABI %u.%u; this core speaks %u.%u", where,
                         module->abi_major, module->abi_minor, MM3_ABI_MAJOR, MM3_ABI_MINOR);
  if (module->size < sizeof *module)
    return mm3_error_set(error, -MM3_E_MODULE, "%s: its module table has %u bytes, wanted %zu", where, module->size,
                         sizeof *module);
  if (!module->name || !module->version || module->nkinds == 0 || !module->kinds)
    return mm3_error_set(error, -MM3_E_MODULE, "%s: a module needs a name, a version and at least one kind", where);
  if (module->core != &mm3_core_mark)
    return mm3_error_set(error, -MM3_E_MODULE,
                         "%s is linked to another copy of libmm3 than this program (a static one here and a shared one "
                         "there?); register its kinds with mm3_module_register instead",
                         where);
  return 0;
}

/* `loading` is held. All kinds of a module, or none. */
static int register_locked(const struct mm3_module *module, const char *path, struct mm3_error *error) {
  const char *where = path ? path : name_of(module);
  int result = check_head(module, where, error);
  if (result < 0) return result;
  struct entry *head = first_entry();
  for (const struct entry *e = head; e; e = e->next)
    if (e->module == module) return 0;

  struct entry *added = head;
  for (uint32_t i = 0; i < module->nkinds && result == 0; i++) {
    struct mm3_kind kind;
    result = copy_kind(&kind, module->kinds[i], where, error);
    if (result < 0) break;
    const struct entry *taken = find_entry(kind.name);
    for (const struct entry *e = added; e != head && !taken; e = e->next)
      if (strcmp(e->kind.name, kind.name) == 0) taken = e;
    if (taken || mm3i_prim_find(kind.name)) {
      result = mm3_error_set(error, -MM3_E_MODULE, "%s: kind '%s' is already taken by %s", where, kind.name,
                             !taken ? "the core" : taken->path ? taken->path : taken->module->name);
      break;
    }
    struct entry *entry = mm3i_sys.calloc(1, sizeof *entry);
    char *copy = entry && path ? mm3i_sys.malloc(strlen(path) + 1) : NULL;
    if (!entry || (path && !copy)) {
      mm3i_sys.free(entry);
      result = mm3_error_set(error, -ENOMEM, "%s: out of memory", where);
      break;
    }
    if (copy) strcpy(copy, path);
    *entry = (struct entry){added, module, copy, kind};
    added = entry;
  }
  if (result == 0) {
    __atomic_store_n(&entries, added, __ATOMIC_RELEASE);
    return 0;
  }
  while (added != head) {
    struct entry *gone = added;
    added = added->next;
    mm3i_sys.free(gone->path);
    mm3i_sys.free(gone);
  }
  return result;
}

int mm3_module_register(const struct mm3_module *module, struct mm3_error *error) {
  if (!module) return mm3_error_set(error, -EINVAL, "no module was given");
  lock_loading();
  int result = register_locked(module, NULL, error);
  unlock_loading();
  return result;
}

/* `loading` is held. */
static int load_locked(const char *path, const struct mm3_module **module, struct mm3_error *error) {
  void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!object) {
    const char *why = dlerror();
    return mm3_error_set(error, -MM3_E_MODULE, "%s does not load: %s", path, why ? why : "no reason given");
  }
  const struct mm3_module *table = dlsym(object, "mm3_module");
  int result = table ? register_locked(table, path, error)
                     : mm3_error_set(error, -MM3_E_MODULE, "%s is not an mm3 module: it exports no mm3_module", path);
  if (result == 0 && module) *module = table;
  dlclose(object); /* RTLD_NODELETE keeps it; the message was made before */
  return result;
}

int mm3_module_load(const char *path, const struct mm3_module **module, struct mm3_error *error) {
  if (!path) return mm3_error_set(error, -EINVAL, "no path was given");
  lock_loading();
  int result = load_locked(path, module, error);
  unlock_loading();
  return result;
}

static bool file_exists(const char *path) {
  int fd = mm3i_open(path, 0 /* O_RDONLY */, 0);
  if (fd < 0) return false;
  mm3i_sys.close(fd);
  return true;
}

/* Tries one folder. 1: there was a file, *result says how it went. */
static int try_folder(const char *folder, size_t length, const char *name, int *result, struct mm3_error *error) {
  char path[4096];
  int printed = snprintf(path, sizeof path, "%.*s/mm3-%s.so", (int)length, folder, name);
  if (printed < 0 || (size_t)printed >= sizeof path || !file_exists(path)) return 0;
  *result = load_locked(path, NULL, error);
  return 1;
}

/* `loading` is held. */
static int load_by_name(const char *name, struct mm3_error *error) {
  const char *list = secure_getenv("MM3_MODULE_PATH");
  int result;
  for (const char *at = list; at && *at;) {
    size_t length = strcspn(at, ":");
    if (at[0] == '/' && try_folder(at, length, name, &result, error)) return result;
    at += length + (at[length] == ':');
  }
  if (try_folder(MM3_MODULE_DIR, strlen(MM3_MODULE_DIR), name, &result, error)) return result;
  return mm3_error_set(error, -MM3_E_MODULE, "no module for kind '%s': mm3-%s.so was looked for in %s%s%s", name, name,
                       list ? list : "", list && *list ? ", then in " : "", MM3_MODULE_DIR);
}

const struct mm3_kind *mm3_kind_find(const char *name, int load, struct mm3_error *error) {
  if (!name || !name_is_valid(name)) {
    mm3_error_set(error, -MM3_E_MODULE, "'%.80s' cannot name a kind; wanted: [a-z_][a-z0-9_]*, 63 bytes at most",
                  name ? name : "");
    return NULL;
  }
  const struct mm3_kind *kind = find_known(name);
  if (kind) return kind;
  if (!load) {
    mm3_error_set(error, -MM3_E_MODULE, "kind '%s' is not registered, and loading modules was not asked for", name);
    return NULL;
  }
  lock_loading();
  kind = find_known(name); /* another thread may have been first */
  if (!kind && load_by_name(name, error) == 0) {
    kind = find_known(name);
    if (!kind) mm3_error_set(error, -MM3_E_MODULE, "mm3-%s.so was loaded, but gives no kind '%s'", name, name);
  }
  unlock_loading();
  return kind;
}

const void *mm3_kind_ops(const char *name) {
  const struct mm3_kind *kind = find_known(name);
  return kind ? kind->ops : NULL;
}

const struct mm3_kind *mm3_kind_next(const struct mm3_kind *previous, const struct mm3_module **module, const char **path) {
  const struct entry *entry = first_entry();
  if (module) *module = NULL;
  if (path) *path = NULL;
  if (!previous || mm3i_prim_find(previous->name) == previous) {
    const struct mm3_kind *prim = mm3i_prim_next(previous);
    if (prim) return prim;
  } else {
    while (entry && &entry->kind != previous) entry = entry->next;
    if (entry) entry = entry->next;
  }
  if (!entry) return NULL;
  if (module) *module = entry->module;
  if (path) *path = entry->path;
  return &entry->kind;
}
