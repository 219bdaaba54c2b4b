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
