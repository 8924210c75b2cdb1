/* SPDX-License-Identifier: MIT */
/* Two links, the joint between them driven, as Gymnasium's Acrobot-v1 defines it (Gymnasium 1.4.0,
 * envs/classic_control/acrobot.py, dynamics "book"): one Runge-Kutta step of fourth order over 0.2 s, torque
 * -1, 0 or 1 N m; reward -1 for every step until the tip stands a link's length above the pivot, 0 for that
 * step; 500 steps at the most, which is a truncation.
 * State rows: angle of link 1 (rad, 0 hangs down), of link 2 relative to it, both in [-pi, pi], their speeds
 * (rad/s), then cosine and sine of either angle, which the next step begins with. */
#include "core/vmath.h"
#include "env/env.h"

#include <stddef.h>

typedef struct acrobot {
  int64_t horizon;
} acrobot;

static const pgb_option options[] = {
    {"horizon", "step", PGB_TYPE_INT, offsetof(acrobot, horizon), 1, 100000, "500", NULL,
     "time limit; Acrobot-v1 has 500"},
};

static const pgb_field fields[] = {{"cosine of angle 1", "1", -1, 1},
                                   {"sine of angle 1", "1", -1, 1},
                                   {"cosine of angle 2", "1", -1, 1},
                                   {"sine of angle 2", "1", -1, 1},
                                   {"angular velocity 1", "rad/s", -12.566371, 12.566371},
                                   {"angular velocity 2", "rad/s", -28.274334, 28.274334}};

enum { STATES = 8, OBSERVATIONS = 6 };

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  (void)arena;
  *space = (pgb_space){.n_state = STATES,
                       .n_obs = OBSERVATIONS,
                       .n_act = 1,
                       .n_choices = 3,
                       .horizon = (size_t)((const acrobot *)params)->horizon,
                       .reset_words = 4};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  (void)params;
  const uint32_t *words = batch->words;
  float *state = batch->state, *obs = batch->obs;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    float x[STATES];
    for (size_t k = 0; k < 4; k++)
      x[k] = 0.2f * pgb_uniform(words[k * PGB_LANES + i]) - 0.1f;
    pgb_sincos(x[0], &x[5], &x[4]);
    pgb_sincos(x[1], &x[7], &x[6]);
    for (size_t k = 0; k < STATES; k++)
      state[k * PGB_LANES + i] = x[k];
    for (size_t k = 0; k < 4; k++)
      obs[k * PGB_LANES + i] = x[4 + k];
    obs[4 * PGB_LANES + i] = x[2];
    obs[5 * PGB_LANES + i] = x[3];
  }
}

/* Angles by their cosine and sine, and speeds. */
typedef struct links {
  float c1, s1, c2, s2, w1, w2;
} links;

static inline links at_angles(float angle1, float angle2, float w1, float w2) {
  links x = {.w1 = w1, .w2 = w2};
  pgb_sincos(angle1, &x.s1, &x.c1);
  pgb_sincos(angle2, &x.s2, &x.c2);
  return x;
}

/* Accelerations (rad/s^2) by the equations of motion of Sutton and Barto 1998, section 11.3: mass matrix
 * (d1 d2; d2 d3) times (a1, a2) is (-phi1, drive), solved by its determinant with one division. Masses,
 * lengths and moments of inertia are 1, centres at 1/2, g = 9.8, so that d1 d3 - d2^2 = 2.8125 - cos^2 / 4,
 * never near 0. */
static inline void accelerate(links x, float torque, float *a1, float *a2) {
  const float gravity = 9.8f;
  const float d1 = 3.5f + x.c2, d2 = 1.25f + 0.5f * x.c2, d3 = 1.25f;
  const float inverse = 1.0f / (2.8125f - 0.25f * (x.c2 * x.c2));
  const float phi2 = 0.5f * gravity * (x.s1 * x.c2 + x.c1 * x.s2);
  const float phi1 = 1.5f * gravity * x.s1 + phi2 - (0.5f * x.w2 + x.w1) * (x.w2 * x.s2);
  const float drive = torque - 0.5f * (x.w1 * x.w1) * x.s2 - phi2;
  *a1 = -(d3 * phi1 + d2 * drive) * inverse;
  *a2 = (d1 * drive + d2 * phi1) * inverse;
}

/* The stages' slopes weighted 1, 2, 2, 1 as they come: v is the slope of an angle, a of its speed. */
typedef struct slopes {
  float v1, v2, a1, a2;
} slopes;

static inline slopes add_slopes(slopes sum, float weight, links x, float a1, float a2) {
  return (slopes){sum.v1 + weight * x.w1, sum.v2 + weight * x.w2, sum.a1 + weight * a1, sum.a2 + weight * a2};
}

static void step(const void *params, pgb_batch *batch) {
  (void)params;
  const float tau = 0.2f, half = 0.1f, max_speed1 = 12.566371f, max_speed2 = 28.274334f; /* 4 pi, 9 pi */
  const float *act = batch->act;
  float *state = batch->state, *obs = batch->obs, *reward = batch->reward;
  uint8_t *end = batch->end;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const float angle1 = state[i], angle2 = state[PGB_LANES + i];
    const float torque = act[i] - 1.0f;
    const links x = {.w1 = state[2 * PGB_LANES + i],
                     .w2 = state[3 * PGB_LANES + i],
                     .c1 = state[4 * PGB_LANES + i],
                     .s1 = state[5 * PGB_LANES + i],
                     .c2 = state[6 * PGB_LANES + i],
                     .s2 = state[7 * PGB_LANES + i]};
    float a1;
    float a2;
    accelerate(x, torque, &a1, &a2);
    slopes sum = {x.w1, x.w2, a1, a2};
    links y = at_angles(angle1 + half * x.w1, angle2 + half * x.w2, x.w1 + half * a1, x.w2 + half * a2);
    accelerate(y, torque, &a1, &a2);
    sum = add_slopes(sum, 2.0f, y, a1, a2);
    y = at_angles(angle1 + half * y.w1, angle2 + half * y.w2, x.w1 + half * a1, x.w2 + half * a2);
    accelerate(y, torque, &a1, &a2);
    sum = add_slopes(sum, 2.0f, y, a1, a2);
    y = at_angles(angle1 + tau * y.w1, angle2 + tau * y.w2, x.w1 + tau * a1, x.w2 + tau * a2);
    accelerate(y, torque, &a1, &a2);
    sum = add_slopes(sum, 1.0f, y, a1, a2);
    const float sixth = tau / 6.0f;
    const float new1 = pgb_wrap(angle1 + sixth * sum.v1), new2 = pgb_wrap(angle2 + sixth * sum.v2);
    y = at_angles(new1, new2, pgb_clip(x.w1 + sixth * sum.a1, -max_speed1, max_speed1),
                  pgb_clip(x.w2 + sixth * sum.a2, -max_speed2, max_speed2));
    state[i] = new1;
    state[PGB_LANES + i] = new2;
    state[2 * PGB_LANES + i] = obs[4 * PGB_LANES + i] = y.w1;
    state[3 * PGB_LANES + i] = obs[5 * PGB_LANES + i] = y.w2;
    state[4 * PGB_LANES + i] = obs[i] = y.c1;
    state[5 * PGB_LANES + i] = obs[PGB_LANES + i] = y.s1;
    state[6 * PGB_LANES + i] = obs[2 * PGB_LANES + i] = y.c2;
    state[7 * PGB_LANES + i] = obs[3 * PGB_LANES + i] = y.s2;
    /* Height of the tip above the pivot: -cos(angle 1) - cos(angle 1 + angle 2). */
    const int32_t up = y.s1 * y.s2 - y.c1 * y.c2 - y.c1 > 1.0f;
    reward[i] = up != 0 ? 0.0f : -1.0f;
    end[i] = up != 0 ? PGB_TERMINAL : PGB_LIVE;
  }
}

const pgb_env_class PGB_KERNEL(pgb_env_acrobot) = {
    .name = "acrobot",
    .title = "two-link arm to be swung up by its elbow, Gymnasium's Acrobot-v1; actions: torque -1, 0, 1 N m",
    .source =
        "Sutton 1996, Generalization in reinforcement learning: successful examples using sparse coarse "
        "coding (NIPS); Gymnasium@1.4.0 Acrobot-v1",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(acrobot),
    .obs_fields = fields,
    .n_obs_fields = sizeof fields / sizeof *fields,
    .limit_truncates = true,
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
