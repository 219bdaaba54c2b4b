#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# mm3 migrate: another schema, the values kept.
load common

setup_old () {
  mm3 create t.mm3 -e 'struct point { x: f32 y: i16 } struct old { count: u32 name: string(8) at: point log: segmented(u16)
    few: vec(u8, 4) users: hashmap(string(8), u16) state: enum(u8, idle, busy) cells: ndarray(u8, 2, 2) gone: u8 }'
  mm3 set t.mm3 count 4000000000 name 'exactly8' at.x 0.1 at.y -7 few '[1, 2, 3, 4]' state busy cells '[[1, 2], [3, 4]]'
  mm3 set t.mm3 users '{"anna": 1, "bert": 2}' gone 9
  seq 1 10000 | mm3 push t.mm3 log -
}

@test "wider integers, longer strings, more room and nested structs are carried over, new fields are empty" {
  setup_old
  cat >new.schema <<'END'
struct point { z: f64 y: i64 x: f64 }
struct new { added: u16 users: hashmap(string(32), u64) log: segmented(u64) name: string(64) count: u64 at: point
  few: vec(u32, 100) state: enum(u8, busy, idle, gone) cells: ndarray(u16, 2, 2) gone: i32 }
END
  mm3 migrate t.mm3 new.schema >said.txt
  grep -qx 'new: added: u16' said.txt
  grep -qx 'new: at.z: f64' said.txt
  grep -qx 'changed: count: u32 -> u64' said.txt
  grep -qx 'changed: name: string(8) -> string(64)' said.txt
  is 4000000000 mm3 get t.mm3 count
  is exactly8 mm3 get t.mm3 name
  is -7 mm3 get t.mm3 at.y
  is 0.10000000149011612 mm3 get t.mm3 at.x
  is busy mm3 get t.mm3 state
  is '[[1, 2], [3, 4]]' mm3 get --json t.mm3 cells
  is '[1, 2, 3, 4]' mm3 get --json t.mm3 few
  is 2 mm3 get t.mm3 'users["bert"]'
  is 0 mm3 get t.mm3 added
  [ "$(mm3 get --plain t.mm3 log)" = "$(seq 1 10000)" ]
  mm3 check t.mm3
  mm3 set t.mm3 count 18446744073709551615
  [ "$(ls -A | grep -c mm3-migrate)" = 0 ]
}

@test "the same schema is carried over as it is" {
  setup_old
  mm3 copy t.mm3 kept.mm3
  mm3 schema t.mm3 >same.schema
  is '' mm3 migrate t.mm3 same.schema
  mm3 diff kept.mm3 t.mm3
}

@test "what would be lost is refused, and the file stays as it was" {
  setup_old
  cp t.mm3 kept.mm3
  mm3 schema t.mm3 >schema.txt
  for change in 's/count: u32/count: u16/' 's/string(8)$/string(7)/' '/gone/d' 's/few: vec(u8, 4)/few: vec(u8, 3)/' \
    's/u8, idle, busy/u8, idle/' 's/y: i16/y: u16/' '/y: i16/d' 's/segmented(u16)/segmented(u8)/' 's/ndarray(u8, 2, 2)/ndarray(u8, 4)/'
  do
    sed "$change" schema.txt >new.schema
    ! cmp -s schema.txt new.schema
    code=0
    mm3 migrate t.mm3 new.schema >out.txt 2>err.txt || code=$?
    [ $code -eq 2 ] || { echo "$change: exit $code"; cat out.txt err.txt; return 1; }
    grep -q '^lost: \|^dropped: ' out.txt || { echo "$change"; cat out.txt; return 1; }
    grep -q -- '--drop' err.txt
    mm3 diff kept.mm3 t.mm3
  done
  [ "$(ls -A | grep -c mm3-migrate)" = 0 ]
}

@test "with --drop it goes on, with as much as fits" {
  setup_old
  mm3 migrate t.mm3 --drop -e 'struct old { few: vec(u8, 3) count: u16 name: string(8) cells: ndarray(u8, 2, 2) }' >said.txt
  grep -q '^dropped: gone: u8' said.txt
  grep -q '^dropped: log: ' said.txt
  grep -q '^lost: count: u32 -> u16: .*65535' said.txt
  grep -q '^lost: few: ' said.txt
  is '[1, 2, 3]' mm3 get --json t.mm3 few
  is 0 mm3 get t.mm3 count
  is exactly8 mm3 get t.mm3 name
  mm3 check t.mm3
}

@test "a struct in a container may get members, and loses some only when told to" {
  mm3 create t.mm3 -e 'struct p { x: u8 y: u8 } struct s { all: vec(p, 10) by: hashmap(u32, p) }'
  mm3 set t.mm3 all '[{"x": 1, "y": 2}, {"x": 3, "y": 4}]' by '{"7": {"x": 5, "y": 6}}'
  mm3 migrate t.mm3 -e 'struct p { y: u16 x: u8 z: u8 } struct s { all: vec(p, 20) by: hashmap(u32, p) }'
  is '[{"y": 2, "x": 1, "z": 0}, {"y": 4, "x": 3, "z": 0}]' mm3 get --json t.mm3 all
  fails_code=0
  mm3 migrate t.mm3 -e 'struct p { y: u16 } struct s { all: vec(p, 20) by: hashmap(u32, p) }' >out.txt 2>err.txt || fails_code=$?
  [ $fails_code -eq 2 ]
  grep -q "^dropped: all: .*'x', 'z'" out.txt
  mm3 migrate t.mm3 --drop -e 'struct p { y: u16 } struct s { all: vec(p, 20) by: hashmap(u32, p) }'
  is '[{"y": 2}, {"y": 4}]' mm3 get --json t.mm3 all
  is '{"7": {"y": 6}}' mm3 get --json t.mm3 by
}

@test "--plan tells all of it and changes nothing" {
  setup_old
  cp t.mm3 kept.mm3
  run mm3 migrate t.mm3 --plan -e 'struct old { count: u64 }'
  [ "$status" -eq 1 ]
  [[ "$output" == *'changed: count: u32 -> u64'* ]]
  [[ "$output" == *'dropped: gone: u8'* ]]
  run mm3 migrate t.mm3 --plan --drop --json -e 'struct old { count: u64 }'
  [ "$status" -eq 0 ]
  [[ "$output" == '[{"action": "changed", "field": "count", "from": "u32", "to": "u64", "text": null}, '* ]]
  cmp t.mm3 kept.mm3
  [ "$(ls -A | grep -c mm3-migrate)" = 0 ]
}

@test "users of the old file are told, the permission bits stay" {
  mm3 create t.mm3 -e "$counter" --mode 640
  mm3 watch t.mm3 --json --interval 0.1 >watch.txt 2>err.txt &
  for i in $(seq 100); do [ -s watch.txt ] && break; sleep 0.05; done
  mm3 migrate t.mm3 -e 'struct counter { value: atomic(u64) name: string(64) }'
  for i in $(seq 50); do kill -0 $! 2>/dev/null || break; sleep 0.1; done
  kill $! 2>/dev/null && { echo 'watch goes on'; cat err.txt; return 1; }
  grep -q -i 'superseded\|replaced' err.txt
  [ "$(stat -c %a t.mm3)" = 640 ]
}

@test "bad input gets a sentence and leaves nothing behind" {
  mm3 create t.mm3 -e "$counter"
  fails 2 schema -- mm3 migrate t.mm3
  fails 2 'one argument too many' -- mm3 migrate t.mm3 x -e 'struct a { b: u8 }'
  fails 2 'line 1, column' -- mm3 migrate t.mm3 -e 'struct a {'
  fails 7 absent -- mm3 migrate t.mm3 absent
  fails 7 absent.mm3 -- mm3 migrate absent.mm3 -e 'struct a { b: u8 }'
  fails 5 ring -- mm3 migrate t.mm3 -e 'struct a { x: ring(5) }'
  [ "$(ls -A)" = "$(printf 'err.txt\nout.txt\nt.mm3')" ]
}
