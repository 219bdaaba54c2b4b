/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * structs.h: every struct of memmap3's README, and the one of DESIGN, as C declarations. Compiled by gcc and clang as C11 and
 * C++17 without a warning (check-cxx.sh), used by test_structs.
 */
#ifndef MM3_STRUCTS_H
#define MM3_STRUCTS_H

#include <mm3/hashmap.h>
#include <mm3/json.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/string_array.h>
#include <mm3/text.h>
#include <mm3/vec.h>
#include <mm3.h>
#include <stdbool.h>

/* a user's own macros of the same names as type words do no harm */
#define u32 these words
#define string are never
#define vec expanded

#define POINT(FIELD) FIELD(x, f64) FIELD(y, f64)
MM3_STRUCT(point, POINT);

#define EVERYTHING(FIELD)                                                                             \
  FIELD(id, u64)                         FIELD(value, atomic(u64))                                    \
  FIELD(name, string(32))                FIELD(key, raw(32))                                          \
  FIELD(scores, vec(u32, 10))            FIELD(tags, string_array(5, 16))                             \
  FIELD(events, segmented(u64))          FIELD(users, hashmap(string(32), u64))                       \
  FIELD(cache, hashmap(text, text))      FIELD(index, ndarray(u8, 4, 4, 4))                           \
  FIELD(profile, json(4096))             FIELD(home, point)                                           \
  FIELD(state, enum(u32, idle, busy, done)) FIELD(note, text)                                         \
  FIELD(deep, vec(vec(vec(u16, 2), 3), 2)) FIELD(places, vec(point, 3)) FIELD(names, vec(string(8), 3)) \
  FIELD(default_, u8, "default")
MM3_STRUCT(everything, EVERYTHING);

#define SCALARS(FIELD)                                                                               \
  FIELD(a, u8) FIELD(b, u16) FIELD(c, u32) FIELD(d, u64) FIELD(e, u128) FIELD(f, i8) FIELD(g, i16)   \
  FIELD(h, i32) FIELD(i, i64) FIELD(j, i128) FIELD(k, f32) FIELD(l, f64) FIELD(m, bool) FIELD(n, char) \
  FIELD(o, usize) FIELD(p, isize) FIELD(q, raw(3)) FIELD(r, enum(u8, low, high=255))
MM3_STRUCT(scalars, SCALARS);

/* memmap3's README, in its order */
#define MY_DATA(FIELD)                                                                               \
  FIELD(id, u64) FIELD(active, bool) FIELD(counter, atomic(u64)) FIELD(name, string(32)) FIELD(key, raw(32)) \
  FIELD(scores, vec(u32, 10)) FIELD(tags, string_array(5, 16)) FIELD(events, segmented(u64))
MM3_STRUCT(my_data, MY_DATA);

#define GAME_STATE(FIELD) FIELD(level, u32) FIELD(score, u64) FIELD(player_name, string(32))
MM3_STRUCT(game_state, GAME_STATE);

#define METRICS(FIELD) FIELD(requests, atomic(u64)) FIELD(errors, atomic(u64))
MM3_STRUCT(metrics, METRICS);

#define CONFIG(FIELD) \
  FIELD(max_connections, u32) FIELD(timeout_ms, u32) FIELD(debug_mode, bool) FIELD(server_name, string(64))
MM3_STRUCT(config, CONFIG);

#define SHARED_DATA(FIELD) \
  FIELD(message_count, atomic(u64)) FIELD(worker_status, atomic(u32)) FIELD(shared_buffer, string(1024))
MM3_STRUCT(shared_data, SHARED_DATA);

#define ANALYTICS(FIELD) \
  FIELD(page_views, atomic(u64)) FIELD(unique_visitors, atomic(u64)) FIELD(conversion_rate, atomic(u64))
MM3_STRUCT(analytics, ANALYTICS);

#define USER(FIELD) FIELD(id, u64) FIELD(name, string(32)) FIELD(email, string(128))
MM3_STRUCT(user, USER);

#define BIT_INDEX(FIELD)                                                                             \
  FIELD(index, ndarray(u8, 256, 256, 256)) FIELD(users_by_age_location, ndarray(u64, 50, 100))        \
  FIELD(overflow_data, segmented(u64))
MM3_STRUCT(bit_index, BIT_INDEX);

#undef u32
#undef string
#undef vec

#endif
