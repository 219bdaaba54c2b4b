/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hash.h: XXH3 (Yann Collet's xxHash, 0.8), header-only; the algorithm is part of the file format. */
#ifndef MM3_CORE_HASH_H
#define MM3_CORE_HASH_H
#include <stddef.h>
#include <stdint.h>
uint64_t mm3i_hash64(const void *bytes, size_t size, uint64_t seed);
void mm3i_hash128(const void *bytes, size_t size, uint64_t out[2]); /* low, high */
#endif
