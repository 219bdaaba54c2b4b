#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# JSON lines there and back, a line at a time.
load common

schema='struct s { log: segmented(u64) users: hashmap(string(16), u32) few: vec(u8, 3) n: u8 }'

@test "a log and a map go out and come in as lines" {
  mm3 create a.mm3 -e "$schema"
  seq 1 20000 | mm3 push a.mm3 log -
  mm3 set a.mm3 users '{"anna": 1, "b \"q\"": 2, "ß": 3}'
  mm3 export --lines a.mm3 log >log.txt
  mm3 export --lines a.mm3 users >users.txt
  [ "$(wc -l <log.txt)" = 20000 ]
  [ "$(wc -l <users.txt)" = 3 ]
  mm3 create b.mm3 -e "$schema"
  mm3 import b.mm3 --lines log log.txt
  mm3 import b.mm3 --lines users <users.txt
  mm3 diff a.mm3 b.mm3
  mm3 import --lines log -e 'struct s { log: segmented(u64) }' c.mm3 log.txt
  is 19999 mm3 get c.mm3 'log[-2]'
}

@test "a line that is refused is named; the lines before it stay" {
  mm3 create a.mm3 -e "$schema"
  printf '1\n2\n\n{\n' >bad.txt
  fails 2 'line 4' JSON -- mm3 import a.mm3 --lines log bad.txt
  is '[1, 2]' mm3 get --json a.mm3 log
  printf '1\n2\n3\n4\n' >four.txt
  fails 2 'line 4' full -- mm3 import a.mm3 --lines few four.txt
  echo '[1]' >list.txt
  fails 2 'line 1' '{key: value}' -- mm3 import a.mm3 --lines users list.txt
  fails 2 nothing -- mm3 import a.mm3 --lines nothing four.txt
  fails 7 absent -- mm3 import a.mm3 --lines log absent
  fails 2 'line 1' -- mm3 import new.mm3 -e 'struct s { few: vec(u8, 3) }' --lines few list.txt
  [ ! -e new.mm3 ]
}
