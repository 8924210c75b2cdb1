/* SPDX-License-Identifier: MIT */
#include "core/clock.h"

#include <time.h>

static double read(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0)
    return 0;
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double pgb_clock(void) {
  return read(CLOCK_MONOTONIC);
}

double pgb_cpu_clock(void) {
  return read(CLOCK_THREAD_CPUTIME_ID);
}
