/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_LANES_H
#define PGB_BENCH_LANES_H

#include "core/simd.h"

/* Small loops compiled once per instruction set. room is 64-byte aligned and holds finite floats at first,
 * small enough that no sum overflows. */
enum { LANE_ROOM = 1 << 16 }; /* bytes of room for lane_work */

typedef struct lane_work {
  const char *name, *unit;
  double units; /* of one run */
  void (*run)(void *room);
} lane_work;

/* The machine's limits: one pass over `bytes` in all, a multiple of 3 KiB. */
typedef void stream_run(void *room, size_t bytes);

typedef struct stream_work {
  const char *name; /* read: sum of all; write: one value; triad: a = b + x c over three equal parts */
  stream_run *run;
} stream_work;

#endif
