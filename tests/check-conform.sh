#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The conformance kit: all own modules pass it, a module that is awkward in one place fails it, in words.
status=0 count=0
say () { echo "check-conform: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
bad=$MM3_BUILD/tests/bad/.libs

for module in "$MM3_BUILD"/modules/.libs/mm3-*.so
do
  [ -h "$module" ] && continue # a second name of a module
  mm3 modules check "$module" >"$work/out" 2>&1 || { cat "$work/out" >&2; say "${module##*/} does not pass"; }
  grep -q ' ok$' "$work/out" || say "${module##*/}: nothing was looked at"
  grep -q '[1-9][0-9]* bytes accounted for' "$work/out" || say "${module##*/}: nobody looked for holes"
  count=$((count + 1))
done
[ $count -gt 0 ] || say "no module was found"
echo "check-conform: $count own modules pass"

for right in odd_right odd_picky
do
  mm3 modules check "$bad/mm3-$right.so" >"$work/out" 2>&1 || { cat "$work/out" >&2; say "$right, a right module, does not pass"; }
done

# refused NAME WORDS...: findings, and these words among them.
refused () {
  mm3 modules check "$bad/mm3-$1.so" >"$work/out" 2>&1
  [ $? -eq 1 ] || say "$1 passes"
  grep -q "$2" "$work/out" || { cat "$work/out" >&2; say "$1: no sentence says '$2'"; }
  caught=$((caught + 1))
}
caught=0
refused odd_layout 'layout as a field is not stable: size'
refused odd_align 'takes none of the arguments that were tried .*align'
refused odd_init 'an empty value does not pass its check'
refused odd_trusts 'using it with \|ied using it\|exit .* using it'
refused odd_blind 'check takes the value, visit fails'
refused odd_writes 'something wrote 1 bytes before the value'
refused odd_dry 'a dry put of .* changed the bytes'
refused odd_half 'after a put that was refused the value is'
refused odd_silent 'put failed (MM3_E_VALUE) without a sentence'
refused odd_loses 'put back as visit gave it, the value is'
refused odd_beyond 'MM3_E_ABSENT is wanted'
refused odd_torn "operation 'push' leaves .* states that must not be: .* it shows .1, 2, 0."
refused odd_describes 'using it with \|ied using it\|did not end using it'
refused odd_key 'equal does not know "" again'
refused odd_key 'the same value "" has two hashes'
refused odd_hole 'odd_hole(3): a hole at byte 11, of 5 bytes'
refused odd_dirty 'put twice into zeroed bytes differs at byte .*: it was not initialised'
refused odd_wraps 'layout takes 2^61 as argument 1, with size 8; for 3 it has 32: it wraps'
refused odd_overlap 'items 0 and 1 lie in the same bytes'
refused odd_overlap 'item 1 lies at an address that u16 cannot have'
refused odd_words "its signature is 'some numbers'"
refused odd_words "the module's version is 'new'"
refused odd_words "the module calls itself 'Odd'"
echo "check-conform: $caught planted faults caught"

# What the loader refuses, the kit does not get to see.
mm3 modules check "$bad/mm3-bad_magic.so" 2>"$work/out"
[ $? -eq 5 ] && grep -q 'is not an mm3 module' "$work/out" || say "bad_magic: $(cat "$work/out")"
mm3 modules check "$work/none.so" 2>"$work/out"
[ $? -eq 5 ] && grep -q 'none.so does not load' "$work/out" || say "no such file: $(cat "$work/out")"
exit $status
