/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* string(N): its rows lie in string_rows.h, because string_array's entries are strings too. text: text.c. */
#include "kind_tests.h"
#include "string_rows.h"
#include "text.h"

static const struct mm3_kind string_kind = {STRING_ROWS, .test_ops = mm3i_string_test_ops};

static const struct mm3_kind *const kinds[] = {&string_kind, &mm3i_text_kind};
MM3_MODULE(string, "1.0", kinds);
