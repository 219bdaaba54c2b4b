/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * map.h: the one place where lengths and offsets become pages. Every constructor, every range and every remap asks
 * here; nothing else in map*.c adds a length to an address.
 */
#ifndef MM3_CORE_MAP_H
#define MM3_CORE_MAP_H

#include <mm3/map.h>

/* A piece of an object (file or anonymous memory) as mmap wants it. */
struct mm3i_map_span {
  uint64_t file_offset; /* offset rounded down to a page */
  size_t slack;         /* offset - file_offset */
  size_t length;        /* as asked */
  size_t mapped;        /* slack + length, at least 1, rounded up to pages */
};

/* A piece of a map as madvise, msync and mincore want it. */
struct mm3i_map_part {
  char *start;   /* a page's start, inside the map */
  size_t length; /* whole pages, inside base + mapped; 0: no page */
};

enum mm3i_map_rounding {
  MM3I_MAP_WIDEN,  /* every page that holds a byte of the range */
  MM3I_MAP_NARROW, /* every page wholly inside; bytes outside the map count as inside */
  MM3I_MAP_INSIDE  /* every page wholly inside; bytes outside the map count as foreign */
};

/* 0 and *span; -EOVERFLOW: length above PTRDIFF_MAX (also once rounded), offset + length above 2^63-1. */
int mm3i_map_span(uint64_t offset, uint64_t length, unsigned page_bits, struct mm3i_map_span *span);

/* 0 and *part; -EINVAL: not a map, or the range is not inside it. */
int mm3i_map_part(const struct mm3_map *map, size_t offset, size_t length, enum mm3i_map_rounding rounding,
                  struct mm3i_map_part *part);

/* log2 of the system's page. */
unsigned mm3i_map_page_bits(void);

/* Empties the error, and names its file when there is a path. Every constructor begins so. */
void mm3i_map_error_begin(struct mm3_error *error, const char *path);

/* What to call the thing in a sentence: the error's file, else what the system calls the descriptor (which becomes the
 * error's file), else a number in `spare`. Asked on failure only: it costs a system call. */
enum { MM3I_MAP_NAME = 32 };
const char *mm3i_map_error_name(struct mm3_error *error, int fd, char spare[MM3I_MAP_NAME]);

/* The likely cause of mmap's refusal, as the end of a sentence, or "". */
const char *mm3i_map_error_hint(int code, int prot);

#endif
