/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Exports nothing of the kind. */
#include "bad.h"

MM3_API int bad_nothing(void);
int bad_nothing(void) { return 0; }
