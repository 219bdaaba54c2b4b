#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Items of lists and entries of maps: slices, push from standard input, set and del by key.
load common

make_t () {
  mm3 create t.mm3 -e 'struct point { x: u32 y: u32 } struct t { events: segmented(u64) scores: vec(u32, 12)
    tags: string_array(4, 8) grid: ndarray(u8, 6) trail: segmented(point) lines: segmented(text)
    users: hashmap(text, u64) homes: hashmap(text, point) by_id: hashmap(i32, text) }'
  seq 0 24 | mm3 push t.mm3 events -
  mm3 push t.mm3 scores 1 2 3 4 5
  mm3 set t.mm3 tags '["a", "b", "c", "d"]' grid '[1, 2, 3, 4, 5, 6]'
}

# feeds CODE FILE WORDS... -- COMMAND...: as `fails`, with FILE as its input.
feeds () {
  local code=$1 input=$2 words=()
  shift 2
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  fails "$code" "${words[@]}" -- bash -c 'exec "$@" <"$0"' "$input" "$@"
}

@test "a slice counts from the end, and is clamped" {
  make_t
  is '[15, 16, 17, 18, 19, 20, 21, 22, 23, 24]' mm3 get t.mm3 'events[-10:]' --json
  is '[22, 23]' mm3 get t.mm3 'events[-3:-1]' --json
  is '[0, 1, 2]' mm3 get t.mm3 'events[:-22]' --json
  is '[0, 1]' mm3 get t.mm3 'events[-100:2]' --json
  is '[24]' mm3 get t.mm3 'events[-1:]' --json
  is '[]' mm3 get t.mm3 'events[5:3]' --json
  is '[]' mm3 get t.mm3 'events[30:]' --json
  is '[]' mm3 get t.mm3 'trail[-10:]' --json
  is $'22\n23\n24' mm3 get t.mm3 'events[-3:]'
  is '[4, 5]' mm3 get t.mm3 'scores[-2:]' --json
  is '[1, 2]' mm3 get t.mm3 'scores[:-3]' --json
  is '[1, 2, 3, 4, 5]' mm3 get t.mm3 'scores[-9:]' --json
  is '["c", "d"]' mm3 get t.mm3 'tags[-2:]' --json
  is '[4, 5, 6]' mm3 get t.mm3 'grid[-3:]' --json
  is '[18, 19, 20]' mm3 get t.mm3 'events[-7:-4]' --json
}

@test "an index counts from the end, and not beyond" {
  make_t
  is 24 mm3 get t.mm3 'events[-1]'
  is 0 mm3 get t.mm3 'events[-25]'
  fails 1 'index -26 is beyond the end' 'there are 25 items' -- mm3 get t.mm3 'events[-26]'
  is 1 mm3 get t.mm3 'scores[-5]'
  fails 1 'index -6 is beyond the end' 'there are 5 items' -- mm3 get t.mm3 'scores[-6]'
  fails 1 'index -7 is beyond the end' -- mm3 get t.mm3 'grid[-7]'
  mm3 set t.mm3 'events[-2]' 99 'scores[-1]' 50
  is '[22, 99, 24]' mm3 get t.mm3 'events[-3:]' --json
  is '[1, 2, 3, 4, 50]' mm3 get t.mm3 scores --json
}

@test "slices that are none are refused in words" {
  make_t
  fails 2 "wanted ']'" -- mm3 get t.mm3 'events[-10:'
  fails 2 'wanted an index, a key in quotes or a slice' -- mm3 get t.mm3 'events[--1:]'
  fails 2 'at most 63 bits' -- mm3 get t.mm3 'events[-99999999999999999999:]'
  fails 2 'has no items to slice' -- mm3 get t.mm3 'users[-1:]'
  fails 2 'a slice can be read, not changed' -- mm3 set t.mm3 'scores[-2:]' '[8, 9]'
  fails 2 'a slice can be read, not changed' -- mm3 del t.mm3 'events[-2:]'
  is '[1, 2, 3, 4, 5]' mm3 get t.mm3 scores --json
}

@test "push reads lines, and says which one is wrong" {
  make_t
  printf '{"x": 1, "y": 2}\n{"x": 3}\n' | mm3 push t.mm3 trail -
  is '[{"x": 1, "y": 2}, {"x": 3, "y": 0}]' mm3 get t.mm3 trail --json
  printf 'one\ntwo words\n\n"q"\nnaïve' | mm3 push t.mm3 lines -
  is '["one", "two words", "", "q", "naïve"]' mm3 get t.mm3 lines --json
  printf '100\nx\n102\n' >in
  feeds 2 in 'line 2 of the input' 'found a string' -- mm3 push t.mm3 events -
  is '[24, 100]' mm3 get t.mm3 'events[-2:]' --json
  seq 20 >in
  feeds 2 in 'line 8 of the input' 'is full: 12 items are there' -- mm3 push t.mm3 scores -
  is '[1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7]' mm3 get t.mm3 scores --json
  mm3 push t.mm3 events - </dev/null
  is '[24, 100]' mm3 get t.mm3 'events[-2:]' --json
  fails 2 'takes no push' -- mm3 push t.mm3 users 4
  mm3 check t.mm3
}

@test "a map that is set whole names the entry that is refused" {
  mm3 create t.mm3 -e 'struct c { a: u8 } struct p { x: u8 ages: vec(u8, 3) } struct s { m: hashmap(text, p) n: hashmap(u32, text) k: hashmap(c, u8) }'
  fails 2 "field 'm[\"z\"].x': 300 does not fit" -- mm3 set t.mm3 m '{"k": {"x": 1}, "z": {"x": 300}}'
  fails 2 "field 'm[\"a \\\"é\\\"\"].ages[1]': 300 does not fit" -- mm3 set t.mm3 m '{"a \"é\"": {"ages": [1, 300]}}'
  fails 2 "field 'n[\"x\"]': u32 wants an integer" -- mm3 set t.mm3 n '{"1": "a", "x": "b"}'
  fails 2 "field 'n[\"2\"]': text wants a string" -- mm3 set t.mm3 n '{"1": "a", "2": 7}'
  fails 2 "field 'k[1]': 256 does not fit" -- mm3 set t.mm3 k '[[{"a": 1}, 1], [{"a": 2}, 256]]'
  fails 2 "field 'k[0].a': 256 does not fit" -- mm3 set t.mm3 k '[[{"a": 256}, 1]]'
  fails 2 "field 'k[1]': wanted pairs" -- mm3 set t.mm3 k '[[{"a": 1}, 1], 5]'
  long=$(printf 'é%.0s' $(seq 100))
  fails 2 "field 'm[\"éé" "é..\"].x': 300 does not fit" -- mm3 set t.mm3 m "{\"$long\": {\"x\": 300}}"
  echo '{"m": {"k": {"x": 1}, "z": {"x": 300}}}' >bad.json
  fails 2 "field 'm[\"z\"].x': 300 does not fit" -- mm3 import t.mm3 bad.json
  is '{"m": {}, "n": {}, "k": []}' mm3 get t.mm3 --json
}

@test "entries are set, and gone, by their key" {
  make_t
  mm3 set t.mm3 'users["alice"]' 5 'users["b c"]' 6 'users["naïve \"q\""]' 7
  mm3 set t.mm3 'homes["alice"]' '{"x": 1, "y": 2}' 'homes["alice"].y' 7 'by_id[-3]' 'minus three' 'by_id["4"]' four
  is '{"x": 1, "y": 7}' mm3 get t.mm3 'homes["alice"]' --json
  is 'minus three' mm3 get t.mm3 'by_id[-3]'
  is four mm3 get t.mm3 'by_id[4]'
  is 7 mm3 get t.mm3 'users["naïve \"q\""]'
  mm3 set t.mm3 'users["alice"]' 55
  is 55 mm3 get t.mm3 'users["alice"]'
  fails 2 'wants an integer, found a string' -- mm3 set t.mm3 'users["alice"]' x
  is 55 mm3 get t.mm3 'users["alice"]'
  fails 1 'there is no such entry' -- mm3 set t.mm3 'homes["nobody"].y' 7
  fails 1 'there is no such entry' -- mm3 get t.mm3 'homes["nobody"]'
  mm3 del t.mm3 'users["alice"]' 'homes["alice"]' 'by_id[-3]'
  fails 1 'there is no such entry' -- mm3 del t.mm3 'users["alice"]'
  is '{"homes": {}, "by_id": {"4": "four"}}' mm3 get t.mm3 homes by_id --json
  mm3 check t.mm3
}

@test "del takes an item of a vec, and the last of a log" {
  make_t
  mm3 del t.mm3 'scores[0]' 'scores[-1]'
  is '[2, 3, 4]' mm3 get t.mm3 scores --json
  mm3 del t.mm3 'events[-1]'
  is '[22, 23]' mm3 get t.mm3 'events[-2:]' --json
  fails 2 'only the last item' -- mm3 del t.mm3 'events[0]'
  printf 'one\ntwo\n' | mm3 push t.mm3 lines -
  mm3 del t.mm3 'lines[-1]'
  is '["one"]' mm3 get t.mm3 lines --json
  mm3 check t.mm3
}

@test "a file at its limit keeps what it has, and the exit says so" {
  mm3 create l.mm3 --limit 256K -e 'struct l { log: segmented(u64) m: hashmap(text, text) }'
  mm3 set l.mm3 'm["k"]' v
  seq 100000 >in
  feeds 7 in l.mm3 limit -- mm3 push l.mm3 log -
  count=$(mm3 get l.mm3 log --count | sed -n 's/^count: //p')
  [ "$count" -gt 1000 ]
  is "$count" mm3 get l.mm3 'log[-1]'
  is v mm3 get l.mm3 'm["k"]'
  mm3 check l.mm3
  mm3 del l.mm3 'log[-1]'
  mm3 push l.mm3 log 7
  is "$((count - 1))"$'\n7' mm3 get l.mm3 'log[-2:]'
}

@test "export --sort has the entries of maps by their keys, whatever came first" {
  schema='struct s { n: u8 log: segmented(u8) users: hashmap(string(16), u32) ids: hashmap(i64, text) kinds: hashmap(enum(u8, b, a), u8) }'
  mm3 create a.mm3 -e "$schema"
  mm3 set a.mm3 log '[3, 1, 2]' kinds '[["b", 2], ["a", 1]]' users '{"zoe": 1, "Bob": 2, "10": 3, "ann": 4, "9": 5}' \
    ids '{"10": "x", "-9": "y", "-10": "q", "9": "z", "0": ""}'
  is '{"n": 0, "log": [3, 1, 2], "users": {"10": 3, "9": 5, "Bob": 2, "ann": 4, "zoe": 1}, "ids": {"-10": "q", "-9": "y", "0": "", "9": "z", "10": "x"}, "kinds": [["a", 1], ["b", 2]]}' \
    mm3 export --sort a.mm3
  is "$(printf '{"ann": 4}\n{"zoe": 1}')" eval "mm3 export --sort --lines a.mm3 users | tail -n 2"
  is '{"9": 1, "10": 2}' eval "mm3 create b.mm3 -e 'struct s { m: hashmap(string(4), u8) }' && mm3 set b.mm3 m '{\"10\": 2, \"9\": 1}' && mm3 export --sort b.mm3 m"
  mm3 create one.mm3 -e 'struct s { m: hashmap(u64, u64) }'
  mm3 create two.mm3 -e 'struct s { m: hashmap(u64, u64) }'
  seq 500 | sed 's/.*/{"&": &}/' | mm3 import one.mm3 --lines m
  seq 500 -1 1 | sed 's/.*/{"&": &}/' | mm3 import two.mm3 --lines m
  cmp <(mm3 export --sort one.mm3) <(mm3 export --sort two.mm3)
  ! cmp -s <(mm3 export one.mm3) <(mm3 export two.mm3)
  mm3 export --sort one.mm3 | mm3 import three.mm3 -e 'struct s { m: hashmap(u64, u64) }'
  mm3 diff one.mm3 three.mm3
}
