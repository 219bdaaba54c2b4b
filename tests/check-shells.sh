#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Completions in the shells themselves: fish by its own question, zsh and bash in a terminal. Wants fish, zsh and tmux.
set -eu
say () { echo "check-shells: $*" >&2; exit 1; }
for tool in fish zsh tmux; do command -v $tool >/dev/null || say "$tool is missing (Debian: $tool)"; done
work=$(mktemp -d)
shell=none
trap 'terminal kill-server 2>/dev/null || :; rm -rf "$work"' 0
PATH=$MM3_BUILD/tools:$PATH MM3_MODULE_PATH=$MM3_BUILD/modules/.libs
export PATH MM3_MODULE_PATH
cd "$work"
mm3 create t.mm3 -e 'struct point { x: f64 y: f64 } struct s { count: u64 depth: u8 home: point }'
mm3 create one.mm3 -e 'struct s { single: u8 }'
mkdir 'my files'
cp t.mm3 'my files/'

fish_offers () {
  got=$(HOME=$work fish -c "source $MM3_SRC/tools/completions/mm3.fish; complete -C '$1'" | cut -f 1 | sort | tr '\n' ' ')
  case " $got" in *" $2 "*) ;; *) return 1 ;; esac
}
in_fish () { fish_offers "$1" "$2" || say "fish completes '$1' with '$got', wanted $2"; }
! fish_offers 'mm3 migr' migrates || say "the check itself is broken: $got"
in_fish 'mm3 migr' migrate
in_fish 'mm3 get t.mm3 co' count
in_fish 'mm3 get t.mm3 home.' 'home.x home.y'
in_fish 'mm3 get --loc' --locked
in_fish 'mm3 get t.m' t.mm3
in_fish 'mm3 get ~/t.mm3 co' count
in_fish 'mm3 get my\\ files/t.mm3 co' count

terminal () { tmux -L "mm3$shell$$" -f /dev/null "$@"; }
# shows WORD: within ten seconds.
shows () {
  for i in $(seq 50); do terminal capture-pane -p | grep -qF -- "$1" && return; sleep 0.2; done
  return 1
}
# types WORDS RESULT: WORDS and the tab key make the line that ends with RESULT.
types () {
  terminal send-keys -l "$1"
  terminal send-keys Tab
  shows "$2" || { terminal capture-pane -p >&2; say "$shell does not complete '$1' to: $2"; }
  terminal send-keys C-u C-l
}
begin () {
  shell=$1
  terminal new-session -d -x 100 -y 40 "$2"
  terminal send-keys "$3" Enter
  shows 'ready>' || say "$shell does not begin"
}
both_shells () {
  types 'mm3 migr' 'mm3 migrate'
  types 'mm3 get t.mm3 co' 'mm3 get t.mm3 count'
  types 'mm3 get t.mm3 ho' 'mm3 get t.mm3 home'
  types 'mm3 set t.mm3 count 5 de' 'mm3 set t.mm3 count 5 depth'
  types 'mm3 get --loc' 'mm3 get --locked'
  types 'mm3 get t.m' 'mm3 get t.mm3'
  types 'mm3 get ~/t.mm3 co' 'mm3 get ~/t.mm3 count'
  types 'mm3 get $(touch oops) t.m' 't.mm3'
  [ ! -e oops ] || say "$shell runs what is typed before it is entered"
  types 'mm3 get one.mm3 ' 'mm3 get one.mm3 single'
  types 'mm3 get my\ files/t.mm3 co' 'mm3 get my\ files/t.mm3 count'
  types 'mm3 get "my files/t.mm3" co' 'mm3 get "my files/t.mm3" count'
  terminal kill-server
}
begin zsh "HOME=$work zsh -f" "fpath=($MM3_SRC/tools/completions \$fpath); autoload -U compinit; compinit -u -D; PROMPT='ready''> '"
both_shells
begin bash "HOME=$work bash --norc --noprofile" ". $MM3_SRC/tools/completions/mm3; PS1='ready''> '"
both_shells
echo "check-shells: fish, zsh and bash complete commands, options, fields and files"
