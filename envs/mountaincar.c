/* SPDX-License-Identifier: MIT */
/* Car in a valley, too weak for the hill at once, as Gymnasium's MountainCarContinuous-v0 defines it
 * (Gymnasium 1.4.0, envs/classic_control/continuous_mountain_car.py): the action is clipped to +-1 for the
 * force, but costs 0.1 a^2 as it was given; 100 for the step that reaches the goal at 0.45; the wall on the
 * left takes all speed; 999 steps at the most, which is a truncation. State rows: position, velocity. */
#include "core/vmath.h"
#include "env/env.h"

#include <stddef.h>

typedef struct mountaincar {
  double goal_velocity;
  int64_t horizon;
} mountaincar;

static const pgb_option options[] = {
    {"goal_velocity", "1/step", PGB_TYPE_REAL, offsetof(mountaincar, goal_velocity), 0, 0.07, "0", NULL,
     "velocity that the car must have at the goal, as gym.make takes it"},
    {"horizon", "step", PGB_TYPE_INT, offsetof(mountaincar, horizon), 1, 100000, "999", NULL,
     "time limit; MountainCarContinuous-v0 has 999"},
};

static const pgb_field fields[] = {{"position", "1", -1.2, 0.6}, {"velocity", "1/step", -0.07, 0.07}};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  (void)arena;
  *space = (pgb_space){.n_state = 2,
                       .n_obs = 2,
                       .n_act = 1,
                       .horizon = (size_t)((const mountaincar *)params)->horizon,
                       .reset_words = 1};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  (void)params;
  const uint32_t *words = batch->words;
  float *state = batch->state, *obs = batch->obs;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float x = 0.2f * pgb_uniform(words[i]) - 0.6f;
    state[i] = x;
    state[PGB_LANES + i] = 0.0f;
    obs[i] = x;
    obs[PGB_LANES + i] = 0.0f;
  }
}

static void step(const void *params, pgb_batch *batch) {
  const float power = 0.0015f, slope = 0.0025f, max_speed = 0.07f, left = -1.2f, right = 0.6f, goal = 0.45f;
  const float goal_velocity = (float)((const mountaincar *)params)->goal_velocity;
  const float *act = batch->act;
  float *position = batch->state, *velocity = position + PGB_LANES;
  float *obs = batch->obs, *reward = batch->reward;
  uint8_t *end = batch->end;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float a = act[i];
    const float force = pgb_clip(a, -1.0f, 1.0f);
    float sine;
    float cosine;
    pgb_sincos(3.0f * position[i], &sine, &cosine);
    const float v = pgb_clip(velocity[i] + (force * power - slope * cosine), -max_speed, max_speed);
    const float x2 = pgb_clip(position[i] + v, left, right);
    const float v2 = x2 > left ? v : pgb_clip(v, 0.0f, max_speed);
    position[i] = x2;
    velocity[i] = v2;
    obs[i] = x2;
    obs[PGB_LANES + i] = v2;
    const float reached = v2 >= goal_velocity ? x2 : left; /* too slow is as good as not there */
    const float prize = reached >= goal ? 100.0f : 0.0f;
    reward[i] = prize - 0.1f * (a * a);
    end[i] = prize > 0.0f ? PGB_TERMINAL : PGB_LIVE;
  }
}

const pgb_env_class PGB_KERNEL(pgb_env_mountaincar) = {
    .name = "mountaincar",
    .title = "car in a valley, Gymnasium's MountainCarContinuous-v0; action: force, clipped to +-1",
    .source = "Moore 1990, Efficient memory-based learning for robot control (PhD thesis, Cambridge); "
              "Gymnasium@1.4.0 MountainCarContinuous-v0",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(mountaincar),
    .obs_fields = fields,
    .n_obs_fields = sizeof fields / sizeof *fields,
    .limit_truncates = true,
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
