/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3.h: all of mm3, in reading order. Headers of kinds that need another library (mm3/json.h: jansson) and the module
 * contract (mm3/module.h) are included by those who use them. */
#ifndef MM3_H
#define MM3_H

#include <mm3/error.h>
#include <mm3/struct.h>
#include <mm3/file.h>
#include <mm3/atomic.h>
#include <mm3/string.h>
#include <mm3/string_array.h>
#include <mm3/vec.h>
#include <mm3/ndarray.h>
#include <mm3/text.h>
#include <mm3/segmented.h>
#include <mm3/hashmap.h>
#include <mm3/map.h>
#include <mm3/guard.h>
#include <mm3/field.h>

#endif
