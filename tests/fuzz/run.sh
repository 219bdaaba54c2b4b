#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [SECONDS [TARGET...]]: builds the targets with clang's libFuzzer, ASan and UBSan, and fuzzes each until it has
# used so much processor time, from the corpus in the sources. Findings are left in the folder it prints. make fuzz calls
# it (600 seconds each).
set -u
src=${MM3_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-file schema path json module}
out=${MM3_FUZZ_OUT:-$(mktemp -d)}
command -v clang >/dev/null || { echo "fuzz: clang is missing: apt-get install clang libclang-rt-14-dev" >&2; exit 77; }
{ echo '#include "all_modules.h"'; echo '#include <stddef.h>'
  names=$(cd "$src/modules" && ls mm3-*.c | sed 's/^mm3-//; s/\.c$//; y/-/_/')
  for name in $names; do echo "extern const struct mm3_module mm3_module_$name;"; done
  echo 'int mm3_all_modules_register(struct mm3_error *error) { int result = 0;'
  for name in $names; do echo "  if (result == 0) result = mm3_module_register(&mm3_module_$name, error);"; done
  echo '  return result; }'; } >"$out/all_modules.c"
flags="-std=gnu11 -g -O1 -D_GNU_SOURCE -DMM3_STATIC_MODULES -DMM3_MODULE_DIR=\"/nowhere\" -fsanitize=fuzzer-no-link,address,undefined
  -fno-sanitize-recover=undefined -I$src/include -I$src/core -I$src/modules"
# A folder each: two of them have a file of one name.
for part in core modules tools tests/hostile tests/fuzz .
do
  mkdir -p "$out/o/$part"
  case $part in
    tools) files=$(ls "$src"/tools/json_*.c) ;;
    .) files=$out/all_modules.c ;;
    *) files=$(ls "$src/$part"/*.c) ;;
  esac
  # shellcheck disable=SC2086
  (cd "$out/o/$part" && clang $flags -c $files) || exit 1
done
cd "$out" || exit 1

# spent PID: the seconds of processor time that it has used; fails when it is gone.
ticks=$(getconf CLK_TCK)
spent () { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk -v ticks="$ticks" '{ print int(($12 + $13) / ticks); n++ } END { exit !n }'; }

# fuzz TARGET: until its seconds are spent; a machine that is busy with other things takes longer.
fuzz () {
  UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 "./fuzz_$1" -timeout=20 -rss_limit_mb=4096 \
    -artifact_prefix="$out/finding_$1_" -print_final_stats=1 "corpus_$1" >"$1.log" 2>&1 &
  pid=$!
  used=0
  while now=$(spent $pid) && used=$now && [ "$used" -lt "$seconds" ]; do sleep 1; done
  kill $pid 2>/dev/null
  wait $pid
  [ $? -eq 72 ] # interrupted
}

status=0
for target in $targets
do
  echo "int fuzz_$target(const unsigned char *, unsigned long); int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);
int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return fuzz_$target(d, n); }" >"entry_$target.c"
  # shellcheck disable=SC2046,SC2086
  clang $flags -fsanitize=fuzzer,address,undefined "entry_$target.c" $(find o -name '*.o') -ljansson -lm -lpthread -ldl \
    -o "fuzz_$target" 2>link.log || { cat link.log >&2; exit 1; }
  mkdir -p "corpus_$target"
  cp "$src/tests/fuzz/corpus/$target"/* "corpus_$target/" 2>/dev/null
  fuzz "$target" || { status=1; tail -40 "$target.log" >&2; }
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$target.log")
  echo "fuzz: $target: ${executions:-0} executions in $used s of processor time, $(find "$out" -name "finding_${target}_*" | wc -l) findings"
done
echo "fuzz: corpora and findings are in $out"
exit $status
