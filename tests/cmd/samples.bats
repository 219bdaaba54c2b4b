#!/usr/bin/env bats
# SPDX-License-Identifier: MIT OR Apache-2.0
# The samples print what they say, and go on where they stopped.
load common

sample () { "$MM3_BUILD/samples/$1" "${@:2}"; }

@test "01_counter goes on, also when ten run at once" {
  is 'my_counter: 0 -> 1' sample 01_counter
  is 'my_counter: 1 -> 2' sample 01_counter
  for i in $(seq 10); do sample 01_counter >>many.txt & done
  wait
  [ "$(sort -u many.txt | wc -l)" -eq 10 ]
  is '{"value": 12, "name": "my_counter"}' mm3 get counter.mm3 --json
  is 'my_counter: 0 -> 1' sample 01_counter other.mm3
}

@test "02_config makes its file once, and the command changes it" {
  values='max_connections 1000, timeout_ms 5000, debug_mode no, server_name production-server'
  is "app.config: made with defaults
$values" sample 02_config
  is "app.config: found
$values" sample 02_config
  mm3 set app.config debug_mode true timeout_ms 250 server_name staging
  is 'app.config: found
max_connections 1000, timeout_ms 250, debug_mode yes, server_name staging' sample 02_config
}

@test "03_ipc: a reader that was there first gets the message of an unrelated writer" {
  sample 03_ipc read >read.txt &
  reader=$!
  is written sample 03_ipc write
  wait $reader
  grep -qx 'Messages: 42 (hello from process [0-9]*)' read.txt
  is "$(cat read.txt)" sample 03_ipc read
}

@test "04_analytics counts from four threads and goes on" {
  is 'page views 4000, unique visitors 1000, conversion rate 2.50 %' sample 04_analytics
  is 'page views 8000, unique visitors 2000, conversion rate 2.50 %' sample 04_analytics
}

@test "a sample refuses a file of another struct, naming the field" {
  mm3 create counter.mm3 -e 'struct counter { value: atomic(u64) name: string(64) }'
  run sample 01_counter
  [ "$status" -eq 1 ]
  [[ "$output" == *"counter.mm3: field 'name': "*"string(32)"*"string(64)"* ]]
}

@test "the demo runs twice on one file, and its numbers agree" {
  for round in 1 2
  do
    sh "$MM3_SRC/samples/demo.sh" "$PWD/demo.mm3" >demo.txt 2>err.txt || { cat demo.txt err.txt; return 1; }
    [ ! -s err.txt ] || { cat err.txt; return 1; }
    difference=$(sed -n 's/.*   difference //p' demo.txt)
    [ "$difference" -ge 0 ]
    [ "$difference" -le $round ]
    grep -q 'no damage found' demo.txt
  done
  grep -q 'is there from an earlier run' demo.txt
}
