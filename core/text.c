/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Formatting for kinds that hold text; the core does not know which. */
#include "sys.h"

#include <errno.h>
#include <mm3/utf8.h>
#include <stdio.h>

int mm3_utf8_format(int (*take)(void *to, size_t capacity, const char *text, size_t count), void *to, size_t capacity,
                    const char *format, va_list arguments) {
  char small[1024], *text = small;
  int saved = errno, result;
  va_list again;
  va_copy(again, arguments);
  int count = vsnprintf(small, sizeof small, format, arguments);
  if (count < 0 || (size_t)count > capacity) {
    result = -MM3_E_VALUE;
  } else {
    size_t length = (size_t)count;
    if (length >= sizeof small) text = mm3i_sys.malloc(length + 1);
    if (!text) {
      result = -ENOMEM;
    } else if (length >= sizeof small && vsnprintf(text, length + 1, format, again) != count) {
      result = -MM3_E_VALUE; /* an argument changed between the two */
    } else {
      result = take(to, capacity, text, length);
    }
  }
  if (text != small) mm3i_sys.free(text);
  va_end(again);
  errno = saved;
  return result;
}
