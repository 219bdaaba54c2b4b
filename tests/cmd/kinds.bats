#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Samples of the kinds, and each kind by path from the shell.
load common

sample () { "$MM3_BUILD/samples/$1" "${@:2}"; }

@test "06_my_data adds to each of its fields, and the command sees them" {
  is 'run 1: 1 scores, sum 10; 1 tags; 1 events' sample 06_my_data
  is 'run 2: 2 scores, sum 30; 2 tags; 2 events' sample 06_my_data
  is '[10, 20]' mm3 get my_data.mm3 scores --json
  is '["run 1", "run 2", "", "", ""]' mm3 get my_data.mm3 tags --json
  mm3 push my_data.mm3 scores 5 6
  mm3 set my_data.mm3 'scores[-1]' 7
  mm3 del my_data.mm3 'scores[0]'
  is '[20, 5, 7]' mm3 get my_data.mm3 scores --json
  is '[5, 7]' mm3 get my_data.mm3 'scores[1:]' --json
  mm3 push my_data.mm3 events 42
  is 42 mm3 get my_data.mm3 'events[-1]'
  mm3 check my_data.mm3
}

@test "07_strings says what it takes and refuses" {
  is 'User: Alice Smith (alice.smith@example.com)
17 bytes: MM3_E_VALUE; the name is still Alice Smith
cut: Ægir Øyvind Å (1)
not UTF-8: MM3_E_VALUE
16 bytes: Ægir Øyvind Å
author is role 2 of 3' sample 07_strings
}

@test "13_profile keeps JSON, and a file is JSON" {
  run sample 13_profile
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = 'text, where it lies: {"name":"Ann","age":41,"tags":["x","y"]}' ]
  [ "${lines[1]}" = 'age: 41' ]
  [[ "${lines[2]}" == 'refused: not JSON'*'line 1, column 9'* ]]
  [ "${lines[3]}" = '{"id": 0, "profile": {"name": "Ann", "tags": ["x", "y"], "city": "Oslo"}, "logins": 1}' ]
  is Oslo mm3 get account.mm3 profile.city
  mm3 set account.mm3 'profile.tags[0]' '{"deep": [1, 2]}'
  is 2 mm3 get account.mm3 'profile.tags[0].deep[-1]'
  mm3 del account.mm3 profile.city
  is '{"name": "Ann", "tags": [{"deep": [1, 2]}, "y"]}' mm3 get account.mm3 profile --json
}

@test "maps by key, arrays by index, structs by name" {
  mm3 create t.mm3 -e 'struct p { x: i32 y: i32 } struct s { users: hashmap(string(32), u64) places: hashmap(u32, p) grid: ndarray(u8, 2, 3) ps: vec(p, 4) note: text }'
  mm3 set t.mm3 'users["alice"]' 5 'users["bob \"b\""]' 6 'places[7]' '{"x": 1, "y": 2}' 'grid[1][2]' 9 note 'any length'
  is 5 mm3 get t.mm3 'users["alice"]'
  is 2 mm3 get t.mm3 'places[7].y'
  is '[[0, 0, 0], [0, 0, 9]]' mm3 get t.mm3 grid --json
  mm3 del t.mm3 'users["alice"]'
  fails 1 alice -- mm3 get t.mm3 'users["alice"]'
  fails 1 '' -- mm3 get t.mm3 'grid[2][0]'
  fails 2 '' -- mm3 set t.mm3 'grid[0][0]' 256
  mm3 push t.mm3 ps '{"x": 1}' '{"y": 2}'
  is '[{"x": 1, "y": 0}, {"x": 0, "y": 2}]' mm3 get t.mm3 ps --json
  is 'any length' mm3 get t.mm3 note
  mm3 check t.mm3
}
