#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Schemas to C and JSON, and from Rust.
load common

@test "Rust structs with memmap3's attributes become a schema" {
  mm3 schema --from "$BATS_TEST_DIRNAME/memmap3.rs" >got.txt
  diff - got.txt <<'END'
struct counter {
  value: atomic(u64)
  name: string(32)
}
struct my_data {
  id: u64
  active: bool
  counter: atomic(u64)
  name: string(32)
  key: raw(32)
  scores: vec(u32, 10)
  tags: string_array(5, 16)
  events: segmented(u64)
}
struct bit_index {
  index: ndarray(u8, 256, 256, 256)
  users_by_age_location: ndarray(u64, 50, 100)
  overflow_data: segmented(u64)
}
struct point {
  x: f64
  y: f64
}
struct game_state {
  level: u32
  score: u64
  player_name: string(32)
  state: enum(u32, Idle, Busy=5, Done)
  home: point
  trail: vec(point, 8)
  names: hashmap(text, text)
  hits: atomic(u32)
}
END
  is "$(sed -n '/struct my_data/,/^}/p' got.txt)" mm3 schema --from "$BATS_TEST_DIRNAME/memmap3.rs" --struct MyData
}

@test "Rust that has no counterpart is told with its line" {
  printf '#[mmap_struct]\nstruct A {\n  a: u8,\n  b: Box<u8>,\n}\n' >a.rs
  fails 2 a.rs 'line 4' "'Box'" -- mm3 schema --from a.rs
  printf '#[mmap_struct]\nstruct A {\n  #[mmap(vec)]\n  a: u8,\n}\n' >a.rs
  fails 2 a.rs "field 'a'" vec -- mm3 schema --from a.rs
  printf '#[mmap_struct]\nstruct A { a: A }\n' >a.rs
  fails 2 a.rs 'contains itself' -- mm3 schema --from a.rs
  printf '#[mmap_struct]\nstruct A { a: u8' >a.rs
  fails 2 a.rs 'line 2' -- mm3 schema --from a.rs
  printf '#[mmap_struct]\nstruct A { a: [u8; N] }' >a.rs
  fails 2 a.rs "'N'" -- mm3 schema --from a.rs
  echo 'fn main() {}' >a.rs
  fails 2 a.rs mmap_struct -- mm3 schema --from a.rs
  head -c 3000 /dev/urandom | tr -d '\0' >a.rs
  fails 2 -- mm3 schema --from a.rs
  fails 2 "'Nobody'" -- mm3 schema --from "$BATS_TEST_DIRNAME/memmap3.rs" --struct Nobody
}

@test "a header made from a file compiles, and its program opens the file" {
  mm3 create t.mm3 -e 'struct point { x: f64 default: u8 } struct my_file { n: atomic(u64) at: point state: enum(u8, idle, busy) name: string(32) int: i8 r: raw(4) }'
  mm3 set t.mm3 name made n 7 at.default 5
  mm3 schema t.mm3 --to c >t.h
  cat >t.c <<'END'
#include "t.h"
#include <stdio.h>
int main(void) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open("t.mm3", MM3_TYPE(my_file), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct my_file *root = mm3_root(file, my_file);
  printf("%d %d %s\n", (int)mm3_atomic_load(&root->n), root->at.default_, mm3_string_ptr(&root->name));
  return mm3_close(file);
}
END
  ${CC:-cc} -std=gnu11 -Wall -Werror -I"$MM3_SRC/include" t.c -o t -L"$MM3_BUILD/core/.libs" -L"$MM3_BUILD" -lmm3
  is '7 5 made' env LD_LIBRARY_PATH="$MM3_BUILD/core/.libs:$MM3_BUILD" ./t
}

@test "a schema as JSON has its structs and fields" {
  mm3 create t.mm3 -e 'struct p { x: f64 } struct s { a: p b: enum(u8, x, y) }'
  is '{"version": 1, "schema": "struct p {\n  x: f64\n}\nstruct s {\n  a: p\n  b: enum(u8, x, y)\n}\n", "structs": [{"name": "p", "fields": [{"name": "x", "type": "f64"}]}, {"name": "s", "fields": [{"name": "a", "type": "p"}, {"name": "b", "type": "enum(u8, x, y)"}]}]}' \
    mm3 schema t.mm3 --json
  is "$(mm3 schema t.mm3 --json)" mm3 schema t.mm3 --to json
  fails 2 "'xml'" -- mm3 schema t.mm3 --to xml
}
