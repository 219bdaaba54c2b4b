/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kind_tests.h: operations of these kinds that `mm3 modules check` kills at every store; each in its KIND_test.c. */
#ifndef MM3_KIND_TESTS_H
#define MM3_KIND_TESTS_H

#include <mm3/testing.h>

extern const struct mm3_test_op mm3i_atomic_test_ops[], mm3i_hashmap_test_ops[], mm3i_json_test_ops[],
  mm3i_ndarray_test_ops[], mm3i_string_array_test_ops[], mm3i_string_test_ops[];

#endif
