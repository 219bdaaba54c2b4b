/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_real.c: the shortest decimal text of a float. */
#include "json_out.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool reads_back(const char *text, double value, int bits) {
  return bits == 32 ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* Below a power of two the gap between floats is half the one above; there the nearest text of so many digits may miss
 * while its neighbour further from zero reads back. Raises the last digit; false where that carries too far. */
static bool raise_last_digit(char *text) {
  char *at = strpbrk(text, "eE");
  at = at ? at - 1 : text + strlen(text) - 1;
  for (; at >= text; at--) {
    if (*at < '0' || *at > '9') {
      if (*at == '-') return false;
      continue; /* the decimal point */
    }
    if (*at < '9') return ++*at, true;
    *at = '0';
  }
  return false;
}

static void find_digits(double value, int bits, char text[MM3J_NUMBER]) {
  double magnitude = fabs(value);
  int exponent;
  bool lopsided = frexp(magnitude, &exponent) == 0.5;
  bool subnormal = magnitude < (bits == 32 ? (double)FLT_MIN : DBL_MIN);
  /* Any text of DIG digits survives the way there and back, so a shorter one would show up with zeros at its end. */
  int first = subnormal || lopsided ? 1 : bits == 32 ? FLT_DIG : DBL_DIG;
  int last = bits == 32 ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
  for (int digits = first; digits < last; digits++) {
    snprintf(text, MM3J_NUMBER, "%.*g", digits, value);
    if (reads_back(text, value, bits)) return;
    if (!lopsided || strlen(text) < (size_t)digits) continue;
    if (raise_last_digit(text) && reads_back(text, value, bits)) return;
  }
  snprintf(text, MM3J_NUMBER, "%.*g", last, value);
}

/* "1,5e+07" of some locale to "1.5e7", "5" to "5.0". */
static size_t spell(const char *digits, char text[MM3J_NUMBER]) {
  size_t count = 0;
  bool marked = false;
  for (const char *at = digits; *at;) {
    if (*at == 'e' || *at == 'E') {
      marked = true;
      text[count++] = 'e';
      if (*++at == '+') at++;
      else if (*at == '-') text[count++] = *at++;
      while (*at == '0' && at[1]) at++;
    } else if ((*at >= '0' && *at <= '9') || *at == '-') {
      text[count++] = *at++;
    } else {
      marked = true;
      text[count++] = '.';
      while (*at && !(*at >= '0' && *at <= '9')) at++;
    }
  }
  if (!marked) text[count++] = '.', text[count++] = '0';
  text[count] = 0;
  return count;
}

size_t mm3j_real(double value, int bits, char text[MM3J_NUMBER]) {
  const char *name = isnan(value) ? "NaN" : isinf(value) ? value > 0 ? "Infinity" : "-Infinity" : NULL;
  if (name) return strlen(strcpy(text, name));
  char digits[MM3J_NUMBER];
  if (fabs(value) < 1e15 && value == (double)(int64_t)value && value != 0)
    snprintf(digits, sizeof digits, "%lld", (long long)value); /* often, and much faster */
  else
    find_digits(value, bits, digits);
  return spell(digits, text);
}
