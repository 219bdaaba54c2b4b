#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Values in and out.
load common

@test "create, add, set, get: one line of JSON" {
  run sh -c "mm3 create t.mm3 -e '$counter' && mm3 add t.mm3 value 5 && mm3 set t.mm3 name 'naïve café' && mm3 get t.mm3 --json"
  [ "$status" -eq 0 ]
  [ "$output" = '{"value": 5, "name": "naïve café"}' ]
}

@test "a text alone is printed as it is, with --json as JSON, with --plain tab-separated" {
  mm3 create t.mm3 -e "$counter"
  mm3 set t.mm3 name 'say "hi"' value 7
  is 'say "hi"' mm3 get t.mm3 name
  is '"say \"hi\""' mm3 get t.mm3 name --json
  is "value: 7
name: \"say \\\"hi\\\"\"" mm3 get t.mm3
  is "$(printf 'value\t7\nname\tsay "hi"')" mm3 get t.mm3 --plain
  is '{"name": "say \"hi\"", "value": 7}' mm3 get t.mm3 name value --json
}

@test "a bare word is a text where the field wants one, whatever it looks like" {
  mm3 create t.mm3 -e "$counter"
  for word in 5 true null 1e5 -7 plain 'two words' '01' NaN
  do
    mm3 set t.mm3 name "$word"
    is "$word" mm3 get t.mm3 name
  done
  mm3 set t.mm3 name -- --json
  is --json mm3 get t.mm3 name
  mm3 set t.mm3 name '"quoted\n"'
  is '"quoted\n"' mm3 get t.mm3 name --json
}

@test "a value comes from standard input" {
  mm3 create t.mm3 -e "$counter"
  printf 'from a pipe\n' | mm3 set t.mm3 name -
  is 'from a pipe' mm3 get t.mm3 name
}

@test "every scalar keeps its extremes" {
  mm3 create s.mm3 -e 'struct s { a: u8 b: u16 c: u32 d: u64 e: u128 f: i8 g: i16 h: i32 i: i64 j: i128 k: usize l: isize
    m: f32 n: f64 o: bool p: char q: raw(3) r: enum(u8, idle, busy=7, done) }'
  mm3 set s.mm3 a 255 b 65535 c 4294967295 d 18446744073709551615 e 340282366920938463463374607431768211455 \
    f -128 g -32768 h -2147483648 i -9223372036854775808 j -170141183460469231731687303715884105728 \
    k 18446744073709551615 l -9223372036854775808 m 3.4028235e38 n 5e-324 o true p é q 00ff10 r done
  is '{"a": 255, "b": 65535, "c": 4294967295, "d": "18446744073709551615", "e": "340282366920938463463374607431768211455", "f": -128, "g": -32768, "h": -2147483648, "i": -9223372036854775808, "j": "-170141183460469231731687303715884105728", "k": "18446744073709551615", "l": -9223372036854775808, "m": 3.4028235e38, "n": 5e-324, "o": true, "p": "é", "q": "00ff10", "r": "done"}' \
    mm3 get s.mm3 --json
  mm3 get s.mm3 --json >first.json
  mm3 import -e "$(mm3 schema s.mm3)" copy.mm3 first.json
  mm3 get copy.mm3 --json | diff - first.json
  mm3 set s.mm3 m NaN n -- -Infinity
  is '{"m": "NaN", "n": "-Infinity"}' mm3 get s.mm3 m n --json
  mm3 set s.mm3 m 0.1 n -0.0
  is '{"m": 0.1, "n": -0.0}' mm3 get s.mm3 m n --json
}

@test "what does not fit is refused with exit 2, the reason, and the old value stands" {
  mm3 create s.mm3 -e 'struct s { a: u8 name: string(32) e: enum(u8, idle, busy) f: f32 b: bool c: char r: raw(2) }'
  mm3 set s.mm3 a 7 name old
  mm3 get s.mm3 --json >before
  fails 2 "field 'a'" u8 0 255 -- mm3 set s.mm3 a 256
  fails 2 "field 'a'" u8 -- mm3 set s.mm3 a -1
  fails 2 "field 'a'" u8 -- mm3 set s.mm3 a 1.5
  fails 2 "field 'a'" u8 -- mm3 set s.mm3 a word
  fails 2 "field 'name'" UTF-8 -- mm3 set s.mm3 name "$(printf '\377')"
  fails 2 "field 'name'" 33 32 'string(32)' -- mm3 set s.mm3 name 123456789012345678901234567890123
  fails 2 "field 'e'" -- mm3 set s.mm3 e sleeping
  fails 2 "field 'b'" -- mm3 set s.mm3 b maybe
  fails 2 "field 'c'" -- mm3 set s.mm3 c two
  fails 2 "field 'r'" -- mm3 set s.mm3 r 0102ff
  fails 2 "field 'name'" 'line 1, column' -- mm3 set s.mm3 name '["broken'
  fails 2 "field 'name'" -- mm3 set s.mm3 name '["a list"]'
  mm3 get s.mm3 --json | diff - before
}

@test "add takes and prints numbers, and never wraps" {
  mm3 create s.mm3 -e 'struct s { a: atomic(u8) b: i16 name: string(4) }'
  mm3 add s.mm3 a
  mm3 add s.mm3 a 254
  is 255 mm3 get s.mm3 a
  fails 2 "field 'a'" -- mm3 add s.mm3 a 1
  is 5 mm3 add s.mm3 a -250 --print
  is -300 mm3 add s.mm3 b -300 --json
  fails 2 "field 'b'" -- mm3 add s.mm3 b -40000
  fails 2 "field 'name'" -- mm3 add s.mm3 name 1
  is '{"a": 5, "b": -300, "name": ""}' mm3 get s.mm3 --json
}

@test "a struct takes any subset of its fields, all or nothing" {
  mm3 create n.mm3 -e 'struct point { x: f64 y: f64 } struct root { at: point label: string(8) n: u8 }'
  mm3 set n.mm3 at '{"y": 2}'
  is '{"x": 0.0, "y": 2.0}' mm3 get n.mm3 at --json
  is 2.0 mm3 get n.mm3 at.y
  echo '{"label": "ok", "n": 3, "at": {"x": 1.5}}' | mm3 import n.mm3
  is '{"at": {"x": 1.5, "y": 2.0}, "label": "ok", "n": 3}' mm3 export n.mm3
  echo '{"label": "lost", "n": 300}' >bad.json
  fails 2 n 300 -- mm3 import n.mm3 bad.json
  echo '{"label": "lost", "m": 1}' >bad.json
  fails 2 "'m'" -- mm3 import n.mm3 bad.json
  echo '{"label": "lost", "label": "twice"}' >bad.json
  fails 2 duplicate bad.json -- mm3 import n.mm3 bad.json
  is ok mm3 get n.mm3 label
}

@test "import makes the file from a schema, and leaves nothing behind when it fails" {
  echo 'struct p { x: u8 }' >p.schema
  echo '{"x": 5}' | mm3 import --create p.schema new.mm3
  is 5 mm3 get new.mm3 x
  echo '{"x": 500}' >bad.json
  fails 2 -- mm3 import --create p.schema other.mm3 bad.json
  [ ! -e other.mm3 ]
}

@test "unknown fields are answered with the nearest name" {
  mm3 create t.mm3 -e "$counter"
  fails 2 "'nmae'" value name "did you mean 'name'" -- mm3 get t.mm3 nmae
  fails 2 "'valeu'" "did you mean 'value'" -- mm3 set t.mm3 valeu 5
  fails 2 -- mm3 get t.mm3 'name[0]'
  fails 2 -- mm3 get t.mm3 'name.'
  fails 2 -- mm3 push t.mm3 name x
  fails 2 -- mm3 del t.mm3 name
}

@test "a place beyond the end is told, and what it would lie in stays as it was" {
  mm3 create t.mm3 -e 'struct p { x: u8 } struct s { g: ndarray(u8, 2, 3) words: string_array(2, 5) log: segmented(u8) v: vec(p, 3) m: hashmap(text, u8) n: u8 }'
  mm3 set t.mm3 g '[[1, 2, 3], [4, 5, 6]]' words '["a", "b"]' log '[1, 2]' v '[{"x": 1}]'
  mm3 export t.mm3 >before.json
  fails 1 "field 'g[5]': index 5 is beyond the end" -- mm3 set t.mm3 'g[5]' '[[9, 9, 9], [9, 9, 9]]'
  fails 1 "field 'g[5][1]': index 5 is beyond the end" -- mm3 set t.mm3 'g[5][1]' 9
  fails 1 "field 'words[2]'" -- mm3 set t.mm3 'words[2]' '["x", "y"]'
  fails 1 "field 'log[99]'" 'beyond the end' -- mm3 set t.mm3 'log[99]' '[9]'
  fails 1 "field 'v[1]': index 1 is beyond the end: there are 1 items" -- mm3 set t.mm3 'v[1]' '{"x": 9}'
  fails 1 "field 'v[1].x'" 'beyond the end' -- mm3 set t.mm3 'v[1].x' '{"x": 9}'
  mm3 export t.mm3 | cmp - before.json
  fails 2 "a member of s is always there: it can be set, not removed" -- mm3 del t.mm3 n
  fails 2 "an item of ndarray(u8, 2, 3) is always there" -- mm3 del t.mm3 'g[1]'
  mm3 set t.mm3 'm["a"]' 5
  mm3 add t.mm3 'm["a"]' 2
  [ "$(mm3 get t.mm3 'm["a"]')" = 7 ]
  fails 2 '256 does not fit u8' -- mm3 add t.mm3 'm["a"]' 249
  fails 1 'no such entry' -- mm3 add t.mm3 'm["b"]' 1
}

@test "a mistake of a beginner is answered with what to do" {
  fails 7 "after -e" -- mm3 create t.mm3 'struct s { n: u8 }'
  mm3 create t.mm3 -e 'struct s { n: u64 v: vec(u8, 3) m: hashmap(text, u8) doc: json(99) }'
  fails 7 't.mm3' '--replace takes its place' -- mm3 create t.mm3 -e 'struct s { n: u8 }'
  echo '{}' >o.json
  fails 7 absent.mm3 '--create SCHEMA, or -e TEXT, makes it' -- mm3 import absent.mm3 o.json
  fails 2 full 'the values before it were pushed' -- mm3 push t.mm3 v 1 2 3 4
  is '[1, 2, 3]' mm3 get --json t.mm3 v
  fails 2 'quotes of both kinds' -- mm3 set t.mm3 m[anna] 5
  fails 1 'v[9]' -- mm3 get t.mm3 n 'v[9]'
  mm3 set t.mm3 'm["a b"]' 4
  is $'v[-1]: 3\nm["a b"]: 4' mm3 get t.mm3 'v[-1]' 'm["a b"]'
  is '{"v[-1]": 3, "m[\"a b\"]": 4}' mm3 get t.mm3 --json 'v[-1]' 'm["a b"]'
  is '"a b": 4' mm3 get t.mm3 m
  fails 1 'null has no members' '{}' -- mm3 set t.mm3 doc.a 5
  mm3 set t.mm3 doc '{}' doc.a 5
  echo '{"n": 18446744073709551615}' >big.json
  fails 2 big.json 'line 1, column' 'in quotes: "18446744073709551615"' -- mm3 import t.mm3 big.json
  echo ' ' >empty.json
  fails 2 empty.json 'there is no JSON in it' -- mm3 import t.mm3 empty.json
  fails 2 'standard input' '0 bytes' -- mm3 import t.mm3
}

@test "JSON a million levels deep is refused, whichever way it comes" {
  mm3 create t.mm3 -e 'struct s { j: json(4000000) l: vec(json(100), 3) }'
  mm3 set t.mm3 j '["old"]'
  mm3 schema t.mm3 >s.schema
  awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "["; for (i = 0; i < 1000000; i++) printf "]"; print "" }' >deep.json
  awk 'BEGIN { printf "{\"j\": "; for (i = 0; i < 1000000; i++) printf "{\"a\":"; printf "1"; for (i = 0; i <= 1000000; i++) printf "}"; print "" }' >file.json
  for command in 'set t.mm3 j -' 'push t.mm3 l -' 'import t.mm3' 'import --create s.schema new.mm3' 'import --lines l t.mm3'
  do
    for text in deep.json file.json
    do
      code=0
      mm3 $command <$text >out.txt 2>err.txt || code=$?
      [ $code -eq 2 ] || { echo "$command <$text: exit $code"; cat err.txt; return 1; }
      grep -q 'depth' err.txt || { echo "$command <$text"; head -c 300 err.txt; return 1; }
    done
  done
  [ ! -e new.mm3 ]
  is '{"j": ["old"], "l": []}' mm3 get t.mm3 --json
  mm3 check t.mm3
}
