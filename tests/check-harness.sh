#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The harness notices what it must: each kind of failure in harness_double, crashes, hangs, no cases at all, and the
# total over programs adds up.
double=./harness_double
status=0
say () { echo "check-harness: $*" >&2; status=1; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
TMPDIR=$work/tmp
export TMPDIR
mkdir "$TMPDIR"

last=$($double all 2>"$work/err" | tail -n 1)
[ "$last" = "3 passed, 5 failed, 1 skipped" ] || say "its counts are wrong: $last"
$double all >/dev/null 2>&1 && say "exit 0 although cases failed"
$double passes >/dev/null 2>&1 || say "exit 1 although all passed"
$double no-such-case >/dev/null 2>&1 && say "exit 0 although no case ran"
grep -q 'harness_double.c:[0-9]*: CHECK(1 + 1 == 3) failed' "$work/err" || say "a failed check is not told with its place"
grep -q '"child" and "parent" (in a child)' "$work/err" || say "a child's failed check is not told"
$double crash >/dev/null 2>&1 && say "exit 0 although it crashed"
rm -rf "$TMPDIR"/*
MM3TEST_TIMEOUT=1 $double hangs 2>"$work/err" && say "exit 0 although it hung"
grep -q 'took too long: a case that hangs' "$work/err" || say "a hang is not told"
rm -rf "$TMPDIR"/*
$double passes >/dev/null 2>&1
[ -z "$(ls "$TMPDIR")" ] || say "temporary files are left behind"

# The total: a program with counts, one that crashed after its counts, one that printed none, a script of each result.
cd "$work" || exit 1
fake () { echo ":test-result: $2" >"$1.trs"; printf '%s\n' "$3" >"$1.log"; }
fake good PASS '3 passed, 0 failed'
fake skips PASS '2 passed, 0 failed, 1 skipped'
fake bad FAIL '4 passed, 2 failed'
fake leak FAIL '5 passed, 0 failed'
fake silent PASS ''
fake script PASS '7 passed, 0 failed'
fake skip SKIP 'no compiler'
total () { sh "$MM3_SRC/tests/total.sh" "$@"; }
[ "$(total good skips bad leak silent script.sh skip.sh absent)" = "15 passed, 5 failed, 2 skipped" ] ||
  say "the total is wrong: $(total good skips bad leak silent script.sh skip.sh absent)"
total good script.sh >/dev/null || say "a good total has exit 1"
total bad >/dev/null && say "a total with failures has exit 0"
total >/dev/null && say "a total of nothing has exit 0"
exit $status
