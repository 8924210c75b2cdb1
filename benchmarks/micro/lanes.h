/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_LANES_H
#define PGB_BENCH_LANES_H

#include "core/simd.h"

/* Small loops compiled once per instruction set. */
enum { LANE_ROOM = 1 << 20 }; /* bytes */

typedef struct lane_work {
  const char *name, *unit;
  double units;            /* of one run */
  void (*run)(void *room); /* room[LANE_ROOM], 64-byte aligned, finite floats at first */
} lane_work;

#endif
