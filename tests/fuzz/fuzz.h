/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * fuzz.h: the fuzz targets. Each takes any bytes and returns 0; a crash, a hang or a report of a sanitizer is a finding.
 * run.sh builds them with clang's libFuzzer (make fuzz); test_fuzz replays their corpora and mutations of them in make check.
 *
 *   file     edits to a file of one kind (victims.h), then open, check, visit, every operation
 *   schema   a schema's text, and a field table beside it
 *   path     a path, on files of every kind
 *   json     JSON text, put into fields of every kind, and brought out again
 *   module   what a module registers (modules.c), and what its kinds answer
 *
 * The target `file` knows the format: its input is not the file but a list of edits,
 *     victim:8 flags:8 { offset:24 how:8 value:64 } ...
 * how: 0 store a byte, 1 store a word, 2 add to a word, 3 store the file's length + value, 4 cut the file at the offset.
 * flags 1: checksum and digest are made right again, so that the edit gets past them; 2: opened read-only.
 */
#ifndef MM3_FUZZ_H
#define MM3_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int fuzz_file(const uint8_t *data, size_t size);
int fuzz_schema(const uint8_t *data, size_t size);
int fuzz_path(const uint8_t *data, size_t size);
int fuzz_json(const uint8_t *data, size_t size);
int fuzz_module(const uint8_t *data, size_t size);

#endif
