/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_TWIN_H
#define PGB_BENCH_TWIN_H

#include <stdint.h>

/* The peer that every speed is compared with: CartPole with a linear softmax policy and GPOMDP as one would
 * write it in plain C, one episode at a time, with the mathematical library; nothing of the product but its
 * random words. The same episodes as the product's, so the same figures but for rounding. */
enum { TWIN_THETA = 10 }; /* W[2][4] row by row, then b[2] */

typedef struct twin_problem {
  const float *theta; /* [TWIN_THETA] */
  float gamma;
  int horizon;
  uint64_t seed;
  uint32_t stream;
  uint64_t batch; /* episodes in one gradient estimate */
} twin_problem;

typedef struct twin_moments {
  double replicates, steps;
  double mean[TWIN_THETA], m2[TWIN_THETA]; /* of the batch estimates: mean, sum of squares about it */
} twin_moments;

/* Adds replicates [first, end) to the moments, zeroed by the caller. */
void twin_measure(const twin_problem *problem, uint64_t first, uint64_t end, twin_moments *out);

#endif
