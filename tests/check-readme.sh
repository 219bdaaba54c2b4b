#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# What README shows is so. A line "NAME:" before a ```c block makes it the file NAME; in a ```console block each line
# with `$ ` is run, and the lines after it are what it prints, on stdout and stderr.
status=0
say () { echo "check-readme: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
PKG_CONFIG_PATH=$MM3_BUILD
export PKG_CONFIG_PATH LC_ALL=C.UTF-8
unset NO_COLOR CLICOLOR_FORCE

# The document as steps: "file NAME", "run COMMAND", and their lines with one | in front.
steps () {
  awk '
    !block && /^```c$/ { block = "c"; print "file " name; next }
    !block && /^```console$/ { block = "console"; next }
    block && /^```$/ { block = ""; next }
    block == "console" && /^\$ / { print "run " substr($0, 3); next }
    block { print "|" $0; next }
    { name = $0; sub(/:$/, "", name) }' "$1"
}

# finish: what the step before this one showed is compared with what it did.
finish () {
  case $step in
    file) cp wanted "$what" ;;
    run)
      sh -c "$what" >got 2>&1 </dev/null
      runs=$((runs + 1))
      cmp -s wanted got || { say "'$what' printed this, not what $document shows:"; cat got >&2; } ;;
  esac
  : >wanted
}

check () {
  document=$1 step='' what='' runs=0
  mkdir -p "$work/folder"
  cd "$work/folder" || exit 1
  : >wanted
  while IFS= read -r line
  do
    case $line in
      '|'*) printf '%s\n' "${line#|}" >>wanted ;;
      *) finish; step=${line%% *} what=${line#* } ;;
    esac
  done <"$work/steps"
  finish
  cd "$work" && rm -rf folder
}

# The check notices what is not so.
printf 'x.c:\n```c\nint x;\n```\n```console\n$ cat x.c\nint x;\n$ echo one\ntwo\n```\n' >"$work/planted"
steps "$work/planted" >"$work/steps"
planted=$(check planted 2>&1)
[ "$planted" = "check-readme: 'echo one' printed this, not what planted shows:
one" ] || { echo "check-readme: the check itself is broken: $planted" >&2; exit 1; }

# left_out DOCUMENT: blocks and commands that `steps` would pass over.
left_out () {
  grep -nE '^ *(```|~~~)' "$1" | grep -vE '^[0-9]+:```(c|console)?$'
  awk '/^```/ { if (!inside && $0 == "```") print FNR ": a block without a word"; inside = !inside; next }
    !inside && /^ *\$ / { print FNR ": a command outside of a block" }' "$1"
}
printf '```\nx\n```\n```sh\nls\n```\n  $ ls\n' >"$work/planted"
[ "$(left_out "$work/planted" | wc -l)" -eq 3 ] || { echo "check-readme: the check itself is broken" >&2; exit 1; }
left=$(left_out "$MM3_SRC/README")
[ -z "$left" ] || say "README has what is not run: $left"

# Each `make TARGET` of the documents is a target.
for target in $(cat "$MM3_SRC/README" "$MM3_SRC/CONTRIBUTING.md" | grep -o '`make [a-z -]*`' | tr -d '`' | sed 's/^make//')
do grep -q "^$target:" "$MM3_BUILD/Makefile" || say "there is no make $target"
done

steps "$MM3_SRC/README" >"$work/steps"
check README
[ "$runs" -ge 10 ] && [ "$runs" -eq "$(grep -c '^\$ ' "$MM3_SRC/README")" ] || say "only $runs commands were found"
echo "check-readme: $runs commands"
exit $status
