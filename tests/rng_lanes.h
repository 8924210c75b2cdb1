/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_RNG_LANES_H
#define PGB_TESTS_RNG_LANES_H

#include "core/dispatch.h"

#include <stddef.h>
#include <stdint.h>

/* The lane copies of the random numbers, one per instruction set, as the product's kernels inline them. */
typedef void rng_philox_fn(uint64_t seed, uint32_t tag, const uint32_t *replicate, const uint32_t *number,
                           const uint32_t *block, uint32_t *out);
/* z0[i], z1[i] of the words w0[i], w1[i]. */
typedef void rng_normal_fn(size_t n, const uint32_t *w0, const uint32_t *w1, float *z0, float *z1);

PGB_DECLARE_KERNEL(rng_philox_fn, rng_philox, );
PGB_DECLARE_KERNEL(rng_philox_fn, rng_philox_plain, );
PGB_DECLARE_KERNEL(rng_normal_fn, rng_normal, );

#endif
