/* SPDX-License-Identifier: MIT */
#include "envs/gaussian.h"

#include "core/vmath.h"
#include "env/env.h"

#include <stddef.h>
#include <string.h>

static const pgb_option options[] = {
    {"curvature", "reward", PGB_TYPE_REAL, offsetof(pgb_gaussian, curvature), 0, 1e6, "1", NULL,
     "h of the reward -(h/2)|a - c x|^2"},
    {"target", "1", PGB_TYPE_ARRAY, offsetof(pgb_gaussian, target), -1e6, 1e6, "0", NULL,
     "c, one number or one for each action dimension"},
    {"noise", "reward", PGB_TYPE_REAL, offsetof(pgb_gaussian, noise), 0, 1e6, "0", NULL,
     "standard deviation added to the reward"},
    {"dim", "1", PGB_TYPE_INT, offsetof(pgb_gaussian, dim), 1, 4096, "1", NULL, "action dimensions"},
    {"context", "1", PGB_TYPE_CHOICE, offsetof(pgb_gaussian, context), 0, 0, "none", "none|normal",
     "what x is: 1, or drawn from N(0, 1) at each episode"},
};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  pgb_gaussian *p = params;
  const size_t dim = (size_t)p->dim;
  if (p->target.rank > 1 || (p->target.size != 1 && p->target.size != dim))
    return pgb_fail(PGB_USAGE,
                    "target: has %zu values for %zu action dimensions; give one number or one for each",
                    p->target.size, dim);
  void *c = NULL;
  void *lanes = NULL;
  PGB_TRY(pgb_arena_alloc(arena, dim, sizeof(double), &c));
  PGB_TRY(pgb_arena_alloc(arena, dim, sizeof(float), &lanes));
  for (size_t i = 0; i < dim; i++) {
    ((double *)c)[i] = p->target.data[p->target.size == 1 ? 0 : i];
    ((float *)lanes)[i] = (float)((double *)c)[i];
  }
  p->c = c;
  p->c_lane = lanes;
  p->random_context = strcmp(p->context, "normal") == 0;
  *space = (pgb_space){.n_state = 1,
                       .n_obs = 1,
                       .n_act = dim,
                       .horizon = 1,
                       .reset_words = p->random_context ? 2 : 0,
                       .step_words = p->noise > 0 ? 2 : 0};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  const pgb_gaussian *p = params;
  const uint32_t *words = batch->words;
  float *x = batch->state;
  if (p->random_context) {
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      float unused;
      pgb_normal_pair(words[i], words[PGB_LANES + i], &x[i], &unused);
    }
  } else
    for (size_t i = 0; i < PGB_LANES; i++)
      x[i] = 1.0f;
  memcpy(batch->obs, x, PGB_LANES * sizeof *x);
}

static void step(const void *params, pgb_batch *batch) {
  const pgb_gaussian *p = params;
  const float *x = batch->state;
  float *reward = batch->reward;
  float square[PGB_LANES] = {0};
  for (size_t d = 0; d < (size_t)p->dim; d++) {
    const float *act = batch->act + d * PGB_LANES;
    const float c = p->c_lane[d];
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      const float miss = act[i] - c * x[i];
      square[i] += miss * miss;
    }
  }
  const float half = (float)(-0.5 * p->curvature);
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    reward[i] = half * square[i];
  if (p->noise > 0) {
    const float noise = (float)p->noise;
    const uint32_t *words = batch->words;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      float z;
      float unused;
      pgb_normal_pair(words[i], words[PGB_LANES + i], &z, &unused);
      reward[i] += noise * z;
    }
  }
  memcpy(batch->obs, x, PGB_LANES * sizeof *x);
  memset(batch->end, PGB_TERMINAL, PGB_LANES);
}

const pgb_env_class PGB_KERNEL(pgb_env_gaussian) = {
    .name = "gaussian",
    .title = "one-step Gaussian: quadratic reward of a linear mean, a = theta x + sigma eps",
    .source =
        "Mohamed et al. 2020, Monte Carlo gradient estimation in machine learning (JMLR 21:132), section 3",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_gaussian),
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
