#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Long exports and imports: flat memory, the bar, ctrl-C, pipes, mistakes far into the text.
load common

long='struct long { name: string(16) log: segmented(u64) users: hashmap(string(32), u64) }'

count () { mm3 get --count --json "$@" | sed 's/.*"count": \([0-9]*\).*/\1/'; }

# long_json N: a text of about 45 N bytes.
long_json () {
  awk -v n="$1" 'BEGIN {
    printf "{\"log\": [0"; for (i = 1; i < n; i++) printf ", %d", i * 7919 % 1000003
    printf "],\n \"name\": \"hits\",\n \"users\": {\"\": 0"; for (i = 1; i < n; i++) printf ", \"user %d\": %d", i, i % 1000
    print "}}" }'
}

@test "a long text goes in and comes out in flat memory, from a file and from a pipe" {
  long_json 200000 >in.json
  [ "$(wc -c <in.json)" -gt 4000000 ]
  own_memory 40960                      # the values of the text as a tree are three times that
  mm3 import -e "$long" a.mm3 in.json
  cat in.json | mm3 import -e "$long" b.mm3
  mm3 export a.mm3 >a.json
  mm3 export --lines a.mm3 log >log.txt
  mm3 export --lines a.mm3 users >users.txt
  mm3 create c.mm3 -e "$long"
  mm3 set c.mm3 name hits
  mm3 import --lines log c.mm3 log.txt
  mm3 import --lines users c.mm3 users.txt
  ulimit -d unlimited 2>/dev/null || true
  is 200000 count a.mm3 log
  is 200000 count a.mm3 users
  is "$((199999 * 7919 % 1000003))" mm3 get a.mm3 'log[-1]'
  mm3 check a.mm3
  cmp <(mm3 export a.mm3 log) <(mm3 export b.mm3 log)
  cmp <(mm3 export a.mm3 log) <(mm3 export c.mm3 log)
  cmp <(sort users.txt) <(mm3 export --lines b.mm3 users | sort)
  cmp <(sort users.txt) <(mm3 export --lines c.mm3 users | sort)
}

@test "a long array of long rows goes in without being held" {
  awk 'BEGIN { printf "{\"rows\": ["
    for (i = 0; i < 60; i++) { printf "%s[%d", i ? ", " : "", i
      for (j = 1; j < 15000; j++) printf ", %d", i * j
      printf "]" }
    print "]}" }' >in.json
  own_memory 32768
  mm3 import -e 'struct s { rows: ndarray(u32, 60, 15000) }' a.mm3 in.json
  mm3 export a.mm3 | cmp - in.json
}

@test "long files are compared in flat memory, and what differs is told by its place" {
  local schema='struct row { a: u64 b: f64 } struct s { grid: ndarray(f64, 3, 500000) log: segmented(row) users: hashmap(string(32), u64) texts: segmented(text) }'
  mm3 create a.mm3 -e "$schema"
  seq 300000 | sed 's/.*/{"a": &, "b": &.5}/' | mm3 import a.mm3 --lines log
  seq 200000 | sed 's/.*/{"user &": &}/' | mm3 import a.mm3 --lines users
  for i in $(seq 0 59); do printf '"%d%100000s"\n' $i ''; done | mm3 import a.mm3 --lines texts
  mm3 create b.mm3 -e "$schema"
  for field in users log texts; do mm3 export a.mm3 --lines $field | mm3 import b.mm3 --lines $field; done
  ulimit -d 24576                       # KiB; what is compared is 30 MB as it lies, and hundreds as values
  is '' mm3 diff a.mm3 b.mm3
  mm3 set b.mm3 'grid[2][499999]' -1 'grid[1][7]' 3 'log[123456].b' 9 'users["user 77777"]' 5 'texts[59]' short
  mm3 del b.mm3 'users["user 5"]'
  mm3 set b.mm3 'users["user \"new\""]' 1
  mm3 push b.mm3 log '{"a": 1}'
  code=0
  mm3 diff a.mm3 b.mm3 >out.txt || code=$?
  [ $code -eq 1 ]
  cut -c 1-60 out.txt | diff - <(printf '%s\n' 'grid[1][7]: 0.0 -> 3.0' 'grid[2][499999]: 0.0 -> -1.0' \
    'log[123456].b: 123457.5 -> 9.0' 'log[300000]: (absent) -> {"a": 1, "b": 0.0}' \
    'users["user \"new\""]: (absent) -> 1' 'users["user 5"]: 5 -> (absent)' 'users["user 77777"]: 77777 -> 5' \
    "texts[59]: \"59$(printf '%46s' '')")
  grep -q '^texts\[59\].* -> "short"$' out.txt
}

@test "a mistake far into a long text leaves the file as it was, and is told by line and column" {
  mm3 create a.mm3 -e "$long"
  mm3 set a.mm3 name before log '[1, 2]' users '{"anna": 1}'
  mm3 export a.mm3 >before.json
  long_json 50000 >in.json
  sed 's/, "user 39990"/, user 39990"/' in.json >broken.json
  fails 2 'broken.json' 'line 3, column' -- mm3 import a.mm3 broken.json
  head -c 1100000 in.json >short.json
  fails 2 'short.json' 'line 3, column' 'end of input' -- mm3 import a.mm3 short.json
  sed 's/"hits"/7/' in.json >type.json
  fails 2 "field 'name'" 'wants a string' -- mm3 import a.mm3 type.json
  is before mm3 get a.mm3 name
  mm3 check a.mm3
}

# feed_pipe COMMAND...: the command's output into the pipe, kept open as descriptor 9. Returns when the reader has all but the last 64 KiB.
feed_pipe () {
  exec 9>pipe
  "$@" >&9
}

@test "ctrl-C in the middle of an import leaves the file as it was" {
  mm3 create a.mm3 -e "$long"
  mm3 set a.mm3 name before log '[1, 2]'
  mm3 export a.mm3 >before.json
  long_json 20000 | head -c 400000 >half.json
  mkfifo pipe
  env --default-signal=INT mm3 import a.mm3 pipe 2>err.txt &
  feed_pipe cat half.json
  kill -INT $!
  got=0; wait $! || got=$?
  exec 9>&-
  [ "$got" -eq 130 ]
  grep -q 'interrupted; it is as it was' err.txt
  cmp <(mm3 export a.mm3) before.json
  mm3 check a.mm3
}

@test "ctrl-C in an import that makes the file leaves none, and lines say how many there were" {
  mkfifo pipe
  mm3 import -e "$long" new.mm3 --lines log pipe 2>err.txt &
  feed_pipe seq 50000
  kill -TERM $!
  got=0; wait $! || got=$?
  exec 9>&-
  [ "$got" -eq 143 ]
  grep -q 'interrupted; it was not made, after [0-9]* lines' err.txt
  [ ! -e new.mm3 ]
  mm3 create a.mm3 -e "$long"
  mm3 import a.mm3 --lines log pipe 2>err.txt &
  feed_pipe seq 50000
  kill -TERM $!
  wait $! || true
  exec 9>&-
  n=$(sed -n 's/.* after \([0-9]*\) lines/\1/p' err.txt)
  [ "$n" -gt 0 ]
  is "$n" count a.mm3 log
  mm3 check a.mm3
}

@test "the input of an import that is cut meanwhile is told" {
  mm3 create a.mm3 -e "$long"
  long_json 200000 >in.json
  mm3 import a.mm3 in.json 2>err.txt &
  sleep 0.15
  truncate -s 4096 in.json
  got=0; wait $! || got=$?
  [ "$got" -eq 0 ] || { grep -q 'in.json' err.txt; [ "$got" -ne 139 ] && [ "$got" -ne 135 ]; }
  mm3 check a.mm3
}

@test "a bar is drawn on a terminal after a second, and nowhere else" {
  command -v script >/dev/null || skip 'script is missing'
  mm3 create a.mm3 -e "$long"
  mkfifo pipe
  { seq 1000; sleep 1.3; seq 1000; sleep 0.3; seq 1000; } >pipe &
  script -qec "mm3 import a.mm3 --lines log pipe" /dev/null </dev/null >tty.txt
  grep -q 'MB/s' tty.txt
  seq 1000 | mm3 import a.mm3 --lines log 2>err.txt
  [ ! -s err.txt ]
}

@test "an export goes on while a writer grows the map, and gives what stays once" {
  mm3 create a.mm3 -e "$long"
  seq 1 20000 | sed 's/.*/{"stay &": &}/' | mm3 import --lines users a.mm3
  for i in $(seq 1 4); do seq 1 40000 | sed "s/.*/{\"new $i &\": &}/"; done | mm3 import --lines users a.mm3 &
  for i in 1 2 3 4 5; do
    mm3 export --lines a.mm3 users >out.txt
    [ "$(grep -c stay out.txt)" -eq 20000 ]
    [ -z "$(sort out.txt | uniq -d | head -1)" ]
  done
  mm3 export --locked a.mm3 users >/dev/null
  wait $!
}
