/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* super.c: the superblock: laid out for a new file, read and verified for an old one. */
#include "super.h"

#include "file.h"
#include "hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FIRST_READ (4 * MM3I_PAGE)       /* one read gets superblock, slots and a common schema */
#define MAX_TABLE (UINT64_C(64) << 20)

static uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

uint64_t mm3i_super_checksum(const struct mm3i_super *super) {
  return mm3i_hash64(super, offsetof(struct mm3i_super, checksum), 0);
}

bool mm3i_super_is_ours(const struct mm3i_super *super) {
  return memcmp(super->fixed.magic, MM3I_MAGIC, sizeof super->fixed.magic) == 0 &&
         super->checksum == mm3i_super_checksum(super);
}

static void digest(const void *from, uint64_t size, uint64_t out[2]) { mm3i_hash128(from, (size_t)size, out); }

void mm3i_image_free(struct mm3i_image *image) {
  mm3i_sys.free(image->super);
  memset(image, 0, sizeof *image);
}

/* ---- a new file ------------------------------------------------------------------------------------------------- */

static int identify(struct mm3i_fixed *fixed) {
  struct timespec now;
  if (mm3i_sys.getrandom(fixed->uuid, sizeof fixed->uuid) < 0) return -errno;
  fixed->uuid[6] = (uint8_t)((fixed->uuid[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
  fixed->uuid[8] = (uint8_t)((fixed->uuid[8] & 0x3f) | 0x80);
  if (clock_gettime(CLOCK_REALTIME, &now) == 0)
    fixed->created_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  return 0;
}

static uint64_t lay_out(struct mm3i_fixed *fixed, const struct mm3i_schema *schema, size_t table_size) {
  fixed->schema_offset = 2 * MM3I_PAGE;
  fixed->schema_size = schema->text_size;
  fixed->table_offset = round_up(fixed->schema_offset + schema->text_size + 1, 8);
  fixed->table_size = table_size;
  fixed->root_offset = round_up(fixed->table_offset + table_size, MM3I_PAGE);
  fixed->root_size = schema->root_size;
  fixed->root_align = schema->root_align;
  uint64_t end = round_up(fixed->root_offset + schema->root_size, MM3I_PAGE);
  if (!schema->grows) return end;
  fixed->heap_offset = round_up(end, MM3I_HEAP_ALIGN);
  return fixed->heap_offset + MM3I_HEAP_ALIGN;
}

int mm3i_image_plan(struct mm3i_image *image, const struct mm3i_schema *schema, const void *table, size_t table_size,
                    uint64_t reserve_hint, uint64_t limit) {
  struct mm3i_fixed fixed = {.format = MM3I_FORMAT, .byte_order = MM3I_BYTE_ORDER, .abi = MM3I_ABI};
  memset(image, 0, sizeof *image);
  memcpy(fixed.magic, MM3I_MAGIC, sizeof fixed.magic);
  int result = identify(&fixed);
  if (result < 0) return result;
  image->length = lay_out(&fixed, schema, table_size);
  fixed.reserve_hint = reserve_hint;
  fixed.slots_offset = MM3I_PAGE;
  fixed.slots_count = MM3I_SLOTS;
  fixed.slot_size = sizeof(struct mm3i_slot);

  unsigned char *bytes = mm3i_sys.calloc(1, (size_t)fixed.root_offset);
  if (!bytes) return -ENOMEM;
  memcpy(bytes + fixed.schema_offset, schema->text, schema->text_size);
  memcpy(bytes + fixed.table_offset, table, table_size);
  uint64_t sum[2];
  digest(bytes + fixed.schema_offset, fixed.table_offset + table_size - fixed.schema_offset, sum);
  fixed.digest_low = sum[0], fixed.digest_high = sum[1];

  struct mm3i_super *super = (struct mm3i_super *)(void *)bytes;
  super->fixed = fixed;
  super->checksum = mm3i_super_checksum(super);
  super->incarnation = 1;
  super->length = image->length;
  super->heap_end = fixed.heap_offset;
  super->limit = limit;
  image->super = super;
  image->schema = (const char *)bytes + fixed.schema_offset;
  image->table = bytes + fixed.table_offset;
  return 0;
}

/* ---- an old one --------------------------------------------------------------------------------------------------- */

struct reading {
  const struct mm3i_super *super;
  const char *path;
  struct mm3_error *error;
  uint64_t length;
  bool writable, careful;
};

#define DAMAGED(r, ...) mm3i_fail((r)->error, (r)->path, -MM3_E_DAMAGED, __VA_ARGS__)

/* Who made this? In an order in which each test may believe what the ones before it showed. */
static int verify_origin(const struct reading *r) {
  const struct mm3i_fixed *fixed = &r->super->fixed;
  if (fixed->byte_order == MM3I_BYTE_ORDER_SWAPPED)
    return mm3i_fail(r->error, r->path, -MM3_E_ABI, "made on a big-endian machine; files of this format are little-endian");
  if (!r->careful && r->super->checksum != mm3i_super_checksum(r->super))
    return DAMAGED(r, "the superblock is damaged: its checksum is %016" PRIx64 ", its bytes give %016" PRIx64,
                   r->super->checksum, mm3i_super_checksum(r->super));
  if (fixed->byte_order != MM3I_BYTE_ORDER)
    return mm3i_fail(r->error, r->path, -MM3_E_ABI, "byte order mark %08" PRIx32 ", wanted %08" PRIx32,
                     fixed->byte_order, MM3I_BYTE_ORDER);
  if (fixed->format != MM3I_FORMAT)
    return mm3i_fail(r->error, r->path, fixed->format ? -MM3_E_VERSION : -MM3_E_DAMAGED,
                     "format version %" PRIu32 "; this library reads version %" PRIu32, fixed->format, MM3I_FORMAT);
  if (fixed->incompat & ~MM3I_KNOWN_INCOMPAT)
    return mm3i_fail(r->error, r->path, -MM3_E_VERSION,
                     "uses features that this library does not know (incompatible: %#" PRIx64 ")",
                     fixed->incompat & ~MM3I_KNOWN_INCOMPAT);
  if (r->writable && (fixed->ro_compat & ~MM3I_KNOWN_RO_COMPAT))
    return mm3i_fail(r->error, r->path, -MM3_E_VERSION,
                     "uses features that this library cannot keep while writing (%#" PRIx64 "); it opens read-only",
                     fixed->ro_compat & ~MM3I_KNOWN_RO_COMPAT);
  if (fixed->abi != MM3I_ABI)
    return mm3i_fail(r->error, r->path, -MM3_E_ABI, "ABI descriptor %016" PRIx64 ", wanted %016" PRIx64, fixed->abi,
                     MM3I_ABI);
  return 0;
}

static int verify_part(const struct reading *r, const char *what, uint64_t offset, uint64_t size, uint64_t from,
                       uint64_t align) {
  if (offset < from || offset % align || size > INT64_MAX || offset > INT64_MAX - size)
    return DAMAGED(r, "the %s is said to lie at %" PRIu64 ", %" PRIu64 " bytes, which cannot be: wanted %" PRIu64
                   " or more, a multiple of %" PRIu64, what, offset, size, from, align);
  if (offset + size > r->length)
    return DAMAGED(r, "truncated: the file has %" PRIu64 " bytes, its %s ends at %" PRIu64, r->length, what,
                   offset + size);
  return 0;
}

static int verify_places(const struct reading *r) {
  const struct mm3i_fixed *fixed = &r->super->fixed;
  int result;
  if (fixed->slots_offset != MM3I_PAGE || fixed->slots_count != MM3I_SLOTS ||
      fixed->slot_size != sizeof(struct mm3i_slot))
    return DAMAGED(r, "the slot table is said to be %" PRIu32 " slots of %" PRIu32 " bytes at %" PRIu64
                   ", wanted 128 of 32 at 4096", fixed->slots_count, fixed->slot_size, fixed->slots_offset);
  if (fixed->schema_size < 1 || fixed->schema_size > MM3I_MAX_SCHEMA || fixed->table_size > MAX_TABLE)
    return DAMAGED(r, "a schema of %" PRIu64 " bytes with a field table of %" PRIu64 " bytes cannot be",
                   fixed->schema_size, fixed->table_size);
  if (fixed->root_align < 1 || fixed->root_align > MM3I_MAX_ALIGN || (fixed->root_align & (fixed->root_align - 1)) ||
      fixed->root_size > MM3I_MAX_SIZE)
    return DAMAGED(r, "a root struct of %" PRIu64 " bytes aligned to %" PRIu64 " cannot be", fixed->root_size,
                   fixed->root_align);
  if ((result = verify_part(r, "schema", fixed->schema_offset, fixed->schema_size + 1, 2 * MM3I_PAGE, 8)) < 0)
    return result;
  if (fixed->schema_offset != 2 * MM3I_PAGE) /* an opener reads up to the table's end */
    return DAMAGED(r, "the schema is said to lie at %" PRIu64 ", wanted %u", fixed->schema_offset, 2 * MM3I_PAGE);
  if ((result = verify_part(r, "field table", fixed->table_offset, fixed->table_size,
                            fixed->schema_offset + fixed->schema_size + 1, 8)) < 0)
    return result;
  if (fixed->table_offset - fixed->schema_offset > fixed->schema_size + MM3I_PAGE)
    return DAMAGED(r, "the field table does not follow the schema");
  if ((result = verify_part(r, "root struct", fixed->root_offset, fixed->root_size,
                            fixed->table_offset + fixed->table_size, MM3I_PAGE)) < 0)
    return result;
  if (!fixed->heap_offset || r->careful) return 0; /* what grows clamps by itself */
  return verify_part(r, "heap", fixed->heap_offset, MM3I_HEAP_ALIGN, fixed->root_offset + fixed->root_size,
                     MM3I_HEAP_ALIGN);
}

static int verify_state(struct reading *r, int fd) {
  const struct mm3i_super *super = r->super;
  if (r->careful) return 0;
  if (super->generation_begin == 0 || super->generation_begin != super->generation_end)
    return DAMAGED(r, "its creation was never finished (generation %" PRIu64 " of %" PRIu64 ")", super->generation_end,
                   super->generation_begin);
  if (super->length <= r->length) return 0;
  struct stat st; /* it may have grown since we asked: whoever grows it lengthens the file first */
  if (mm3i_sys.fstat(fd, &st) < 0) return mm3i_fail_sys(r->error, r->path, -errno, "ask for its length");
  r->length = (uint64_t)st.st_size;
  if (super->length > r->length)
    return DAMAGED(r, "truncated: the file has %" PRIu64 " bytes, the superblock says %" PRIu64, r->length,
                   super->length);
  return 0;
}

static int verify_first_bytes(struct mm3_error *error, const char *path, const void *bytes, uint64_t length) {
  size_t count = length < 8 ? (size_t)length : 8;
  if (count == 0) return mm3i_fail(error, path, -MM3_E_NOT_MM3, "not an mm3 file: it is empty");
  if (memcmp(bytes, MM3I_MAGIC, count) != 0) {
    unsigned char found[8] = {0};
    memcpy(found, bytes, count);
    return mm3i_fail(error, path, -MM3_E_NOT_MM3,
                     "not an mm3 file: it begins with the bytes %02x %02x %02x %02x, wanted 8d 6d 6d 33", found[0],
                     found[1], found[2], found[3]);
  }
  if (length < 2 * MM3I_PAGE)
    return mm3i_fail(error, path, count < 8 ? -MM3_E_NOT_MM3 : -MM3_E_DAMAGED,
                     "truncated: it has %" PRIu64 " bytes, the smallest mm3 file has more than %u", length,
                     2 * MM3I_PAGE);
  return 0;
}

static int read_failed(const struct reading *r, int result) {
  if (result == -ENODATA) return DAMAGED(r, "truncated: it became shorter while it was read");
  return mm3i_fail_sys(r->error, r->path, result, "read it");
}

/* The rest of the schema and table, and their digest. */
static int read_rest(struct mm3i_image *image, const struct reading *r, int fd, size_t have) {
  struct mm3i_fixed fixed = r->super->fixed;
  size_t need = (size_t)(fixed.table_offset + fixed.table_size);
  unsigned char *bytes = (unsigned char *)image->super;
  int result;
  if (need > have) {
    bytes = mm3i_sys.realloc(bytes, need);
    if (!bytes) return mm3i_fail_sys(r->error, r->path, -ENOMEM, "read it");
    image->super = (struct mm3i_super *)(void *)bytes;
    if ((result = mm3i_pread_all(fd, bytes + have, need - have, have)) < 0) return read_failed(r, result);
  }
  uint64_t sum[2];
  uint64_t wanted[2] = {fixed.digest_low, fixed.digest_high};
  size_t size = (size_t)(fixed.table_offset + fixed.table_size - fixed.schema_offset);
  digest(bytes + fixed.schema_offset, size, sum);
  if (memcmp(sum, wanted, sizeof sum) != 0 && r->careful) mm3i_digest_heal(bytes + fixed.schema_offset, size, wanted);
  else if (memcmp(sum, wanted, sizeof sum) != 0)
    return DAMAGED(r, "its schema or field table is damaged: the digest is %016" PRIx64 "%016" PRIx64
                   ", its bytes give %016" PRIx64 "%016" PRIx64, fixed.digest_high, fixed.digest_low, sum[1], sum[0]);
  if (bytes[fixed.schema_offset + fixed.schema_size] != 0) return DAMAGED(r, "the schema does not end with a zero byte");
  image->schema = (const char *)bytes + fixed.schema_offset;
  image->table = bytes + fixed.table_offset;
  return 0;
}

int mm3i_image_read(struct mm3i_image *image, int fd, uint64_t length, enum mm3i_read_how how, const char *path,
                    struct mm3_error *error) {
  struct reading r = {.path = path, .error = error, .length = length, .writable = how == MM3I_READ_WRITE,
                      .careful = how == MM3I_READ_CAREFUL};
  size_t have = length < FIRST_READ ? (size_t)length : FIRST_READ;
  memset(image, 0, sizeof *image);
  image->super = mm3i_sys.malloc(FIRST_READ);
  if (!image->super) return mm3i_fail_sys(error, path, -ENOMEM, "read it");
  r.super = image->super;
  int result = mm3i_pread_all(fd, image->super, have, 0);
  if (result < 0) result = read_failed(&r, result);
  if (r.careful && have >= sizeof *image->super) mm3i_super_heal(image->super);
  if (result == 0) result = verify_first_bytes(error, path, image->super, length);
  if (result == 0) result = verify_origin(&r);
  if (result == 0) result = verify_state(&r, fd);
  if (result == 0) result = verify_places(&r);
  if (result == 0) result = read_rest(image, &r, fd, have);
  image->length = r.length;
  if (result < 0) mm3i_image_free(image);
  return result;
}
