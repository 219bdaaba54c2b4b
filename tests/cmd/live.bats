#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# Files that other processes have open and write meanwhile.
load common

worker () { "$MM3_BUILD/samples/demo_worker" "$@"; }

@test "reading a live file gets whole values, and counters that only grow" {
  worker live.mm3 1 1
  "$MM3_BUILD/samples/demo_worker" live.mm3 1 2000000000 >/dev/null 2>&1 &
  writer=$!
  last=0
  for i in $(seq 20)
  do
    mm3 get live.mm3 --json >out.json || { kill -KILL $writer; return 1; }
    grep -q '^{"total": [0-9]*, .*"w1": {"count": [0-9]*, "note": "[a-z0-9: ]*"}, .*}$' out.json || { cat out.json; kill -KILL $writer; return 1; }
    total=$(mm3 get live.mm3 total)
    [ "$total" -ge "$last" ]
    last=$total
    mm3 info live.mm3 >info.txt
    mm3 check live.mm3 >check.txt
  done
  grep -q "pid $writer" info.txt
  kill -KILL $writer
  wait $writer || true
  mm3 check live.mm3
  ! mm3 info live.mm3 | grep -q "pid $writer,"
}

@test "many processes add at once and nothing is lost" {
  mm3 create t.mm3 -e 'struct s { a: atomic(u64) p: u64 }'
  for w in 1 2 3 4
  do
    (for i in $(seq 10); do mm3 add t.mm3 a 1 && mm3 add t.mm3 p 1; done) &
  done
  wait
  is '{"a": 40, "p": 40}' mm3 get t.mm3 --json
}

@test "several processes create the same file: one makes it, the others are told" {
  made=0
  for i in $(seq 8)
  do mm3 create race.mm3 -e "$counter" 2>"err.$i" && echo made >>made.txt &
  done
  wait
  [ "$(wc -l <made.txt)" -eq 1 ]
  mm3 check race.mm3
}

@test "a file that is truncated while others read it is an error, not a crash" {
  mm3 create big.mm3 -e 'struct b { n: u64 r: raw(4000000) }'
  cp big.mm3 cut.mm3
  for i in $(seq 5)
  do
    cp big.mm3 cut.mm3
    (while mm3 get cut.mm3 >/dev/null 2>>err.txt; do :; done; echo $? >>codes.txt) &
    reader=$!
    sleep 0.05
    truncate -s 20000 cut.mm3
    wait $reader
  done
  [ "$(wc -l <codes.txt)" -eq 5 ]
  ! grep -v '^[347]$' codes.txt
  rm -f cut.mm3
}
