/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * module.h: the contract between the core and a type module. A module is a shared object mm3-NAME.so that exports
 * one constant, `mm3_module`, and teaches the core one or more kinds of field.
 *
 * ABI log (newest first). A member appended to a struct raises MINOR, anything else raises MAJOR. The core copies
 * min(struct size) of each table into a zeroed one of its own, so that a module built against an older MINOR works.
 *
 *   1.1  2026-11-25  mm3_kind.describe; MM3_CTX_TRIED; a value source's next may fail (kinds that take every result but 1
 *                    for the end store what came before it)
 *   1.0  2026-11-23  first
 *
 * Rules that hold for every operation:
 *   - It returns 0 (or a count where its row says so) or a negative code; it fails through mm3_ctx_fail, whose sentence
 *     says what was found and what was wanted (the core adds the file and the path).
 *   - It keeps no pointer that it was given after it returns, except `type`, which lives as long as the file's handle.
 *   - It never prints, never aborts, never takes a lock that is not the file's, and may be called by several threads at once
 *     on different bytes; on the same bytes only the reading rows (check, visit, visit_range, count, at, hash, equal, key_print).
 *   - Bytes that were not written by this process are hostile: a length, count or offset is clamped before it is used, on
 *     every access, and read once into a local before it is compared.
 *   - Any single store leaves the field valid, because a process may be killed between two stores: publish last. Where
 *     one store cannot publish, the operation runs under the file's lock with a certificate, and `recover` finishes or undoes it.
 *   - NULL in a row marked "optional" means the default that the row names.
 */
#ifndef MM3_MODULE_H
#define MM3_MODULE_H

#include <mm3/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MM3_MODULE_MAGIC UINT32_C(0x4d334d4d) /* "MM3M" */
#define MM3_ABI_MAJOR 1
#define MM3_ABI_MINOR 1

struct mm3_file;
struct mm3_kind;
struct mm3_type;

/* ---- types ------------------------------------------------------------------------------------------------- */

/* A kind may lay itself out differently as a field and as an element of another kind: a string's field form can be
 * read while it is written, its element form is compact and guarded by the container. */
enum mm3_form { MM3_FORM_FIELD = 0, MM3_FORM_ELEMENT = 1 };

enum mm3_arg_is { MM3_ARG_TYPE = 1, MM3_ARG_NUMBER, MM3_ARG_WORD };

struct mm3_arg {
  enum mm3_arg_is is;
  const struct mm3_type *type; /* ARG_TYPE: laid out, in the element form */
  uint64_t number;             /* ARG_NUMBER; for a word `name=5`: its number, has_number set */
  const char *word;            /* ARG_WORD */
  int has_number;
};

/* A member of a nested struct (kind "struct" only). */
struct mm3_member {
  const char *name;
  const struct mm3_type *type;
  uint64_t offset;
};

/* A kind with its arguments, laid out. Built by the core; immutable once `layout` has returned. */
struct mm3_type {
  const struct mm3_kind *kind;
  const char *text;            /* "vec(u32, 10)" in canonical spelling */
  enum mm3_form form;
  uint32_t nargs;
  const struct mm3_arg *args;
  uint64_t size, align;        /* set by `layout`; size is a multiple of align, align a power of two up to 4096 */
  uint64_t numbers[4];         /* free for `layout` to keep what it computed: strides, offsets */
  uint32_t flags;              /* MM3_TYPE_*: set by `layout` */
  uint32_t nmembers;           /* kind "struct" only */
  const struct mm3_member *members;
  const struct mm3_type *element; /* a convenience: the first argument that is a type, or NULL */
};

#define MM3_TYPE_HEAP 1u    /* values own blocks of the file's heap: clear frees them, assign copies them */
#define MM3_TYPE_RECOVER 2u /* has something to recover when the lock's owner died */

/* ---- context ----------------------------------------------------------------------------------------------- */

/* Where in the tree an operation is at work, for messages: a chain on the stack. */
struct mm3_trail {
  const struct mm3_trail *up;
  const char *name;            /* a member, or `["key"]` with its brackets, or NULL: */
  uint64_t index;              /* an index */
};

#define MM3_CTX_WRITABLE 1u /* the bytes may be written */
#define MM3_CTX_DRY 2u      /* put, push, erase: say whether the value would be taken, write nothing */
#define MM3_CTX_LOCKED 4u   /* the caller holds the file's lock */
#define MM3_CTX_RAW 8u      /* visit: show damaged text as raw bytes instead of failing */
#define MM3_CTX_TRIED 16u   /* put: the caller has tried this value DRY just now: no need to do so again */

struct mm3_ctx {
  uint32_t size;
  uint32_t flags;
  struct mm3_file *file;       /* NULL when the value lies in plain memory: no heap, no lock */
  struct mm3_error *error;     /* may be NULL */
  const struct mm3_trail *trail;
  uint32_t field;              /* number of the root's field, for certificates */
  void *arena;                 /* the core's own; NULL outside `layout` */
};

/* Fills ctx->error with code, path (from the trail) and sentence; returns the code. */
MM3_API int mm3_ctx_fail(const struct mm3_ctx *ctx, int code, const char *format, ...) MM3_PRINTF(3, 4) MM3_COLD;

/* mm3_ctx_alloc: in `layout` only: zeroed memory that lives as long as the type, for types of parts and the like. NULL when
 * there is none left. */
MM3_API void *mm3_ctx_alloc(struct mm3_ctx *ctx, size_t size);

/* ---- values coming in: what `put` reads ------------------------------------------------------------------------ */

enum mm3_value_is { MM3_NULL, MM3_BOOL, MM3_INT, MM3_UINT, MM3_REAL, MM3_TEXT, MM3_LIST, MM3_MAP };

/* A value in neutral form, whatever it came from. MM3_INT is negative or small (int64), MM3_UINT above INT64_MAX only. */
struct mm3_value {
  enum mm3_value_is is;
  union {
    int boolean;
    int64_t integer;
    uint64_t natural;
    double real;
    const char *text;          /* UTF-8, `count` bytes, may hold zero bytes, valid as long as its source */
  } as;
  size_t count;                /* bytes of a text, items of a list, pairs of a map */
  const struct mm3_value_source *source; /* of a list or map */
  const void *node;
};

struct mm3_value_source {
  /* Steps through a list or map: *cursor starts as NULL. Returns 1 with *key (maps only: a text) and *item filled, 0 at
   * the end; negative: the source itself failed, nothing is to be stored, and put returns that. What *item points to
   * is good until the second following call, *key until the next. A map's keys are distinct, except that a source that reads a
   * long text in pieces may leave it to a container of more than 4096 keys to refuse one that comes twice. */
  int (*next)(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item);
};

MM3_API const char *mm3_value_name(const struct mm3_value *value); /* "a number", "a list", ... for messages */

/* ---- values going out: what `visit` calls ------------------------------------------------------------------------ */

/* A receiver of values. Every member is set. A negative result stops the visit and is returned by it. */
struct mm3_sink {
  uint32_t size;
  int (*null)(struct mm3_sink *);
  int (*boolean)(struct mm3_sink *, int value);
  int (*integer)(struct mm3_sink *, int64_t value);
  int (*natural)(struct mm3_sink *, uint64_t value);           /* above INT64_MAX only */
  int (*wide)(struct mm3_sink *, const char *decimal, size_t count); /* an integer that fits neither */
  int (*real)(struct mm3_sink *, double value, int bits);      /* bits: 32 or 64, of the stored type */
  int (*text)(struct mm3_sink *, const char *utf8, size_t count);
  int (*raw)(struct mm3_sink *, const void *bytes, size_t count);     /* JSON: lower-case hex */
  int (*damaged)(struct mm3_sink *, const void *bytes, size_t count); /* JSON: {"$raw": hex} */
  int (*begin_list)(struct mm3_sink *, uint64_t count);        /* count is a hint */
  int (*end_list)(struct mm3_sink *);
  int (*begin_map)(struct mm3_sink *, uint64_t count);
  int (*key)(struct mm3_sink *, const char *utf8, size_t count);
  int (*end_map)(struct mm3_sink *);
};

/* ---- paths ------------------------------------------------------------------------------------------------------- */

enum mm3_step_is { MM3_STEP_NAME = 1, MM3_STEP_INDEX, MM3_STEP_KEY };

/* One step of a path: .name, [index] (negative: from the end), ["key"]. A number in brackets comes as an index; a
 * container with keys reads it as a key. */
struct mm3_step {
  enum mm3_step_is is;
  const char *text;            /* NAME and KEY, `count` bytes, ends with a zero byte */
  size_t count;
  int64_t index;
};

/* A value somewhere: its type and its bytes. Valid while nobody moves the element. */
struct mm3_place {
  const struct mm3_type *type;
  void *bytes;                 /* NULL: a step that leads nowhere yet (put makes it) */
};

/* ---- kinds ------------------------------------------------------------------------------------------------------- */

struct mm3_test_op; /* see mm3/testing.h: operations that the conformance kit and the kill harness run */

struct mm3_kind {
  uint32_t size;               /* sizeof(struct mm3_kind) */
  uint32_t layout_version;     /* of the bytes, from 1; stored in every file and compared */
  const char *name;            /* [a-z_][a-z0-9_]*, at most 63 bytes */
  const char *signature;       /* for people: "vec(T, N): N items of T at most" */
  uint64_t features;           /* incompatible features of the layout; stored and compared */

  /* Once per type at open or create: sets size, align and flags for type->form, or refuses the arguments in words.
   * ctx->file is NULL. Same arguments, same answer, for ever. Required. */
  int (*layout)(struct mm3_type *type, struct mm3_ctx *ctx);

  /* Makes a valid, empty value out of zeroed bytes. Optional: zeroed bytes are valid. */
  int (*init)(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);

  /* Bytes of unknown origin: returns 0 only if every promise of the kind's header holds, padding is zero; O(data).
   * Required. */
  int (*check)(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx);

  /* A process died holding the lock: finish or undo what the certificate says was under way on this value. Called
   * with the lock held; must itself bear being killed and run again. Optional: nothing to do. */
  int (*recover)(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx);

  /* The value, to a sink, while others may be writing it: whole by the promise of the kind. Required. */
  int (*visit)(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx);

  /* Items [first, last) as a list; the bounds were clamped to count. Optional: the value has no items. */
  int (*visit_range)(const struct mm3_type *type, const void *bytes, uint64_t first, uint64_t last,
                     struct mm3_sink *sink, struct mm3_ctx *ctx);

  /* How many items, and how many fit at most (UINT64_MAX: grows). Optional: not a container. */
  int (*count)(const struct mm3_type *type, const void *bytes, uint64_t *count, uint64_t *capacity, struct mm3_ctx *ctx);

  /* One step of a path, O(1) or O(log n). -MM3_E_ABSENT beyond the end or for an unknown key, -MM3_E_PATH when this kind has
   * no such steps. Optional: no steps. */
  int (*at)(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
            struct mm3_ctx *ctx);

  /* Takes a value: all of it or, on any error, nothing (the old value stands). With MM3_CTX_DRY only says whether it
   * would. Required. */
  int (*put)(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);

  /* Appends one item. Optional: no such operation. */
  int (*push)(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);

  /* Sets the item that a step leads to, adding it where the kind can (a map's key). Optional: `at`, then its `put`. */
  int (*put_at)(const struct mm3_type *type, void *bytes, const struct mm3_step *step, const struct mm3_value *value,
                struct mm3_ctx *ctx);

  /* Removes the item that a step leads to. -MM3_E_ABSENT when there is none. Optional: no such operation. */
  int (*erase)(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_ctx *ctx);

  /* For values with parts that have no bytes of their own (a document's members): steps that go on inside the value, at
   * least one. With visit_deep a path goes no further by `at`. Optional: no such parts. */
  int (*visit_deep)(const struct mm3_type *type, const void *bytes, const struct mm3_step *steps, size_t nsteps,
                    struct mm3_sink *sink, struct mm3_ctx *ctx);
  int (*put_deep)(const struct mm3_type *type, void *bytes, const struct mm3_step *steps, size_t nsteps,
                  const struct mm3_value *value, struct mm3_ctx *ctx); /* value NULL: removes the part */

  /* Adds to a number, no wrap (-MM3_E_VALUE), *result the new value in decimal. Optional: not a number. */
  int (*add)(const struct mm3_type *type, void *bytes, const struct mm3_value *delta, char result[48],
             struct mm3_ctx *ctx);

  /* Copies a value from `from` to `to` (zeroed or valid, same type). Optional: memcpy of size. */
  int (*assign)(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx);

  /* Frees what the value owns and makes it empty. Optional: zeroes, then init. */
  int (*clear)(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);

  /* As a map's key. `hash` and `equal` optional: over the size bytes as they lie (a kind with padding must bring its
   * own). key_parse/key_print: the key's text as in JSON's object keys; optional: cannot be such a key. key_print
   * returns the length, which may be above `size` (then nothing was written). */
  uint64_t (*hash)(const struct mm3_type *type, const void *bytes, uint64_t seed);
  int (*equal)(const struct mm3_type *type, const void *a, const void *b);
  int (*key_parse)(const struct mm3_type *type, const char *text, size_t count, void *bytes, struct mm3_ctx *ctx);
  int (*key_print)(const struct mm3_type *type, const void *bytes, char *text, size_t size, struct mm3_ctx *ctx);

  /* Names every heap block that the value owns, its elements' blocks too, to `own`; a negative result of it stops. The
   * bytes were checked before. Optional: owns none. */
  int (*blocks)(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset), void *arg,
                struct mm3_ctx *ctx);

  /* Makes room for `count` items in all. Optional: capacity is fixed. */
  int (*grow)(const struct mm3_type *type, void *bytes, uint64_t count, struct mm3_ctx *ctx);

  /* The kind's own cold functions, a struct that its public header declares (it begins with size and version).
   * Inline code finds it by mm3_kind_ops. Optional. */
  const void *ops;

  /* Operations for the conformance kit and the kill harness, ended by a zeroed one. Optional. */
  const struct mm3_test_op *test_ops;

  /* 1.1: how the value is kept, for people who look for what is slow or large: a map of facts to a sink, its keys plain
   * words. A number, text or flag is a fact; a list of numbers is a histogram, one for each of 0, 1, 2 ...; a list of maps
   * is a table, a row each, where the numbers `used` and `of` are drawn as a part of a whole. May be O(data); while
   * others write it shows some moment or several. Optional: nothing is to be said. */
  int (*describe)(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx);
};

/* ---- modules ----------------------------------------------------------------------------------------------------- */

struct mm3_module {
  uint32_t magic;              /* MM3_MODULE_MAGIC */
  uint16_t abi_major, abi_minor;
  uint32_t size;               /* sizeof(struct mm3_module) */
  uint32_t nkinds;
  const char *name, *version;
  const void *core;            /* &mm3_core_mark: proves that module and program share one core */
  const struct mm3_kind *const *kinds;
};

/* Its address is the identity of a core. A program with a static core and a module that pulled in a shared one would be
 * two cores with two registries; the loader sees it by this address and refuses. */
MM3_API extern const char mm3_core_mark;

/* The last lines of a module:
 *     static const struct mm3_kind *const kinds[] = {&vec_kind};
 *     MM3_MODULE(vec, "1.0", kinds)
 * Compiled with MM3_STATIC_MODULES the symbol is mm3_module_vec, for programs that link it statically and call
 * mm3_module_register(&mm3_module_vec). */
#ifdef MM3_STATIC_MODULES
#define MM3_MODULE_SYMBOL(name) mm3_module_##name
#else
#define MM3_MODULE_SYMBOL(name) mm3_module
#endif
#define MM3_MODULE(name, version, kinds)                                                              \
  MM3_API extern const struct mm3_module MM3_MODULE_SYMBOL(name);                                     \
  const struct mm3_module MM3_MODULE_SYMBOL(name) = {                                                 \
      MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, sizeof(struct mm3_module),                      \
      sizeof kinds / sizeof kinds[0], #name, version, &mm3_core_mark, kinds}

/* mm3_module_register: makes the kinds of a module known without dlopen, by the same checks. Registering the same
 * module again is 0. Returns 0, -MM3_E_MODULE (wrong magic, another ABI major, a required row missing, a kind already
 * taken by another module: the sentence says which), -ENOMEM. Thread-safe. Kinds are never unregistered. */
MM3_API int mm3_module_register(const struct mm3_module *module, struct mm3_error *error);

/* mm3_module_load: dlopens a file and registers what it exports; *module (may be NULL) receives the table. Returns as
 * above; the sentence names the path. The object stays loaded until the process ends. */
MM3_API int mm3_module_load(const char *path, const struct mm3_module **module, struct mm3_error *error);

/* mm3_kind_find: the kind of that name: primitive, registered, or from mm3-NAME.so, looked for in MM3_MODULE_PATH
 * (colon list of absolute folders; ignored in set-uid programs), then in the compiled-in folder. Never loads when `load`
 * is 0. Returns NULL with -MM3_E_MODULE in *error, which lists where it was looked for. Thread-safe. */
MM3_API const struct mm3_kind *mm3_kind_find(const char *name, int load, struct mm3_error *error);

/* mm3_kind_ops: the `ops` of a kind that is registered, or NULL. O(kinds registered); cold paths only. */
MM3_API const void *mm3_kind_ops(const char *name);

/* mm3_kind_next: steps through the registered kinds, primitive ones first; start with NULL. `path` (may be NULL)
 * receives the file that it came from, or NULL for kinds that did not come from a file. */
MM3_API const struct mm3_kind *mm3_kind_next(const struct mm3_kind *previous, const struct mm3_module **module,
                                             const char **path);

/* mm3_module_dir: the compiled-in folder. mm3_module_abi: the core's ABI, major << 16 | minor. */
MM3_API const char *mm3_module_dir(void);
MM3_API uint32_t mm3_module_abi(void);

/* ---- help for kinds that contain others: each calls the type's own row, or the default its row names ---------------- */

MM3_API int mm3_type_init(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);
MM3_API int mm3_type_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx);
MM3_API int mm3_type_recover(const struct mm3_type *type, void *bytes, uint64_t certificate, struct mm3_ctx *ctx);
MM3_API int mm3_type_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx);
MM3_API int mm3_type_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx);
MM3_API int mm3_type_assign(const struct mm3_type *type, void *to, const void *from, struct mm3_ctx *ctx);
MM3_API int mm3_type_clear(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx);
MM3_API int mm3_type_blocks(const struct mm3_type *type, const void *bytes, int (*own)(void *arg, uint64_t offset),
                            void *arg, struct mm3_ctx *ctx);
MM3_API uint64_t mm3_type_hash(const struct mm3_type *type, const void *bytes, uint64_t seed);
MM3_API int mm3_type_equal(const struct mm3_type *type, const void *a, const void *b);
/* -MM3_E_PATH when the kind cannot be a key */
MM3_API int mm3_type_key_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes,
                               struct mm3_ctx *ctx);
MM3_API int mm3_type_key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size,
                               struct mm3_ctx *ctx);

/* ---- text ---------------------------------------------------------------------------------------------------------- */

/* mm3_utf8_valid: 1 when the bytes are well-formed UTF-8 (no surrogates, nothing overlong, at most U+10FFFF).
 * mm3_utf8_cut: the largest length up to `limit` at which valid UTF-8 may be cut without splitting a character.
 * mm3_utf8_encode: writes one scalar value, returns 1..4; mm3_utf8_decode: reads one, returns its length or 0. */
MM3_API int mm3_utf8_valid(const void *bytes, size_t count);
MM3_API size_t mm3_utf8_cut(const void *bytes, size_t count, size_t limit);
MM3_API size_t mm3_utf8_encode(uint32_t code, char out[4]);
MM3_API size_t mm3_utf8_decode(const void *bytes, size_t count, uint32_t *code);

#ifdef __cplusplus
}
#endif
#endif
