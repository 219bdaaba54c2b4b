/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A signature that is none, and a version that is none. */
#include "odd.h"

static const struct mm3_kind odd_words = {
    .size = sizeof(struct mm3_kind), .layout_version = 1, .name = "odd_words", .signature = "some numbers",
    .layout = odd_layout, .check = odd_check, .visit = odd_visit, .count = odd_count, .put = odd_put};
static const struct mm3_kind *const kinds[] = {&odd_words};
MM3_MODULE(Odd, "new", kinds);
