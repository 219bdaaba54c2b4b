#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Makes the pages of section 1 anew, with the mm3 that is found first: PATH=build/tools:$PATH doc/man/make.sh
set -eu
cd "$(dirname "$0")"
mm3 help --man >mm3.1
for name in $(mm3 help --json | grep -o '"name": "[a-z]*"' | cut -d'"' -f4); do mm3 help --man "$name" >"mm3-$name.1"; done
