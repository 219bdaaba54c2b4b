#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# make.sh FOLDER: the golden files, made by the mm3 that PATH and MM3_MODULE_PATH lead to, from FOLDER's *.schema and
# *.json. Run once for each version of the format, before its release; see README. With a second folder, writes there.
set -e
cd "$(dirname "$0")/${1:?which folder?}"
to=${2:-.}
for schema in *.schema
do
  name=${schema%.schema}
  rm -f "$to/$name.mm3" "$to/$name.mm3.gz"
  mm3 create "$to/$name.mm3" "$schema"
  mm3 import "$to/$name.mm3" <"$name.json"
  [ $# -gt 1 ] || gzip -9n "$to/$name.mm3"
done
