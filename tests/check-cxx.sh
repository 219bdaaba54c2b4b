#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# mm3.hpp compiled without a warning as C++17 and C++20 by each compiler that is there, and run.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
built=0
for compiler in g++ clang++
do
  command -v "$compiler" >/dev/null || continue
  for standard in c++17 c++20
  do
    "$compiler" -std=$standard -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-missing-field-initializers -Werror -O1 \
      -I"$MM3_SRC/include" "$MM3_SRC/tests/cxx.cpp" -o "$work/cxx" "$MM3_BUILD/core/.libs/libmm3.so" || exit 1
    rm -f "$work/game.mm3" "$work/store.mm3"
    LD_LIBRARY_PATH=$MM3_BUILD/core/.libs "$work/cxx" "$work/game.mm3" "$work/store.mm3" || exit 1
    built=$((built + 1))
  done
done
# the sample
compiler=$(command -v g++ || command -v clang++)
"$compiler" -std=c++17 -Wall -Wextra -Wpedantic -I"$MM3_SRC/include" "$MM3_SRC/samples/14_game.cpp" -o "$work/game" \
  "$MM3_BUILD/core/.libs/libmm3.so" || exit 1
for wanted in 'Player1: level 1, score 12345, best 12345' 'Player1: level 2, score 24690, best 12345 24690'
do
  shown=$(LD_LIBRARY_PATH=$MM3_BUILD/core/.libs "$work/game" "$work/state.mm3")
  [ "$shown" = "$wanted" ] || { echo "check-cxx: 14_game says: $shown" >&2; exit 1; }
done

# every struct of memmap3's README and of the design, as C and as C++
for tool in "gcc c11 c" "gcc c17 c" "clang c11 c" "g++ c++17 cc" "clang++ c++17 cc"
do
  # shellcheck disable=SC2086
  set -- $tool
  command -v "$1" >/dev/null || continue
  printf '#include "structs.h"\nint main(void);\nint main(void) { return MM3_TYPE(everything)->nfields == 0; }\n' >"$work/structs.$3"
  # shellcheck disable=SC2086
  "$1" -std="$2" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I"$MM3_SRC/include" -I"$MM3_SRC/tests" $JANSSON_CFLAGS \
    -fsyntax-only "$work/structs.$3" || { echo "check-cxx: structs.h as $tool" >&2; exit 1; }
  built=$((built + 1))
done
echo "check-cxx: $built programs"
[ $built -gt 0 ]
