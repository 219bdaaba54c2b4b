/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Nothing is wrong with it: the kit must say so. */
#include "odd.h"

ODD_MODULE(odd_right, .at = NULL);
