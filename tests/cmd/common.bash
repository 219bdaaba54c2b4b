# SPDX-License-Identifier: MIT OR Apache-2.0
# common.bash: what the command's tests share. Each runs in a folder of its own.

setup () {
  cd "$BATS_TEST_TMPDIR" || return 1
  without_wrapper
  unset NO_COLOR CLICOLOR_FORCE
  cc_as_library
  counter='struct counter { value: atomic(u64) name: string(32) }'
}

# In the build folder mm3 is libtool's script, which costs ten times what most calls of mm3 itself do.
without_wrapper () {
  [ -x "$MM3_BUILD/tools/.libs/mm3" ] || return 0
  PATH=$MM3_BUILD/tools/.libs:$PATH
  export LD_LIBRARY_PATH=$MM3_BUILD/core/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# sanitized: prints the sanitizer that the library was built with, if any.
sanitized () {
  local library=$MM3_BUILD/core/.libs/libmm3.so
  ! grep -q __asan_init "$library" || echo address,undefined
  ! grep -q __tsan_init "$library" || echo thread
}

# Where the library was built with a sanitizer, so are the programs that link it. The wrapper is outside the test's folder,
# whose names tests look at.
cc_as_library () {
  local flags
  flags=$(sanitized)
  [ -n "$flags" ] || return 0
  mkdir -p "$BATS_FILE_TMPDIR/cc" || return 1
  printf '#!/bin/sh\nexec %s %s "$@"\n' "${CC:-cc}" "-fsanitize=$flags" >"$BATS_FILE_TMPDIR/cc/cc"
  chmod +x "$BATS_FILE_TMPDIR/cc/cc"
  PATH=$BATS_FILE_TMPDIR/cc:$PATH CC=cc
}

# own_memory KIB: what is started from here on may have so much memory of its own. A sanitizer's shadow is more than all of it:
# there the test goes on without the limit.
own_memory () { [ -n "$(sanitized)" ] || ulimit -d "$1"; }

# fails CODE WORDS... -- COMMAND...: the command exits with CODE, prints nothing on stdout, and its message has all words.
fails () {
  local code=$1 got=0 word words=()
  shift
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  "$@" >out.txt 2>err.txt </dev/null || got=$?
  [ "$got" -eq "$code" ] || { echo "exit $got, wanted $code: $*"; cat err.txt; return 1; }
  [ ! -s out.txt ] || { echo "printed on stdout: $(cat out.txt)"; return 1; }
  grep -q '^mm3: ' err.txt || { echo "no message: $(cat err.txt)"; return 1; }
  for word in "${words[@]}"
  do grep -qF -- "$word" err.txt || { echo "no '$word' in: $(cat err.txt)"; return 1; }
  done
}

# is TEXT COMMAND...: the command succeeds and prints exactly this.
is () {
  local wanted=$1 got
  shift
  got=$("$@" 2>err.txt) || { echo "failed: $*"; cat err.txt; return 1; }
  [ "$got" = "$wanted" ] || { printf 'wanted: %s\ngot:    %s\n' "$wanted" "$got"; return 1; }
}
