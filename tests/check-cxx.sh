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

# what a reader may not write, and what is of another type, does not compile; what stands first does
cat >"$work/head.hpp" <<'END'
#include <mm3.hpp>
#define POINT(FIELD) FIELD(x, i32)
MM3_STRUCT(point, POINT);
#define THINGS(FIELD) \
  FIELD(s, string(8)) FIELD(v, vec(u64, 3)) FIELD(p, vec(point, 3)) FIELD(m, hashmap(text, u64)) FIELD(h, hashmap(u8, point))
MM3_STRUCT(things, THINGS);
using namespace mm3::operators;
END
number=0
while read -r line
do
  number=$((number + 1))
  printf '#include "head.hpp"\nvoid f(mm3::file<things> &file, mm3::file<const things> &reader);\nvoid f(mm3::file<things> &file, mm3::file<const things> &reader) {\n  (void)file, (void)reader;\n  %s\n}\n' "$line" >"$work/f.cc"
  refused=0
  "$compiler" -std=c++17 -I"$MM3_SRC/include" -fsyntax-only "$work/f.cc" 2>"$work/err" || refused=1
  [ $refused -eq $((number > 1)) ] || { echo "check-cxx: line $number, refused: $refused: $line" >&2; cat "$work/err" >&2; exit 1; }
done <<'END'
file->s << "x"; file->v << 5u; file->p << point{5}; file.in(file->m) << std::pair("k", 5); file.in(file->m)["k"] << 5; file.in(file->h)[1] << point{2}; (void)mm3::str(reader->s);
reader->s << "x";
reader->v << 5u;
file->s << 5;
file->v << "text";
file->p << 5;
file.in(file->m) << 5;
file.in(file->m) << std::pair("k", "text");
file.in(file->m) << std::pair(5, 5);
file.in(file->m)["k"] << point{5};
file.in(file->h)[1] << things{};
file.in(file->v)[0] << 5;
file->m << std::pair("k", 5);
auto copy = file;
END
refusals=$((number - 1))

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
echo "check-cxx: $built programs, $refusals refusals"
[ $built -gt 0 ]
