/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * careful.c: one flipped bit is found by its checksum: it is the one that, flipped back, makes the sum right. For bytes in
 * memory that were read from a damaged file; the file stays as it is.
 */
#include "hash.h"
#include "super.h"

#include <string.h>

enum { HEAL_MOST = 16384 };    /* bytes: as many bits as hashes, of as many bytes; a quarter of a second */

bool mm3i_super_heal(struct mm3i_super *super) {
  unsigned char *bytes = (unsigned char *)super;
  uint64_t wrong = super->checksum ^ mm3i_super_checksum(super);
  if (!wrong) return true;
  if (!(wrong & (wrong - 1))) return super->checksum ^= wrong, true; /* the sum itself */
  for (size_t bit = 0; bit < 8 * offsetof(struct mm3i_super, checksum); bit++) {
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
    if (super->checksum == mm3i_super_checksum(super)) return true;
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
  }
  return false;
}

bool mm3i_digest_heal(unsigned char *bytes, size_t size, const uint64_t digest[2]) {
  uint64_t sum[2];
  for (size_t bit = 0; size <= HEAL_MOST && bit < 8 * size; bit++) {
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
    mm3i_hash128(bytes, size, sum);
    if (memcmp(sum, digest, sizeof sum) == 0) return true;
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
  }
  return false;
}
