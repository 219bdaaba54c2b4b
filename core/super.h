/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * super.h: the superblock and the slot table as they lie in the file: pages 0 and 1, 8192 bytes. doc/FORMAT says what
 * each member means; this header only pins where it lies. Everything is little-endian.
 *
 * Page 0, first half: written once, by create, and covered by a checksum. Second half: changes while the file is in
 * use; nobody may trust it, and every access is one atomic load or store.
 */
#ifndef MM3_CORE_SUPER_H
#define MM3_CORE_SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mm3/error.h>

struct mm3i_schema;

#define MM3I_MAGIC "\x8dmm3\r\n\x1a\n"
#define MM3I_FORMAT 1u
#define MM3I_BYTE_ORDER 0x01020304u
#define MM3I_BYTE_ORDER_SWAPPED 0x04030201u
#define MM3I_PAGE 4096u
#define MM3I_HEAP_ALIGN 65536u
#define MM3I_SLOTS 128u
#define MM3I_KNOWN_INCOMPAT UINT64_C(0)
#define MM3I_KNOWN_RO_COMPAT UINT64_C(0)
/* Bytes, from the lowest: page's binary logarithm, the heap's, largest scalar alignment, float format (1: IEEE 754),
 * bits of a byte, bytes of usize, bytes of a char, bytes of a cache line. */
#define MM3I_ABI UINT64_C(0x400408080110100c)

/* Where a file's parts lie: the members that create chooses and open verifies. */
struct mm3i_fixed {
  unsigned char magic[8];
  uint32_t format;
  uint32_t byte_order;
  uint64_t compat, ro_compat, incompat;
  uint8_t uuid[16];
  uint64_t created_ns;
  uint64_t abi;
  uint64_t schema_offset, schema_size;
  uint64_t table_offset, table_size;
  uint64_t reserved_104;
  uint64_t digest_low, digest_high;
  uint64_t root_offset, root_size, root_align;
  uint64_t heap_offset;
  uint64_t reserve_hint;
  uint64_t slots_offset;
  uint32_t slots_count, slot_size;
};

struct mm3i_super {
  struct mm3i_fixed fixed;
  unsigned char reserved_184[1856];
  uint64_t checksum;
  /* from here on: in motion */
  uint64_t generation_begin, generation_end;
  uint64_t incarnation;
  uint64_t length;
  uint64_t heap_end;
  uint64_t limit;
  uint32_t superseded;
  uint32_t reserved_2100;
  uint64_t reserved_2104;
  unsigned char reserved_2112[64];
  union {
    struct {
      uint32_t lock, changes;  /* two futex words */
    };
    uint64_t lock_and_changes; /* an unlock moves both at once */
  };
  uint64_t certificate;
  unsigned char reserved_2192[48];
  uint64_t intents[8];
  unsigned char heap[1024];
  unsigned char reserved_3328[768];
};

struct mm3i_slot {
  uint32_t state;              /* 1: taken at some time; whether its owner lives only its lock tells */
  uint32_t pid;
  uint64_t start_time, pid_namespace, boot;
};

#define MM3I_AT(type, member, at) \
  _Static_assert(offsetof(struct type, member) == (at), #type "." #member " lies at " #at)
MM3I_AT(mm3i_fixed, magic, 0);
MM3I_AT(mm3i_fixed, format, 8);
MM3I_AT(mm3i_fixed, byte_order, 12);
MM3I_AT(mm3i_fixed, compat, 16);
MM3I_AT(mm3i_fixed, ro_compat, 24);
MM3I_AT(mm3i_fixed, incompat, 32);
MM3I_AT(mm3i_fixed, uuid, 40);
MM3I_AT(mm3i_fixed, created_ns, 56);
MM3I_AT(mm3i_fixed, abi, 64);
MM3I_AT(mm3i_fixed, schema_offset, 72);
MM3I_AT(mm3i_fixed, schema_size, 80);
MM3I_AT(mm3i_fixed, table_offset, 88);
MM3I_AT(mm3i_fixed, table_size, 96);
MM3I_AT(mm3i_fixed, reserved_104, 104);
MM3I_AT(mm3i_fixed, digest_low, 112);
MM3I_AT(mm3i_fixed, digest_high, 120);
MM3I_AT(mm3i_fixed, root_offset, 128);
MM3I_AT(mm3i_fixed, root_size, 136);
MM3I_AT(mm3i_fixed, root_align, 144);
MM3I_AT(mm3i_fixed, heap_offset, 152);
MM3I_AT(mm3i_fixed, reserve_hint, 160);
MM3I_AT(mm3i_fixed, slots_offset, 168);
MM3I_AT(mm3i_fixed, slots_count, 176);
MM3I_AT(mm3i_fixed, slot_size, 180);
_Static_assert(sizeof(struct mm3i_fixed) == 184, "the fixed part has 184 bytes");
MM3I_AT(mm3i_super, reserved_184, 184);
MM3I_AT(mm3i_super, checksum, 2040);
MM3I_AT(mm3i_super, generation_begin, 2048);
MM3I_AT(mm3i_super, generation_end, 2056);
MM3I_AT(mm3i_super, incarnation, 2064);
MM3I_AT(mm3i_super, length, 2072);
MM3I_AT(mm3i_super, heap_end, 2080);
MM3I_AT(mm3i_super, limit, 2088);
MM3I_AT(mm3i_super, superseded, 2096);
MM3I_AT(mm3i_super, reserved_2100, 2100);
MM3I_AT(mm3i_super, reserved_2104, 2104);
MM3I_AT(mm3i_super, reserved_2112, 2112);
MM3I_AT(mm3i_super, lock, 2176);
MM3I_AT(mm3i_super, changes, 2180);
MM3I_AT(mm3i_super, lock_and_changes, 2176);
MM3I_AT(mm3i_super, certificate, 2184);
MM3I_AT(mm3i_super, reserved_2192, 2192);
MM3I_AT(mm3i_super, intents, 2240);
MM3I_AT(mm3i_super, heap, 2304);
MM3I_AT(mm3i_super, reserved_3328, 3328);
_Static_assert(sizeof(struct mm3i_super) == MM3I_PAGE, "the superblock is one page");
MM3I_AT(mm3i_slot, state, 0);
MM3I_AT(mm3i_slot, pid, 4);
MM3I_AT(mm3i_slot, start_time, 8);
MM3I_AT(mm3i_slot, pid_namespace, 16);
MM3I_AT(mm3i_slot, boot, 24);
_Static_assert(sizeof(struct mm3i_slot) == 32, "a slot has 32 bytes");
_Static_assert(MM3I_SLOTS * sizeof(struct mm3i_slot) == MM3I_PAGE, "the slot table is one page");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little-endian, and so must be the machine");

/* The bytes before the root: superblock, slot table, schema text, field table, as read from a file or as planned. */
struct mm3i_image {
  struct mm3i_super *super;    /* also the buffer's start */
  const char *schema;
  const void *table;
  uint64_t length;             /* of the whole file */
};

/* Lays a new file out and fills an image with everything before the root; malloc'd. 0, -ENOMEM, -errno of getrandom. */
int mm3i_image_plan(struct mm3i_image *image, const struct mm3i_schema *schema, const void *table, size_t table_size,
                    uint64_t reserve_hint, uint64_t limit);

/* Reads an image from a file whose length fstat said, and verifies everything in it that an opener relies on. 0 with a
 * malloc'd image; -MM3_E_NOT_MM3, _ABI, _VERSION, _DAMAGED, -errno. CAREFUL: one flipped bit is put right in the image;
 * beyond that sums may be wrong and the file too short, as long as places lie inside it. */
enum mm3i_read_how { MM3I_READ_ONLY, MM3I_READ_WRITE, MM3I_READ_CAREFUL };
int mm3i_image_read(struct mm3i_image *image, int fd, uint64_t length, enum mm3i_read_how how, const char *path,
                    struct mm3_error *error);

/* careful.c: puts one flipped bit right; false when none explains the sum. */
bool mm3i_super_heal(struct mm3i_super *super);
bool mm3i_digest_heal(unsigned char *bytes, size_t size, const uint64_t digest[2]);
void mm3i_image_free(struct mm3i_image *image);

/* True when the bytes begin with a superblock whose fixed half is whole. */
bool mm3i_super_is_ours(const struct mm3i_super *super);

uint64_t mm3i_super_checksum(const struct mm3i_super *super);

#endif
