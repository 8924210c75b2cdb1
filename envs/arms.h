/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ENVS_ARMS_H
#define PGB_ENVS_ARMS_H

#include "core/vmath.h"
#include "env/env.h"

#include <stddef.h>
#include <string.h>

/* What bandit and chain share: K arms, r = mean[a] + noise[a] * N(0, 1) at each of `horizon` steps, of which
 * a bandit has one. The one observation is context 0. */
typedef struct pgb_arms {
  pgb_array mean, noise; /* [K]; noise a scalar or [K], as given                */
  int64_t horizon;
  size_t arms;
  bool noisy;                          /* any noise above 0 */
  const float *mean_lane, *noise_lane; /* [K] what step reads */
  const double *noise_sd;              /* [K] standard deviation of each arm, broadcast */
} pgb_arms;

/* Rows of the option table. */
#define ARMS_OPTIONS(means)                                                                                  \
  {"mean", "reward", PGB_TYPE_ARRAY, offsetof(pgb_arms, mean), -1e6,                                         \
   1e6,    means,    NULL,           "mean reward of each arm"},                                             \
  {                                                                                                          \
    "noise", "reward", PGB_TYPE_ARRAY, offsetof(pgb_arms, noise), 0, 1e6, "0", NULL,                         \
        "standard deviation of the reward, one number or one for each arm"                                   \
  }

/* With the horizon known. */
static inline pgb_status arms_prepare(pgb_arms *p, pgb_arena *arena, pgb_space *space) {
  const size_t arms = p->mean.size;
  if (p->mean.rank != 1 || arms < 2)
    return pgb_fail(PGB_USAGE, "mean: needs a list of at least 2 arms; write for instance mean: [1, 2]");
  if (p->noise.size != 1 && p->noise.size != arms)
    return pgb_fail(PGB_USAGE, "noise: has %zu values for %zu arms; give one number or one for each arm",
                    p->noise.size, arms);
  void *lanes = NULL;
  void *doubles = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 2 * arms, sizeof(float), &lanes));
  PGB_TRY(pgb_arena_alloc(arena, arms, sizeof(double), &doubles));
  float *mean = lanes;
  float *noise = mean + arms;
  double *sd = doubles;
  for (size_t k = 0; k < arms; k++) {
    sd[k] = p->noise.data[p->noise.size == 1 ? 0 : k];
    mean[k] = (float)p->mean.data[k];
    noise[k] = (float)sd[k];
    p->noisy = p->noisy || sd[k] > 0;
  }
  p->arms = arms;
  p->mean_lane = mean;
  p->noise_lane = noise;
  p->noise_sd = sd;
  *space = (pgb_space){.n_state = 1,
                       .n_obs = 1,
                       .n_act = 1,
                       .n_choices = arms,
                       .n_contexts = 1,
                       .horizon = (size_t)p->horizon,
                       .step_words = p->noisy ? 2 : 0};
  return pgb_ok();
}

static inline void arms_reset(const void *params, pgb_batch *batch) {
  (void)params;
  memset(batch->state, 0, PGB_LANES * sizeof(float));
  memset(batch->obs, 0, PGB_LANES * sizeof(float));
}

/* end: of all lanes. */
static inline void arms_step(const pgb_arms *p, pgb_batch *batch, int end) {
  const float *mean = p->mean_lane, *noise = p->noise_lane;
  const float *act = batch->act;
  float *reward = batch->reward;
  memset(batch->end, end, PGB_LANES);
  memset(batch->obs, 0, PGB_LANES * sizeof(float));
  if (!p->noisy) {
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      reward[i] = mean[(int32_t)act[i]];
    return;
  }
  const uint32_t *words = batch->words;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    float z;
    float unused;
    pgb_normal_pair(words[i], words[PGB_LANES + i], &z, &unused);
    const int32_t a = (int32_t)act[i];
    reward[i] = mean[a] + noise[a] * z;
  }
}

#endif
