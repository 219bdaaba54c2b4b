/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_out.h: a sink that writes values as JSON text, as it is spelt everywhere in mm3:
 *
 *   integers       a number within -2^63 .. 2^63-1, else a decimal string
 *   floats         the shortest text that reads back to the same bits, always with `.` or `e`; "NaN", "Infinity",
 *                  "-Infinity"; -0.0 keeps its sign
 *   text           a string; control characters escaped, a zero byte is \u0000
 *   raw            lower-case hex; damaged text {"$raw": hex}
 *   separators     `, ` and `: `
 *
 * Output is collected in a buffer of the caller and handed on by `emit` in large pieces. Not for several threads.
 */
#ifndef MM3_TOOLS_JSON_OUT_H
#define MM3_TOOLS_JSON_OUT_H

#include <mm3/module.h>
#include <stdbool.h>
#include <stdio.h>

enum mm3j_style {
  MM3J_JSON,  /* one JSON text */
  MM3J_LINES, /* JSON lines: the items of the outermost list, or the pairs of the outermost map as {key: value} */
  MM3J_HUMAN, /* for people: the outermost text bare, the outermost map as `key: value` lines, a list an item a line */
  MM3J_PLAIN  /* for scripts: as HUMAN, with a tab after keys, and texts bare with \t \n \r \\ \0 escaped */
};

struct mm3j_writer {
  struct mm3_sink sink;
  int (*emit)(void *arg, const char *bytes, size_t count); /* 0 or negative */
  void *arg;
  char *buffer;
  size_t size, used;
  enum mm3j_style style;
  unsigned indent;   /* spaces a level; 0: all on one line. MM3J_JSON only */
  bool paths;        /* keys of the outermost map are paths: bare, though they are no names */
  bool tame;         /* bare texts show control characters as escapes: for terminals */
  unsigned depth;
  bool comma;        /* the next item follows another one */
  bool after_key;
  char flat;         /* '[' or '{': the outermost container is shown without its brackets */
  uint64_t written;  /* bytes so far */
};

enum { MM3J_BUFFER = 65536, MM3J_NUMBER = 48 };

/* Prepares a writer. The buffer holds at least 256 bytes and belongs to the caller. */
void mm3j_writer_init(struct mm3j_writer *writer, enum mm3j_style style, char *buffer, size_t size,
                      int (*emit)(void *arg, const char *bytes, size_t count), void *arg);

/* An emit for stdio: arg is the FILE. Returns -EIO or what errno said. */
int mm3j_emit_file(void *arg, const char *bytes, size_t count);

/* An emit into memory: arg is a struct mm3j_memory, zeroed at first; free its text. */
struct mm3j_memory {
  char *text; /* ends with a zero byte; NULL when nothing came */
  size_t used, size;
};
int mm3j_emit_memory(void *arg, const char *bytes, size_t count);

/* Hands on what is in the buffer. 0 or what emit said. */
int mm3j_writer_flush(struct mm3j_writer *writer);

/* Bytes as they are, between values. */
int mm3j_write(struct mm3j_writer *writer, const char *bytes, size_t count);

/* Whether a key looks like a name: a letter or _, then letters, digits and _. */
bool mm3j_is_name(const char *text, size_t count);

/* The JSON spelling of a float: its text without quotes, its length. */
size_t mm3j_real(double value, int bits, char text[MM3J_NUMBER]);

#endif
