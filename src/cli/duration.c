/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DAYS = 36500 };

pgb_status pgb_duration_read(const char *flag, const char *text, double *seconds) {
  static const struct {
    const char *suffix;
    double seconds;
  } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  char *end = NULL;
  /* strtod takes signs, inf and hexadecimal numbers too, which no duration is written in. */
  const size_t digits = strspn(text, "0123456789.");
  const double value = digits > 0 ? strtod(text, &end) : 0;
  for (size_t i = 0; digits > 0 && end == text + digits && i < sizeof units / sizeof *units; i++)
    if (strcmp(end, units[i].suffix) == 0) {
      *seconds = value * units[i].seconds;
      if (*seconds > 0 && *seconds <= MOST_DAYS * 86400.0)
        return pgb_ok();
      return pgb_fail(PGB_USAGE, "--%s %.40s: is out of range; give a time above 0 and below a century", flag,
                      text);
    }
  return pgb_fail(PGB_USAGE, "--%s %.40s: is no time; write a number and s, m, h or d, as in 90, 60s, 5m, 2h",
                  flag, text);
}
