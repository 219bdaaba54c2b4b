#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The command, end to end: all of tests/cmd by bats, which must be there (Debian: bats), a file a process, as many at once
# as there are processors. The largest first, each with a folder for temporary files of its own.
command -v bats >/dev/null || { echo "check-command: bats is missing (Debian: bats)" >&2; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
LC_ALL=C.UTF-8
export LC_ALL work

cat >"$work/run" <<'END'
name=$(basename "$1" .bats)
mkdir "$work/$name"
TMPDIR=$work/$name timeout -s KILL 3600 bats "$1" >"$work/$name.out" 2>&1 || echo "$name: exit $?" >>"$work/failed"
END
# run FILE...: 0 when all passed.
run () {
  rm -rf "$work/failed"
  printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh "$work/run"
  [ ! -e "$work/failed" ]
}

# The check notices a test that fails, and a file that is none.
printf '@test "fails" {\n  false\n}\n' >"$work/planted.bats"
printf '@test "passes" {\n  true\n}\n' >"$work/sound.bats"
run "$work/planted.bats" "$work/sound.bats" && { echo "check-command: the check itself is broken" >&2; exit 1; }
grep -q '^ok 1 passes' "$work/sound.out" && ! grep -q sound "$work/failed" ||
  { echo "check-command: the check itself is broken" >&2; exit 1; }
rm "$work/planted.out" "$work/sound.out"

# shellcheck disable=SC2046
run $(wc -c "$MM3_SRC"/tests/cmd/*.bats | sort -rn | sed -n 's/^ *[0-9]* \(.*\.bats\)$/\1/p')
code=$?
cat "$work"/*.out
echo "check-command: $(grep -h '^ok ' "$work"/*.out | wc -l) tests passed, $(grep -h '^not ok ' "$work"/*.out | wc -l) failed"
[ $code -eq 0 ] || cat "$work/failed" >&2
exit $code
