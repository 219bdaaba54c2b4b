#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# mm3 check: what is damaged, what a repair would do, and the repair.
bats_require_minimum_version 1.5.0
load common

# poke FILE OFFSET OCTAL: one byte.
poke () { printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

make_damaged () {
  mm3 create t.mm3 -e 'struct s { on: bool n: u32 names: segmented(text) }'
  mm3 set t.mm3 n 5
  mm3 push t.mm3 names one two
  poke t.mm3 12288 007 # the root's first byte
}

@test "a damaged field is named, and the file stays usable" {
  make_damaged
  run -1 mm3 check t.mm3
  [[ $output == *"field 'on'"* ]]
  is 5 mm3 get t.mm3 n
  mm3 set t.mm3 n 6
}

@test "a plan says what would be done and does nothing" {
  make_damaged
  cp t.mm3 before.mm3
  run -1 mm3 check --plan t.mm3
  [[ $output == *"field 'on'"*"leave it as it is"* ]]
  run -0 mm3 check --plan --reset t.mm3
  [[ $output == *"empty it"*"nothing would be left"* ]]
  cmp t.mm3 before.mm3
}

@test "a repair keeps a copy, does it, and leaves the rest alone" {
  make_damaged
  run -1 mm3 check --repair t.mm3
  [ ! -e t.mm3.backup ]
  run -0 mm3 check --repair --reset t.mm3
  [[ $output == *"copied to t.mm3.backup"*"done: emptied field 'on'"*"no damage left"* ]]
  is false mm3 get t.mm3 on
  is 5 mm3 get t.mm3 n
  is '["one", "two"]' mm3 get t.mm3 names --json
  run -1 mm3 check t.mm3.backup
  run -0 mm3 check t.mm3
  [[ $(mm3 check --repair --json t.mm3) == '[]' ]]
}

@test "findings, plans and repairs are JSON where that is asked for" {
  make_damaged
  finding='"field": "on", "code": "MM3_E_DAMAGED", "text": "a bool holds the byte 7; wanted 0 or 1"'
  run -1 mm3 check --json t.mm3
  [ "$output" = "[{$finding}]" ]
  run -1 mm3 check --plan --json t.mm3
  [[ $output == '[{"stage": "found", "field": "on", "text": "a bool holds'*'"action": "leave it as it is'*'}]' ]]
  run -0 mm3 check --repair --reset --json t.mm3
  [[ $output == '[{"stage": "found", '*'{"stage": "copied", "field": null, "text": null, "action": "t.mm3.backup"}'* ]]
  [[ $output == *'{"stage": "done", "field": "on", "text": null, "action": "emptied field '*'}]' ]]
  poke t.mm3 300 001
  run -4 --separate-stderr mm3 check --json t.mm3
  [[ $output == '[{"field": null, "code": "MM3_E_DAMAGED", "text": "t.mm3: the superblock is damaged'*'}]' ]]
}

@test "a repair wants the file's writers gone" {
  make_damaged
  mm3 watch t.mm3 >/dev/null & watcher=$!
  sleep 0.2
  run -0 mm3 check --repair --reset t.mm3 # readers may stay
  kill $watcher
  fails 2 'exclude' -- mm3 check --repair --plan t.mm3
  fails 2 'go with' -- mm3 check --reset t.mm3
}

@test "a file that is refused can still be saved" {
  make_damaged
  mm3 set t.mm3 on true
  poke t.mm3 300 001
  fails 4 checksum -- mm3 get t.mm3 n
  run -4 mm3 check t.mm3
  [[ $output == *'the superblock is damaged'* ]]
  mm3 export --careful t.mm3 >saved.json
  mm3 import new.mm3 -e 'struct s { on: bool n: u32 names: segmented(text) }' <saved.json
  is 5 mm3 get new.mm3 n
}
