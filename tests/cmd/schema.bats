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

@test "structs of one name, as in a text of several programs, all come, and it is told" {
  cat >two.rs <<'END'
#[mmap_struct]
struct Config { port: u16 }
#[mmap_struct]
struct App { n: u8 }
#[mmap_struct]
struct Config { port: u32, debug: bool }
END
  mm3 schema --from two.rs >got.schema 2>note.txt
  grep -q "^mm3: two.rs: there are 2 structs 'Config'; the last of them is config_2 here$" note.txt
  mm3 create t.mm3 got.schema
  is $'struct config {\n  port: u16\n}' mm3 schema --from two.rs --struct Config
  is $'struct config_2 {\n  port: u32\n  debug: bool\n}' mm3 schema --from two.rs --struct config_2
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

# A value for each field, other than the empty one.
readme_values () {
  case $1 in
    counter) echo '{"value": 41, "name": "hits"}' ;;
    my_data) printf '{"id": 7, "active": true, "counter": 3, "name": "n\\u00e4me", "key": "%064d", "scores": [3, 5, 8],
      "tags": ["a", "b", "", "d", "e"], "events": [1, 18446, "18446744073709551615"]}' 7 ;;
    bit_index) awk 'BEGIN { printf "{\"index\": ["
      for (i = 0; i < 256; i++) for (k = 0; k < 256; k++) row[i] = row[i] (k ? "," : "") ((i + 7 * k) % 256)
      for (i = 0; i < 256; i++) { printf "%s[", i ? ", " : ""
        for (j = 0; j < 256; j++) printf "%s[%s]", j ? ", " : "", row[(i + 3 * j) % 256]
        printf "]" }
      printf "], \"users_by_age_location\": ["
      for (i = 0; i < 50; i++) { printf "%s[", i ? ", " : ""
        for (j = 0; j < 100; j++) printf "%s%d", j ? ", " : "", i * j
        printf "]" }
      print "], \"overflow_data\": [9, 8, 7]}" }' ;;
    game_state) echo '{"level": 3, "score": 99, "player_name": "anna", "state": "Busy", "home": {"x": 1.5, "y": -0.0},
      "trail": [{"x": 1.0, "y": 2.0}], "names": {"a": "first", "b": ""}, "hits": 12}' ;;
  esac
}

@test "every struct of memmap3's README: schema, create, import, change, export, and nothing differs" {
  for name in Counter:counter MyData:my_data BitIndex:bit_index GameState:game_state
  do
    rust=${name%:*} file=${name#*:}
    mm3 schema --from "$BATS_TEST_DIRNAME/memmap3.rs" --struct "$rust" >"$file.schema"
    mm3 create "$file.mm3" "$file.schema"
    readme_values "$file" >"$file.json"
    mm3 import "$file.mm3" "$file.json"
    mm3 export "$file.mm3" >"$file.out"
    mm3 import --create "$file.schema" "$file.copy.mm3" "$file.out"
    is '' mm3 diff "$file.mm3" "$file.copy.mm3"
    mm3 check "$file.mm3"
  done
  is 41 mm3 get counter.mm3 value
  is Busy mm3 get game_state.mm3 state
  mm3 add counter.mm3 value
  mm3 set counter.mm3 name other
  mm3 push my_data.mm3 scores 13 21
  mm3 push my_data.mm3 events 4
  mm3 add my_data.mm3 id 2
  mm3 set my_data.mm3 'tags[2]' c active false
  mm3 set bit_index.mm3 'index[1][2][3]' 255
  mm3 push bit_index.mm3 overflow_data 6
  mm3 push game_state.mm3 trail '{"x": 3, "y": 4}'
  mm3 set game_state.mm3 'names["c"]' third state Done home.x 2.5
  mm3 add game_state.mm3 hits 30
  is 42 mm3 get counter.mm3 value
  is '[3, 5, 8, 13, 21]' mm3 get --json my_data.mm3 scores
  is 255 mm3 get bit_index.mm3 'index[1][2][3]'
  is 42 mm3 get game_state.mm3 hits
  for file in counter my_data bit_index game_state
  do
    ! mm3 diff "$file.mm3" "$file.copy.mm3" >/dev/null
    mm3 export "$file.mm3" | mm3 import "$file.copy.mm3"
    is '' mm3 diff "$file.mm3" "$file.copy.mm3"
  done
}
