/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_TWIN_H
#define PGB_BENCH_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The peers that every speed is compared with: GPOMDP as one would write it in plain C, one episode at a
 * time, with the mathematical library; nothing of the product but its random words. The same episodes as the
 * product's, so the same figures but for rounding. */
enum { TWIN_MAX = 4610 }; /* parameters of the largest: 4-64-64-2 */

typedef struct twin_problem {
  const float *theta; /* [n_theta] */
  size_t n_theta;
  float gamma;
  int horizon;
  uint64_t seed;
  uint32_t stream;
  uint64_t batch; /* episodes in one gradient estimate */
} twin_problem;

typedef struct twin_moments {
  double replicates, steps;
  double mean[TWIN_MAX], m2[TWIN_MAX]; /* of the batch estimates: mean, sum of squares about it */
} twin_moments;

/* One episode's gradient g [n_theta], zero at entry; its number of steps. */
typedef int twin_episode(const twin_problem *problem, uint32_t replicate, uint32_t number, float *g);

twin_episode twin_cartpole_linear;   /* W[2][4] row by row, b[2]                                        */
twin_episode twin_cartpole_mlp;      /* 4-64-64-2 tanh: W1, b1, W2, b2, W3, b3                          */
twin_episode twin_pendulum_gaussian; /* W[3], sigma 1; with a fourth parameter log sigma, which is learnt */

/* Adds replicates [first, end) to the moments, zeroed by the caller. */
void twin_measure(const twin_problem *problem, twin_episode *episode, uint64_t first, uint64_t end,
                  twin_moments *out);

/* CartPole-v1 with actions of a linear congruential generator and no policy at all, episode after episode:
 * what any plain C implementation of the environment does. Sum of the episodes' lengths, so that nothing is
 * left out. */
uint64_t twin_cartpole_random(uint64_t steps, uint64_t seed);

/* One Euler step of CartPole-v1 (Gymnasium 1.4.0); whether it is over. */
bool twin_cartpole_step(float state[4], int action);

#endif
