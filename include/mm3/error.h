/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * error.h: what went wrong, as a code and as a sentence.
 *
 * What can fail returns an int: 0 (or a documented count), or a negative code: -errno for what the system
 * refused, -MM3_E_* for what mm3 refused. Calls that may fail in more than one way also take a nullable
 * `struct mm3_error *`, a caller's value that stays valid after the file is closed; its sentence names the
 * file, the field, what was found and what was wanted. The library never prints, never aborts and never
 * changes a signal's disposition unasked. Inline operations (the data plane) leave errno alone.
 *
 * The numbers are for ever: they start at 4096, above every errno, and are only appended to.
 */
#ifndef MM3_ERROR_H
#define MM3_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define MM3_API __attribute__((visibility("default")))
#define MM3_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MM3_COLD __attribute__((cold, noinline))
#define MM3_UNUSED __attribute__((unused))
#define MM3_INLINE static inline __attribute__((always_inline, unused))
#else
#error "mm3 needs gcc or clang"
#endif

/* X(NAME, number, exit code of the command, sentence) */
#define MM3_ERRORS(X)                                                                    \
  X(NOT_MM3, 4096, 3, "not an mm3 file")                                                 \
  X(DAMAGED, 4097, 4, "the bytes are damaged")                                           \
  X(VERSION, 4098, 5, "made by a newer version, or with a feature that is unknown here") \
  X(ABI, 4099, 5, "made on a machine of another byte order")                             \
  X(SCHEMA, 4100, 2, "the schema is not valid")                                          \
  X(LAYOUT, 4101, 5, "program, file and modules do not agree on the layout")             \
  X(MODULE, 4102, 5, "a type module is missing or refused")                              \
  X(BUSY, 4103, 6, "somebody else holds it")                                             \
  X(VALUE, 4104, 2, "the value does not fit its type")                                   \
  X(FULL, 4105, 2, "the container is full")                                              \
  X(PATH, 4106, 2, "no such field")                                                      \
  X(ABSENT, 4107, 1, "no such entry")                                                    \
  X(RESERVE, 4108, 7, "the file has outgrown this handle's reserve")                     \
  X(AGAIN, 4109, 6, "the value kept changing while it was read")                         \
  X(TRUNCATED, 4110, 7, "the file was truncated under its map")                          \
  X(READ_ONLY, 4111, 7, "opened read-only")                                              \
  X(LIMIT, 4112, 7, "the file's own size limit is reached")                              \
  X(SUPERSEDED, 4113, 5, "the file was replaced by a newer one")

enum mm3_code {
#define MM3_ERROR_ENUM(name, number, exit_code, sentence) MM3_E_##name = number,
  MM3_ERRORS(MM3_ERROR_ENUM)
#undef MM3_ERROR_ENUM
};

/* What went wrong. `code` is the negative value that the call returned (0: nothing went wrong). `field` is a path
 * such as `users["alice"].age`, empty when no field is concerned. All strings end with a zero byte and are cut, at
 * a character, when longer. */
struct mm3_error {
  int code;
  char file[256];
  char field[256];
  char text[1024];
};

/* mm3_strerror: a sentence for any code that mm3 returns, positive or negative, errno's included.
 * Returns a constant string, never NULL. Thread-safe. */
MM3_API const char *mm3_strerror(int code);

/* mm3_error_name: "MM3_E_DAMAGED", "ENOSPC", or "?" for a number that is neither. Returns a constant string. */
MM3_API const char *mm3_error_name(int code);

/* mm3_exit_code: what the command exits with for this code: 0 for 0, the table's column for ours, 7 for errno's
 * except: EINVAL 2, EBUSY 6. */
MM3_API int mm3_exit_code(int code);

/* mm3_error_set: fills `error` (which may be NULL) with the code and a sentence, and returns the code, so that
 * `return mm3_error_set(...)` is the way to fail. `code` is negative. File and field are kept as they are. */
MM3_API int mm3_error_set(struct mm3_error *error, int code, const char *format, ...) MM3_PRINTF(3, 4) MM3_COLD;

#ifdef __cplusplus
}
#endif
#endif
