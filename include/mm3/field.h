/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * field.h: a file's fields by name, without the C struct: how the mm3 command, bindings and tools read and write.
 *
 * Everything here goes through the kinds' tables: a look-up and indirect calls each time. Programs that have the C
 * struct use the inline operations of the kinds' headers instead.
 *
 * A path is PATH := name { '.' name | '[' INT ']' | '[' JSONSTRING ']' } and may end with a slice '[' [INT] ':' [INT] ']'
 * (for visiting only). Negative indices count from the end.
 */
#ifndef MM3_FIELD_H
#define MM3_FIELD_H

#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A place in a file: what a path leads to. A caller's value; valid until close, or until somebody removes the element.
 * The members down to `last` are for readers; the rest is how put, push and erase find their way. */
struct mm3_field {
  struct mm3_file *file;
  const struct mm3_type *type; /* NULL: its module is missing */
  void *bytes;                 /* NULL: nothing is there yet, but mm3_field_put can make it (a map's new key) */
  uint64_t size;
  uint32_t number;             /* of the root's field that it lies in; UINT32_MAX: the root itself */
  int sliced;                  /* the path ended with a slice, clamped to [first, last): */
  uint64_t first, last;
  struct mm3_place container;  /* of the last step */
  struct mm3_step step;
  uint32_t ndeep;              /* steps inside a value whose parts have no bytes of their own */
  struct mm3_step deep[16];
  char step_text[1024];        /* the keys that steps point to; longer ones have no path */
  char path[256];              /* for messages; cut when longer */
};

/* mm3_field_find: NULL or "" is the root. Returns 0, -MM3_E_PATH (unknown name, no such steps: the sentence lists what
 * there is), -MM3_E_ABSENT (index beyond the length, key absent; field->bytes is NULL, and mm3_field_put of this
 * field makes it where the container can), -MM3_E_MODULE (the field's module is missing; type is NULL, bytes are there). */
MM3_API int mm3_field_find(struct mm3_file *file, const char *path, struct mm3_field *field, struct mm3_error *error);

/* mm3_field_visit: the value (or slice), to a sink. Torn-free by the kind's promise while others write. A field whose
 * module is missing goes to sink->raw. */
MM3_API int mm3_field_visit(const struct mm3_field *field, struct mm3_sink *sink, struct mm3_error *error);

/* mm3_field_visit_key: the same for one entry of a container that has keys, by the key as JSON spells it in an object: there
 * is no path to parse, and a key of any length. -MM3_E_ABSENT when there is no such entry, -MM3_E_PATH for what has no keys. */
MM3_API int mm3_field_visit_key(const struct mm3_field *field, const char *key, size_t count, struct mm3_sink *sink,
                                struct mm3_error *error);

/* mm3_field_put: all or nothing: the whole value is tried dry first. A struct takes any subset of its members; an
 * unknown name is -MM3_E_PATH. -MM3_E_VALUE with the reason; -MM3_E_READ_ONLY. Takes the file's lock around itself. A dry
 * run takes no room: where the file has none (-ENOSPC, -MM3_E_LIMIT, ...) for one of several texts or maps, those before it
 * are new, and each is old or new, whole. */
MM3_API int mm3_field_put(struct mm3_field *field, const struct mm3_value *value, struct mm3_error *error);
/* mm3_field_put_key: the same for one entry of a container that has keys, by the key as JSON spells it in an object:
 * added, or set. For many entries in turn: there is no path to parse. -MM3_E_PATH for what has no keys. */
MM3_API int mm3_field_put_key(struct mm3_field *field, const char *key, size_t count, const struct mm3_value *value,
                              struct mm3_error *error);
MM3_API int mm3_field_push(struct mm3_field *field, const struct mm3_value *value, struct mm3_error *error);
MM3_API int mm3_field_erase(struct mm3_field *field, struct mm3_error *error);
/* mm3_field_add: adds to an integer; the new value in decimal. No wrap: -MM3_E_VALUE, and nothing changes. Atomics are
 * added to atomically; plain integers, values of map entries and numbers in documents under the lock. An entry or a
 * member that is not there begins at 0. */
MM3_API int mm3_field_add(struct mm3_field *field, const struct mm3_value *delta, char result[48],
                          struct mm3_error *error);
/* mm3_field_count: items and capacity of a container (UINT64_MAX: grows); -MM3_E_PATH for what is none. */
MM3_API int mm3_field_count(const struct mm3_field *field, uint64_t *count, uint64_t *capacity);
/* mm3_field_describe: how the kind keeps the value, as its `describe` row tells it to a sink: a map of facts. -MM3_E_PATH for
 * a kind that has nothing to say. */
MM3_API int mm3_field_describe(const struct mm3_field *field, struct mm3_sink *sink, struct mm3_error *error);
/* mm3_field_check: the value against every promise of its kind. 0, or -MM3_E_DAMAGED with path and reason. */
MM3_API int mm3_field_check(const struct mm3_field *field, struct mm3_error *error);

/* mm3_file_member: the root's fields by number, in schema order; 0 .. nfields-1. What the field table says, also when
 * the module is missing (type NULL). Returns 0, or -MM3_E_ABSENT beyond the last. Strings live until close. */
struct mm3_member_info {
  const char *name, *text, *kind;
  uint64_t offset, size, align; /* offset from the root struct's start */
  uint32_t layout_version;
  const struct mm3_type *type;
};
MM3_API int mm3_file_member(const struct mm3_file *file, uint32_t number, struct mm3_member_info *info);

/* mm3_check: every field and the file's own structures. Calls `found` (may be NULL) for each finding; returns the
 * number of findings, or a negative code when the check itself could not run. Reads only. */
MM3_API int mm3_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg);

/* mm3_schema_format: parses a schema's text and gives back its canonical form with sizes and offsets, without a file.
 * Output in buf as (buf, size, need): -ERANGE and *need when too small. */
MM3_API int mm3_schema_format(const char *schema, char *buf, size_t size, size_t *need, struct mm3_error *error);

#ifdef __cplusplus
}
#endif
#endif
