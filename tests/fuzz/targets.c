/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "fuzz.h"

#include "../../tools/json_in.h"
#include "../hostile/victims.h"
#include "file.h"
#include "hash.h"
#include "schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each victim's file as it was made, and a place to damage it in. */
static struct image {
  unsigned char *bytes;
  size_t size;
} images[32];
static char place[128];

/* MM3_FUZZ_DOUBLE: only the kind with the planted faults. */
static unsigned subject_count(void) { return getenv("MM3_FUZZ_DOUBLE") ? 1 : victim_count; }
static const struct victim *subject(unsigned number) { return getenv("MM3_FUZZ_DOUBLE") ? &victim_double : &victims[number]; }

static void forget_place(void) { unlink(place); }

static int prepare(void) {
  struct stat st;
  if (place[0]) return 0;
  victim_prepare(getenv("MM3_FUZZ_DOUBLE") != NULL);
  snprintf(place, sizeof place, "/dev/shm/mm3-fuzz-%d.mm3", (int)getpid());
  atexit(forget_place);
  for (unsigned i = 0; i < subject_count() && i < 32; i++) {
    unlink(place);
    if (victim_make(subject(i), place) < 0) abort();
    int fd = open(place, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0 || !(images[i].bytes = malloc((size_t)st.st_size))) abort();
    images[i].size = (size_t)st.st_size;
    if (read(fd, images[i].bytes, images[i].size) != st.st_size) abort();
    close(fd);
  }
  return 0;
}

static void write_place(const unsigned char *bytes, size_t size) {
  int fd = open(place, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
  close(fd);
}

static struct mm3_file *open_place(int read_only) {
  struct mm3_options options = {.size = sizeof options, .timeout_ms = 2, .reserve = 1 << 20,
                                .flags = (read_only ? MM3_READ_ONLY : 0) | MM3_NO_MODULES};
  struct mm3_error error;
  return mm3_open(place, NULL, &options, &error);
}

static void close_place(struct mm3_file *file) {
  if (mm3_close(file) < 0) mm3_unlock(file), mm3_close(file);
}

/* ---- file ---- */

static void seal(unsigned char *bytes, size_t size) {
  struct mm3i_super super;
  uint64_t digest[2];
  if (size < sizeof super) return;
  memcpy(&super, bytes, sizeof super);
  uint64_t from = super.fixed.schema_offset, count = super.fixed.schema_size + super.fixed.table_size;
  if (from <= size && count <= size - from) {
    mm3i_hash128(bytes + from, (size_t)count, digest);
    super.fixed.digest_low = digest[0];
    super.fixed.digest_high = digest[1];
  }
  super.checksum = mm3i_super_checksum(&super);
  memcpy(bytes, &super, sizeof super);
}

static size_t edit(unsigned char *bytes, size_t size, const uint8_t *at) {
  uint64_t value, word;
  size_t offset = ((size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16) % size;
  memcpy(&value, at + 4, 8);
  size_t aligned = offset / 8 * 8;
  if (aligned + 8 > size) return size;
  memcpy(&word, bytes + aligned, 8);
  switch (at[3] % 5) {
    case 0: bytes[offset] = (unsigned char)value; return size;
    case 1: word = value; break;
    case 2: word += value; break;
    case 3: word = size + value; break;
    default: return offset ? offset : 1;
  }
  memcpy(bytes + aligned, &word, 8);
  return size;
}

int fuzz_file(const uint8_t *data, size_t size) {
  struct victim_tally tally = {0, 0};
  if (prepare() < 0 || size < 2) return 0;
  unsigned number = data[0] % subject_count();
  unsigned char *bytes = malloc(images[number].size);
  if (!bytes) return 0;
  size_t length = images[number].size;
  memcpy(bytes, images[number].bytes, length);
  for (size_t at = 2; at + 12 <= size && at < 2 + 12 * 16 && length > 8; at += 12) length = edit(bytes, length, data + at);
  if (data[1] & 1) seal(bytes, length);
  write_place(bytes, length);
  free(bytes);
  struct mm3_file *file = open_place(data[1] & 2);
  if (!file) return 0;
  victim_use(subject(number), file, !(data[1] & 2), &tally);
  close_place(file);
  return 0;
}

/* ---- schema: text, then after a zero byte a field table ---- */

int fuzz_schema(const uint8_t *data, size_t size) {
  struct mm3i_schema *schema;
  struct mm3_error error;
  prepare();
  const uint8_t *zero = memchr(data, 0, size);
  size_t text = zero ? (size_t)(zero - data) : size;
  if (mm3i_schema_parse((const char *)data, text, NULL, 0, MM3I_SCHEMA_NO_LOAD, &schema, &error) == 0) {
    void *table;
    size_t table_size;
    struct mm3i_schema *again;
    if (mm3i_table_encode(schema, &table, &table_size) == 0) { /* what was accepted agrees with its own table */
      if (mm3i_schema_parse(schema->text, schema->text_size, table, table_size, MM3I_SCHEMA_NO_LOAD, &again, &error) < 0) abort();
      if (strcmp(schema->text, again->text) != 0) abort();
      mm3i_schema_free(again);
      mm3i_sys.free(table);
    }
    mm3i_schema_free(schema);
  }
  if (zero && mm3i_schema_parse((const char *)data, text, zero + 1, size - text - 1,
                                MM3I_SCHEMA_NO_LOAD | MM3I_SCHEMA_ALLOW_MISSING, &schema, &error) == 0)
    mm3i_schema_free(schema);
  return 0;
}

/* ---- path and json: on files that are whole ---- */

static struct mm3_file *whole[32];

static struct mm3_file *whole_file(unsigned number) {
  prepare();
  number %= subject_count();
  if (!whole[number]) {
    write_place(images[number].bytes, images[number].size);
    whole[number] = open_place(0);
    unlink(place);
  }
  return whole[number];
}

static int drop(struct mm3_sink *s) { return (void)s, 0; }
static int drop_int(struct mm3_sink *s, int v) { return (void)s, (void)v, 0; }
static int drop_i64(struct mm3_sink *s, int64_t v) { return (void)s, (void)v, 0; }
static int drop_u64(struct mm3_sink *s, uint64_t v) { return (void)s, (void)v, 0; }
static int drop_real(struct mm3_sink *s, double v, int bits) { return (void)s, (void)v, (void)bits, 0; }
static int drop_text(struct mm3_sink *s, const char *t, size_t n) { return (void)s, (void)t, (void)n, 0; }
static int drop_raw(struct mm3_sink *s, const void *t, size_t n) { return (void)s, (void)t, (void)n, 0; }
static struct mm3_sink nowhere = {sizeof nowhere, drop,     drop_int, drop_i64, drop_u64, drop_text, drop_real, drop_text,
                                  drop_raw,       drop_raw, drop_u64, drop,     drop_u64, drop_text, drop};

int fuzz_path(const uint8_t *data, size_t size) {
  char path[2048];
  struct mm3_error error;
  struct mm3_field field;
  uint64_t count, capacity;
  if (size < 1 || size >= sizeof path) return 0;
  struct mm3_file *file = whole_file(data[0]);
  memcpy(path, data + 1, size - 1);
  path[size - 1] = 0;
  if (!file || mm3_field_find(file, path, &field, &error) < 0) return 0;
  mm3_field_visit(&field, &nowhere, &error);
  mm3_field_check(&field, &error);
  mm3_field_count(&field, &count, &capacity);
  return 0;
}

int fuzz_json(const uint8_t *data, size_t size) {
  struct mm3_error error;
  struct mm3_field field;
  struct mm3j_doc *doc;
  if (size < 2) return 0;
  struct mm3_file *file = whole_file(data[0]);
  if (!file || mm3j_parse((const char *)data + 2, size - 2, &doc, &error) < 0) return 0;
  struct mm3_member_info member;
  for (uint32_t i = 0; mm3_file_member(file, i, &member) == 0; i++) {
    if (mm3_field_find(file, member.name, &field, &error) < 0) continue;
    int result = data[1] & 1 ? mm3_field_push(&field, mm3j_value(doc), &error) : mm3_field_put(&field, mm3j_value(doc), &error);
    if (result >= 0 && mm3_field_check(&field, &error) < 0) abort(); /* what was taken is valid */
    mm3_field_visit(&field, &nowhere, &error);
  }
  if (mm3_field_find(file, NULL, &field, &error) == 0) mm3_field_put(&field, mm3j_value(doc), &error);
  mm3j_free(doc);
  return 0;
}
