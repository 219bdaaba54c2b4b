#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Completions in the shells themselves: fish by its own question, zsh in a terminal. Wants fish, zsh and tmux.
set -eu
say () { echo "check-shells: $*" >&2; exit 1; }
for tool in fish zsh tmux; do command -v $tool >/dev/null || say "$tool is missing (Debian: $tool)"; done
work=$(mktemp -d)
trap 'tmux -L "mm3$$" kill-server 2>/dev/null || :; rm -rf "$work"' 0
PATH=$MM3_BUILD/tools:$PATH MM3_MODULE_PATH=$MM3_BUILD/modules/.libs
export PATH MM3_MODULE_PATH
cd "$work"
mm3 create t.mm3 -e 'struct point { x: f64 y: f64 } struct s { count: u64 depth: u8 home: point }'

in_fish () {
  got=$(HOME=$work fish -c "source $MM3_SRC/tools/completions/mm3.fish; complete -C '$1'" | cut -f 1 | sort | tr '\n' ' ')
  case " $got" in *" $2 "*) ;; *) say "fish completes '$1' with '$got', wanted $2" ;; esac
}
in_fish 'mm3 migr' migrate
in_fish 'mm3 get t.mm3 co' count
in_fish 'mm3 get t.mm3 home.' 'home.x home.y'
in_fish 'mm3 get --loc' --locked
in_fish 'mm3 get t.m' t.mm3

terminal () { tmux -L "mm3$$" -f /dev/null "$@"; }
# shows WORD: within ten seconds.
shows () {
  for i in $(seq 50); do terminal capture-pane -p | grep -qF -- "$1" && return; sleep 0.2; done
  terminal capture-pane -p >&2
  say "zsh does not complete to: $1"
}
terminal new-session -d -x 100 -y 40 "HOME=$work zsh -f"
terminal send-keys "fpath=($MM3_SRC/tools/completions \$fpath); autoload -U compinit; compinit -u -D; PROMPT='ready> '" Enter
shows 'ready> '
in_zsh () {
  terminal send-keys -l "$1"
  terminal send-keys Tab
  shows "$2"
  terminal send-keys C-u
}
in_zsh 'mm3 migr' 'mm3 migrate'
in_zsh 'mm3 get t.mm3 co' 'mm3 get t.mm3 count'
in_zsh 'mm3 get t.mm3 ho' 'mm3 get t.mm3 home'
in_zsh 'mm3 get --loc' 'mm3 get --locked'
in_zsh 'mm3 get t.m' 'mm3 get t.mm3'
echo "check-shells: fish and zsh complete commands, options, fields and files"
