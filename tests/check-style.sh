#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# What needs no taste: each source has its SPDX line at the top, no tab and no blank at a line's end. Makefiles have tabs.
# `make format` does the rest.
cd "$MM3_SRC" || exit 1

# faults FILE...: one line each.
faults () {
  LC_ALL=C.UTF-8 awk '
    FNR == 1 { if (previous != "" && !licensed) print previous ": no SPDX line"; previous = FILENAME; licensed = 0; files++ }
    FNR <= 3 && /SPDX-License-Identifier: MIT OR Apache-2.0/ { licensed = 1 }
    FILENAME !~ /Makefile/ && /\t/ { print FILENAME ":" FNR ": a tab" }
    /[ \t\r]$/ { print FILENAME ":" FNR ": a blank at the end" }
    END { if (!licensed) print previous ": no SPDX line"; print files " files" }' "$@"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
printf 'int x;\t\nint y; \n' >"$work/planted.c"
[ "$(faults "$work/planted.c" | wc -l)" -eq 5 ] || { echo "check-style: the check itself is broken" >&2; exit 1; }

found=$(faults $(find core include modules tools samples tests bench -type f \( -name '*.[ch]' -o -name '*.cc' \
  -o -name '*.sh' -o -name Makefile.am \) ! -path '*/golden/*' 2>/dev/null) bootstrap configure.ac Makefile.am)
echo "$found" | tail -n 1
found=$(echo "$found" | sed '$d')
[ -z "$found" ] || { echo "$found" >&2; exit 1; }
