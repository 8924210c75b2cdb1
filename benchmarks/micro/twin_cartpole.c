/* SPDX-License-Identifier: MIT */
#include "twin.h"

#include "core/rng.h"

#include <math.h>

enum { N_OBS = 4, N_ACT = 2, N_THETA = 10 };

bool twin_cartpole_step(float s[N_OBS], int action) {
  const float force = action == 1 ? 10.0f : -10.0f;
  const float cosine = cosf(s[2]);
  const float sine = sinf(s[2]);
  const float temp = (force + 0.05f * s[3] * s[3] * sine) / 1.1f;
  const float alpha = (9.8f * sine - cosine * temp) / (0.5f * (4.0f / 3.0f - 0.1f * cosine * cosine / 1.1f));
  const float accel = temp - 0.05f * alpha * cosine / 1.1f;
  s[0] += 0.02f * s[1];
  s[1] += 0.02f * accel;
  s[2] += 0.02f * s[3];
  s[3] += 0.02f * alpha;
  return s[0] < -2.4f || s[0] > 2.4f || s[2] < -0.20943951f || s[2] > 0.20943951f;
}

/* Draws an action of the softmax; score: d log pi / d logits. */
static int act(const float *theta, const float s[N_OBS], uint32_t word, float score[N_ACT]) {
  float logit[N_ACT];
  for (int a = 0; a < N_ACT; a++) {
    logit[a] = theta[N_ACT * N_OBS + a];
    for (int k = 0; k < N_OBS; k++)
      logit[a] += theta[a * N_OBS + k] * s[k];
  }
  const float top = logit[0] > logit[1] ? logit[0] : logit[1];
  const float e0 = expf(logit[0] - top);
  const float e1 = expf(logit[1] - top);
  const float p0 = e0 / (e0 + e1);
  const int action = pgb_uniform(word) >= p0;
  score[0] = (action == 0 ? 1.0f : 0.0f) - p0;
  score[1] = (action == 1 ? 1.0f : 0.0f) - e1 / (e0 + e1);
  return action;
}

/* sum_t gamma^t r_t sum_{k<=t} psi_k (Baxter and Bartlett 2001). */
int twin_cartpole_linear(const twin_problem *p, uint32_t replicate, uint32_t number, float *g) {
  uint32_t word[4];
  float s[N_OBS];
  float z[N_THETA] = {0};
  float discount = 1;
  pgb_words(p->seed, PGB_USE_RESET, p->stream, replicate, number, 0, word);
  for (int k = 0; k < N_OBS; k++)
    s[k] = 0.1f * pgb_uniform(word[k]) - 0.05f;
  int t = 0;
  for (bool over = false; !over && t < p->horizon; t++) {
    if (t % 4 == 0)
      pgb_words(p->seed, PGB_USE_ACTION, p->stream, replicate, number, (uint32_t)t / 4, word);
    float score[N_ACT];
    const int action = act(p->theta, s, word[t % 4], score);
    for (int a = 0; a < N_ACT; a++) {
      for (int k = 0; k < N_OBS; k++)
        z[a * N_OBS + k] += score[a] * s[k];
      z[N_ACT * N_OBS + a] += score[a];
    }
    over = twin_cartpole_step(s, action);
    for (int k = 0; k < N_THETA; k++)
      g[k] += discount * z[k]; /* every reward is 1 */
    discount *= p->gamma;
  }
  return t;
}

static uint32_t congruential(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth, MMIX */
  return (uint32_t)(*state >> 32);
}

uint64_t twin_cartpole_random(uint64_t steps, uint64_t seed) {
  float s[N_OBS] = {0};
  uint64_t lengths = 0;
  int t = 0;
  for (uint64_t i = 0; i < steps; i++) {
    if (t == 0)
      for (int k = 0; k < N_OBS; k++)
        s[k] = 0.1f * ((float)(congruential(&seed) >> 8) * 0x1p-24f) - 0.05f;
    t++;
    if (twin_cartpole_step(s, (int)(congruential(&seed) >> 31)) || t == 500) {
      lengths += (uint64_t)t;
      t = 0;
    }
  }
  return lengths + (uint64_t)t;
}
