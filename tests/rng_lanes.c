/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set. */
#include "rng_lanes.h"

#include "core/philox_lanes.h"
#include "core/vmath.h"

void PGB_KERNEL(rng_philox)(uint64_t seed, uint32_t tag, const uint32_t *replicate, const uint32_t *number,
                            const uint32_t *block, uint32_t *out) {
  pgb_philox_lanes(seed, tag, replicate, number, block, out);
}

void PGB_KERNEL(rng_philox_plain)(uint64_t seed, uint32_t tag, const uint32_t *replicate,
                                  const uint32_t *number, const uint32_t *block, uint32_t *out) {
  pgb_philox_lanes_plain(seed, tag, replicate, number, block, out);
}

void PGB_KERNEL(rng_normal)(size_t n, const uint32_t *w0, const uint32_t *w1, float *z0, float *z1) {
  PGB_LANE_LOOP
  for (size_t i = 0; i < n; i++)
    pgb_normal_pair(w0[i], w1[i], &z0[i], &z1[i]);
}
