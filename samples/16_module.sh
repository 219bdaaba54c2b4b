#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds the module of modules/ring into the folder where it is run, and runs the program with it. $1 is the program.
program=${1:-./16_module}
[ $# -eq 0 ] || shift
ring=${MM3_SRC:-$(dirname "$0")/..}/samples/modules/ring
[ -z "$MM3_BUILD" ] || PKG_CONFIG_PATH=$MM3_BUILD:$PKG_CONFIG_PATH
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
[ -f mm3-ring.so ] || ${CC:-cc} -O2 -fPIC -shared -fvisibility=hidden -o mm3-ring.so "$ring/mm3-ring.c" \
  $(pkg-config --cflags --libs mm3) || exit 1
MM3_MODULE_PATH=$PWD:$MM3_MODULE_PATH
export MM3_MODULE_PATH
exec "$program" "$@"
