/* SPDX-License-Identifier: MIT */
#include "twin.h"

#include "core/rng.h"

#include <math.h>

/* CartPole with a perceptron 4-64-64-2, tanh, softmax. The gradient of an episode is one backward pass for
 * each step, weighted by its reward-to-go; activations are kept from the forward pass. */
enum { N_OBS = 4, N_ACT = 2, WIDTH = 64, STEPS = 500 };
enum {
  W1 = 0,
  B1 = W1 + WIDTH * N_OBS,
  W2 = B1 + WIDTH,
  B2 = W2 + WIDTH * WIDTH,
  W3 = B2 + WIDTH,
  B3 = W3 + N_ACT * WIDTH,
};

typedef struct kept_step {
  float obs[N_OBS], h1[WIDTH], h2[WIDTH], score[N_ACT];
} kept_step;

static void layer(const float *w, const float *b, const float *x, int n_in, int n_out, float *y) {
  for (int i = 0; i < n_out; i++) {
    y[i] = b[i];
    for (int k = 0; k < n_in; k++)
      y[i] += w[i * n_in + k] * x[k];
  }
}

static int act(const float *theta, uint32_t word, kept_step *s) {
  float logit[N_ACT];
  layer(theta + W1, theta + B1, s->obs, N_OBS, WIDTH, s->h1);
  for (int i = 0; i < WIDTH; i++)
    s->h1[i] = tanhf(s->h1[i]);
  layer(theta + W2, theta + B2, s->h1, WIDTH, WIDTH, s->h2);
  for (int i = 0; i < WIDTH; i++)
    s->h2[i] = tanhf(s->h2[i]);
  layer(theta + W3, theta + B3, s->h2, WIDTH, N_ACT, logit);
  const float top = logit[0] > logit[1] ? logit[0] : logit[1];
  const float e0 = expf(logit[0] - top);
  const float e1 = expf(logit[1] - top);
  const float p0 = e0 / (e0 + e1);
  const int action = pgb_uniform(word) >= p0;
  s->score[0] = (action == 0 ? 1.0f : 0.0f) - p0;
  s->score[1] = (action == 1 ? 1.0f : 0.0f) - e1 / (e0 + e1);
  return action;
}

static void back(const float *w, const float *delta, int n_in, int n_out, const float *h, float *below) {
  for (int k = 0; k < n_in; k++)
    below[k] = 0;
  for (int i = 0; i < n_out; i++)
    for (int k = 0; k < n_in; k++)
      below[k] += w[i * n_in + k] * delta[i];
  for (int k = 0; k < n_in; k++)
    below[k] *= 1 - h[k] * h[k];
}

static void add_outer(const float *delta, const float *x, int n_in, int n_out, float *w, float *b) {
  for (int i = 0; i < n_out; i++) {
    for (int k = 0; k < n_in; k++)
      w[i * n_in + k] += delta[i] * x[k];
    b[i] += delta[i];
  }
}

static void add_gradient(const float *theta, const kept_step *s, float weight, float *g) {
  float d1[WIDTH];
  float d2[WIDTH];
  const float d3[N_ACT] = {weight * s->score[0], weight * s->score[1]};
  back(theta + W3, d3, WIDTH, N_ACT, s->h2, d2);
  back(theta + W2, d2, WIDTH, WIDTH, s->h1, d1);
  add_outer(d3, s->h2, WIDTH, N_ACT, g + W3, g + B3);
  add_outer(d2, s->h1, WIDTH, WIDTH, g + W2, g + B2);
  add_outer(d1, s->obs, N_OBS, WIDTH, g + W1, g + B1);
}

int twin_cartpole_mlp(const twin_problem *p, uint32_t replicate, uint32_t number, float *g) {
  kept_step kept[STEPS];
  uint32_t word[4];
  float s[N_OBS];
  const int horizon = p->horizon < STEPS ? p->horizon : STEPS;
  pgb_words(p->seed, PGB_USE_RESET, p->stream, replicate, number, 0, word);
  for (int k = 0; k < N_OBS; k++)
    s[k] = 0.1f * pgb_uniform(word[k]) - 0.05f;
  int t = 0;
  for (bool over = false; !over && t < horizon; t++) {
    if (t % 4 == 0)
      pgb_words(p->seed, PGB_USE_ACTION, p->stream, replicate, number, (uint32_t)t / 4, word);
    for (int k = 0; k < N_OBS; k++)
      kept[t].obs[k] = s[k];
    over = twin_cartpole_step(s, act(p->theta, word[t % 4], &kept[t]));
  }
  double togo = 0; /* every reward is 1 */
  for (int k = t - 1; k >= 0; k--) {
    togo = 1 + (double)p->gamma * togo;
    add_gradient(p->theta, &kept[k], (float)(pow((double)p->gamma, k) * togo), g);
  }
  return t;
}
