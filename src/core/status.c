/* SPDX-License-Identifier: MIT */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>

pgb_status pgb_fail(pgb_code code, const char *format, ...) {
  pgb_status s = {.code = code};
  va_list args;
  va_start(args, format);
  (void)vsnprintf(s.text, sizeof s.text, format, args);
  va_end(args);
  return s;
}
