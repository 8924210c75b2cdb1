/* SPDX-License-Identifier: MIT */
/* Pole on a cart, as Gymnasium's CartPole-v1 defines it (Gymnasium 1.4.0, envs/classic_control/cartpole.py):
 * Euler steps of 0.02 s, push of +-10 N, reward 1 for every step taken, the last one too; over when the cart
 * leaves 2.4 m or the pole 12 degrees; 500 steps at the most, which is a truncation. */
#include "core/vmath.h"
#include "env/env.h"

#include <stddef.h>

typedef struct cartpole {
  int64_t horizon;
} cartpole;

static const pgb_option options[] = {
    {"horizon", "step", PGB_TYPE_INT, offsetof(cartpole, horizon), 1, 100000, "500", NULL,
     "time limit; CartPole-v1 has 500"},
};

static const pgb_field fields[] = {{"cart position", "m", -4.8, 4.8},
                                   {"cart velocity", "m/s", -1e3, 1e3},
                                   {"pole angle", "rad", -0.42, 0.42},
                                   {"pole angular velocity", "rad/s", -1e3, 1e3}};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  (void)arena;
  *space = (pgb_space){.n_state = 4,
                       .n_obs = 4,
                       .n_act = 1,
                       .n_choices = 2,
                       .horizon = (size_t)((const cartpole *)params)->horizon,
                       .reset_words = 4};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  (void)params;
  const uint32_t *words = batch->words;
  float *state = batch->state, *obs = batch->obs;
  PGB_LANE_LOOP
  for (size_t at = 0; at < 4 * PGB_LANES; at++) {
    state[at] = 0.1f * pgb_uniform(words[at]) - 0.05f;
    obs[at] = state[at];
  }
}

static void step(const void *params, pgb_batch *batch) {
  (void)params;
  const float gravity = 9.8f, mass_pole = 0.1f, mass_total = 1.1f, half_length = 0.5f, tau = 0.02f,
              push = 10.0f;
  const float x_limit = 2.4f, angle_limit = 0.20943951f;
  const float moment = mass_pole * half_length / mass_total, inertia = half_length * 4.0f / 3.0f;
  const float *act = batch->act;
  float *position = batch->state, *velocity = position + PGB_LANES, *angle = velocity + PGB_LANES,
        *rate = angle + PGB_LANES;
  float *obs = batch->obs, *reward = batch->reward;
  uint8_t *end = batch->end;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float x = position[i], v = velocity[i], theta = angle[i], omega = rate[i];
    const float force = act[i] > 0.5f ? push / mass_total : -push / mass_total;
    float sine;
    float cosine;
    pgb_sincos_near(theta, &sine, &cosine); /* an angle beyond the limit has ended its episode */
    const float temp = force + moment * omega * omega * sine;
    /* The reciprocal does not wait for the action. */
    const float inverse = 1.0f / (inertia - moment * cosine * cosine);
    const float alpha = (gravity * sine - cosine * temp) * inverse;
    const float accel = temp - moment * cosine * alpha;
    const float x2 = x + tau * v, v2 = v + tau * accel, theta2 = theta + tau * omega,
                omega2 = omega + tau * alpha;
    position[i] = x2;
    velocity[i] = v2;
    angle[i] = theta2;
    rate[i] = omega2;
    obs[i] = x2;
    obs[PGB_LANES + i] = v2;
    obs[2 * PGB_LANES + i] = theta2;
    obs[3 * PGB_LANES + i] = omega2;
    reward[i] = 1.0f;
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const int32_t out = (fabsf(position[i]) > x_limit) | (fabsf(angle[i]) > angle_limit);
    end[i] = out != 0 ? PGB_TERMINAL : PGB_LIVE;
  }
}

const pgb_env_class PGB_KERNEL(pgb_env_cartpole) = {
    .name = "cartpole",
    .title = "pole on a cart, Gymnasium's CartPole-v1",
    .source = "Barto, Sutton, Anderson 1983, doi:10.1109/TSMC.1983.6313077; Gymnasium@1.4.0 CartPole-v1",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(cartpole),
    .obs_fields = fields,
    .n_obs_fields = sizeof fields / sizeof *fields,
    .limit_truncates = true,
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
