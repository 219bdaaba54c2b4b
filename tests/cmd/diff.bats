#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Two files compared.
load common

two () {
  mm3 create a.mm3 -e 'struct point { x: f64 } struct s { n: u8 f: f64 name: string(9) at: point gone: u8 }'
  mm3 create b.mm3 -e 'struct point { x: f64 } struct s { n: u16 f: f64 name: string(9) at: point }'
}

@test "a file does not differ from itself, nor from its copy" {
  two
  mm3 set a.mm3 name x f NaN
  cp a.mm3 copy.mm3
  is '' mm3 diff a.mm3 a.mm3
  is '' mm3 diff a.mm3 copy.mm3
}

@test "differences are told by path, types first, exit 1" {
  two
  mm3 set b.mm3 name x at.x 5
  code=0
  mm3 diff a.mm3 b.mm3 >diff.txt || code=$?
  [ $code -eq 1 ]
  diff - diff.txt <<'END'
n (type): "u8" -> "u16"
gone (type): "u8" -> (absent)
name: "" -> "x"
at.x: 0.0 -> 5.0
END
  run mm3 diff a.mm3 b.mm3 --json
  [ "$status" -eq 1 ]
  [ "$output" = '{"version": 1, "schema": [{"path": "n", "a": "u8", "b": "u16"}, {"path": "gone", "a": "u8"}], "values": [{"path": "name", "a": "", "b": "x"}, {"path": "at.x", "a": 0.0, "b": 5.0}]}' ]
  run mm3 diff -q a.mm3 b.mm3
  [ "$status" -eq 1 ] && [ -z "$output" ]
}

@test "floats may differ by a tolerance" {
  two
  cp a.mm3 c.mm3
  mm3 set a.mm3 f 1
  mm3 set c.mm3 f 1.0000001
  is '' mm3 diff -t 1e-6 a.mm3 c.mm3
  run mm3 diff -t 1e-9 a.mm3 c.mm3
  [ "$output" = 'f: 1.0 -> 1.0000001' ]
  fails 2 tolerance -- mm3 diff -t x a.mm3 c.mm3
  fails 7 absent.mm3 -- mm3 diff a.mm3 absent.mm3
}

@test "maps are compared as sets, whatever their keys are, and paths are those of get" {
  for file in a b
  do
    mm3 create $file.mm3 -e 'struct q { x: i16 y: i16 } struct s { e: hashmap(enum(u8, one, two), u8) c: hashmap(char, u8)
      b: hashmap(bool, u8) st: hashmap(q, u8) users: hashmap(text, q) days: hashmap(i16, text) k: hashmap(raw(2), u64) }'
  done
  mm3 import a.mm3 - <<'END'
{"e": [["one", 1], ["two", 2]], "c": [["x", 1], ["ä", 2], ["\"", 3]], "b": [[true, 1], [false, 0]],
 "st": [[{"x": 1, "y": 2}, 5], [{"x": 3, "y": 2}, 6]], "users": {"anna": {"x": 1, "y": 1}, "a \"b\"": {"x": 1, "y": 1}},
 "days": {"-4": "x", "7": "sieben"}, "k": {"0001": "18446744073709551615"}}
END
  mm3 import b.mm3 - <<'END'
{"k": {"0001": "18446744073709551615"}, "days": {"7": "sieben", "-4": "x"}, "b": [[false, 0], [true, 1]],
 "users": {"a \"b\"": {"y": 1, "x": 1}, "anna": {"x": 1, "y": 1}}, "st": [[{"x": 3, "y": 2}, 6], [{"x": 1, "y": 2}, 5]],
 "c": [["\"", 3], ["ä", 2], ["x", 1]], "e": [["two", 2], ["one", 1]]}
END
  is '' mm3 diff a.mm3 b.mm3
  mm3 set b.mm3 e '[["two", 3]]' c '[["ä", 2], ["y", 1]]' b '[[false, 0]]' st '[[{"x": 3, "y": 2}, 7]]' \
    'users["a \"b\""].y' 7 'users["zed"]' '{"x": 5}' 'days["8"]' acht k '{}'
  code=0
  mm3 diff a.mm3 b.mm3 >diff.txt || code=$?
  [ $code -eq 1 ]
  diff - diff.txt <<'END'
e["one"]: 1 -> (absent)
e["two"]: 2 -> 3
c["\""]: 3 -> (absent)
c["x"]: 1 -> (absent)
c["y"]: (absent) -> 1
b[true]: 1 -> (absent)
st[{"x": 1, "y": 2}]: 5 -> (absent)
st[{"x": 3, "y": 2}]: 6 -> 7
users["a \"b\""].y: 1 -> 7
users["zed"]: (absent) -> {"x": 5, "y": 0}
days["8"]: (absent) -> "acht"
k["0001"]: "18446744073709551615" -> (absent)
END
  is 7 mm3 get b.mm3 "$(sed -n 's/^\(users.*\.y\):.*/\1/p' diff.txt)"
  for options in -q '-q --json'
  do
    run mm3 diff $options a.mm3 b.mm3
    [ "$status" -eq 1 ] && [ -z "$output" ]
  done
  run mm3 diff -q a.mm3 a.mm3
  [ "$status" -eq 0 ]
}

@test "structs that differ in their members, lists of other types, and documents" {
  mm3 create a.mm3 -e 'struct p { x: u8 old: raw(2) z: f32 } struct s { at: p list: vec(u8, 4) many: vec(p, 3) doc: json(99) w: u128 }'
  mm3 create b.mm3 -e 'struct p { z: f32 x: u8 new: text } struct s { at: p list: segmented(u16) doc: json(99) w: u64 }'
  mm3 set a.mm3 at '{"x": 1, "old": "00ff", "z": 0.1}' list '[1, 2, 3]' doc '{"a b": 1, "c": [1, {"d": null}]}' w 7
  mm3 set b.mm3 at '{"x": 1, "new": "n", "z": 0.1}' list '[1, 5]' doc '{"c": [1, {"d": true}, 2], "e": {}}' w 7
  mm3 diff a.mm3 b.mm3 | grep -v type >diff.txt || true
  diff - diff.txt <<'END'
at.old: "00ff" -> (absent)
at.new: (absent) -> "n"
list[1]: 2 -> 5
list[2]: 3 -> (absent)
doc["a b"]: 1 -> (absent)
doc.c[1].d: null -> true
doc.c[2]: (absent) -> 2
doc.e: (absent) -> {}
END
}
