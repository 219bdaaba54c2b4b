#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# make demo: several processes and one struct in a file. Run through make, which sets MM3_BUILD and PATH.
set -e
file=${1:-$MM3_BUILD/demo.mm3}
worker=$MM3_BUILD/samples/demo_worker
additions=1000000000 # more than it lives to make, however late we look

step () { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "$NO_COLOR" ]; then cat; else tr -d '\033' | sed 's/\[[01]m//g'; fi; }
show () { echo "\$ mm3 $*"; mm3 "$@"; }
count () { mm3 get "$file" "$1"; }

echo "mm3 keeps a C struct in a file. Programs read and write its fields as plain memory; every process that has the"
echo "file open sees the same bytes, and they are still there when all processes have gone."

if [ -e "$file" ]
then step "1. $file is there from an earlier run: its total is $(count total), and this run goes on from it"
else step "1. $file is not there yet: the first process makes it"
fi

step "2. Four processes add to one total, then to a count of their own, at the same time. Number 3 gets SIGKILL on its way"
before=$(mm3 get "$file" w3.count 2>/dev/null || echo 0)
pids=
for number in 1 2 4
do
  "$worker" "$file" $number 200000 1000 &
  pids="$pids $!"
done
"$worker" "$file" 3 $additions &
victim=$!
until [ "$(count w3.count 2>/dev/null || echo 0)" -ge $((before + additions / 100)) ]; do kill -0 $victim || exit 1; done
kill -KILL $victim
echo "  killed process $victim while it was adding"
{ wait $pids; wait $victim || true; } 2>/dev/null # the shell would report the kill
mm3 add "$file" kills

step "3. Nothing was lost but what the killed process had not done yet"
kills=$(count kills)
"$worker" "$file"
echo "  A worker adds to the total first and to its own count next. Killed between the two, it leaves the total one ahead:"
if [ "$kills" -eq 1 ]
then echo "  after one kill the difference is 0 or 1. The string of number 3 is the last one that it had set, whole."
else echo "  after $kills kills in this file's life the difference is 0 to $kills. The string of number 3 is whole, too."
fi

step "4. The file says what it holds, without the program that made it"
show info "$file"
show get "$file" --json

step "5. A second run continues from the first: number 3 once more, for 1000 additions"
before=$(count total)
"$worker" "$file" 3 1000
after=$(count total)
echo "  total before $before, after $after"
[ "$after" -eq $((before + 1000)) ]
mm3 check "$file"
echo
echo "Look around: PATH=$MM3_BUILD/tools:\$PATH, then mm3 help. Another 'make demo' goes on from here."
