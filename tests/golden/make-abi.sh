#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# make-abi.sh: the golden ABI of today's headers and library, abi-MAJOR.MINOR/MACHINE: the samples as modules, and what the
# library gives as abidw describes it. `make golden-abi` runs it, on purpose: after a change of the contract that is
# wanted and written into the ABI log of mm3/module.h. See README.
set -e
cd "$(dirname "$0")"
command -v abidw >/dev/null || { echo "make-abi: no abidw (Debian: abigail-tools)" >&2; exit 1; }
PKG_CONFIG_PATH=$MM3_BUILD
export PKG_CONFIG_PATH
to=abi-$(pkg-config --variable=module_abi mm3)/$(uname -m)
mkdir -p "$to"
for name in ring histogram bloom
do
  # shellcheck disable=SC2046
  cc -O2 -fPIC -shared -fvisibility=hidden -o "$to/mm3-$name.so" "$MM3_SRC/samples/modules/$name/mm3-$name.c" \
    $(pkg-config --cflags mm3) -L"$MM3_BUILD/core/.libs" -lmm3
  strip --strip-unneeded "$to/mm3-$name.so"
done
abidw --no-show-locs --no-comp-dir-path --drop-private-types --no-corpus-path --headers-dir "$MM3_SRC/include" \
  "$MM3_BUILD/core/.libs/libmm3.so" | sed "s|$MM3_SRC/||g" | gzip -9n >"$to/libmm3.abi.gz"
ls -l "$to"
