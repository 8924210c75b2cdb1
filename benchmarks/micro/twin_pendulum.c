/* SPDX-License-Identifier: MIT */
#include "twin.h"

#include "core/rng.h"

#include <math.h>

enum { N_OBS = 3 };
#define PI 3.14159265f

static float clip(float x, float limit) {
  return x < -limit ? -limit : x > limit ? limit : x;
}

/* One step of Pendulum-v1 (Gymnasium 1.4.0); the reward. */
static float step(float *angle, float *speed, float torque) {
  const float u = clip(torque, 2.0f);
  const float upright = fmodf(*angle + PI, 2 * PI) - (*angle + PI < 0 ? -PI : PI);
  const float reward = -(upright * upright + 0.1f * *speed * *speed + 0.001f * u * u);
  *speed = clip(*speed + (15.0f * sinf(*angle) + 3.0f * u) * 0.05f, 8.0f);
  *angle += *speed * 0.05f;
  return reward;
}

/* a = theta . obs + sigma eps (Williams 1992); gradient as twin_cartpole_linear. */
int twin_pendulum_gaussian(const twin_problem *p, uint32_t replicate, uint32_t number, float *g) {
  const bool learn = p->n_theta > N_OBS;
  const float sigma = learn ? expf(p->theta[N_OBS]) : 1.0f;
  float z[N_OBS + 1] = {0};
  float discount = 1;
  uint32_t word[4];
  pgb_words(p->seed, PGB_USE_RESET, p->stream, replicate, number, 0, word);
  float angle = 2 * PI * (pgb_uniform(word[0]) - 0.5f);
  float speed = 2 * pgb_uniform(word[1]) - 1;
  for (int t = 0; t < p->horizon; t++) {
    if (t % 2 == 0)
      pgb_words(p->seed, PGB_USE_ACTION, p->stream, replicate, number, (uint32_t)t / 2, word);
    const uint32_t *w = word + 2 * (t % 2);
    const float obs[N_OBS] = {cosf(angle), sinf(angle), speed};
    const float eps = sqrtf(-2 * logf(pgb_uniform_fine(w[0]))) * cosf(2 * PI * (pgb_uniform(w[1]) - 0.5f));
    float mean = 0;
    for (int k = 0; k < N_OBS; k++)
      mean += p->theta[k] * obs[k];
    for (int k = 0; k < N_OBS; k++)
      z[k] += eps / sigma * obs[k];
    z[N_OBS] += eps * eps - 1;
    const float reward = step(&angle, &speed, mean + sigma * eps);
    for (size_t k = 0; k < p->n_theta; k++)
      g[k] += discount * reward * z[k];
    discount *= p->gamma;
  }
  return p->horizon;
}
