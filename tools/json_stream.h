/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_stream.h: a JSON text as a struct mm3_value, however long it is, in memory that does not grow with it.
 *
 * A short text is parsed whole. Of a long one the brackets are looked at first: what is wrong with them is told at once
 * (up to 32 MiB by parsing it whole, because the place of the mistake is then better known), and lists and objects of more than MM3J_PIECE bytes are remembered by place and count. Their items are parsed when
 * somebody asks for them, a piece at a time, by jansson. So a mistake inside a long list is found when it is reached: by
 * the dry try, before anything is stored.
 *
 * Values are as json_in.h's, with one difference: in an object of more than 4096 members, in a long text, a key that
 * comes twice is left to the container that takes it (a map refuses it).
 */
#ifndef MM3_TOOLS_JSON_STREAM_H
#define MM3_TOOLS_JSON_STREAM_H

#include <mm3/map.h>
#include <mm3/module.h>
#include <stdbool.h>

enum { MM3J_PIECE = 65536 };

struct mm3j_stream;

/* What happens between two pieces; the caller's, may be NULL. `done` counts the bytes that were parsed, all passes
 * together. A negative result ends the reading and is what put returns; asked in the first pass only, because after it
 * values are being stored. */
struct mm3j_between {
  int (*call)(void *arg, uint64_t done);
  void *arg;
};

/* mm3j_stream_open: maps a file; "-" is standard input, which is copied to a file without a name when it is a long pipe.
 * Returns 0, -errno with a sentence. */
int mm3j_stream_open(const char *path, const struct mm3j_between *between, struct mm3j_stream **stream,
                     struct mm3_error *error);

/* mm3j_stream_read: the brackets of a long text, or a short text whole. `members_first`: of the outermost object the
 * long members come first, so that, when storing one of them fails, no short one was changed yet. Returns 0, -ENOMEM, or
 * -MM3_E_VALUE with line, column and what is the matter. */
int mm3j_stream_read(struct mm3j_stream *stream, bool members_first, struct mm3_value *value, struct mm3_error *error);

uint64_t mm3j_stream_size(const struct mm3j_stream *stream);
const struct mm3_map *mm3j_stream_map(const struct mm3j_stream *stream); /* for a guard: somebody may cut the file */

/* mm3j_stream_error: what stopped the reading of a value, as a negative code; 0: nothing did. Fills *error. */
int mm3j_stream_error(const struct mm3j_stream *stream, struct mm3_error *error);

void mm3j_stream_close(struct mm3j_stream *stream);

#endif
