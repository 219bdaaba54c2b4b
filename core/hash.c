/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t mm3i_hash64(const void *bytes, size_t size, uint64_t seed) { return XXH3_64bits_withSeed(bytes, size, seed); }

void mm3i_hash128(const void *bytes, size_t size, uint64_t out[2]) {
  XXH128_hash_t hash = XXH3_128bits(bytes, size);
  out[0] = hash.low64;
  out[1] = hash.high64;
}
