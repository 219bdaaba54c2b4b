/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * rust.h: Rust structs with memmap3's attributes to a schema.
 *
 *   u64, bool, char, usize ...         the same                 #[mmap(atomic)] u64           atomic(u64)
 *   [u8; 32], #[mmap(string)]          string(32)               #[mmap(raw)] [u8; 32]         raw(32)
 *   #[mmap(vec)] [T; 10]               vec(T, 10)               #[mmap(segmented)] [T; 0]     segmented(T)
 *   #[mmap(string_array)] [[u8; 16]; 5]  string_array(5, 16)    [[[u8; X]; Y]; Z]             ndarray(u8, Z, Y, X)
 *   MmapString<64>, MmapVec<T, 9>, MmapAtomicU64, MmapStringArray<5, 16>, MmapSegmented<T>, MmapHashMap<K, V>
 *   &str, String                       text                     enum A { X, Y = 5 }           enum(u32, X, Y=5)
 *   a struct's name                    that struct, before the one that uses it; names become snake_case
 *
 * Constants (`const N: usize = 32;`) may stand for numbers. Everything else in the text is passed over.
 */
#ifndef MM3_TOOLS_RUST_H
#define MM3_TOOLS_RUST_H

#include "json_out.h"

enum { RUST_NOTE = 256 };

/* rust_schema: `only` (may be NULL) names one struct, which comes last with what it needs before it. Of
 * structs that have one name (texts of several programs) the second becomes NAME_2; `note` (empty or a sentence) tells.
 * Returns 0 or a negative code; the sentence has the line. */
int rust_schema(const char *text, const char *only, struct mm3j_memory *out, char note[RUST_NOTE], struct mm3_error *error);

#endif
