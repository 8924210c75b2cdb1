/* SPDX-License-Identifier: MIT */
#ifndef PGB_ENVS_ARMS_H
#define PGB_ENVS_ARMS_H

#include "core/vmath.h"
#include "env/env.h"

/* What bandit and chain share: K arms with a mean and a noise each. */
static inline pgb_status arms_prepare(const pgb_array *mean, const pgb_array *noise, pgb_arena *arena,
                                      const float **mean_lane, const float **noise_lane,
                                      const double **noise_sd, pgb_space *space) {
  const size_t arms = mean->size;
  if (mean->rank != 1 || arms < 2)
    return pgb_fail(PGB_USAGE, "mean: needs a list of at least 2 arms; write for instance mean: [1, 2]");
  if (noise->size != 1 && noise->size != arms)
    return pgb_fail(PGB_USAGE, "noise: has %zu values for %zu arms; give one number or one for each arm",
                    noise->size, arms);
  void *lanes = NULL;
  void *sd = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 2 * arms, sizeof(float), &lanes));
  PGB_TRY(pgb_arena_alloc(arena, arms, sizeof(double), &sd));
  float *m = lanes;
  float *s = m + arms;
  bool noisy = false;
  for (size_t k = 0; k < arms; k++) {
    const double x = noise->data[noise->size == 1 ? 0 : k];
    m[k] = (float)mean->data[k];
    s[k] = (float)x;
    ((double *)sd)[k] = x;
    noisy = noisy || x > 0;
  }
  *mean_lane = m;
  *noise_lane = s;
  *noise_sd = sd;
  *space = (pgb_space){.n_state = 1,
                       .n_obs = 1,
                       .n_act = 1,
                       .n_choices = arms,
                       .n_contexts = 1,
                       .horizon = 1,
                       .step_words = noisy ? 2 : 0};
  return pgb_ok();
}

static inline void arms_reset(pgb_batch *batch, size_t lane) {
  batch->state[lane] = 0.0f;
  batch->obs[lane] = 0.0f;
}

/* Rewards of all lanes; the caller decides what ends. */
static inline void arms_reward(const float *mean, const float *noise, bool noisy, pgb_batch *batch) {
  const float *act = batch->act;
  float *reward = batch->reward;
  if (!noisy) {
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
