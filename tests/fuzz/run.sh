#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [SECONDS [TARGET...]]: builds the targets with clang's libFuzzer, ASan and UBSan, and fuzzes each so long, from the
# corpus in the sources. Findings are left in the folder it prints. make fuzz calls it (600 seconds each).
set -u
src=${MM3_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-file schema path json}
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
# shellcheck disable=SC2086
cd "$out" && clang $flags -c "$src"/core/*.c "$src"/modules/*.c "$src"/tools/json_*.c "$src"/tests/hostile/*.c \
  "$src/tests/fuzz/targets.c" all_modules.c || exit 1
status=0
for target in $targets
do
  echo "int fuzz_$target(const unsigned char *, unsigned long); int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);
int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return fuzz_$target(d, n); }" >"entry_$target.c"
  clang $flags -fsanitize=fuzzer,address,undefined "entry_$target.c" ./*.o -ljansson -lm -lpthread -ldl -o "fuzz_$target" 2>link.log ||
    { cat link.log >&2; exit 1; }
  rm -f "entry_$target.o"
  mkdir -p "corpus_$target"
  cp "$src/tests/fuzz/corpus/$target"/* "corpus_$target/" 2>/dev/null
  UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 "./fuzz_$target" -max_total_time="$seconds" -timeout=20 \
    -rss_limit_mb=4096 -artifact_prefix="$out/finding_${target}_" -print_final_stats=1 "corpus_$target" >"$target.log" 2>&1 ||
    { status=1; tail -40 "$target.log" >&2; }
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$target.log")
  echo "fuzz: $target: ${executions:-0} executions in $seconds s, $(find "$out" -name "finding_${target}_*" | wc -l) findings"
done
echo "fuzz: corpora and findings are in $out"
exit $status
