/* SPDX-License-Identifier: MIT */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a message that may be long before it is cut. */
enum { WHOLE = 8192, FIRST = 160 };

/* Cuts the middle out, so that the reason and what to do are left at the end. */
static void shorten(const char *whole, size_t length, char text[PGB_TEXT]) {
  static const char gap[] = " ... ";
  const size_t last = PGB_TEXT - 1 - FIRST - strlen(gap);
  memcpy(text, whole, FIRST);
  memcpy(text + FIRST, gap, strlen(gap));
  memcpy(text + FIRST + strlen(gap), whole + length - last, last + 1);
}

pgb_status pgb_fail(pgb_code code, const char *format, ...) {
  pgb_status s = {.code = code};
  char whole[WHOLE] = "";
  va_list args;
  va_start(args, format);
  (void)vsnprintf(whole, sizeof whole, format, args);
  va_end(args);
  const size_t length = strlen(whole);
  if (length < sizeof s.text)
    memcpy(s.text, whole, length + 1);
  else
    shorten(whole, length, s.text);
  for (char *at = s.text; *at != '\0'; at++) /* what a file or an option holds must not steer the terminal */
    if ((unsigned char)*at < ' ' || *at == 0x7F)
      *at = '?';
  return s;
}
