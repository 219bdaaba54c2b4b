#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Files, schemas, modules, and the command's manners.
load common

@test "what is no mm3 file is refused by its own code and sentence" {
  echo 'just text, and enough of it to have a first line that is read' >text
  head -c 100000 /dev/zero >zeros
  : >empty
  mkfifo pipe
  mkdir folder
  fails 3 text 'not an mm3 file' -- mm3 info text
  fails 3 zeros -- mm3 get zeros
  fails 3 empty -- mm3 info empty
  fails 7 folder -- mm3 info folder
  fails 2 pipe -- timeout 10 mm3 info pipe
  fails 7 absent 'No such file' -- mm3 info absent
  fails 7 'No such file' -- mm3 get no/such/folder
}

@test "a file that was cut short is refused, whatever its length" {
  mm3 create whole.mm3 -e "$counter"
  for size in 1 63 64 511 4095 4096 8192
  do
    head -c $size whole.mm3 >cut.mm3
    for command in "info cut.mm3" "get cut.mm3" "set cut.mm3 value 1" "check cut.mm3"
    do
      code=0
      mm3 $command >out.txt 2>err.txt || code=$?
      [ $code -eq 3 ] || [ $code -eq 4 ] || { echo "size $size, $command: exit $code"; cat err.txt; return 1; }
      grep -q 'cut.mm3' err.txt
    done
  done
}

@test "create keeps an existing file, and replaces it when told to" {
  mm3 create t.mm3 -e "$counter"
  mm3 set t.mm3 name kept
  fails 7 t.mm3 exists -- mm3 create t.mm3 -e "$counter"
  is kept mm3 get t.mm3 name
  mm3 create t.mm3 -e "$counter" --replace
  is '' mm3 get t.mm3 name
  [ "$(ls -A)" = "$(printf 'err.txt\nout.txt\nt.mm3')" ]
}

@test "create reads a schema from a file and from standard input, with permission bits" {
  echo "$counter" >c.schema
  mm3 create a.mm3 c.schema
  mm3 create b.mm3 - <c.schema
  [ "$(mm3 schema a.mm3)" = "$(mm3 schema b.mm3)" ]
  mm3 create c.mm3 c.schema --mode 600
  [ "$(stat -c %a c.mm3)" = 600 ]
  fails 2 octal -- mm3 create d.mm3 c.schema --mode 9
  fails 2 schema -- mm3 create d.mm3
  fails 7 absent.schema -- mm3 create d.mm3 absent.schema
  [ ! -e d.mm3 ]
}

@test "a schema that does not parse is answered with line, column and what was expected" {
  fails 2 'line 1, column' expected -- mm3 create t.mm3 -e 'struct a { x: u8'
  fails 2 'line 2, column 5' "':'" -- mm3 create t.mm3 -e 'struct a {
  x u8 }'
  fails 2 -- mm3 create t.mm3 -e ''
  fails 2 -- mm3 create t.mm3 -e 'struct a { x: u8 x: u8 }'
  fails 2 "'x'" 'string(0)' -- mm3 create t.mm3 -e 'struct a { x: string(0) }'
  fails 5 "'x'" "'ring'" mm3-ring.so looked -- mm3 create t.mm3 -e 'struct a { x: ring(5) }'
  head -c 50 /dev/zero >zeros.schema
  fails 2 zeros.schema 'zero byte' -- mm3 create t.mm3 zeros.schema
  [ ! -e t.mm3 ]
}

@test "the schema comes back in its canonical form" {
  wanted='struct counter {
  value: atomic(u64)
  name: string(32)
}'
  mm3 create t.mm3 -e 'struct counter{value:atomic( u64 ),name:string(32)}' ||
    mm3 create t.mm3 -e 'struct counter{value:atomic( u64 ) name:string(32)}'
  is "$wanted" mm3 schema t.mm3
  is "$wanted" mm3 schema -e "$counter"
  fails 2 column -- mm3 schema -e 'struct {'
}

@test "info says what a file is, in words, lines and JSON" {
  mm3 create t.mm3 -e "$counter"
  run mm3 info t.mm3
  [[ "$output" == *"format 1, 2 fields"* ]]
  [[ "$output" == *"string(32)"* ]]
  run mm3 info -v t.mm3
  [[ "$output" == *"mm3-atomic.so"* ]]
  [[ "$output" == *"mm3-string.so"* ]]
  run mm3 info --plain t.mm3
  [ "${lines[0]}" = "$(printf 'value\tatomic(u64)\t0\t8\t8')" ]
  mm3 info --json t.mm3 >info.json
  grep -q '^{"version": 1, "file": "t.mm3", "uuid": "[0-9a-f-]\{36\}", ' info.json
  grep -q '"fields": \[{"name": "value", "type": "atomic(u64)", "kind": "atomic", "offset": 0, "size": 8, ' info.json
}

@test "only the modules that the schema names are loaded" {
  mm3 create t.mm3 -e 'struct s { a: atomic(u8) b: u8 }'
  run mm3 info -v t.mm3
  [[ "$output" == *"mm3-atomic.so"* ]]
  [[ "$output" != *"mm3-string.so"* ]]
}

@test "without a module: info and get show bytes, writing is refused, exit 5, naming the module and the folders" {
  mm3 create t.mm3 -e "$counter"
  mm3 set t.mm3 name abc value 7
  mkdir some
  cp "$(echo "$MM3_MODULE_PATH" | cut -d: -f1)/mm3-atomic.so" some/
  export MM3_MODULE_PATH=$PWD/some
  run mm3 info -q t.mm3
  [ "$status" -eq 0 ]
  [[ "$output" == *"module missing"* ]]
  run mm3 info -v t.mm3
  [[ "$output" == *"mm3-string.so was looked for in $PWD/some"* ]]
  is 7 mm3 get -q t.mm3 value
  [[ "$(mm3 get -q t.mm3 name)" == *616263* ]]
  fails 5 "'string'" mm3-string.so "$PWD/some" -- mm3 set t.mm3 name xyz
  fails 5 mm3-string.so -- mm3 add t.mm3 value 1
  fails 5 mm3-string.so -- mm3 create u.mm3 -e "$counter"
}

@test "modules lists kinds, modules and folders" {
  run mm3 modules
  [ "$status" -eq 0 ]
  [[ "$output" == *"string(N)"*"mm3-string.so"* ]]
  run mm3 modules --json
  [[ "$output" == '[{"kind": "u8"'* ]]
  mkdir bad
  echo 'no shared object' >bad/mm3-bad.so
  run env MM3_MODULE_PATH="$PWD/bad:$MM3_MODULE_PATH" mm3 modules
  [ "$status" -eq 5 ]
  [[ "$output" == *"bad/mm3-bad.so"* ]]
}

@test "a read-only file is read, and not written" {
  mm3 create t.mm3 -e "$counter"
  chmod 444 t.mm3
  mm3 get t.mm3
  weak=
  [ "$(id -u)" -ne 0 ] || weak='setpriv --bounding-set=-all --inh-caps=-all' # root without its capabilities
  fails 7 t.mm3 Permission -- $weak mm3 set t.mm3 value 1
  is 0 $weak mm3 get t.mm3 value
}

@test "help, versions and nearest words" {
  mm3 --version | grep -q '^mm3 [0-9]'
  mm3 help | grep -q '^  create '
  [ "$(mm3)" = "$(mm3 help)" ]
  for command in $(mm3 help --json | grep -o '"name": "[a-z]*"' | cut -d'"' -f4)
  do
    mm3 $command --help | grep -q "^mm3 $command: "
    [ "$(mm3 help $command)" = "$(mm3 $command --help)" ]
  done
  fails 2 "did you mean 'get'" -- mm3 gte t.mm3
  fails 2 "did you mean '--json'" -- mm3 get --jsno t.mm3
  fails 2 FILE -- mm3 get
  fails 2 'too many' -- mm3 info a b
  fails 2 "'-x'" -- mm3 info -x a
  fails 2 exclude -- mm3 get --json --plain a
}

@test "a full output is exit 7, a closed pipe is quiet" {
  mm3 create t.mm3 -e "$counter"
  code=0
  mm3 get t.mm3 >/dev/full 2>err.txt || code=$?
  [ $code -eq 7 ]
  grep -q 'No space' err.txt
  mm3 create big.mm3 -e 'struct b { r: raw(1000000) }'
  (trap '' PIPE; mm3 get big.mm3 2>err.txt | head -c 10 >out.txt)
  [ ! -s err.txt ]
  (mm3 get big.mm3 2>err.txt | head -c 10 >out.txt)
  [ ! -s err.txt ]
}

@test "escape sequences out of a file do not reach the terminal in messages" {
  mm3 create t.mm3 -e "$counter"
  fails 2 '\x1b' -- mm3 get t.mm3 "$(printf 'na\033[31mme')"
}
