#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Modules in static programs: core, own modules and a user's module in one executable that loads nothing, with and without
# a dynamic linker; and a shared module, which would bring a second core along, is refused in words.
status=0 built=0
say () { echo "check-static: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
ring=$MM3_SRC/samples/modules/ring
libs="$MM3_BUILD/modules/.libs/libmm3modules.a $MM3_BUILD/core/.libs/libmm3core.a"
cat >"$work/static.c" <<'END'
#include "ring.h"
#include <mm3/atomic.h>
#include <mm3/field.h>
#include <mm3/file.h>
#include <mm3/module.h>
#include <mm3/vec.h>
#include <stdio.h>
extern const struct mm3_module mm3_module_atomic, mm3_module_vec, mm3_module_ring;
#define DATA(FIELD) FIELD(a, atomic(u64)) FIELD(v, vec(u32, 4)) FIELD(r, ring(u64, 8))
MM3_STRUCT(data, DATA);
static int fail(const char *what, const struct mm3_error *error) { return printf("%s: %s\n", what, error->text), 1; }
int main(int argc, char **argv) {
  struct mm3_error error = {0};
  const struct mm3_module *const all[] = {&mm3_module_atomic, &mm3_module_vec, &mm3_module_ring, &mm3_module_ring};
  for (unsigned i = 0; i < 4; i++)
    if (mm3_module_register(all[i], &error)) return fail("register", &error);
  struct mm3_file *file = mm3_open_or_create("static.mm3", MM3_TYPE(data), NULL, &error);
  if (!file) return fail("open", &error);
  struct data *d = mm3_root(file, data);
  uint64_t event = mm3_atomic_fetch_add(&d->a, 1);
  if (mm3_vec_insert(file, &d->v, 0, (uint32_t)event)) return puts("insert fails"), 1; /* by the module's ops */
  ring_push(&d->r, &event);
  if (mm3_check(file, NULL, NULL) || mm3_close(file)) return puts("check fails"), 1;
  if (argc > 1 && mm3_module_load(argv[1], NULL, &error) == 0) return puts("it loads a second core"), 1;
  printf("%d events%s%s\n", (int)event + 1, argc > 1 ? "; " : "", argc > 1 ? error.text : "");
  return 0;
}
END
cd "$work" || exit 1
flags="-std=gnu11 -O1 -pthread -D_GNU_SOURCE -I$MM3_SRC/include -I$ring -Wall -Wextra"
# shellcheck disable=SC2086
${CC:-cc} $flags -DMM3_STATIC_MODULES -c "$ring/mm3-ring.c" -o ring.o && ${CC:-cc} $flags -c static.c -o static.o || exit 1

# shellcheck disable=SC2086
${CC:-cc} -pthread -o half static.o ring.o $libs $JANSSON_LIBS -ljansson -ldl || say "core and modules do not link statically"
export MM3_MODULE_PATH=/nowhere
said=$(./half "$MM3_BUILD/modules/.libs/mm3-string_array.so")
case $said in
  "1 events; "*"mm3-string_array.so is linked to another copy of libmm3 than this program"*) built=$((built + 1)) ;;
  *) say "half static: $said" ;;
esac

# shellcheck disable=SC2086
if ${CC:-cc} -static -pthread -o full static.o ring.o $libs -ljansson 2>log
then
  said=$(./full)
  [ "$said" = '2 events' ] && built=$((built + 1)) || say "static: $said"
else
  grep -q 'cannot find -l' log || { cat log >&2; say "it does not link statically"; }
fi
MM3_MODULE_PATH=$MM3_BUILD/modules/.libs
events=$(./half | cut -d' ' -f1)
found=$(mm3 get static.mm3 a 2>/dev/null) # it has a note about the ring
[ "$found" = "$events" ] || say "the command reads '$found' where a static program wrote $events"
echo "check-static: $built programs"
exit $status
