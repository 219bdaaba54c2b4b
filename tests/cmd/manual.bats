#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Pages of the manual, completions, the report.
load common

man_folder=${MM3_SRC:?}/doc/man

words () { mm3 help --json | grep -o '"name": "[a-z]*"' | cut -d'"' -f4; }

# lines PAGE: the commands of its examples, as they are typed.
lines () {
  sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\$ //p' "$1" |
    sed -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\(ga/`/g' -e 's/\\(ha/^/g' -e 's/\\(ti/~/g' -e 's/\\(dq/"/g' -e 's/\\e/\\/g'
}

@test "each command has its page, made from the table as it is now" {
  set -o pipefail
  mm3 help --man | cmp - "$man_folder/mm3.1"
  for word in $(words)
  do mm3 help --man "$word" | cmp - "$man_folder/mm3-$word.1"
  done
  [ "$(ls "$man_folder"/*.1 | wc -l)" -eq $(($(words | wc -l) + 1)) ]
}

@test "mandoc has nothing to say against any page" {
  command -v mandoc || { echo 'mandoc is missing (Debian: mandoc)'; return 1; }
  mandoc -T lint -W warning "$man_folder"/*.[1357] >lint.txt || { cat lint.txt; return 1; }
  [ ! -s lint.txt ]
  printf '.Dd x\n.Foo\n' >bad.1
  ! mandoc -T lint -W warning bad.1
}

# lacks PAGE WORDS...: the words that the page has not, each as a call, a row or a constant.
lacks () {
  local page=$1 word
  shift
  for word; do grep -qE "^\.(Fn|Dv|It Dv|It Va)( .*)? $word( |$)|^\.(Fn|Dv|It Dv|It Va) $word( |$)" "$page" || echo "$word"; done
}

@test "mm3(3) has each call of field.h, mm3-modules(7) each row of the table and each flag of a context" {
  calls=$(grep -o '^MM3_API .*' "$MM3_SRC/include/mm3/field.h" | grep -o 'mm3_[a-z_]*(' | tr -d '(')
  rows=$(sed -n '/^struct mm3_kind {/,/^};/p' "$MM3_SRC/include/mm3/module.h" |
    sed -nE -e 's/^  [a-z][^(]*\(\*([a-z_]+)\).*/\1/p' -e 's/^  const .*\*(ops|test_ops);.*/\1/p')
  flags=$(grep -o 'define MM3_CTX_[A-Z]*' "$MM3_SRC/include/mm3/module.h" | cut -d' ' -f2)
  [ "$(echo "$calls" | wc -l)" -ge 13 ] && [ "$(echo "$rows" | wc -l)" -ge 25 ] && [ "$(echo "$flags" | wc -l)" -ge 5 ]
  is '' lacks "$man_folder/mm3.3" $calls
  is '' lacks "$man_folder/mm3-modules.7" $rows $flags
  is mm3_no_such lacks "$man_folder/mm3.3" mm3_no_such mm3_field_put
}

@test "the examples of each page run in an empty folder" {
  export PKG_CONFIG_PATH=$MM3_BUILD
  for page in "$man_folder"/*.[1357]
  do
    folder=$PWD/run-${page##*/}
    mkdir "$folder"
    lines "$page" >"$folder.sh"
    [ -s "$folder.sh" ] || { echo "$page: no examples"; return 1; }
    [ "$(wc -l <"$folder.sh")" -eq "$(grep -cE '^ *(\.[A-Z][a-z] )?\$ ' "$page")" ] || { echo "$page: not all are run"; return 1; }
    sed -n '/^#include/,/^\.Ed/p' "$page" | sed -e '/^\.Ed/d' -e 's/\\e/\\/g' >"$folder/example.c"
    [ -s "$folder/example.c" ] || rm "$folder/example.c"
    (cd "$folder" && bash -eu -o pipefail "$folder.sh" >../out.txt 2>../err.txt </dev/null) ||
      { echo "$page"; cat "$folder.sh" out.txt err.txt; return 1; }
  done
}

# completes WORDS...: what bash would offer for the last word.
completes () { COMP_WORDS=(mm3 "$@") COMP_CWORD=$#; COMPREPLY=(); _mm3; echo "${COMPREPLY[*]}"; }

@test "bash completes commands, options, and field names out of the file" {
  mm3 create t.mm3 -e 'struct point { x: f64 y: f64 } struct s { count: u64 colour: u8 home: point }'
  source "$MM3_SRC/tools/completions/mm3"
  [ "$(completes ge)" = get ]
  [ "$(completes sc)" = schema ]
  [ "$(completes get t.mm3 co | tr '\n' ' ')" = 'count colour ' ]
  [ "$(completes get t.mm3 home. | tr '\n' ' ')" = 'home.x home.y ' ]
  [ "$(completes set t.mm3 count 5 ho | tr '\n' ' ')" = 'home home.x home.y ' ]
  [ "$(completes set t.mm3 count co)" = '' ]
  [ "$(completes get --loc)" = --locked ]
  [ "$(completes get --no)" = --no-color ]
  [ "$(completes help mig)" = migrate ]
  [ "$(completes get absent.mm3 co)" = '' ]
  [ "$(completes import --path '')" = '' ]
}

@test "completions say nothing on standard error and never fail, whatever the words are" {
  for words in '' 'nothing x' 'get' 'get -- x' 'get absent x' 'set a b c d e f g' '-'
  do
    mm3 help --complete -- $words >out.txt 2>err.txt
    [ ! -s err.txt ]
  done
}

@test "report is one page that needs nothing else: values, fill levels, layout, check" {
  mm3 create t.mm3 -e 'struct s { name: string(32) few: vec(u32, 8) hits: atomic(u64) long: segmented(u32) }'
  mm3 set t.mm3 name '<script>alert("&")</script>' few '[1, 2, 3]' hits 77
  seq 5000 | mm3 push t.mm3 long -
  mm3 report t.mm3 >r.html
  grep -q '^<!doctype html>' r.html
  grep -q '&lt;script&gt;alert(' r.html
  ! grep -qi '<script' r.html
  ! grep -q 'src=\|href=\|url(\|@import' r.html
  grep -q 'prefers-color-scheme:dark' r.html
  grep -q 'No damage found' r.html
  grep -q '<meter max="8" value="3"></meter> 3 of 8' r.html
  grep -q '5.*000 items' r.html
  grep -q '<code>77</code>' r.html
  grep -q ' \.\.\.</code>' r.html
  grep -q '<svg ' r.html
  grep -q '<figcaption>segments</figcaption>' r.html
  grep -q 'class="cells"' r.html
  [ "$(wc -c <r.html)" -lt 40000 ]
  tail -n 1 r.html | grep -q '</html>'
  fails 7 absent -- mm3 report absent
}

@test "report draws what kinds say of themselves" {
  mm3 create t.mm3 -e 'struct s { users: hashmap(u64, u32) events: segmented(u64) plain: u64 empty: hashmap(text, text) }'
  seq 2000 | sed 's/.*/{"&": &}/' | mm3 import t.mm3 --lines users
  seq 600 | mm3 import t.mm3 --lines events
  mm3 report t.mm3 >r.html
  grep -q '<h3>users <code>hashmap(u64, u32)</code></h3>' r.html
  grep -q '<dt>entries</dt><dd>2.*000</dd>' r.html
  grep -q 'entries by groups looked at' r.html
  [ "$(grep -c 'class="bars"' r.html)" -eq 2 ]
  grep -q '<meter max="1" value="1.0000"></meter> 100 %' r.html
  ! grep -q '<h3>plain' r.html
  [ "$(wc -c <r.html)" -lt 60000 ]
}
