/* SPDX-License-Identifier: MIT */
/* A plugin to start from: a unit mass on a line, pushed by a force, that shall come to rest at the origin.
 * Semi-implicit Euler: v += dt (u + noise N(0,1)), x += dt v; reward -(x^2 + 0.1 v^2 + 0.01 u^2); over when
 * |x| passes the limit. */
#include "env/plugin.h"

#include <stddef.h>

typedef struct pointmass {
  int64_t horizon;
  double limit, noise;
} pointmass;

static const pgb_option options[] = {
    {"horizon", "step", PGB_TYPE_INT, offsetof(pointmass, horizon), 1, 10000, "50", NULL, "time limit"},
    {"limit", "m", PGB_TYPE_REAL, offsetof(pointmass, limit), 0.1, 100, "3", NULL, "where the line ends"},
    {"noise", "N", PGB_TYPE_REAL, offsetof(pointmass, noise), 0, 100, "0.1", NULL,
     "standard deviation of a random force"},
};

static const pgb_field fields[] = {{"position", "m", -100, 100}, {"velocity", "m/s", -1e3, 1e3}};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  const pointmass *p = params;
  (void)arena;
  *space = (pgb_space){.n_state = 2,
                       .n_obs = 2,
                       .n_act = 1,
                       .horizon = (size_t)p->horizon,
                       .reset_words = 2,
                       .step_words = p->noise > 0 ? 2 : 0};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  (void)params;
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < PGB_LANES; i++) {
      const float x = 2.0f * pgb_uniform(batch->words[k * PGB_LANES + i]) - 1.0f;
      batch->state[k * PGB_LANES + i] = x;
      batch->obs[k * PGB_LANES + i] = x;
    }
}

static void step(const void *params, pgb_batch *batch) {
  const pointmass *p = params;
  const float dt = 0.05f, limit = (float)p->limit, noise = (float)p->noise;
  const float *act = batch->act;
  const uint32_t *words = batch->words;
  float *position = batch->state, *velocity = position + PGB_LANES;
  float *obs = batch->obs, *reward = batch->reward;
  uint8_t *end = batch->end;
  float gust[PGB_LANES] = {0};
  if (noise > 0.0f) {
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      float z0;
      float z1;
      pgb_normal_pair(words[i], words[PGB_LANES + i], &z0, &z1);
      gust[i] = noise * z0;
    }
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float force = act[i];
    const float v = velocity[i] + dt * (force + gust[i]);
    const float x = position[i] + dt * v;
    velocity[i] = v;
    position[i] = x;
    obs[i] = x;
    obs[PGB_LANES + i] = v;
    reward[i] = -(x * x + 0.1f * v * v + 0.01f * force * force);
    const int32_t out = (x < -limit) | (x > limit);
    end[i] = out != 0 ? PGB_TERMINAL : PGB_LIVE;
  }
}

static const pgb_env_class env = {
    .name = "pointmass",
    .title = "mass on a line, to be brought to rest",
    .source = "pgbench's own example of a plugin",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pointmass),
    .obs_fields = fields,
    .n_obs_fields = sizeof fields / sizeof *fields,
    .limit_truncates = true,
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};

PGB_PLUGIN(&env);
