#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [--quick] [--check | --check-only] [--groups "open atomic ..."] [--peers "raw mm3 ..."]
# Builds each peer's program in $MM3_BUILD/bench (one that does not compile is skipped, with a line), runs them in
# shuffled order, five rounds or more, and prints TSV on stdout:
#   workload  peer  median  unit  ratio_to_limit  runs  min  max
# The limit is the best of the peers called raw. report.md and report.svg, beside the TSV (report.tsv), are what
# doc/PERFORMANCE shows. --check compares with targets.tsv and prints which fall short; --check-only compares the last
# report, if there is one. What is said goes to stderr.
#   MM3_SRC, MM3_BUILD    source and build folders (make sets them)
#   BENCH_DIR             where data files go: $MM3_BUILD/bench/data, which should be a real disk's
#   BENCH_CLOCK=cpu       the process's own time where it suits: for machines that others use, too
#   BENCH_ROUNDS=5        how often; a peer that needs more than four seconds for a group of maps runs twice at most
#   BENCH_SECONDS=780     groups that would begin later are left out, with a line that says so
tab=$(printf '\t')
set -u
say () { echo "bench: $*" >&2; }
die () { say "$*"; exit 1; }
quick='' check='' groups='' peers=''
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=quick ;;
    --check) check=yes ;;
    --check-only) check=only ;;
    --groups) shift; groups=$1 ;;
    --peers) shift; peers=$1 ;;
    *) sed -n '3,15s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done
here=$(cd "$(dirname "$0")" && pwd)
: "${MM3_SRC:=$(dirname "$here")}" "${MM3_BUILD:=$MM3_SRC/build}"
: "${CC:=gcc}" "${CXX:=g++}" "${BENCH_ROUNDS:=5}" "${BENCH_SECONDS:=780}"
[ -z "$quick" ] || rounds=${BENCH_QUICK_ROUNDS:-3}
[ -n "$quick" ] || rounds=$BENCH_ROUNDS
out=$MM3_BUILD/bench
data=${BENCH_DIR:-$out/data}
compare () { awk -F '\t' -f "$here/check.awk" "$out/report.tsv" "$here/targets.tsv"; }
if [ "$check" = only ] && [ -s "$out/report.tsv" ]; then
  compare
  exit
fi
mkdir -p "$out" "$data" || exit 1
MM3_MODULE_PATH=$MM3_BUILD/modules/.libs
export MM3_MODULE_PATH
[ -f "$MM3_BUILD/core/.libs/libmm3.so" ] || die "no libmm3.so in $MM3_BUILD: make first"
trap 'rm -rf "$data"' 0
trap 'exit 1' 1 2 15

# 1. Programs: name, file, package, libraries.
flags="-O2 -g0 -falign-functions=64 -D_GNU_SOURCE -w -I$MM3_SRC/include -I$MM3_SRC ${BENCH_CFLAGS:-}"
mm3_libs="-L$MM3_BUILD/core/.libs -Wl,-rpath,$MM3_BUILD/core/.libs -lmm3"
rm -f "$out"/*.ok
build () {
  name=$1 file=$2 package=$3
  shift 3
  case " ${peers:-$name} " in *" $name "*) ;; *) return ;; esac
  case $file in
    *.py)
      if "$here/$file" groups >/dev/null 2>&1; then
        cp "$here/$file" "$out/$name" && : >"$out/$name.ok"
      else
        say "skipped: $name ($package is missing)"
      fi
      return ;;
    *.cpp) compiler="$CXX -std=c++17" ;;
    *) compiler="$CC -std=gnu11" ;;
  esac
  # shellcheck disable=SC2086
  if [ -n "$(find "$here" "$MM3_SRC/include" -newer "$out/$name" -name '*.[ch]*' 2>/dev/null | head -n 1)" ] || [ ! -x "$out/$name" ]; then
    rm -f "$out/$name"
    if ! $compiler $flags -o "$out/$name" "$here/$file" "$@" -pthread -lm 2>"$out/$name.log"; then
      say "skipped: $name ($(sed -n 's/.*fatal error: //p; s/.*: error: //p' "$out/$name.log" | head -n 1); Debian: $package)"
      return
    fi
  fi
  : >"$out/$name.ok"
}
packaged () { pkg-config --libs "$@" 2>/dev/null; }
say "building"
# shellcheck disable=SC2046,SC2086
{
  build raw raw.c libc6-dev &
  build mm3 mm3.c libmm3 $mm3_libs &
  wait
  build arrays arrays.c libmm3 $mm3_libs &
  build map_raw map_raw.c libc6-dev &
  wait
  build map_mm3 map_mm3.c libmm3 $mm3_libs &
  build shared_raw shared_raw.c libc6-dev &
  wait
  build shared_mm3 shared_mm3.c libmm3 $mm3_libs &
  build json json.c libjansson-dev $mm3_libs -ljansson &
  wait
  build absl map_absl.cpp libabsl-dev $(packaged absl_flat_hash_map absl_hash absl_raw_hash_set) &
  build boost_flat map_boost_flat.cpp 'libboost-dev, 1.81 or later' &
  wait
  build boost_ipc boost_ipc.cpp libboost-dev &
  build khash map_khash.c libhts-dev &
  wait
  build uthash map_uthash.c uthash-dev &
  build std stdlib.cpp g++ &
  wait
  build lmdb lmdb.c liblmdb-dev -llmdb &
  build shared_lmdb shared_lmdb.c liblmdb-dev -llmdb &
  wait
  build sqlite sqlite.c libsqlite3-dev -lsqlite3 -ljansson &
  build tkrzw tkrzw.cpp libtkrzw-dev -ltkrzw &
  wait
  build pmemobj pmemobj.c libpmemobj-dev -lpmemobj &
  build numpy numpy_cube.py python3-numpy &
  wait
  wait
}
programs=$(cd "$out" && ls -- *.ok 2>/dev/null | sed "s/\.ok$//")
[ -n "$programs" ] || die "no program could be built"

# 2. Who knows which group. Quick: the small sizes.
known=$out/known
for program in $programs; do
  "$out/$program" groups | sed "s/^/$program /" || say "skipped: $program (it does not start)"
done >"$known"
if [ -z "$groups" ]; then
  groups='open atomic push cube json durable shared append u64-1e6 text-1e6 u64-1e5 text-1e5 latency u64-1e7 text-1e7'
  [ -z "$quick" ] || groups='open atomic push cube json append durable shared u64-1e5 text-1e5'
fi
# Far away from the others, and slow: two rounds of these will do.
slow=$out/slow
: >"$slow"
once () { grep -qx "$1 $2" "$slow"; }

# 3. Memory that the host has to find first would spoil the first rows: touch some.
say "warming memory"
awk -v quick="$quick" '/^MemAvailable/ { mib = int($2 / 1024 / 2); most = quick ? 1024 : 6144; print (mib > most ? most : mib) }' /proc/meminfo |
  { read -r mib && head -c "${mib}M" /dev/zero | tail -c "${mib}M" >/dev/null; } || say "memory was not warmed"

# 4. Rounds. One line a figure: group round workload peer figure unit.
figures=$out/figures
: >"$figures"
one_round () { # group round
  awk -v group="$1" '$2 == group { print $1 }' "$known" | shuf | while read -r program; do
    [ "$2" -le 2 ] || ! once "$program" "$1" || continue
    rm -rf "$data"/bench.*
    begun=$(date +%s)
    "$out/$program" "$1" "$data" $quick 2>"$out/error" | sed "s/^/$1$tab$2$tab/" >>"$figures"
    case $program-$1 in
      *raw*-* | *mm3*-*) ;;
      *-*1e[67]) [ $(($(date +%s) - begun)) -le 4 ] || once "$program" "$1" || echo "$program $1" >>"$slow" ;;
    esac
    [ ! -s "$out/error" ] || say "$program, $1: $(head -n 1 "$out/error")"
  done
}
# Rounds of a group in which a raw figure is more than 30 % from the median of its rounds.
moved () {
  awk -F '\t' -v group="$1" '
    $1 == group && $4 == "raw" { n = ++count[$3]; figure[$3, n] = $5; round[$3, n] = $2 }
    END {
      for (w in count) {
        n = count[w]
        for (i = 1; i <= n; i++) sorted[i] = figure[w, i]
        for (i = 2; i <= n; i++) for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) { t = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = t }
        median = sorted[int((n + 1) / 2)]
        for (i = 1; i <= n; i++) if (figure[w, i] > 1.3 * median || figure[w, i] < median / 1.3) bad[round[w, i]]++
      }
      for (r in bad) print r
    }' "$figures" | sort -n
}
started=$(date +%s)
for group in $groups; do
  grep -q " $group\$" "$known" || continue
  if [ $(($(date +%s) - started)) -gt "$BENCH_SECONDS" ]; then
    say "left out: $group ($BENCH_SECONDS s are over; BENCH_SECONDS=3600 has them all)"
    continue
  fi
  say "$group"
  round=0
  while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    one_round "$group" $round
  done
  # At most as many rounds again, while raw moves: those in which it did are thrown away as long as enough are left.
  extra=0 bad=$(moved "$group")
  while [ -z "$quick" ] && [ -n "$bad" ] && [ $extra -lt 2 ] && [ "${group%1e[67]}" = "$group" ]; do
    round=$((round + 1)) extra=$((extra + 1))
    one_round "$group" $round
    bad=$(moved "$group")
  done
  for r in $bad; do
    left=$(awk -F '\t' -v g="$group" '$1 == g { print $2 }' "$figures" | sort -u | wc -l)
    [ "$left" -gt "$rounds" ] || break
    awk -F '\t' -v g="$group" -v r="$r" '!($1 == g && $2 == r)' "$figures" >"$figures.new" && mv "$figures.new" "$figures"
  done
  [ -z "$bad" ] || say "$group: raw moved by more than 30 % in rounds $(echo $bad): the machine is busy with other things"
done
say "measured in $(($(date +%s) - started)) s"

# 5. The table, and what is made of it.
tsv=$out/report.tsv
awk -F '\t' -v OFS='\t' -f "$here/table.awk" "$figures" >"$tsv" || die "no table"
cat "$tsv"
awk -F '\t' -f "$here/markdown.awk" "$tsv" >"$out/report.md"
awk -F '\t' -f "$here/svg.awk" "$tsv" >"$out/report.svg"
{
  echo "Measured on $(date -u +%Y-%m-%d): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(getconf _NPROCESSORS_ONLN) processors,"
  echo "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r | sed 's/-.*//'), files on $(stat -f -c %T "$data"), $($CC --version | head -n 1), -O2; $rounds rounds."
} >"$out/machine"
say "$tsv, report.md and report.svg beside it"
[ -z "$check" ] || compare
