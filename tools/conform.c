/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform.c: mm3 modules check: the table of a module, then each of its types in a process of its own, so that one that
 * dies is a finding like others. */
#include "conform.h"
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TYPES = 4, SECONDS = 120, FINDINGS = 12, PAGE = 65536 /* of any host */ };

int conform_finds(struct conform *c, const char *format, ...) {
  static char last[900];
  char text[900];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  c->shared->findings++;
  if (strcmp(text, last) == 0 || c->failed++ >= FINDINGS) return 0; /* once is enough */
  memcpy(last, text, sizeof last);
  if (!c->type) fprintf(stderr, "mm3: ");
  else fprintf(stderr, "mm3: %s%s: ", c->type->text, c->type->form == MM3_FORM_ELEMENT ? " as an element" : "");
  print_safe(stderr, text);
  putc('\n', stderr);
  return 0;
}

void conform_does(struct conform *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(c->shared->doing, sizeof c->shared->doing, format, args);
  va_end(args);
}

/* ---- the tables ---- */

static int is_name(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length < 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static void check_kind(struct conform *c, const struct mm3_kind *kind) {
  c->shared->checks += 6;
  if (!kind->signature || strncmp(kind->signature, kind->name, strlen(kind->name)) != 0)
    conform_finds(c, "kind '%s': its signature is '%s'; wanted one that begins with its name, as in "
                     "\"%s(T, N): what it is\"", kind->name, kind->signature ? kind->signature : "(none)", kind->name);
  if (kind->visit_range && !kind->count) conform_finds(c, "kind '%s': visit_range without count", kind->name);
  if (kind->push && !kind->count) conform_finds(c, "kind '%s': push without count", kind->name);
  if (kind->erase && !kind->at && !kind->visit_deep) conform_finds(c, "kind '%s': erase without at", kind->name);
  if (kind->put_deep && !kind->visit_deep) conform_finds(c, "kind '%s': put_deep without visit_deep", kind->name);
  if (kind->ops && *(const uint32_t *)kind->ops < 8)
    conform_finds(c, "kind '%s': ops begins with its size, found %u", kind->name, *(const uint32_t *)kind->ops);
}

/* mm3-NAME.so; a module's name is a word of C, where `-` is written `_`. */
static int is_file_of(const char *file, const char *name) {
  if (strncmp(file, "mm3-", 4) != 0) return 0;
  for (file += 4; *name && (*file == *name || (*file == '-' && *name == '_')); file++) name++;
  return !*name && strcmp(file, ".so") == 0;
}

static void check_table(struct conform *c, const struct mm3_module *module, const char *path) {
  const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  size_t length = strlen(file);
  int named = 0;
  c->shared->checks += 3;
  if (!is_name(module->name)) conform_finds(c, "the module calls itself '%s'; wanted [a-z0-9_-]", module->name);
  if (!isdigit((unsigned char)module->version[0]))
    conform_finds(c, "the module's version is '%s'; wanted one that begins with a digit, as in 1.0", module->version);
  for (uint32_t i = 0; i < module->nkinds; i++) {
    const char *kind = module->kinds[i]->name;
    named |= length == strlen(kind) + 7 && strncmp(file, "mm3-", 4) == 0 &&
             strncmp(file + 4, kind, strlen(kind)) == 0 && strcmp(file + 4 + strlen(kind), ".so") == 0;
    check_kind(c, module->kinds[i]);
  }
  if (!named && !is_file_of(file, module->name))
    conform_finds(c, "the file's name is %s: no kind '%s' would be found in it; wanted mm3-%s.so", file,
                  module->kinds[0]->name, module->kinds[0]->name);
}

/* ---- one type ---- */

/* Memory for a value whose end is the end of what may be touched; what lies before it is marked. */
static unsigned char *guarded(size_t size) {
  size_t room = (size + PAGE - 1) / PAGE * PAGE;
  unsigned char *at = mmap(NULL, room + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED || mprotect(at + PAGE, room, PROT_READ | PROT_WRITE)) return NULL;
  memset(at + PAGE, 0xa5, room - size);
  return at + PAGE + room - size;
}

static void still_marked(struct conform *c, size_t size) {
  size_t before = (size + PAGE - 1) / PAGE * PAGE - size;
  for (int i = 0; i < CONFORM_CELLS; i++)
    for (size_t k = 1; k <= before; k++)
      if (*(c->cells[i] - k) != 0xa5) {
        conform_finds(c, "something wrote %zu bytes before the value", k);
        break;
      }
}

/* Kinds of a fixed shape take only values like the empty one: that with one of its leaves changed. */
static void check_shape(struct conform *c, const char *empty) {
  static const char *const leaves[][2] = {
      {"0", "7"}, {"\"\"", "\"a\""}, {"false", "true"}, {"\"000000\"", "\"0a0b0c\""}, {"0.0", "1.5"}};
  for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
    const char *at = strstr(empty, leaves[i][0]);
    size_t size = strlen(empty) + 16;
    char *other = at ? malloc(size) : NULL;
    if (!other) continue;
    snprintf(other, size, "%.*s%s%s", (int)(at - empty), empty, leaves[i][1], at + strlen(leaves[i][0]));
    conform_fresh(c, 0);
    conform_value(c, other);
    free(other);
  }
}

static void check_form(struct conform *c) {
  char *text = NULL;
  int taken = 0;
  conform_does(c, "making an empty value");
  for (int i = 0; i < CONFORM_CELLS; i++) {
    if (conform_fresh(c, i) < 0 || conform_check(c, i) != 0)
      conform_finds(c, "an empty value does not pass its check");
  }
  if (c->shared->findings) return;
  conform_holes_begin(c);
  if (conform_text(c, 0, &text) < 0) conform_finds(c, "an empty value cannot be visited");
  else {
    taken += conform_value(c, text);
    check_shape(c, text);
  }
  free(text);
  const char *good = NULL;
  for (const char *const *json = conform_candidates; *json; json++) {
    conform_fresh(c, 0);
    if (good) conform_put(c, 0, good, 0); /* what is refused must leave it */
    if (!conform_value(c, *json)) continue;
    good = *json;
    taken++;
  }
  if (!taken) conform_finds(c, "no value was taken by put");
  conform_holes_end(c);
  if (!c->in_file) still_marked(c, (size_t)c->type->size);
}

/* The same through a file's fields, as the command does. */
static void check_file(struct conform *c) {
  struct mm3_field field;
  struct mm3_error error = {0};
  conform_does(c, "putting values into a file");
  if (mm3_field_find(c->file, "a", &field, &error) < 0) {
    conform_finds(c, "field a: %s", error.text);
    return;
  }
  for (const char *const *json = conform_candidates; *json; json++) {
    struct mm3j_doc *doc;
    if (mm3j_parse(*json, strlen(*json), &doc, NULL)) continue;
    int result = mm3_field_put(&field, mm3j_value(doc), &error);
    mm3j_free(doc);
    c->shared->checks += 2;
    if (result < 0 && result != -MM3_E_VALUE && result != -MM3_E_FULL && result != -MM3_E_PATH)
      conform_finds(c, "put of %.80s says %s; a value that is refused is MM3_E_VALUE", *json, mm3_error_name(result));
    if (mm3_check(c->file, NULL, NULL) != 0) conform_finds(c, "in a file, check refuses the value after %.80s", *json);
  }
}

static int cells_of_file(struct conform *c) {
  static const char *const names[] = {"a", "b", "c"};
  for (int i = 0; i < CONFORM_CELLS; i++) {
    struct mm3_field field;
    if (mm3_field_find(c->file, names[i], &field, &c->call->error) < 0) return -1;
    c->cells[i] = field.bytes;
  }
  c->in_file = 1;
  return mm3_lock(c->file) < 0 ? -1 : 0;
}

static void check_both_forms(struct conform *c, const struct mm3_type *field) {
  struct mm3_type element = *field;
  struct mm3_ctx ctx = {.size = sizeof ctx};
  conform_layout(c);
  if (c->shared->findings) return;
  if (field->flags & MM3_TYPE_HEAP) {
    if (cells_of_file(c) == 0) check_form(c);
    mm3_unlock(c->file);
    c->in_file = 0;
    check_file(c);
    return;
  }
  for (int i = 0; i < CONFORM_CELLS; i++)
    if (!(c->cells[i] = guarded((size_t)field->size))) return;
  check_form(c);
  element.form = MM3_FORM_ELEMENT;
  if (field->kind->layout(&element, &ctx)) element = *field; /* it said so before */
  for (int i = 0; i < CONFORM_CELLS; i++)
    if (!(c->cells[i] = guarded((size_t)element.size))) return;
  c->type = &element;
  check_form(c);
  c->type = field;
  check_file(c);
}

/* In the child: its exit code says that it came to the end. */
static int check_type(struct conform *c, const char *text) {
  char schema[5000];
  struct mm3_member_info info;
  snprintf(schema, sizeof schema, "struct conform { a: %s b: %s c: %s }", text, text, text);
  alarm(SECONDS);
  conform_does(c, "making a file with it");
  unlink(c->path);
  c->file = mm3_create_schema(c->path, schema, NULL, &c->call->error);
  if (!c->file || mm3_file_member(c->file, 0, &info) < 0) {
    conform_finds(c, "no file can be made with %s: %s", text, c->call->error.text);
    return 0;
  }
  c->type = info.type;
  if (info.type->size <= CONFORM_MOST) check_both_forms(c, info.type);
  else say(c->call, "%s is larger than 1 MiB: only its layout is looked at", text);
  if (info.type->size > CONFORM_MOST) conform_layout(c);
  c->type = info.type;
  conform_does(c, "closing its file");
  mm3_close(c->file);
  return 0;
}

static void run_type(struct conform *c, const char *text) {
  struct conform_shared *s = c->shared;
  uint64_t before = s->findings;
  int status;
  s->findings = s->checks = s->flips = s->refused = s->told = 0;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) _exit(check_type(c, text));
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (child < 0) conform_finds(c, "no process for %s: %s", text, strerror(errno));
  else if (WIFSIGNALED(status))
    conform_finds(c, "%s: %s %s", text, WTERMSIG(status) == SIGALRM ? "did not end" : "died", s->doing);
  else if (WEXITSTATUS(status))
    conform_finds(c, "%s: left the process (exit %d) %s", text, WEXITSTATUS(status), s->doing);
  printf("%-28s %8llu checks %7llu damaged, %7llu of them refused %5llu bytes accounted for   %s\n", text,
         (unsigned long long)s->checks, (unsigned long long)s->flips, (unsigned long long)s->refused,
         (unsigned long long)s->told, s->findings ? "FINDINGS" : "ok");
  if (s->checks == 0) conform_finds(c, "%s: nothing was looked at", text);
  s->findings += before;
}

/* ---- types out of a signature ---- */

static const char *const arguments[] = {"u64", "u8", "bool", "raw(3)", "string(5)", "1", "3", "8", "64", "100"};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0], MOST_TYPES = 20000 };

static uint32_t count_arguments(const char *signature) {
  const char *at = strchr(signature, '('), *end = at ? strchr(at, ')') : NULL;
  uint32_t count = at != NULL;
  for (; at && at < end; at++) count += *at == ',' && !strstr(at, "...");
  return count > 4 ? 4 : count;
}

static int is_taken(const char *text, struct mm3_error *error) {
  char schema[600], out[4096];
  size_t need;
  snprintf(schema, sizeof schema, "struct conform { a: %s b: %s c: %s }", text, text, text);
  return mm3_schema_format(schema, out, sizeof out, &need, error) == 0;
}

/* Every combination of some arguments is tried; four of those that the kind takes are looked at. */
static void made_up_types(struct conform *c, const struct mm3_kind *kind) {
  char (*taken)[200] = calloc(MOST_TYPES, sizeof *taken);
  uint32_t nargs = count_arguments(kind->signature ? kind->signature : ""), count = 0, all = 1;
  struct mm3_error error = {0};
  for (uint32_t i = 0; i < nargs; i++) all *= ARGUMENTS;
  for (uint32_t i = 0; i < all && taken && count < MOST_TYPES; i++) {
    char *to = taken[count];
    uint32_t digits = i;
    int length = snprintf(to, 100, "%.63s%s", kind->name, nargs ? "(" : "");
    for (uint32_t k = 0; k < nargs; k++, digits /= ARGUMENTS)
      length += snprintf(to + length, 30, "%s%s", k ? ", " : "", arguments[digits % ARGUMENTS]);
    if (nargs) strcpy(to + length, ")");
    count += is_taken(to, &error) != 0;
  }
  if (count == 0)
    conform_finds(c, "kind '%s' takes none of the arguments that were tried (%.300s): name a type, as in "
                     "mm3 modules check FILE.so '%s(...)'", kind->name, error.text, kind->name);
  for (uint32_t i = 0; i < TYPES && i < count; i++)
    run_type(c, taken[count <= TYPES ? i : i * (count - 1) / (TYPES - 1)]);
  free(taken);
}

static int belongs(const char *type, const char *kind) {
  size_t length = strlen(kind);
  return strncmp(type, kind, length) == 0 && !isalnum((unsigned char)type[length]) && type[length] != '_';
}

static void check_module(struct conform *c, const struct mm3_module *module, char **types, int ntypes) {
  for (uint32_t i = 0; i < module->nkinds; i++) {
    const struct mm3_kind *kind = mm3_kind_find(module->kinds[i]->name, 0, NULL);
    int given = 0;
    for (int k = 0; k < ntypes; k++)
      if (belongs(types[k], kind->name)) given++, run_type(c, types[k]);
    if (!given && !ntypes) made_up_types(c, kind);
    conform_kills(c, kind);
  }
}

int modules_check(struct call *call, const char *path, char **types, int ntypes) {
  struct conform c = {.call = call};
  const struct mm3_module *module;
  const char *folder = getenv("TMPDIR");
  char named[4096];
  snprintf(named, sizeof named, "%s%s", strchr(path, '/') ? "" : "./", path);
  if (mm3_module_load(named, &module, &call->error) < 0) return fail(call);
  c.shared = mmap(NULL, sizeof *c.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  snprintf(c.folder, sizeof c.folder, "%.200s/mm3check.XXXXXX", folder && *folder ? folder : "/tmp");
  if (c.shared == MAP_FAILED || !mkdtemp(c.folder))
    return fail_code(call, -errno, c.folder, "no room to work in: %s", strerror(errno));
  snprintf(c.path, sizeof c.path, "%s/value.mm3", c.folder);
  check_table(&c, module, named);
  check_module(&c, module, types, ntypes);
  unlink(c.path);
  rmdir(c.folder);
  if (c.shared->findings == 0) return EXIT_DONE;
  say(call, "%s: %llu findings", path, (unsigned long long)c.shared->findings);
  return EXIT_NO;
}
