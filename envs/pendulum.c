/* SPDX-License-Identifier: MIT */
/* Pendulum to be swung up, as Gymnasium's Pendulum-v1 defines it (Gymnasium 1.4.0,
 * envs/classic_control/pendulum.py): a rod of 1 m and 1 kg, steps of 0.05 s of semi-implicit Euler, torque
 * clipped to 2 N m, speed to 8 rad/s; 200 steps, and the limit is a truncation: nothing ends an episode
 * before. State rows: angle (rad, 0 is upright), speed (rad/s), sine of the angle, which the next step needs
 * again. Gymnasium lets the angle grow; here each step takes whole turns off, so the angle stays within pi
 * however long the episode. No observation and no reward tells the difference. */
#include "core/vmath.h"
#include "env/env.h"

#include <stddef.h>
#include <string.h>

typedef struct pendulum {
  double g;
  int64_t horizon;
} pendulum;

static const pgb_option options[] = {
    {"g", "m/s^2", PGB_TYPE_REAL, offsetof(pendulum, g), 0, 1000, "10", NULL,
     "acceleration of gravity, as gym.make(\"Pendulum-v1\", g=...) takes it"},
    {"horizon", "step", PGB_TYPE_INT, offsetof(pendulum, horizon), 1, 100000, "200", NULL,
     "time limit; Pendulum-v1 has 200"},
};

static const pgb_field fields[] = {{"cosine of the angle", "1", -1, 1},
                                   {"sine of the angle", "1", -1, 1},
                                   {"angular velocity", "rad/s", -8, 8}};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  (void)arena;
  *space = (pgb_space){.n_state = 3,
                       .n_obs = 3,
                       .n_act = 1,
                       .horizon = (size_t)((const pendulum *)params)->horizon,
                       .reset_words = 2};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  (void)params;
  const uint32_t *words = batch->words;
  float *state = batch->state, *obs = batch->obs;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float theta = 6.28318531f * (pgb_uniform(words[i]) - 0.5f);
    const float omega = 2.0f * pgb_uniform(words[PGB_LANES + i]) - 1.0f;
    float sine;
    float cosine;
    pgb_sincos_wrapped(theta, &sine, &cosine);
    state[i] = theta;
    state[PGB_LANES + i] = omega;
    state[2 * PGB_LANES + i] = sine;
    obs[i] = cosine;
    obs[PGB_LANES + i] = sine;
    obs[2 * PGB_LANES + i] = omega;
  }
}

static void step(const void *params, pgb_batch *batch) {
  const float tau = 0.05f, max_torque = 2.0f, max_speed = 8.0f;
  /* alpha = 3 g / (2 l) sin(theta) + 3 / (m l^2) u, times tau */
  const float by_gravity = (float)(1.5 * ((const pendulum *)params)->g * 0.05), by_torque = 3.0f * 0.05f;
  const float *act = batch->act;
  float *angle = batch->state, *speed = angle + PGB_LANES, *height = speed + PGB_LANES;
  float *obs = batch->obs, *reward = batch->reward;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float theta = angle[i], omega = speed[i];
    const float u = pgb_clip(act[i], -max_torque, max_torque);
    const float omega2 = pgb_clip(omega + (by_gravity * height[i] + by_torque * u), -max_speed, max_speed);
    angle[i] = pgb_wrap(theta + tau * omega2);
    speed[i] = omega2;
    obs[2 * PGB_LANES + i] = omega2;
    reward[i] = -(theta * theta + 0.1f * (omega * omega) + 0.001f * (u * u));
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    float sine;
    float cosine;
    pgb_sincos_wrapped(angle[i], &sine, &cosine);
    height[i] = sine;
    obs[i] = cosine;
    obs[PGB_LANES + i] = sine;
  }
  memset(batch->end, PGB_LIVE, PGB_LANES);
}

const pgb_env_class PGB_KERNEL(pgb_env_pendulum) = {
    .name = "pendulum",
    .title =
        "pendulum to be swung up and held, Gymnasium's Pendulum-v1; action: torque (N m), clipped to +-2",
    .source = "Gymnasium@1.4.0 Pendulum-v1, doi:10.48550/arXiv.2407.17032",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pendulum),
    .obs_fields = fields,
    .n_obs_fields = sizeof fields / sizeof *fields,
    .limit_truncates = true,
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
